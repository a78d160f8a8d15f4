/** The methods of Python's str, list, tuple and dict that can be called. */
import { needInt, needText } from "./filter-helpers.js";
import { center } from "./filters-layout.js";
import { braceFormat } from "./python-format.js";
import { capitalize, replaceText, type StripSide, split, splitLines, splitRight, strip } from "./python-text.js";
import {
  asText,
  codePoints,
  type Dict,
  equal,
  isDict,
  isList,
  iterate,
  type Rt,
  Tuple,
  typeName,
  Undefined,
  UndefinedProblem,
  ValueProblem,
  View,
} from "./python-values.js";

const DICT_METHODS = new Set("clear copy fromkeys get items keys pop popitem setdefault update values".split(" "));
const LIST_METHODS = new Set("append clear copy count extend index insert pop remove reverse sort".split(" "));
const TUPLE_METHODS = new Set(["count", "index"]);
const TEXT_METHODS = new Set(
  (
    "capitalize casefold center count encode endswith expandtabs find format format_map index isalnum isalpha isascii isdecimal " +
    "isdigit isidentifier islower isnumeric isprintable isspace istitle isupper join ljust lower lstrip maketrans partition " +
    "removeprefix removesuffix replace rfind rindex rjust rpartition rsplit rstrip split splitlines startswith strip swapcase " +
    "title translate upper zfill"
  ).split(" "),
);

/** Would Python find a method of this name before any key? */
export function isMethod(object: Rt, name: string): boolean {
  if (isDict(object)) return DICT_METHODS.has(name);
  if (object instanceof Tuple) return TUPLE_METHODS.has(name);
  if (isList(object)) return LIST_METHODS.has(name);
  return asText(object) !== undefined && TEXT_METHODS.has(name);
}

interface Method<T> {
  /** The least and the most arguments. */
  readonly count: readonly [number, number];
  /** Arguments that may be given by name, in order. */
  readonly names?: readonly string[];
  readonly run: (self: T, args: readonly (Rt | undefined)[]) => Rt;
}

const method = <T>(least: number, most: number, run: Method<T>["run"], names?: readonly string[]): Method<T> => ({
  count: [least, most],
  run,
  ...(names === undefined ? {} : { names }),
});

const optionalText = (value: Rt | undefined, what: string): string | undefined =>
  value === undefined || value === null ? undefined : needText(value, what);

const stripMethod = (side: StripSide): Method<string> =>
  method(0, 1, (self, [chars]) => strip(self, optionalText(chars, "the characters"), side));

const affix = (test: (text: string, part: string) => boolean): Method<string> =>
  method(1, 1, (self, [part]) => {
    const parts = part instanceof Tuple ? Array.from(part) : [part];
    return parts.some((candidate) => test(self, needText(candidate, "the text to look for")));
  });

const splitMethod = (cut: typeof split): Method<string> =>
  method(
    0,
    2,
    (self, [separator, limit]) =>
      cut(self, optionalText(separator, "the separator"), needInt(limit ?? -1, "the limit")),
    ["sep", "maxsplit"],
  );

const place = (self: string, at: number): number => (at < 0 ? -1 : codePoints(self.slice(0, at)).length);

const find = (search: (self: string, part: string) => number, must: boolean): Method<string> =>
  method(1, 1, (self, [part]) => {
    const at = place(self, search(self, needText(part, "the text to look for")));
    if (at < 0 && must) throw new ValueProblem("the text is not found");
    return at;
  });

const justify = (lay: (text: string, missing: string) => string): Method<string> =>
  method(1, 2, (self, [width, fill]) => {
    const missing = needInt(width, "the width") - codePoints(self).length;
    return lay(self, fillOf(fill).repeat(Math.max(0, missing)));
  });

function fillOf(fill: Rt | undefined): string {
  const text = fill === undefined ? " " : needText(fill, "what fills");
  if (codePoints(text).length !== 1) throw new ValueProblem("what fills is one character");
  return text;
}

const partition = (search: (self: string, part: string) => number, otherwise: (self: string) => string[]) =>
  method<string>(1, 1, (self, [separator]) => {
    const part = needText(separator, "the separator");
    if (part === "") throw new ValueProblem("empty separator");
    const at = search(self, part);
    return Tuple.of2(at < 0 ? otherwise(self) : [self.slice(0, at), part, self.slice(at + part.length)]);
  });

