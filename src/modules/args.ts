import type { ArgSpec, ModuleArgs, Value } from "../playbook/types.js";
import { ArgumentError } from "./types.js";

export type Args = Readonly<Record<string, Value>>;

const TRUE_WORDS = new Set(["yes", "on", "1", "true", "y", "t"]);
const FALSE_WORDS = new Set(["no", "off", "0", "false", "n", "f"]);

/** The marker that `default(omit)` leaves: the argument counts as not given. */
export const OMIT_PREFIX = "__omit_place_holder__";

/**
 * Rendered arguments brought to the types of the module's spec, with aliases resolved and defaults filled in.
 * @throws ArgumentError for a missing, unknown or wrongly typed argument.
 */
export function coerceArgs(spec: ModuleArgs, given: Args): Record<string, Value> {
  const result: Record<string, Value> = {};
  const byName = new Map<string, string>();
  for (const [name, arg] of Object.entries(spec.args)) {
    byName.set(name, name);
    for (const alias of arg.aliases ?? []) byName.set(alias, name);
  }
  for (const [key, value] of Object.entries(given)) {
    const name = byName.get(key);
    const arg = name === undefined ? undefined : spec.args[name];
    if (name === undefined || arg === undefined) throw new ArgumentError(`${spec.name} takes no argument ${key}`, key);
    if (typeof value === "string" && value.startsWith(OMIT_PREFIX)) continue;
    if (value === null) continue;
    result[name] = coerce(arg, name, value);
  }
  for (const [name, arg] of Object.entries(spec.args)) {
    if (result[name] !== undefined) continue;
    if (arg.required) throw new ArgumentError(`${spec.name} needs the argument ${name}`, name);
    if (arg.default !== undefined) result[name] = arg.default;
  }
  return result;
}

function coerce(arg: ArgSpec, name: string, value: Value): Value {
  const coerced = convert(arg, name, value);
  if (arg.choices !== undefined && typeof coerced === "string" && !arg.choices.includes(coerced)) {
    throw new ArgumentError(`${name} is ${JSON.stringify(coerced)}, which is none of ${arg.choices.join(", ")}`, name);
  }
  return coerced;
}

function convert(arg: ArgSpec, name: string, value: Value): Value {
  switch (arg.type) {
    case "bool":
      return toBool(name, value);
    case "int":
    case "float":
      return toNumber(arg.type, name, value);
    case "list":
      if (Array.isArray(value)) return value;
      // Blanks stay, as in Ansible: modules whose words have none take them away.
      if (typeof value === "string") return value === "" ? [] : value.split(",");
      return [value];
    case "dict":
      if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
      throw new ArgumentError(`${name} is ${JSON.stringify(value)}, not a mapping`, name);
    case "mode":
      return toMode(name, value);
    case "str":
      return toText(name, value);
    case "path":
      // No command takes it for an option.
      return toText(name, value).replace(/^-/, "./-");
    case "raw":
      return value;
  }
}

/** Python's `str()` of a scalar; lists and mappings as JSON, which is what Ansible's str arguments become. */
export function toText(name: string, value: Value): string {
  if (typeof value === "string") return value;
  if (typeof value === "number") return String(value);
  if (typeof value === "boolean") return value ? "True" : "False";
  if (value === null) return "";
  try {
    return JSON.stringify(value);
  } catch {
    throw new ArgumentError(`${name} cannot be made a text`, name);
  }
}

function toBool(name: string, value: Value): boolean {
  if (typeof value === "boolean") return value;
  const word = String(value).toLowerCase();
  if (TRUE_WORDS.has(word) || word === "1.0") return true;
  if (FALSE_WORDS.has(word) || word === "0.0") return false;
  throw new ArgumentError(`${name} is ${JSON.stringify(value)}, neither true nor false`, name);
}

function toNumber(type: "int" | "float", name: string, value: Value): number {
  const number = typeof value === "number" ? value : typeof value === "string" && value.trim() ? Number(value) : NaN;
  if (!Number.isFinite(number) || (type === "int" && !Number.isInteger(number))) {
    throw new ArgumentError(
      `${name} is ${JSON.stringify(value)}, not ${type === "int" ? "a whole" : "a"} number`,
      name,
    );
  }
  return number;
}

/** "0644" and 0o644 both give "644"; symbolic modes and "preserve" stay. */
function toMode(name: string, value: Value): string {
  if (typeof value === "number") return value.toString(8);
  if (typeof value !== "string") throw new ArgumentError(`${name} is no file mode`, name);
  const text = value.replace(/^0o/, "");
  if (/^[0-7]{1,5}$/.test(text)) return text.replace(/^0+(?=.)/, "");
  if (text === "preserve" || /^[ugoa]*[-+=][rwxXstugo]*([,+=-][ugoarwxXst+=-]*)*$/.test(text)) return text;
  throw new ArgumentError(`${name} is ${JSON.stringify(value)}, no file mode`, name);
}

/** Typed reads of coerced arguments. */
export const text = (args: Args, name: string): string => {
  const value = args[name];
  return value === undefined || value === null ? "" : toText(name, value);
};
export const given = (args: Args, name: string): boolean => args[name] !== undefined && args[name] !== null;
export const flag = (args: Args, name: string): boolean => args[name] === true;
export const yesNo = (args: Args, name: string): string => (given(args, name) ? (flag(args, name) ? "yes" : "no") : "");
export const list = (args: Args, name: string): string[] => {
  const value = args[name];
  return Array.isArray(value) ? value.map((item: Value) => toText(name, item)) : [];
};
/** "1" or "": how programs carry a boolean. */
export const bit = (value: boolean): string => (value ? "1" : "");
