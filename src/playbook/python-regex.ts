/** Python's `re` on top of RegExp: the same syntax, or a refusal. */
import { ValueProblem } from "./python-values.js";

export interface RegexFlags {
  readonly ignoreCase?: boolean;
  readonly multiline?: boolean;
}

const WORD = "\\p{L}\\p{N}_";
const SPACES = "\\s\\x1c-\\x1f\\x85";
const CLASSES: Record<string, string> = { d: "\\p{Nd}", w: WORD, s: SPACES };
const BOUNDARY = `(?:(?<=[${WORD}])(?![${WORD}])|(?<![${WORD}])(?=[${WORD}]))`;
const NOT_BOUNDARY = `(?:(?<=[${WORD}])(?=[${WORD}])|(?<![${WORD}])(?![${WORD}]))`;
const PLAIN_ESCAPES: Record<string, string> = { n: "\\n", r: "\\r", t: "\\t", f: "\\f", v: "\\v", a: "\\x07" };
const SYNTAX = /[\^$\\.*+?()[\]{}|/-]/;

function refuse(what: string): never {
  throw new ValueProblem(`${what} in a regular expression is not supported`);
}

function literal(char: string): string {
  return SYNTAX.test(char) ? `\\${char}` : char;
}

class Translator {
  #at = 0;
  #out = "";

  constructor(
    readonly pattern: string,
    readonly multiline: boolean,
  ) {}