const holds = (pattern: RegExp): Method<string> => method(0, 0, (self) => pattern.test(self));
const change = (to: (self: string) => Rt): Method<string> => method(0, 0, to);
const first = (self: string, part: string): number => self.indexOf(part);
const last = (self: string, part: string): number => self.lastIndexOf(part);

function zeroFill(self: string, width: number): string {
  const [, sign = "", rest = ""] = /^([-+]?)(.*)$/su.exec(self) ?? [];
  return sign + "0".repeat(Math.max(0, width - codePoints(self).length)) + rest;
}

const swapCase = (self: string): string =>
  codePoints(self)
    .map((char) => (char === char.toUpperCase() ? char.toLowerCase() : char.toUpperCase()))
    .join("");

const textMethods: Readonly<Record<string, Method<string>>> = {
  split: splitMethod(split),
  rsplit: splitMethod(splitRight),
  splitlines: change(splitLines),
  strip: stripMethod("both"),
  lstrip: stripMethod("left"),
  rstrip: stripMethod("right"),
  startswith: affix((text, part) => text.startsWith(part)),
  endswith: affix((text, part) => text.endsWith(part)),
  replace: method(2, 3, (self, [before, after, count]) =>
    replaceText(self, needText(before, "the old text"), needText(after, "the new text"), needInt(count ?? -1, "count")),
  ),
  lower: change((self) => self.toLowerCase()),
  upper: change((self) => self.toUpperCase()),
  title: change((self) => self.replace(/\p{L}+/gu, capitalize)),
  capitalize: change(capitalize),
  swapcase: change(swapCase),
  find: find(first, false),
  rfind: find(last, false),
  index: find(first, true),
  rindex: find(last, true),
  count: method(1, 1, (self, [given]) => {
    const part = needText(given, "the text to count");
    return part === "" ? codePoints(self).length + 1 : self.split(part).length - 1;
  }),
  join: method(1, 1, (self, [items]) =>
    iterate(items ?? null)
      .map((item) => needText(item, "an item to join"))
      .join(self),
  ),
  zfill: method(1, 1, (self, [width]) => zeroFill(self, needInt(width, "the width"))),
  ljust: justify((text, missing) => text + missing),
  rjust: justify((text, missing) => missing + text),
  center: method(1, 2, (self, [width, fill]) => center(self, needInt(width, "the width"), fillOf(fill))),
  partition: partition(first, (self) => [self, "", ""]),
  rpartition: partition(last, (self) => ["", "", self]),
  removeprefix: method(1, 1, (self, [given]) => {
    const part = needText(given, "the prefix");
    return self.startsWith(part) ? self.slice(part.length) : self;
  }),
  removesuffix: method(1, 1, (self, [given]) => {
    const part = needText(given, "the suffix");
    return part !== "" && self.endsWith(part) ? self.slice(0, -part.length) : self;
  }),
  isdigit: holds(/^[\p{Nd}²³¹⁰⁴-⁹₀-₉]+$/u),
  isalpha: holds(/^\p{L}+$/u),
  isalnum: holds(/^[\p{L}\p{N}]+$/u),
  isspace: change((self) => self !== "" && strip(self) === ""),
  islower: change((self) => self === self.toLowerCase() && self !== self.toUpperCase()),
  isupper: change((self) => self === self.toUpperCase() && self !== self.toLowerCase()),
};

const dictMethods: Readonly<Record<string, Method<Dict>>> = {
  keys: method(0, 0, (self) => new View(Object.keys(self))),
  values: method(0, 0, (self) => new View(Object.values(self))),
  items: method(0, 0, (self) => new View(Object.entries(self).map(([key, value]) => Tuple.of2([key, value])))),
  copy: method(0, 0, (self) => ({ ...self })),
  get: method(1, 2, (self, [wanted = null, otherwise = null]) => {
    if (isDict(wanted) || (isList(wanted) && !(wanted instanceof Tuple)))
      throw new ValueProblem(`a ${typeName(wanted)} is no key of a dict`);
    const key = asText(wanted);
    return key !== undefined && Object.hasOwn(self, key) ? (self[key] ?? null) : otherwise;
  }),
};

const sequenceMethods: Readonly<Record<string, Method<readonly Rt[]>>> = {
  count: method(1, 1, (self, [wanted = null]) => self.filter((item) => equal(item, wanted)).length),
  index: method(1, 1, (self, [wanted = null]) => {
    const at = self.findIndex((item) => equal(item, wanted));
    if (at < 0) throw new ValueProblem("the list has no such item");
    return at;
  }),
};

