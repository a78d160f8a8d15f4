import { revealed } from "../host-value.js";
import type { InventoryHost } from "../types.js";
import { type SettingRow, settings } from "./index.js";
import type { Parsed } from "./parse-result.js";
import type { Setting } from "./types.js";
import { parseValue } from "./values.js";

/** Every setting of a host, parsed: ms for times, bytes for sizes. Undefined: not given and without a default. */
export type SettingValues = {
  readonly [R in SettingRow as R["name"]]: Parsed<R["type"]> | (R["default"] extends undefined ? undefined : never);
};

/** Parses what is given and right; the default stands in for everything else, so that combinations can be looked at. */
export function parseSettings(host: InventoryHost): SettingValues {
  const values: Record<string, Parsed<Setting["type"]> | undefined> = {};
  for (const setting of settings) {
    const given = host.vars[setting.name];
    const parsed = given === undefined ? undefined : parseValue(setting.type, revealed(given));
    values[setting.name] = parsed?.ok ? parsed.value : defaultValue(setting);
  }
  return values as SettingValues;
}

/** The parsed default of a setting. */
export function defaultValue(setting: Setting): Parsed<Setting["type"]> | undefined {
  if (setting.default === undefined) return undefined;
  const parsed = parseValue(setting.type, setting.default);
  if (!parsed.ok) throw new Error(`the default of ${setting.name} ${parsed.problem}`);
  return parsed.value;
}
