/** Python's regular expressions for perl, which every Debian has: the same matches, or a refusal. */

/** What is no regular expression, or one that perl reads otherwise. */
export class RegexProblem extends Error {}

export interface PerlRegex {
  /** ASCII, and without flags of its own. */
  readonly source: string;
  readonly groups: number;
  readonly names: ReadonlyMap<string, number>;
  /** Groups that perl fills and Python does not: those of negative look-arounds. Nothing may ask for them. */
  readonly unsure: ReadonlySet<number>;
  /** `(?m)` at its start. */
  readonly multiline: boolean;
}

export interface RegexOptions {
  /** Python's `str` patterns; otherwise `bytes`, whose classes are ASCII's. */
  readonly text: boolean;
  readonly multiline?: boolean;
  readonly dotAll?: boolean;
}

interface Flags {
  readonly i: boolean;
  readonly m: boolean;
  readonly s: boolean;
  readonly x: boolean;
  /** ASCII's classes. */
  readonly a: boolean;
}

/** Part of an expression: its perl, and the least and most characters that it takes. */
interface Part {
  readonly out: string;
  readonly low: number;
  readonly high: number;
  /** Can stand before a quantifier as it is. */
  readonly atom: boolean;
  /** Has no width, so Python repeats it no more than an anchor. */
  readonly place?: boolean;
  /** Holds captures, or references to them. */
  readonly captures: boolean;
  /** Holds a lazy or empty choice. */
  readonly lazy: boolean;
}

const PLAIN = { captures: false, lazy: false };
const ANCHOR = { ...PLAIN, low: 0, high: 0, atom: true, place: true };
const ONE = { ...PLAIN, low: 1, high: 1, atom: true };
const SPACES =
  "\\t-\\r\\x{1c}-\\x{1f} \\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}";
const TEXT_CLASSES: Record<string, string> = { d: "\\p{Nd}", w: "\\p{L}\\p{N}_", s: SPACES };
const ASCII_CLASSES: Record<string, string> = { d: "0-9", w: "a-zA-Z0-9_", s: "\\t-\\r " };
const ESCAPES: Record<string, number> = { a: 7, b: 8, f: 12, n: 10, r: 13, t: 9, v: 11, "\\": 92 };
/** Letters beyond ASCII that Python takes for these, whatever their case. */
const FOLDED: Record<string, string> = { i: "\\x{130}\\x{131}", s: "\\x{17f}", k: "\\x{212a}" };
const SIGNS: Record<string, string> = { "0,": "*", "1,": "+", "0,1": "?" };
/** perl repeats no group more often than that. */
const MOST_REPEATS = 32766;
const INFINITE = Number.POSITIVE_INFINITY;

const refuse = (what: string): never => {
  throw new RegexProblem(what);
};
const isDigit = (char: string | undefined) => char !== undefined && /^[0-9]$/.test(char);
const isOctal = (char: string | undefined) => char !== undefined && /^[0-7]$/.test(char);

/** A character as perl has it in and out of brackets. */
function literal(code: number): string {
  const char = String.fromCodePoint(code);
  return /^[A-Za-z0-9_]$/.test(char) ? char : `\\x{${code.toString(16)}}`;
}

class Translator {
  readonly #chars: readonly string[];
  #at = 0;
  #groups = 0;
  readonly #open = new Set<number>();
  readonly #names = new Map<string, number>();
  readonly #widths = new Map<number, Part>();
  readonly #unsure = new Set<number>();
  /** Depth of look-behinds, and of negative look-arounds. */
  #behind = 0;
  #negative = 0;
  #flags: Flags;
  readonly #text: boolean;
  multiline = false;

  constructor(source: string, options: RegexOptions) {
    this.#text = options.text;
    this.#chars = options.text ? [...source] : [...Buffer.from(source, "utf8").toString("latin1")];
    const { multiline: m = false, dotAll: s = false } = options;
    this.#flags = { i: false, m, s, x: false, a: !options.text };
  }

  translate(): PerlRegex {
    this.#globalFlags();
    const whole = this.#alternatives();
    if (this.#at < this.#chars.length) refuse("unbalanced parenthesis");
    const { multiline } = this;
    return { source: whole.out, groups: this.#groups, names: this.#names, unsure: this.#unsure, multiline };
  }

  get #next(): string | undefined {
    return this.#chars[this.#at];
  }

  #rest(count: number): string {
    return this.#chars.slice(this.#at, this.#at + count).join("");
  }

