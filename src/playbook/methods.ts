/** The methods of Python's str and dict that can be called. */
import { needInt, needText } from "./filter-helpers.js";
import { replaceText, type StripSide, split, splitLines, strip } from "./python-text.js";
import {
  asText,
  codePoints,
  isDict,
  isList,
  iterate,
  type Rt,
  Tuple,
  typeName,
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

type Method<T> = (self: T, args: readonly Rt[]) => Rt;

const optionalText = (args: readonly Rt[], index: number, what: string): string | undefined => {
  const value = args[index];
  return value === undefined || value === null ? undefined : needText(value, what);
};

const stripMethod =
  (side: StripSide): Method<string> =>
  (self, args) =>
    strip(self, optionalText(args, 0, "the characters"), side);

const affix =
  (test: (text: string, part: string) => boolean): Method<string> =>
  (self, args) => {
    const [part] = args;
    if (args.length !== 1 || part === undefined) throw new ValueProblem("startswith and endswith take one argument");
    const parts = part instanceof Tuple ? Array.from(part) : [part];
    return parts.some((candidate) => test(self, needText(candidate, "the text to look for")));
  };

const textMethods: Readonly<Record<string, Method<string>>> = {
  split: (self, args) => split(self, optionalText(args, 0, "the separator"), needInt(args[1] ?? -1, "the limit")),
  splitlines: (self) => splitLines(self),
  strip: stripMethod("both"),
  lstrip: stripMethod("left"),
  rstrip: stripMethod("right"),
  startswith: affix((text, part) => text.startsWith(part)),
  endswith: affix((text, part) => text.endsWith(part)),
  replace: (self, args) =>
    replaceText(
      self,
      needText(args[0], "the old text"),
      needText(args[1], "the new text"),
      needInt(args[2] ?? -1, "the count"),
    ),
  lower: (self) => self.toLowerCase(),
  upper: (self) => self.toUpperCase(),
  title: (self) =>
    self.replace(/\p{L}+/gu, (word) => {
      const [first = "", ...rest] = codePoints(word);
      return first.toUpperCase() + rest.join("").toLowerCase();
    }),
  find: (self, args) => {
    const at = self.indexOf(needText(args[0], "the text to look for"));
    return at < 0 ? -1 : codePoints(self.slice(0, at)).length;
  },
  count: (self, args) => {
    const part = needText(args[0], "the text to count");
    return part === "" ? codePoints(self).length + 1 : self.split(part).length - 1;
  },
  join: (self, args) =>
    iterate(args[0] ?? [])
      .map((item) => needText(item, "an item to join"))
      .join(self),
  isdigit: (self) => /^\p{Nd}+$/u.test(self),
};

const MOST_ARGUMENTS: Readonly<Record<string, number>> = {
  split: 2,
  strip: 1,
  lstrip: 1,
  rstrip: 1,
  startswith: 1,
  endswith: 1,
  replace: 3,
  find: 1,
  count: 1,
  join: 1,
  get: 2,
};

/** Calls a method. @throws ValueProblem for a method that the value does not have */
export function callMethod(object: Rt, name: string, args: readonly Rt[]): Rt {
  if (args.length > (MOST_ARGUMENTS[name] ?? 0)) throw new ValueProblem(`.${name}() is given too many arguments`);
  const text = asText(object);
  if (text !== undefined) {
    const method = Object.hasOwn(textMethods, name) ? textMethods[name] : undefined;
    if (method !== undefined) return method(text, args);
  }
  if (isDict(object)) {
    if (name === "keys") return new View(Object.keys(object));
    if (name === "values") return new View(Object.values(object));
    if (name === "items") return new View(Object.entries(object).map(([key, value]) => Tuple.of2([key, value])));
    if (name === "get") {
      const key = asText(args[0] ?? null);
      return key !== undefined && Object.hasOwn(object, key) ? (object[key] ?? null) : (args[1] ?? null);
    }
  }
  throw new ValueProblem(`a ${typeName(object)} has no method .${name}() here`);
}
