import { InputErrors, type Position } from "../../util/errors.js";
import type { Secret } from "../../util/secret.js";
import type { InventoryHost } from "../types.js";
import { type SettingName, settings } from "./index.js";
import { parseSettings, type SettingValues } from "./parse.js";
import type { Setting } from "./types.js";
import { validateSettings } from "./validate.js";
import type { Parsed } from "./values.js";

export type Origin = Position | "default" | "generated";

export interface HostSettings {
  readonly values: SettingValues;
  readonly origins: Readonly<Record<SettingName, Origin>>;
}

/** Secrets that were generated for a host, by setting. */
export type HostSecrets = { readonly [N in GeneratedName]?: Secret };
export type GeneratedName = "rtmp_publish_token" | "http_status_password";

/**
 * Every setting of one host with its origin: the inventory, else what was generated, else the default.
 * Values must not hold templates.
 * @throws InputErrors when the host's settings are not valid
 */
export function resolveSettings(host: InventoryHost, secrets?: HostSecrets): HostSettings {
  const errors = validateSettings(host);
  if (errors.length > 0) throw new InputErrors(errors);
  const generated: Readonly<Record<string, Secret | undefined>> = { ...secrets };
  const values: Record<string, Parsed<Setting["type"]> | undefined> = { ...parseSettings(host) };
  const origins: Record<string, Origin> = {};
  for (const { name } of settings) {
    const given = host.vars[name] !== undefined;
    origins[name] = given ? (host.origins[name] ?? host.position) : "default";
    if (given || generated[name] === undefined) continue;
    values[name] = generated[name];
    origins[name] = "generated";
  }
  return { values: values as SettingValues, origins: origins as Record<SettingName, Origin> };
}