  #takes(text: string): boolean {
    if (this.#rest(text.length) !== text) return false;
    this.#at += text.length;
    return true;
  }

  #globalFlags(): void {
    for (;;) {
      const found = /^\(\?([aiLmsux]+)\)/.exec(this.#rest(12));
      if (found === null) return;
      this.#at += found[0].length;
      this.#flags = this.#withFlags(found[1] ?? "", "");
      this.multiline ||= found[1]?.includes("m") === true;
    }
  }

  #withFlags(on: string, off: string): Flags {
    if (/L/.test(on)) refuse("the flag L");
    if (/u/.test(on) && !this.#text) refuse("the flag u");
    const set = (flag: string, before: boolean) => (on.includes(flag) ? true : off.includes(flag) ? false : before);
    const { i, m, s, x, a } = this.#flags;
    return {
      i: set("i", i),
      m: set("m", m),
      s: set("s", s),
      x: set("x", x),
      a: on.includes("u") ? false : set("a", a),
    };
  }

  #alternatives(): Part {
    const parts: Part[] = [this.#sequence()];
    while (this.#takes("|")) parts.push(this.#sequence());
    const [only] = parts;
    if (only !== undefined && parts.length === 1) return only;
    return {
      out: parts.map(({ out }) => out).join("|"),
      low: Math.min(...parts.map(({ low }) => low)),
      high: Math.max(...parts.map(({ high }) => high)),
      atom: false,
      captures: parts.some(({ captures }) => captures),
      lazy: parts.some(({ lazy, low }) => lazy || low === 0),
    };
  }

  #sequence(): Part {
    const parts: Part[] = [];
    for (;;) {
      this.#skipVerbose();
      const char = this.#next;
      if (char === undefined || char === "|" || char === ")") break;
      const item = this.#item();
      if (item === undefined) continue;
      this.#skipVerbose();
      parts.push(this.#repeated(item));
    }
    return {
      out: parts.map(({ out }) => out).join(""),
      low: parts.reduce((sum, { low }) => sum + low, 0),
      high: parts.reduce((sum, { high }) => sum + high, 0),
      atom: parts.length === 1 && parts[0]?.atom === true,
      captures: parts.some(({ captures }) => captures),
      lazy: parts.some(({ lazy }) => lazy),
    };
  }

  #skipVerbose(): void {
    if (!this.#flags.x) return;
    for (;;) {
      if (/^[ \t\n\r\v\f]$/.test(this.#next ?? "")) this.#at++;
      else if (this.#takes("#")) while (![undefined, "\n"].includes(this.#next)) this.#at++;
      else return;
    }
  }

  /** `{` counts only where it looks like it. */
  #count(): { least: number; most: number } | undefined {
    if (this.#takes("*")) return { least: 0, most: INFINITE };
    if (this.#takes("+")) return { least: 1, most: INFINITE };
    if (this.#takes("?")) return { least: 0, most: 1 };
    const found = /^\{(\d*)(?:(,)(\d*))?\}/.exec(this.#rest(32));
    if (found === null || found[0] === "{}") return undefined;
    this.#at += found[0].length;
    const least = found[1] === "" ? 0 : Number(found[1]);
    const most = found[2] === undefined ? least : found[3] === "" ? INFINITE : Number(found[3]);
    if (least > most) refuse("min repeat greater than max repeat");
    if (least > MOST_REPEATS || (most !== INFINITE && most > MOST_REPEATS)) {
      refuse(`more than ${MOST_REPEATS} repeats`);
    }
    return { least, most };
  }

  #repeated(item: Part): Part {
    const count = this.#count();
    if (count === undefined) return item;
    if (item.place === true) return refuse("nothing to repeat");
    const how = this.#takes("?") ? "?" : this.#takes("+") ? "+" : "";
    this.#skipVerbose();
    const mark = this.#at;
    if (this.#count() !== undefined) refuse("multiple repeat");
    this.#at = mark;
    const { least, most } = count;
    // The two do not end alike at a turn that takes nothing, as far as one can tell.
    if (item.low === 0 && most > 1 && (item.captures || item.lazy)) refuse("a repeated group that may be empty");
    const bounds = `${least},${most === INFINITE ? "" : most}`;
    const sign = SIGNS[bounds] ?? `{${least === most ? least : bounds}}`;
    return {
      out: (item.atom ? item.out : `(?:${item.out})`) + sign + how,
      low: item.low * least,
      high: item.high === 0 ? 0 : item.high * most,
      atom: false,
      captures: item.captures,
      lazy: item.lazy || how === "?",
    };
  }

  /** One thing that may be repeated; undefined for a comment. */
  #item(): Part | undefined {
    const char = this.#chars[this.#at++] ?? "";
    const { m, s } = this.#flags;
    switch (char) {
      case "^":
        return { ...ANCHOR, out: m ? "(?:\\A|(?<=\\n))" : "\\A" };
      case "$":
        return { ...ANCHOR, out: m ? "(?=\\n|\\z)" : "(?=\\n?\\z)" };
      case ".":
        return { ...ONE, out: s ? "(?s:.)" : "[^\\n]" };
      case "[":
        return this.#set();
      case "(":
        return this.#group();
      case "\\":
        return this.#escape();
      case "*":
      case "+":
      case "?":
        return refuse("nothing to repeat");
      case "{":
        this.#at--;
        if (this.#count() !== undefined) refuse("nothing to repeat");
        this.#at++;
        return this.#char(123);
      default:
        return this.#char(char.codePointAt(0) ?? 0);
    }
  }

  #char(code: number): Part {
    if (!this.#flags.i) return { ...ONE, out: literal(code) };
    const cases = this.#cases(code, code);
    return { out: cases === "" ? literal(code) : `[${literal(code)}${cases}]`, ...ONE };
  }

  /** For brackets: what else counts as a letter of this range where case does not matter. */
  #cases(from: number, to: number): string {
    if (to > 127 && this.#text && !this.#flags.a) refuse("letters beyond ASCII where case does not matter");
    let more = "";
    for (let code = Math.max(from, 65); code <= Math.min(to, 122); code++) {
      const char = String.fromCharCode(code);
      if (!/[A-Za-z]/.test(char)) continue;
      more += char === char.toLowerCase() ? char.toUpperCase() : char.toLowerCase();
      if (this.#text && !this.#flags.a) more += FOLDED[char.toLowerCase()] ?? "";
    }
    return more;
  }

  #classes(): Record<string, string> {
    return this.#flags.a ? ASCII_CLASSES : TEXT_CLASSES;
  }

  #escape(): Part {
    const char = this.#chars[this.#at++] ?? refuse("bad escape (end of pattern)");
    const classes = this.#classes();
    const word = classes.w ?? "";
    const inside = `(?<=[${word}])`;
    if (char === "A") return { ...ANCHOR, out: "\\A" };
    if (char === "Z") return { ...ANCHOR, out: "\\z" };
    if (char === "b") return { ...ANCHOR, out: `(?:${inside}(?![${word}])|(?<![${word}])(?=[${word}]))` };
    if (char === "B") {
      return { ...ANCHOR, out: `(?:${inside}(?=[${word}])|(?<![${word}])(?![${word}])(?!\\A\\z))` };
    }
    const set = classes[char];
    if (set !== undefined) return { ...ONE, out: `[${set}]` };
    const not = classes[char.toLowerCase()];
    if (not !== undefined) return { ...ONE, out: `[^${not}]` };
    if (/[1-9]/.test(char)) {
      const [second, third] = [this.#chars[this.#at], this.#chars[this.#at + 1]];
      if (!(isOctal(char) && isOctal(second) && isOctal(third))) {
        if (isDigit(second)) this.#at++;
        return this.#reference(Number(isDigit(second) ? char + second : char));
      }
    }
    return this.#char(this.#escapedCode(char, 2));
  }

  #reference(group: number): Part {
    const width = this.#widths.get(group);
    if (this.#open.has(group)) refuse("cannot refer to an open group");
    if (this.#behind > 0) refuse("a reference to a group within a look-behind");
    if (this.#unsure.has(group)) refuse("a reference to a group of a negative look-around");
    if (width === undefined) return refuse(`invalid group reference ${group}`);
    if (this.#flags.i && this.#text) refuse("a reference to a group where case does not matter");
    const out = this.#flags.i ? `(?^i:\\g{${group}})` : `\\g{${group}}`;
    return { out, low: width.low, high: width.high, atom: this.#flags.i, captures: true, lazy: false };
  }

  /** The character of an escape. @param octal digits that may follow an octal one */
  #escapedCode(char: string, octal: number): number {
    if (isOctal(char)) {
      let digits = char;
      while (digits.length <= octal && isOctal(this.#next)) digits += this.#chars[this.#at++];
      const code = Number.parseInt(digits, 8);
      return code > 255 ? refuse(`octal escape value \\${digits} outside of range 0-0o377`) : code;
    }
    const size = { x: 2, u: 4, U: 8 }[char];
    if (size !== undefined && (char === "x" || this.#text)) {
      const digits = this.#rest(size);
      if (!/^[0-9a-fA-F]+$/.test(digits) || digits.length < size) refuse(`incomplete escape \\${char}${digits}`);
      this.#at += size;
      const code = Number.parseInt(digits, 16);
      return code > 0x10ffff ? refuse(`bad escape \\${char}${digits}`) : code;
    }
    const known = ESCAPES[char];
    if (known !== undefined && char !== "b") return known;
    if (/[A-Za-z0-9]/.test(char)) return refuse(`bad escape \\${char}`);
    return char.codePointAt(0) ?? 0;
  }

  /** A character or class within brackets: a code, or a class's brackets. */
  #member(): number | string {
    const char = this.#chars[this.#at++] ?? refuse("unterminated character set");
    if (char !== "\\") return char.codePointAt(0) ?? 0;
    const escaped = this.#chars[this.#at++] ?? refuse("unterminated character set");
    if (escaped === "b") return 8;
    const classes = this.#classes();
    const set = classes[escaped];
    if (set !== undefined) return `[${set}]`;
    const not = classes[escaped.toLowerCase()];
    if (not !== undefined) return `[^${not}]`;
    return this.#escapedCode(escaped, 2);
  }

  #set(): Part {
    const negated = this.#takes("^");
    let plain = "";
    const others: string[] = [];
    for (let first = true; ; first = false) {
      if (this.#next === undefined) refuse("unterminated character set");
      if (this.#next === "]" && !first) break;
      const from = this.#member();
      const range = this.#next === "-" && this.#chars[this.#at + 1] !== "]" && this.#chars[this.#at + 1] !== undefined;
      if (range) {
        this.#at++;
        const to = this.#member();
        if (typeof from !== "number" || typeof to !== "number" || to < from) return refuse("bad character range");
        plain += `${literal(from)}-${literal(to)}${this.#flags.i ? this.#cases(from, to) : ""}`;
      } else if (typeof from === "number") plain += literal(from) + (this.#flags.i ? this.#cases(from, from) : "");
      else if (from.startsWith("[^")) others.push(from);
      else plain += from.slice(1, -1);
    }
    this.#at++;
    const sets = [...(plain === "" ? [] : [`[${plain}]`]), ...others];
    const [only] = sets;
    if (only !== undefined && sets.length === 1) {
      if (!negated) return { ...ONE, out: only };
      return { ...ONE, out: only.startsWith("[^") ? `[${only.slice(2)}` : `[^${only.slice(1)}` };
    }
    if (!negated) return { ...ONE, out: `(?:${sets.join("|")})` };
    return { ...ONE, out: `(?:${sets.map((set) => `(?!${set})`).join("")}(?s:.))` };
  }

  #group(): Part | undefined {
    if (!this.#takes("?")) return this.#capture(undefined);
    if (this.#takes("#")) {
      while (this.#next !== undefined && this.#next !== ")") this.#at++;
      if (!this.#takes(")")) refuse("missing ), unterminated comment");
      return undefined;
    }
    if (this.#takes("P<")) return this.#capture(this.#name(">"));
    if (this.#takes("P=")) {
      const name = this.#name(")");
      return this.#reference(this.#names.get(name) ?? refuse(`unknown group name ${name}`));
    }
    if (this.#takes(":")) return this.#closed("(?:");
    if (this.#takes(">"))
      return this.#behind > 0 ? refuse("an atomic group within a look-behind") : this.#closed("(?>");
    for (const look of ["=", "!", "<=", "<!"]) if (this.#takes(look)) return this.#look(look);
    if (this.#takes("(")) return this.#conditional();
    const flags = /^([aimsux]*)(?:-([imsx]+))?:/.exec(this.#rest(16));
    if (flags !== null) {
      this.#at += flags[0].length;
      const before = this.#flags;
      this.#flags = this.#withFlags(flags[1] ?? "", flags[2] ?? "");
      return this.#closed("(?:", before);
    }
    if (/^[aiLmsux]+\)/.test(this.#rest(12))) refuse("global flags not at the start of the expression");
    return refuse(`unknown extension ?${this.#rest(2)}`);
  }

  #look(look: string): Part {
    const behind = look.startsWith("<") ? 1 : 0;
    const negative = look.endsWith("!") ? 1 : 0;
    this.#behind += behind;
    this.#negative += negative;
    const inner = this.#closed(`(?${look}`);
    this.#behind -= behind;
    this.#negative -= negative;
    if (behind > 0 && inner.low !== inner.high) refuse("look-behind requires fixed-width pattern");
    const part = { ...inner, low: 0, high: 0, place: true };
    if (look !== "=" || inner.low > 0) return part;
    // perl takes what such a look-ahead may begin with for what has to come.
    if (inner.captures) refuse("a look-ahead that may be empty, with a group");
    return { ...part, out: `(?!(?!${inner.out.slice(3)})` };
  }

  #name(end: string): string {
    const from = this.#at;
    while (this.#next !== undefined && this.#next !== end) this.#at++;
    const name = this.#chars.slice(from, this.#at).join("");
    if (!this.#takes(end)) refuse("missing group name");
    return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? name : refuse(`bad character in group name ${name}`);
  }

  /** The rest of a group. @param after flags that hold behind it */
  #closed(opening: string, after = this.#flags): Part {
    const inner = this.#alternatives();
    if (!this.#takes(")")) refuse("missing ), unterminated subpattern");
    this.#flags = after;
    return { ...inner, out: `${opening}${inner.out})`, atom: true };
  }

  #capture(name: string | undefined): Part {
    const group = ++this.#groups;
    if (name !== undefined && this.#names.has(name)) refuse(`redefinition of group name ${name}`);
    if (name !== undefined) this.#names.set(name, group);
    this.#open.add(group);
    if (this.#negative > 0) this.#unsure.add(group);
    const inner = this.#closed("(");
    this.#open.delete(group);
    this.#widths.set(group, inner);
    return { ...inner, captures: true };
  }

  #conditional(): Part {
    const name = /^[0-9]+\)/.test(this.#rest(4)) ? undefined : this.#name(")");
    let group = name === undefined ? 0 : (this.#names.get(name) ?? refuse(`unknown group name ${name}`));
    while (name === undefined && isDigit(this.#next)) group = group * 10 + Number(this.#chars[this.#at++]);
    if (name === undefined && !this.#takes(")")) refuse("missing group name");
    if (!this.#widths.has(group)) refuse(`invalid group reference ${group}`);
    if (this.#behind > 0 || this.#unsure.has(group)) refuse("a condition on a group within a look-around");
    const yes = this.#sequence();
    const no = this.#takes("|") ? this.#sequence() : undefined;
    if (this.#next === "|") refuse("conditional backref with more than two branches");
    if (!this.#takes(")")) refuse("missing ), unterminated subpattern");
    return {
      out: `(?(${group})${yes.out}${no === undefined ? "" : `|${no.out}`})`,
      low: Math.min(yes.low, no?.low ?? 0),
      high: Math.max(yes.high, no?.high ?? 0),
      atom: true,
      captures: true,
      lazy: true,
    };
  }
}

/** @throws RegexProblem */
export function perlRegex(source: string, options: RegexOptions): PerlRegex {
  return new Translator(source, options).translate();
}

/**
 * A replacement as Python reads it, for the perl that fills it in: `\\` is a backslash, `\3;` a group.
 * @throws RegexProblem
 */
export function perlTemplate(template: string, regex: PerlRegex): string {
  const group = (number: number) => {
    if (number > regex.groups) refuse(`invalid group reference ${number}`);
    if (regex.unsure.has(number)) refuse("a reference to a group of a negative look-around");
    return `\\${number};`;
  };
  const code = (value: number) =>
    value > 127 ? refuse("an octal escape beyond ASCII in the replacement") : plain(String.fromCharCode(value));
  const plain = (char: string) => (char === "\\" ? "\\\\" : char);
  return template.replace(
    /\\(?:(0[0-7]{0,2}|[1-3][0-7]{2})|([1-9][0-9]?)|g<([^>]*)>|([\s\S])|$)/g,
    (_whole, octal?: string, number?: string, name?: string, char?: string) => {
      if (octal !== undefined) return code(Number.parseInt(octal, 8));
      if (number !== undefined) return group(Number(number));
      if (name !== undefined && /^[0-9]+$/.test(name)) return group(Number(name));
      if (name !== undefined) return group(regex.names.get(name) ?? refuse(`unknown group name ${name}`));
      if (char === undefined) return refuse("bad escape (end of replacement)");
      const known = ESCAPES[char];
      if (known !== undefined) return plain(String.fromCharCode(known));
      return /[A-Za-z0-9]/.test(char) ? refuse(`bad escape \\${char} in the replacement`) : `\\\\${char}`;
    },
  );
}
