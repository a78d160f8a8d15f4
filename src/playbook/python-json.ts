/** JSON as Python's `json` reads and writes it, where 2.0 stays a float. */
import {
  asNumber,
  asText,
  type Dict,
  isList,
  iterate,
  makeDict,
  makeFloat,
  makeInt,
  type Rt,
  repr,
  Undefined,
  UndefinedProblem,
  ValueProblem,
  View,
} from "./python-values.js";

export interface JsonStyle {
  /** Spaces per level; undefined writes one line. */
  readonly indent?: number;
  readonly sortKeys?: boolean;
  readonly separators?: readonly [string, string];
  readonly ensureAscii?: boolean;
}

function quoteText(text: string, ascii: boolean): string {
  const quoted = JSON.stringify(text);
  // json.dumps leaves DEL alone; JSON.stringify agrees. Only what is beyond ASCII differs.
  return ascii
    ? quoted.replace(/[\u0080-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`)
    : quoted;
}

/** `json.dumps`. */
export function dumpJson(value: Rt, style: JsonStyle = {}, depth = 0): string {
  if (value instanceof Undefined) throw new UndefinedProblem(value);
  if (value === null) return "null";
  if (typeof value === "boolean") return String(value);
  if (asNumber(value) !== undefined) return repr(value);
  const text = asText(value);
  if (text !== undefined) return quoteText(text, style.ensureAscii ?? true);
  if (value instanceof View) throw new ValueProblem("a view cannot be written as JSON", "Add `| list`.");
  const [comma, colon] = style.separators ?? [style.indent === undefined ? ", " : ",", ": "];
  const pad = (level: number): string =>
    style.indent === undefined ? "" : `\n${" ".repeat(Math.max(0, style.indent * level))}`;
  const wrap = (open: string, close: string, parts: readonly string[]): string =>
    parts.length === 0 ? open + close : open + pad(depth + 1) + parts.join(comma + pad(depth + 1)) + pad(depth) + close;
  if (isList(value))
    return wrap(
      "[",
      "]",
      Array.from(iterate(value), (item) => dumpJson(item, style, depth + 1)),
    );
  const dict = value as Dict;
  const keys = Object.keys(dict);
  if (style.sortKeys === true) keys.sort((a, b) => (a < b ? -1 : 1));
  const entries = keys.map(
    (key) => `${quoteText(key, style.ensureAscii ?? true)}${colon}${dumpJson(dict[key] ?? null, style, depth + 1)}`,
  );
  return wrap("{", "}", entries);
}

const NUMBER = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids them in strings
const STRING = /"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;

class JsonReader {
  #at = 0;
  constructor(readonly text: string) {}

  read(): Rt {
    const value = this.#value();
    this.#space();
    if (this.#at < this.text.length) this.#fail("extra data");
    return value;
  }

  #fail(what: string): never {
    const before = this.text.slice(0, this.#at).split("\n");
    throw new ValueProblem(
      `from_json: ${what} at line ${before.length} column ${(before.at(-1)?.length ?? 0) + 1} of the text`,
    );
  }

  #space(): void {
    while (" \t\n\r".includes(this.text.charAt(this.#at)) && this.#at < this.text.length) this.#at++;
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.text);
    if (match !== null) this.#at += match[0].length;
    return match;
  }

  #skip(word: string): boolean {
    if (!this.text.startsWith(word, this.#at)) return false;
    this.#at += word.length;
    return true;
  }

  #value(): Rt {
    this.#space();
    if (this.#skip("null")) return null;
    if (this.#skip("true")) return true;
    if (this.#skip("false")) return false;
    if (this.#skip("[")) return this.#list();
    if (this.#skip("{")) return this.#dict();
    const string = this.#match(STRING);
    if (string !== null) return JSON.parse(string[0]) as string;
    const number = this.#match(NUMBER);
    if (number === null) return this.#fail("expected a value");
    const value = Number(number[0]);
    return number[1] === undefined && number[2] === undefined ? makeInt(value) : makeFloat(value);
  }

  #list(): Rt {
    const items: Rt[] = [];
    this.#space();
    if (this.#skip("]")) return items;
    do {
      items.push(this.#value());
      this.#space();
    } while (this.#skip(","));
    if (!this.#skip("]")) this.#fail("expected , or ]");
    return items;
  }

  #dict(): Rt {
    const entries: [string, Rt][] = [];
    this.#space();
    if (this.#skip("}")) return {};
    do {
      this.#space();
      const key = this.#match(STRING);
      if (key === null) return this.#fail("expected a key in double quotes");
      this.#space();
      if (!this.#skip(":")) this.#fail("expected :");
      entries.push([JSON.parse(key[0]) as string, this.#value()]);
      this.#space();
    } while (this.#skip(","));
    if (!this.#skip("}")) this.#fail("expected , or }");
    return makeDict(entries);
  }
}

/** `json.loads`. @throws ValueProblem */
export function loadJson(text: string): Rt {
  return new JsonReader(text).read();
}
