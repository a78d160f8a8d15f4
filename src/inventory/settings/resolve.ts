import { InputErrors, type Position } from "../../util/errors.js";
import type { Secret } from "../../util/secret.js";
import type { InventoryHost } from "../types.js";
import { type SettingName, settings } from "./index.js";
import { parseSettings, type SettingValues } from "./parse.js";
import type { Parsed } from "./parse-result.js";
import type { Setting } from "./types.js";
import { validateSettings } from "./validate.js";

export type Origin = Position | "default" | "generated";

export interface HostSettings {
  readonly values: SettingValues;
  readonly origins: Readonly<Record<SettingName, Origin>>;
}

/** Secrets that were generated for a host, by setting. */
export type HostSecrets = { readonly [N in GeneratedName]?: Secret } & {
  /** By stream. */
  readonly rtmp_stream_keys?: Readonly<Record<string, Secret>>;
  /** By target of `push`; written there by the operator. */
  readonly push_keys?: Readonly<Record<string, Secret>>;
};
export type GeneratedName = "rtmp_publish_token" | "http_status_password" | "hls_signing_key";

/**
 * Every setting of one host with its origin: the inventory, else what was generated, else the default.
 * Values must not hold templates.
 * @throws InputErrors when the host's settings are not valid
 */
export function resolveSettings(host: InventoryHost, secrets?: HostSecrets): HostSettings {
  const errors = validateSettings(host);
  if (errors.length > 0) throw new InputErrors(errors);
  const { rtmp_stream_keys: kept, push_keys: foreign, ...single } = secrets ?? {};
  const generated: Readonly<Record<string, Secret | undefined>> = single;
  const values: Record<string, Parsed<Setting["type"]> | undefined> = { ...parseSettings(host) };
  const origins: Record<string, Origin> = {};
  for (const { name } of settings) {
    const given = host.vars[name] !== undefined;
    origins[name] = given ? (host.origins[name] ?? host.position) : "default";
    if (given || generated[name] === undefined) continue;
    values[name] = generated[name];
    origins[name] = "generated";
  }
  if (kept !== undefined && Object.keys(kept).length > 0) {
    // As edge_rtmp_stream_keys of playbooks/vars/settings.yml: what the inventory gives is over what was generated.
    values.rtmp_stream_keys = { ...kept, ...(values.rtmp_stream_keys as Readonly<Record<string, Secret>>) };
    if (host.vars.rtmp_stream_keys === undefined) origins.rtmp_stream_keys = "generated";
  }
  if (foreign !== undefined)
    values.push_keys = { ...foreign, ...(values.push_keys as Readonly<Record<string, Secret>>) };
  return { values: values as SettingValues, origins: origins as Record<SettingName, Origin> };
}