  translate(): string {
    while (this.#at < this.pattern.length) this.#step();
    return this.#out;
  }

  #take(): string {
    const char = String.fromCodePoint(this.pattern.codePointAt(this.#at) ?? 0);
    this.#at += char.length;
    return char;
  }

  #step(): void {
    const char = this.#take();
    if (char === "\\") this.#escape();
    else if (char === "[") this.#set();
    else if (char === "(") this.#group();
    else if (char === "$") this.#out += this.multiline ? "(?=\\n|$(?![\\s\\S]))" : "(?=\\n?$(?![\\s\\S]))";
    else if (char === "^") this.#out += this.multiline ? "(?<=^|\\n)" : "^";
    else if (char === ".") this.#out += "[^\\n]";
    else if (char === "{") this.#repeat();
    else if (char === "}" || char === "]") this.#out += `\\${char}`;
    else if (
      char === "+" &&
      /[*+?}]$/.test(this.pattern.slice(0, this.#at - 1)) &&
      !/\\[*+?}]$/.test(this.pattern.slice(0, this.#at - 1))
    ) {
      refuse("a possessive quantifier");
    } else this.#out += char;
  }

  /** `{` is a repetition only when it looks like one; Python takes any other as text. */
  #repeat(): void {
    const match = /^\{(\d*)(,?)(\d*)\}/.exec(this.pattern.slice(this.#at - 1));
    if (match === null || (match[1] === "" && match[3] === "")) {
      this.#out += "\\{";
      return;
    }
    this.#at += match[0].length - 1;
    this.#out += `{${match[1] === "" ? "0" : match[1]}${match[2]}${match[3]}}`;
  }

  #escape(): void {
    if (this.#at >= this.pattern.length) throw new ValueProblem("a regular expression ends with a backslash");
    const char = this.#take();
    if (char === "A") this.#out += "^";
    else if (char === "Z") this.#out += "$(?![\\s\\S])";
    else if (char === "b") this.#out += BOUNDARY;
    else if (char === "B") this.#out += NOT_BOUNDARY;
    else if (/[1-9]/.test(char)) {
      if (/[0-9]/.test(this.pattern.charAt(this.#at))) refuse("a group number of two digits");
      this.#out += `(?:\\${char})`;
    } else this.#out += this.#escapedChar(char, false);
  }

  /** An escape that stands for a character or a class, within or outside of a set. */
  #escapedChar(char: string, inSet: boolean): string {
    const lower = CLASSES[char];
    if (lower !== undefined) return inSet ? lower : `[${lower}]`;
    const upper = /[DWS]/.test(char) ? CLASSES[char.toLowerCase()] : undefined;
    if (upper !== undefined) {
      if (inSet) refuse(`\\${char} within a set`);
      return `[^${upper}]`;
    }
    const plain = PLAIN_ESCAPES[char];
    if (plain !== undefined) return plain;
    if (char === "x" || char === "u") {
      const size = char === "x" ? 2 : 4;
      const hex = this.pattern.slice(this.#at, this.#at + size);
      if (!/^[0-9a-fA-F]+$/.test(hex) || hex.length !== size) throw new ValueProblem(`incomplete escape \\${char}`);
      this.#at += size;
      return `\\u{${hex}}`;
    }
    if (inSet && char === "b") return "\\x08";
    if (/[a-zA-Z0-9]/.test(char)) refuse(`the escape \\${char}`);
    return literal(char);
  }

  #set(): void {
    let body = "[";
    if (this.pattern.charAt(this.#at) === "^") {
      body += "^";
      this.#at++;
    }
    let first = true;
    while (true) {
      if (this.#at >= this.pattern.length) throw new ValueProblem("a set in a regular expression is not closed");
      const char = this.#take();
      if (char === "]" && !first) break;
      first = false;
      if (char === "\\") body += this.#escapedChar(this.#take(), true);
      else if (char === "-") {
        const last = this.pattern.charAt(this.#at) === "]";
        body += last || /^\[\^?$/.test(body) ? "\\-" : "-";
      } else body += literal(char);
    }
    this.#out += `${body}]`;
  }

  #group(): void {
    const rest = this.pattern.slice(this.#at);
    if (!rest.startsWith("?")) {
      this.#out += "(";
      return;
    }
    const named = /^\?P<([A-Za-z_]\w*)>/.exec(rest);
    const back = /^\?P=([A-Za-z_]\w*)\)/.exec(rest);
    const plain = /^\?(?::|=|!|<=|<!)/.exec(rest);
    if (named !== null) this.#out += `(?<${named[1]}>`;
    else if (back !== null) this.#out += `\\k<${back[1]}>`;
    else if (plain !== null) this.#out += `(${plain[0]}`;
    else refuse(`"(${rest.slice(0, 3)}"`);
    this.#at += (named ?? back ?? plain)?.[0].length ?? 0;
  }
}

const cache = new Map<string, RegExp>();

/** Compiles a pattern of Python's `re`. Every match of the result is global. @throws ValueProblem for a bad or unsupported one */
export function compileRegex(pattern: string, flags: RegexFlags = {}): RegExp {
  const key = `${flags.ignoreCase === true}${flags.multiline === true}${pattern}`;
  const known = cache.get(key);
  if (known !== undefined) {
    known.lastIndex = 0;
    return known;
  }
  let body = pattern;
  let ignoreCase = flags.ignoreCase === true;
  let multiline = flags.multiline === true;
  let dotAll = false;
  const inline = /^\(\?([ims]+)\)/.exec(pattern);
  if (inline !== null) {
    ignoreCase ||= inline[1]?.includes("i") === true;
    multiline ||= inline[1]?.includes("m") === true;
    dotAll = inline[1]?.includes("s") === true;
    body = pattern.slice(inline[0].length);
  }
  let source = new Translator(body, multiline).translate();
  if (dotAll) source = source.replaceAll("[^\\n]", "[\\s\\S]");
  let regex: RegExp;
  try {
    regex = new RegExp(source, `gu${ignoreCase ? "i" : ""}`);
  } catch (error) {
    throw new ValueProblem(
      `the regular expression "${pattern}" is not valid`,
      error instanceof Error ? error.message : undefined,
    );
  }
  cache.set(key, regex);
  return regex;
}

/** The text of a replacement for one match: `\1`, `\g<1>`, `\g<name>`. */
function expand(template: string, match: RegExpExecArray): string {
  return template.replace(
    /\\(?:([1-9]\d?)|g<(\w+)>|([\s\S])|$)/g,
    (_whole, number?: string, name?: string, char?: string) => {
      const group = number ?? (name !== undefined && /^\d+$/.test(name) ? name : undefined);
      if (group !== undefined) {
        if (Number(group) >= match.length) throw new ValueProblem(`invalid group reference ${group}`);
        return match[Number(group)] ?? "";
      }
      if (name !== undefined) {
        if (match.groups === undefined || !(name in match.groups))
          throw new ValueProblem(`unknown group name "${name}"`);
        return match.groups[name] ?? "";
      }
      const plain: Record<string, string> = {
        n: "\n",
        r: "\r",
        t: "\t",
        f: "\f",
        v: "\v",
        a: "\x07",
        b: "\b",
        "\\": "\\",
      };
      if (char !== undefined && plain[char] !== undefined) return plain[char];
      if (char === undefined || /[a-zA-Z0-9]/.test(char))
        throw new ValueProblem(`bad escape \\${char ?? ""} in the replacement`);
      return `\\${char}`;
    },
  );
}

/** `re.sub`. */
export function regexReplace(regex: RegExp, replacement: string, text: string): string {
  // Python reads the replacement also where nothing matches.
  const none = new RegExp(`${regex.source}|`, regex.flags.replace("g", "")).exec("");
  if (none !== null) expand(replacement, none);
  let out = "";
  let at = 0;
  for (const match of text.matchAll(regex)) {
    out += text.slice(at, match.index) + expand(replacement, match);
    at = match.index + match[0].length;
  }
  return out + text.slice(at);
}

/** `re.match` (from the start) or `re.search` (anywhere). */
export function regexExec(regex: RegExp, text: string, anchored = false): RegExpExecArray | undefined {
  if (!anchored) {
    regex.lastIndex = 0;
    return regex.exec(text) ?? undefined;
  }
  const sticky = new RegExp(regex.source, regex.flags.replace("g", "y"));
  return sticky.exec(text) ?? undefined;
}