/** Lists and dicts that a template has made itself, and so may change. */
const own = new WeakSet<object>();

/** Notes that nobody but the running template knows a list or dict. */
export function madeHere<T extends object>(value: T): T {
  own.add(value);
  return value;
}

/** A value as it is now, when the template may change it later. */
export function asItIs(value: Rt): Rt {
  if (!isList(value) && !isDict(value)) return value;
  if (!own.has(value)) return value;
  if (isList(value)) return value.map(asItIs);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, asItIs(item)]));
}

/** `{% set _ = names.append('x') %}`. */
const listChanges: Readonly<Record<string, Method<Rt[]>>> = {
  append: method(1, 1, (self, [item = null]) => {
    self.push(item);
    return null;
  }),
  extend: method(1, 1, (self, [items = null]) => {
    self.push(...iterate(items));
    return null;
  }),
  insert: method(2, 2, (self, [at, item = null]) => {
    self.splice(needInt(at, "the place"), 0, item);
    return null;
  }),
  pop: method(0, 1, (self, [at]) => {
    const [item] = self.splice(at === undefined ? -1 : needInt(at, "the place"), 1);
    if (item === undefined) throw new ValueProblem("the list has no such item");
    return item;
  }),
};

const dictChanges: Readonly<Record<string, Method<Record<string, Rt>>>> = {
  update: method(1, 1, (self, [more = null]) => {
    if (!isDict(more)) throw new ValueProblem(".update() takes a dict");
    Object.assign(self, more);
    return null;
  }),
};

/** Names that can be called. */
export const knownMethods: readonly string[] = [
  ...new Set([textMethods, dictMethods, sequenceMethods, listChanges, dictChanges].flatMap(Object.keys)),
  "format",
];

function callOf(
  object: Rt,
  name: string,
): { run: (args: readonly (Rt | undefined)[]) => Rt; method: Method<never> } | undefined {
  const pick = <T>(table: Readonly<Record<string, Method<T>>>, self: T) => {
    const found = Object.hasOwn(table, name) ? table[name] : undefined;
    if (found === undefined) return undefined;
    return { method: found as Method<never>, run: (args: readonly (Rt | undefined)[]) => found.run(self, args) };
  };
  const text = asText(object);
  if (text !== undefined) return pick(textMethods, text);
  if (isList(object)) {
    const changing = object instanceof Tuple ? undefined : pick(listChanges, object as Rt[]);
    if (changing !== undefined) refuseForeign(object, name);
    return changing ?? pick(sequenceMethods, object);
  }
  if (!isDict(object)) return undefined;
  const changing = pick(dictChanges, object as Record<string, Rt>);
  if (changing !== undefined) refuseForeign(object, name);
  return changing ?? pick(dictMethods, object);
}

function refuseForeign(object: object, name: string): void {
  if (own.has(object)) return;
  throw new ValueProblem(
    `.${name}() changes a value that this template has not made`,
    "Change what {% set x = [] %} or {} made, or make a new value with + or combine.",
  );
}

/** Calls a method. @throws ValueProblem for a method that the value does not have */
export function callMethod(object: Rt, name: string, args: readonly Rt[], named: Readonly<Record<string, Rt>>): Rt {
  for (const value of [...args, ...Object.values(named)])
    if (value instanceof Undefined) throw new UndefinedProblem(value);
  const text = asText(object);
  if (name === "format" && text !== undefined) return braceFormat(text, args, named);
  const found = callOf(object, name);
  if (found === undefined) throw new ValueProblem(`a ${typeName(object)} has no method .${name}() here`);
  const [least, most] = found.method.count;
  const bound: (Rt | undefined)[] = [...args];
  for (const [key, value] of Object.entries(named)) {
    const index = found.method.names?.indexOf(key) ?? -1;
    if (index < 0) throw new ValueProblem(`.${name}() has no argument "${key}" here`);
    if (index < args.length) throw new ValueProblem(`the argument "${key}" of .${name}() is given twice`);
    bound[index] = value;
  }
  if (bound.length > most) throw new ValueProblem(`.${name}() is given too many arguments`);
  if (bound.length < least) throw new ValueProblem(`.${name}() is given too few arguments`);
  return found.run(bound);
}
