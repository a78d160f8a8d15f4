import type { Value } from "../../playbook/types.js";
import { Secret } from "../../util/secret.js";

/** A stream that is sent on to another service; its key is in push_keys under the same name. */
export interface PushTarget {
  readonly name: string;
  readonly stream: string;
  readonly url: string;
}

/** A stream that is fetched from elsewhere. */
export interface PullSource {
  readonly name: string;
  /** Holds a login more often than not. */
  readonly url: Secret;
  readonly transport: "tcp" | "udp";
  readonly video: "copy" | "h264";
  readonly audio: "copy" | "aac" | "none";
}

type Read<T> = { readonly ok: true; readonly items: readonly T[] } | { readonly ok: false; readonly problem: string };

const NAME = /^[A-Za-z0-9_-]{1,64}$/;
/** What the edge publishes itself, to prove that it works. */
const PROOF_PREFIX = "edge-verify-";
/** Server and application, as nginx-rtmp takes them apart; the key is not part of it. */
const PUSH_URL = /^rtmps?:\/\/[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?\/[A-Za-z0-9._~/-]{1,128}$/;
/** No quotes, spaces or backslashes: FFmpeg reads it from a file of lines. */
const PULL_URL = /^(rtmps?|rtsps?|https?):\/\/[A-Za-z0-9._~:/?#[\]@!$&()*+,;=%-]{1,1000}$/;

export const PUSH_FORM = "list of `{name, stream, url: rtmp[s]://HOST[:PORT]/APP}`";
export const PULL_FORM =
  "list of `{name, url: rtmp[s]|rtsp[s]|http[s]://..., transport: tcp|udp, video: copy|h264, audio: copy|aac|none}`";

/** Reads the setting `push`. Problems never quote more than names. */
export function readPush(value: Value): Read<PushTarget> {
  return readItems(value, ["name", "stream", "url"], ({ name, stream, url }, taken) => {
    if (typeof stream !== "string" || !NAME.test(stream) || stream.startsWith(PROOF_PREFIX))
      return `gives ${name} a stream that is none`;
    if (typeof url !== "string" || !PUSH_URL.test(url) || url.endsWith("/"))
      return `gives ${name} a url that is not rtmp[s]://HOST[:PORT]/APP; the key belongs into push_keys`;
    if (taken.length >= 64) return "has more than 64 targets";
    return { name, stream, url };
  });
}

/** Reads the setting `pull`. Problems never quote a url. */
export function readPull(value: Value): Read<PullSource> {
  const keys = ["name", "url", "transport", "video", "audio"];
  return readItems(value, keys, ({ name, url, transport = "tcp", video = "copy", audio = "copy" }) => {
    if (name.startsWith(PROOF_PREFIX)) return `has a stream ${name}, as \`edge-setup verify\` names its own`;
    if (typeof url !== "string" || !PULL_URL.test(url))
      return `gives ${name} a url that is not rtmp[s]://, rtsp[s]:// or http[s]://`;
    if (transport !== "tcp" && transport !== "udp") return `gives ${name} a transport that is neither tcp nor udp`;
    if (video !== "copy" && video !== "h264") return `gives ${name} a video that is neither copy nor h264`;
    if (audio !== "copy" && audio !== "aac" && audio !== "none")
      return `gives ${name} an audio that is none of copy, aac, none`;
    return { name, url: new Secret(url), transport, video, audio };
  });
}

type Item = Readonly<Record<string, Value>> & { readonly name: string };

function readItems<T extends { readonly name: string }>(
  value: Value,
  keys: readonly string[],
  read: (item: Item, taken: readonly T[]) => T | string,
): Read<T> {
  const wrong = (problem: string) => ({ ok: false, problem }) as const;
  if (!Array.isArray(value)) return wrong("is no list");
  const items: T[] = [];
  for (const entry of value as readonly Value[]) {
    if (typeof entry !== "object" || entry === null || Array.isArray(entry))
      return wrong("has an item that is no mapping");
    const item = entry as Readonly<Record<string, Value>>;
    const unknown = Object.keys(item).find((key) => !keys.includes(key));
    if (unknown !== undefined) return wrong(`has an item with a ${JSON.stringify(unknown).slice(0, 40)}`);
    const { name } = item;
    if (typeof name !== "string" || !NAME.test(name))
      return wrong("has an item without a name of letters, digits, _ and -");
    if (items.some((other) => other.name === name)) return wrong(`has the name ${name} twice`);
    const result = read({ ...item, name }, items);
    if (typeof result === "string") return wrong(result);
    items.push(result);
  }
  return { ok: true, items };
}
