/** What a setting's value may be. Ranges are inclusive and in the unit of the parsed value. */
export type SettingType =
  | { readonly kind: "port" }
  | { readonly kind: "int"; readonly min: number; readonly max: number }
  /** A number, or the word `auto`. */
  | { readonly kind: "count"; readonly min: number; readonly max: number }
  | { readonly kind: "bool" }
  /** One of the words. `yes` and `no`: those that YAML's truth values stand for, where `off` is a word to us and `false` to YAML. */
  | { readonly kind: "enum"; readonly values: readonly string[]; readonly yes?: string; readonly no?: string }
  /** nginx's time: `60` and `60s` are seconds, `500ms`, `3m`, `1h`. Parsed to milliseconds. */
  | { readonly kind: "duration"; readonly minMs: number; readonly maxMs: number }
  /** nginx's size: `4096`, `512k`, `1M`, `1g`. Parsed to bytes. `emptyIs` says what an empty value stands for. */
  | { readonly kind: "size"; readonly min: number; readonly max: number; readonly emptyIs?: string }
  | { readonly kind: "username" }
  /** A secret: letters, digits, `.`, `_`, `~`, `-`, so that no URL, shell or template can mangle it. */
  | { readonly kind: "token"; readonly minLength: number; readonly maxLength: number }
  /** `*` or one origin such as `https://www.example.org`. */
  | { readonly kind: "origin" }
  | { readonly kind: "email" }
  | { readonly kind: "hostname" }
  /** A host by its name in the inventory, or the word `local` for the controller. */
  | { readonly kind: "host" }
  /** Names that a certificate can hold: host names of the DNS, and IP addresses. */
  | { readonly kind: "cert-names" }
  /** Path of a file on the controller, from the inventory's folder. */
  | { readonly kind: "file" }
  /** A list of IP addresses and networks (`192.0.2.7`, `2001:db8::/32`), as nginx's `allow` takes them. */
  | { readonly kind: "networks" }
  /** A list of names of streams. */
  | { readonly kind: "streams" }
  | { readonly kind: "https-url" }
  /** An http(s) address, or a path of the edge itself. No quotes, spaces or control characters. */
  | { readonly kind: "url" }
  /** Six hexadecimal digits, with or without `#`. */
  | { readonly kind: "colour" }
  /** A measurement id of Google Analytics 4. */
  | { readonly kind: "analytics" }
  /** A mapping of stream names to secrets of the form of `token`. */
  | { readonly kind: "keys"; readonly minLength: number; readonly maxLength: number }
  /** A mapping of push targets to the keys that their services gave out. */
  | { readonly kind: "foreign-keys"; readonly maxLength: number }
  /** Streams to other services, and from elsewhere (elsewhere.ts). */
  | { readonly kind: "push" }
  | { readonly kind: "pull" }
  /** Names of transcoding profiles, each once. */
  | { readonly kind: "profile-names" }
  /** A mapping of names to transcoding profiles: pixels and kbit/s. */
  | {
      readonly kind: "profiles";
      readonly minHeight: number;
      readonly maxHeight: number;
      readonly minBitrate: number;
      readonly maxBitrate: number;
    }
  | { readonly kind: "version" };

/** One rendition: the short side of its picture in pixels, and kbit/s. */
export interface Profile {
  readonly height: number;
  readonly video_bitrate: number;
}

/** What became of the predecessor's variable. */
export type SettingStatus =
  | { readonly kind: "new" }
  | { readonly kind: "taken" }
  | { readonly kind: "corrected"; readonly why: string }
  /** Any value is an error: the variable never had an effect, or can have none here. */
  | { readonly kind: "refused"; readonly why: string };

export type SettingDefault = string | number | boolean | readonly string[] | Readonly<Record<string, never>>;

export type SettingSection =
  | "workers"
  | "rtmp"
  | "access"
  | "limits"
  | "hls"
  | "http"
  | "metrics"
  | "https"
  | "build"
  | "media"
  | "transcoding"
  | "player";

/** One row of the settings table: documentation, schema and the source of playbooks/vars/settings.yml. */
export interface Setting {
  /** The inventory variable. Tasks and templates see it as `edge_NAME`. */
  readonly name: string;
  readonly type: SettingType;
  /** As it would be written in the inventory. `undefined`: generated for each host (tokens) or without a value. */
  readonly default: SettingDefault | undefined;
  /** restreamer-edge's variable and its default there, as its README lists them; `later` is its name from v0.1.0 on. */
  readonly predecessor?: { readonly name?: string; readonly later?: string; readonly default: string };
  /** The nginx directive or other place it ends in. */
  readonly directive: string;
  /** One or two sentences for docs/settings.md and for error hints. */
  readonly doc: string;
  readonly status: SettingStatus;
  /** Values that the predecessor took and that cannot work, each with the reason. */
  readonly refusals?: readonly { readonly value: SettingDefault; readonly why: string }[];
  /** Also emit `edge_NAME_ms` or `edge_NAME_bytes`, a number for calculations. */
  readonly helper?: boolean;
}
