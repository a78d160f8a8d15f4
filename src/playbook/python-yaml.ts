/** YAML as PyYAML's CSafeDumper (libyaml 0.2.5, emitter.c) writes it for what JSON can say. */
import {
  asNumber,
  asText,
  type Dict,
  GroupTuple,
  isDict,
  isList,
  type Rt,
  repr,
  Undefined,
  UndefinedProblem,
  ValueProblem,
  View,
} from "./python-values.js";

export interface YamlStyle {
  /** Spaces a level; what is not within 2 to 9 is 2. */
  readonly indent?: number;
  /** Characters of a line before text is broken; what is not more than two levels is 80, below 0 is no limit. */
  readonly width?: number;
  readonly sortKeys: boolean;
  /** Collections in brackets: always, never, or (undefined) those that hold scalars alone. */
  readonly flow: boolean | undefined;
}

/** What PyYAML's resolver reads as something else than text. */
const NOT_TEXT = [
  /^(?:yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$/,
  /^(?:[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?)$/,
  /^(?:[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/,
  /^[-+]?(?:0b[01_]+|0[0-7_]+|0|[1-9][0-9_]*|0x[0-9a-fA-F_]+|[1-9][0-9_]*(?::[0-5]?[0-9])+)$/,
  /^(?:<<|=|~|null|Null|NULL|)$/,
  /^\d{4}-\d\d-\d\d$/,
  /^\d{4}-\d\d?-\d\d?(?:[Tt]|[ \t]+)\d\d?:\d\d:\d\d(?:\.\d*)?(?:[ \t]*(?:Z|[-+]\d\d?(?::\d\d)?))?$/,
];
const BREAK = /^[\r\n\x85\u2028\u2029]$/;
const BLANK = /^[ \t\r\n\x85\u2028\u2029]$/;
/** libyaml takes nothing beyond the basic plane for printable. */
const PRINTABLE = /^[\n\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd]$/;
const ESCAPES: Readonly<Record<string, string>> = {
  "\0": "0",
  "\x07": "a",
  "\b": "b",
  "\t": "t",
  "\n": "n",
  "\v": "v",
  "\f": "f",
  "\r": "r",
  "\x1b": "e",
  '"': '"',
  "\\": "\\",
  "\x85": "N",
  "\u2028": "L",
  "\u2029": "P",
};
/** Bytes of a key that is written before its colon on one line. */
const MAX_SIMPLE_KEY = 128;

interface Analysis {
  readonly multiline: boolean;
  readonly plainInFlow: boolean;
  readonly plainInBlock: boolean;
  readonly singleQuoted: boolean;
}

function analyze(points: readonly string[]): Analysis {
  if (points.length === 0) return { multiline: false, plainInFlow: false, plainInBlock: true, singleQuoted: true };
  const last = points.length - 1;
  const isBlank = (at: number): boolean => at > last || at < 0 || BLANK.test(points[at] ?? "");
  const head = points.slice(0, 3).join("");
  let inBlock = head === "---" || head === "...";
  let inFlow = inBlock;
  let breakSpace = false;
  let bad = false;
  let breaks = false;
  for (const [at, char] of points.entries()) {
    if (at === 0 ? /[#,[\]{}&*!|>'"%@`]/.test(char) : char === "#" && isBlank(at - 1)) inBlock = inFlow = true;
    if (/[,?[\]{}:]/.test(char)) inFlow = true;
    if ((char === ":" || (at === 0 && (char === "?" || char === "-"))) && isBlank(at + 1)) inBlock = inFlow = true;
    if (!PRINTABLE.test(char)) bad = true;
    const before = at === 0 ? "" : (points[at - 1] ?? "");
    if (BREAK.test(char)) {
      breaks = true;
      if (before === " ") bad = true;
    }
    if (char === " " && BREAK.test(before)) breakSpace = true;
  }
  const edge = (char = ""): boolean => char === " " || BREAK.test(char);
  const never = bad || breakSpace || breaks || edge(points[0]) || edge(points[last]);
  return {
    multiline: breaks,
    plainInFlow: !(never || inFlow),
    plainInBlock: !(never || inBlock),
    singleQuoted: !(bad || breakSpace),
  };
}

class Emitter {
  #out = "";
  #column = 0;
  #indent = -1;
  readonly #indents: number[] = [];
  /** Nothing but blanks since the line or the indicator. */
  #blank = true;
  #indention = true;
  #flowLevel = 0;
  #simpleKey = false;
  readonly #step: number;
  readonly #width: number;
  readonly #above: Rt[] = [];
  readonly #seen = new Set<Rt>();

  constructor(readonly style: YamlStyle) {
    const { indent = 0, width = 0 } = style;
    this.#step = indent < 2 || indent > 9 ? 2 : indent;
    this.#width = width < 0 ? Number.POSITIVE_INFINITY : width <= this.#step * 2 ? 80 : width;
  }

  document(value: Rt): string {
    this.#node(value, false);
    return `${this.#out}\n`;
  }

  #put(text: string): void {
    this.#out += text;
    this.#column += Array.from(text).length;
  }

  #newLine(): void {
    this.#out += "\n";
    this.#column = 0;
    this.#blank = this.#indention = true;
  }

  #writeIndent(): void {
    const wanted = Math.max(0, this.#indent);
    if (!this.#indention || this.#column > wanted || (this.#column === wanted && !this.#blank)) this.#newLine();
    this.#put(" ".repeat(Math.max(0, wanted - this.#column)));
    this.#blank = this.#indention = true;
  }

  #indicator(text: string, needsBlank: boolean, isBlank = false, isIndention = false): void {
    if (needsBlank && !this.#blank) this.#put(" ");
    this.#put(text);
    this.#blank = isBlank;
    this.#indention &&= isIndention;
  }

  #deeper(flow: boolean, indentless: boolean): void {
    this.#indents.push(this.#indent);
    if (this.#indent < 0) this.#indent = flow ? this.#step : 0;
    else if (!indentless) this.#indent += this.#step;
  }

  #back(): void {
    this.#indent = this.#indents.pop() ?? -1;
  }

  #node(value: Rt, inMapping: boolean): void {
    if (value instanceof Undefined) throw new UndefinedProblem(value);
    if (value instanceof View) throw new ValueProblem("a view cannot be written as YAML", "Add `| list`.");
    if (value instanceof GroupTuple) throw new ValueProblem("a group of groupby cannot be written as YAML");
    if (!isList(value) && !isDict(value)) {
      this.#scalar(value);
      return;
    }
    const parts = isList(value) ? Array.from(value) : Object.values(value);
    if (parts.length > 0) this.#once(value);
    const flow =
      this.#flowLevel > 0 ||
      parts.length === 0 ||
      (this.style.flow ?? parts.every((part) => !isList(part) && !isDict(part)));
    this.#above.push(value);
    if (isList(value)) this.#list(parts, flow, inMapping);
    else this.#dict(value, flow);
    this.#above.pop();
  }

  /** Python writes an alias for an object that it meets again; which of two equal ones are one cannot be told here. */
  #once(value: Rt): void {
    if (this.#seen.has(value))
      throw new ValueProblem(
        "the same list or dict is in it twice, where Ansible writes an alias",
        "Use to_nice_json.",
      );
    this.#seen.add(value);
  }

  #list(items: readonly Rt[], flow: boolean, inMapping: boolean): void {
    if (flow) {
      this.#flow("[", "]", items, (item) => this.#node(item, false));
      return;
    }
    this.#deeper(false, inMapping && !this.#indention);
    for (const item of items) {
      this.#writeIndent();
      this.#indicator("-", true, false, true);
      this.#node(item, false);
    }
    this.#back();
  }

  #flow<T>(open: string, close: string, parts: readonly T[], write: (part: T) => void): void {
    this.#indicator(open, true, true);
    this.#deeper(true, false);
    this.#flowLevel++;
    for (const [index, part] of parts.entries()) {
      if (index > 0) this.#indicator(",", false);
      if (this.#column > this.#width) this.#writeIndent();
      write(part);
    }
    this.#flowLevel--;
    this.#back();
    this.#indicator(close, false);
  }

  #dict(dict: Dict, flow: boolean): void {
    const keys = Object.keys(dict);
    if (this.style.sortKeys) keys.sort(byCodePoint);
    if (flow) {
      this.#flow("{", "}", keys, (key) => this.#entry(key, dict[key] ?? null, true));
      return;
    }
    this.#deeper(false, false);
    for (const key of keys) {
      this.#writeIndent();
      this.#entry(key, dict[key] ?? null, false);
    }
    this.#back();
  }

  #entry(key: string, value: Rt, flow: boolean): void {
    const simple = Buffer.byteLength(key) <= MAX_SIMPLE_KEY && !analyze(Array.from(key)).multiline;
    if (!simple) this.#indicator("?", true, false, !flow);
    this.#simpleKey = simple;
    this.#scalar(key);
    this.#simpleKey = false;
    if (!simple) {
      if (!flow || this.#column > this.#width) this.#writeIndent();
      this.#indicator(":", true, false, !flow);
    } else this.#indicator(":", false);
    this.#node(value, !flow);
  }

  #scalar(value: Rt): void {
    const text = asText(value);
    if (text === undefined) {
      this.#plain(Array.from(scalarText(value)));
      return;
    }
    const points = Array.from(text);
    const found = analyze(points);
    const plain =
      (this.#flowLevel > 0 ? found.plainInFlow : found.plainInBlock) &&
      points.length > 0 &&
      !NOT_TEXT.some((pattern) => pattern.test(text));
    // Further lines of a text stand deeper than its first.
    this.#deeper(true, false);
    if (this.#simpleKey && found.multiline) this.#doubleQuoted(points);
    else if (plain) this.#plain(points);
    else if (found.singleQuoted) this.#singleQuoted(points);
    else this.#doubleQuoted(points);
    this.#back();
  }

  /** A blank where the line is full becomes a break. */
  #folds(points: readonly string[], at: number): boolean {
    return !this.#simpleKey && this.#column > this.#width && at > 0 && at < points.length - 1;
  }

  #plain(points: readonly string[]): void {
    if (!this.#blank && points.length > 0) this.#put(" ");
    for (const [at, char] of points.entries()) {
      const between = points[at - 1] !== " " && points[at + 1] !== " ";
      if (char === " " && between && this.#folds(points, at)) this.#writeIndent();
      else this.#put(char);
      if (char !== " ") this.#indention = false;
    }
    this.#blank = this.#indention = false;
  }

  #singleQuoted(points: readonly string[]): void {
    this.#indicator("'", true);
    for (const [at, char] of points.entries()) {
      const before = points[at - 1] ?? "";
      if (char === " ") {
        if (before !== " " && points[at + 1] !== " " && this.#folds(points, at)) this.#writeIndent();
        else this.#put(char);
      } else if (BREAK.test(char)) {
        if (!BREAK.test(before) && char === "\n") this.#newLine();
        if (char === "\n") this.#newLine();
        else {
          this.#out += char;
          this.#column = 0;
        }
        this.#indention = true;
      } else {
        if (BREAK.test(before)) this.#writeIndent();
        this.#put(char === "'" ? "''" : char);
        this.#indention = false;
      }
    }
    if (BREAK.test(points.at(-1) ?? "")) this.#writeIndent();
    this.#indicator("'", false);
    this.#blank = this.#indention = false;
  }

  #doubleQuoted(points: readonly string[]): void {
    this.#indicator('"', true);
    let spaces = false;
    for (const [at, char] of points.entries()) {
      if (!PRINTABLE.test(char) || BREAK.test(char) || char === '"' || char === "\\") {
        this.#put(`\\${ESCAPES[char] ?? hexEscape(char.codePointAt(0) ?? 0)}`);
        spaces = false;
      } else if (char === " ") {
        if (!spaces && this.#folds(points, at)) {
          this.#writeIndent();
          if (points[at + 1] === " ") this.#put("\\");
        } else this.#put(char);
        spaces = true;
      } else {
        this.#put(char);
        spaces = false;
      }
    }
    this.#indicator('"', false);
    this.#blank = this.#indention = false;
  }
}

function hexEscape(code: number): string {
  const hex = code.toString(16).toUpperCase();
  if (code <= 0xff) return `x${hex.padStart(2, "0")}`;
  return code <= 0xffff ? `u${hex.padStart(4, "0")}` : `U${hex.padStart(8, "0")}`;
}

function scalarText(value: Rt): string {
  if (value === null) return "null";
  if (typeof value === "boolean") return String(value);
  if (asNumber(value) === undefined) throw new ValueProblem("this value cannot be written as YAML");
  const text = repr(value);
  return text.includes("e") && !text.includes(".") ? text.replace("e", ".0e") : text;
}

function byCodePoint(left: string, right: string): number {
  const a = Array.from(left);
  const b = Array.from(right);
  for (let at = 0; at < a.length && at < b.length; at++) {
    const difference = (a[at]?.codePointAt(0) ?? 0) - (b[at]?.codePointAt(0) ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** `yaml.dump` with `allow_unicode`. @throws ValueProblem */
export function dumpYaml(value: Rt, style: YamlStyle): string {
  return new Emitter(style).document(value);
}
