import { formatPosition, InputError, type Position } from "../../util/errors.js";
import { masker } from "../../util/mask.js";
import { type HostValue, revealed, secretsIn } from "../host-value.js";
import type { InventoryHost } from "../types.js";
import { findClashes } from "./combinations.js";
import { settingsByName } from "./index.js";
import { parseSettings } from "./parse.js";
import type { Setting } from "./types.js";
import { unknownVariable } from "./unknown.js";
import { parseValue } from "./values.js";

/**
 * Checks the variables of one host: types, ranges, units, unknown names, values that never worked, and combinations. Each error has the place where the value was given. A value that holds a template is known on
 * the host's turn only and is taken as it is.
 */
export function validateSettings(host: InventoryHost): InputError[] {
  const errors: InputError[] = [];
  const unsettled = new Set<string>();
  for (const [name, value] of Object.entries(host.vars)) {
    const position = host.origins[name] ?? host.position;
    const setting = settingsByName.get(name);
    const error =
      setting === undefined
        ? unknownVariable(name, position)
        : isTemplate(value)
          ? undefined
          : checkSetting(setting, value, position);
    if (error !== undefined) errors.push(error);
    if (error !== undefined || isTemplate(value)) unsettled.add(name);
  }
  for (const { names, message, hint } of findClashes(parseSettings(host))) {
    // A value already found wrong was replaced by its default: what that clashes with is no news.
    if (names.some((name) => unsettled.has(name))) continue;
    const given = names.find((name) => host.origins[name] !== undefined);
    const position = (given === undefined ? undefined : host.origins[given]) ?? host.position;
    errors.push(new InputError("E_SETTING_COMBINATION", message, { hint, position }));
  }
  return withoutSecrets(errors, host);
}

/** Messages quote what is wrong; what the inventory hides they do not. */
function withoutSecrets(errors: readonly InputError[], host: InventoryHost): InputError[] {
  const secrets = Object.values(host.vars).flatMap(secretsIn);
  const mask = masker(secrets.map((secret) => secret.reveal()));
  return errors.map(({ code, message, hint, position }) => {
    return new InputError(code, mask(message), { position, hint: hint === undefined ? undefined : mask(hint) });
  });
}

/** The same over hosts; what a group gives to many of them is reported once. */
export function validateAllSettings(hosts: readonly InventoryHost[]): InputError[] {
  const byPlace = new Map<string, InputError>();
  for (const error of hosts.flatMap(validateSettings)) {
    const place = error.position === undefined ? "" : formatPosition(error.position);
    byPlace.set(`${place} ${error.message}`, error);
  }
  return [...byPlace.values()].sort(byPosition);
}

function checkSetting(setting: Setting, value: HostValue, position: Position): InputError | undefined {
  const { name, status, refusals = [] } = setting;
  const error = (code: string, message: string, hint?: string) => new InputError(code, message, { hint, position });
  if (status.kind === "refused")
    return error("E_SETTING_REFUSED", `${name} is refused: ${status.why}`, `remove ${name}`);
  const parsed = parseValue(setting.type, revealed(value));
  if (!parsed.ok) return error(parsed.code, `${name} ${parsed.problem}`, parsed.hint ?? setting.doc);
  const refusal = refusals.find((r) => r.value === parsed.value);
  if (refusal !== undefined)
    return error("E_SETTING_REFUSED", `${name} ${String(refusal.value)} cannot work: ${refusal.why}`, `remove ${name}`);
  return undefined;
}

function isTemplate(value: HostValue): boolean {
  return typeof value === "string" && (value.includes("{{") || value.includes("{%"));
}

function byPosition(left: InputError, right: InputError): number {
  const [a, b] = [left.position, right.position];
  if (a === undefined || b === undefined) return 0;
  return a.file === b.file ? a.line - b.line || a.column - b.column : a.file < b.file ? -1 : 1;
}
