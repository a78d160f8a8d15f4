/** What a role's `argument_specs` say of its variables, checked as ansible-core checks them. */
import { parseFloat64, parseInt10 } from "./python-text.js";
import { contains, fromValue, repr } from "./python-values.js";
import type { Value } from "./types.js";

type Dict = { readonly [key: string]: Value };
type Params = Record<string, Value>;

/** Why a value cannot be one of the wanted type. */
class Unfit extends Error {}

const TRUE = ["y", "yes", "on", "1", "true", "t"];
const FALSE = ["n", "no", "off", "0", "false", "f"];

function isDict(value: Value | undefined): value is Dict {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function dictOf(value: Value | undefined): Dict {
  return isDict(value) ? value : {};
}

function textsOf(value: Value | undefined): string[] {
  return Array.isArray(value) ? value.map(text) : [];
}

function pythonType(value: Value): string {
  if (value === null) return "<class 'NoneType'>";
  if (typeof value === "boolean") return "<class 'bool'>";
  if (typeof value === "number") return Number.isInteger(value) ? "<class 'int'>" : "<class 'float'>";
  if (typeof value === "string") return "<class 'str'>";
  return Array.isArray(value) ? "<class 'list'>" : "<class 'dict'>";
}

const text = (value: Value): string => (typeof value === "string" ? value : repr(fromValue(value)));

function unfit(value: Value, wanted: string): never {
  throw new Unfit(`${pythonType(value)} cannot be converted to ${wanted}`);
}

function toBool(value: Value): boolean {
  if (typeof value === "boolean") return value;
  if (typeof value !== "string" && typeof value !== "number") return unfit(value, "a bool");
  const word = String(value).toLowerCase().trim();
  if (TRUE.includes(word)) return true;
  if (FALSE.includes(word)) return false;
  throw new Unfit(
    `The value '${value}' is not a valid boolean.  Valid booleans include: ${[...TRUE, ...FALSE].join(", ")}`,
  );
}

function toDict(value: Value): Dict {
  if (isDict(value)) return value;
  if (typeof value !== "string") return unfit(value, "a dict");
  if (value.startsWith("{")) {
    try {
      return JSON.parse(value) as Dict;
    } catch {
      throw new Unfit("unable to evaluate string as dictionary");
    }
  }
  if (!value.includes("=")) throw new Unfit("dictionary requested, could not parse JSON or key=value");
  const words = value.split(/[,\s]+/).filter((word) => word !== "");
  return Object.fromEntries(words.map((word) => [word.replace(/=.*/s, ""), word.replace(/^[^=]*=/s, "")]));
}

const CONVERTERS: Readonly<Record<string, (value: Value) => Value>> = {
  str: text,
  path: text,
  raw: (value) => value,
  bool: toBool,
  dict: toDict,
  int(value) {
    if (typeof value === "boolean" || (typeof value === "number" && Number.isInteger(value))) return value;
    const number = typeof value === "string" ? parseInt10(value.trim()) : undefined;
    return number ?? unfit(value, "an int");
  },
  float(value) {
    if (typeof value === "number") return value;
    const number = typeof value === "string" ? parseFloat64(value) : undefined;
    return number ?? unfit(value, "a float");
  },
  list(value) {
    if (Array.isArray(value)) return value;
    if (typeof value === "string") return value.split(",");
    return typeof value === "number" ? [String(value)] : unfit(value, "a list");
  },
  jsonarg(value) {
    if (typeof value === "string") return value.trim();
    return typeof value === "object" && value !== null ? JSON.stringify(value) : unfit(value, "a json string");
  },
};

function convert(value: Value, type: string): Value {
  const converter = CONVERTERS[type === "json" ? "jsonarg" : type];
  if (converter === undefined) throw new Unfit(`the type ${type} is not known`);
  return converter(value);
}

/** Where an option stands: the names of those around it. */
type Context = readonly string[];

class Check {
  readonly errors: string[] = [];
  readonly #unsupported = new Map<string, { names: readonly string[]; aliases: readonly string[] }>();

  #say(message: string, context: Context): void {
    this.errors.push(context.length === 0 ? message : `${message} found in ${context.join(" -> ")}`);
  }

  /** @param rules `mutually_exclusive` and its like */
  level(spec: Dict, params: Params, rules: Dict, context: Context): void {
    const options = Object.entries(spec).map(([name, option]) => [name, dictOf(option)] as const);
    const aliases = this.#aliases(options, params);
    for (const name of Object.keys(params)) {
      if (Object.hasOwn(spec, name) || aliases.includes(name)) continue;
      const names = Object.keys(spec);
      this.#unsupported.set([...context, name].join("."), { names, aliases });
    }
    this.#exclusive(rules, params, context);
    for (const [name, { default: otherwise = null }] of options) {
      if (!Object.hasOwn(params, name) && otherwise !== null) params[name] = otherwise;
    }
    const missing = options.filter(([name, { required }]) => required === true && !Object.hasOwn(params, name));
    if (missing.length > 0) {
      const names = missing.map(([name]) => name).sort();
      this.#say(`missing required arguments: ${names.join(", ")}`, context);
    }
    for (const [name, option] of options) this.#type(name, option, params, context);
    for (const [name, option] of options) this.#choice(name, option, params, context);
    this.#together(rules, params, context);
    for (const [name] of options) if (!Object.hasOwn(params, name)) params[name] = null;
    for (const [name, option] of options) this.#inner(name, option, params, context);
  }

  #aliases(options: readonly (readonly [string, Dict])[], params: Params): string[] {
    return options.flatMap(([name, { aliases, default: otherwise, required }]) => {
      if (required === true && otherwise !== undefined && otherwise !== null)
        this.errors.push(`internal error: required and default are mutually exclusive for ${name}`);
      const others = textsOf(aliases);
      for (const alias of others) {
        const value = params[alias];
        if (value !== undefined) params[name] = value;
      }
      return others;
    });
  }

  #type(name: string, { type = null, elements = null }: Dict, params: Params, context: Context): void {
    const value = params[name];
    if (value === undefined || value === null) return;
    const wanted = type === null ? "str" : text(type);
    try {
      const converted = convert(value, wanted);
      params[name] = converted;
      if (elements !== null && Array.isArray(converted))
        params[name] = converted.flatMap((one) => this.#element(name, one, text(elements), context));
    } catch (error) {
      if (!(error instanceof Unfit)) throw error;
      const where = context.length === 0 ? "" : ` found in '${context.join(" -> ")}'.`;
      const what = `argument '${name}' is of type ${pythonType(value)}${where}`;
      this.errors.push(`${what} and we were unable to convert to ${wanted}: ${error.message}`);
    }
  }

  #element(name: string, value: Value, wanted: string, context: Context): Value[] {
    try {
      return [convert(value, wanted)];
    } catch (error) {
      if (!(error instanceof Unfit)) throw error;
      const where = context.length === 0 ? "" : ` found in '${context.join(" -> ")}'`;
      const what = `Elements value for option '${name}'${where} is of type ${pythonType(value)}`;
      this.errors.push(`${what} and we were unable to convert to ${wanted}: ${error.message}`);
      return [];
    }
  }

  #choice(name: string, { choices = null }: Dict, params: Params, context: Context): void {
    const value = params[name];
    if (choices === null || value === undefined) return;
    if (!Array.isArray(choices)) {
      this.#say(`internal error: choices for argument ${name} are not iterable: ${text(choices)}`, context);
      return;
    }
    const isOne = (one: Value) => contains(fromValue(choices), fromValue(one));
    const all = choices.map(text).join(", ");
    if (Array.isArray(value)) {
      const others = value.filter((one) => !isOne(one)).map(text);
      if (others.length > 0)
        this.#say(`value of ${name} must be one or more of: ${all}. Got no match for: ${others.join(", ")}`, context);
    } else if (!isOne(value)) this.#say(`value of ${name} must be one of: ${all}, got: ${text(value)}`, context);
  }

  #exclusive({ mutually_exclusive: groups }: Dict, params: Params, context: Context): void {
    const several = groupsOf(groups).filter((names) => names.filter((name) => Object.hasOwn(params, name)).length > 1);
    if (several.length === 0) return;
    const all = several.map((names) => names.join("|")).join(", ");
    this.#say(`parameters are mutually exclusive: ${all}`, context);
  }

  #together(rules: Dict, params: Params, context: Context): void {
    const has = (name: string) => Object.hasOwn(params, name);
    const apart = groupsOf(rules.required_together).find((names) => names.some(has) && !names.every(has));
    if (apart !== undefined) this.#say(`parameters are required together: ${apart.join(", ")}`, context);
    const none = groupsOf(rules.required_one_of).find((names) => !names.some(has));
    if (none !== undefined) this.#say(`one of the following is required: ${none.join(", ")}`, context);
    for (const rule of Array.isArray(rules.required_if) ? rules.required_if : []) {
      const [key = "", wanted = null, names = [], any = false] = Array.isArray(rule) ? rule : [];
      const value = params[text(key)];
      if (value === undefined || JSON.stringify(value) !== JSON.stringify(wanted)) continue;
      const missing = textsOf(names).filter((name) => !has(name));
      if (missing.length === 0 || (any === true && missing.length < textsOf(names).length)) continue;
      const what = `${text(key)} is ${text(wanted)} but ${any === true ? "any" : "all"} of the following are missing`;
      this.#say(`${what}: ${missing.join(", ")}`, context);
      break;
    }
    for (const [key, names] of Object.entries(dictOf(rules.required_by))) {
      if ((params[key] ?? null) === null) continue;
      const wanted = typeof names === "string" ? [names] : textsOf(names);
      const missing = wanted.filter((name) => (params[name] ?? null) === null);
      if (missing.length === 0) continue;
      this.#say(`missing parameter(s) required by '${key}': ${missing.join(", ")}`, context);
      break;
    }
  }

  #inner(name: string, option: Dict, params: Params, context: Context): void {
    const { type, elements, options, apply_defaults: applies } = option;
    if (!(type === "dict" || (type === "list" && elements === "dict")) || options === undefined) return;
    if (applies === true) params[name] ??= {};
    const value = params[name];
    if (value === undefined || value === null) return;
    for (const one of Array.isArray(value) ? value : [value]) {
      if (isDict(one)) this.level(dictOf(options), { ...one }, option, [...context, name]);
      else this.errors.push(`value of '${name}' must be of type dict or list of dicts`);
    }
  }

  /** What is told last. */
  end(): readonly string[] {
    const [known] = this.#unsupported.values();
    if (known === undefined) return this.errors;
    const others = known.aliases.length === 0 ? "" : ` (${[...known.aliases].sort().join(", ")})`;
    const all = `${[...known.names].sort().join(", ")}${others}`;
    return [
      ...this.errors,
      `${[...this.#unsupported.keys()].sort().join(", ")}. Supported parameters include: ${all}.`,
    ];
  }
}

function groupsOf(value: Value | undefined): string[][] {
  if (!Array.isArray(value)) return [];
  return value.every((one) => typeof one === "string") ? [value.map(text)] : value.map((one) => textsOf(one));
}

/** What is wrong with values, by the options that they are given for; nothing where they fit. */
export function argumentErrors(spec: Dict, given: Dict): readonly string[] {
  const check = new Check();
  check.level(spec, { ...given }, {}, []);
  return check.end();
}
