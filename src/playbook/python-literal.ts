/**
 * `ast.literal_eval` with JSON's names, as Ansible applies it to a rendered string that starts with [ or {.
 * What is no literal stays a string; what is a literal that a Value cannot hold is refused, never guessed.
 */

import { makeDict, makeFloat, makeInt, type Rt, Tuple, ValueProblem } from "./python-values.js";
import { unescapeText } from "./template-source.js";

const SPACE = /(?:\s|#[^\n]*|\\\n)+/y;
const NUMBER = /(?:\d+(?:_\d+)*)?\.\d+(?:_\d+)*(?:[eE][+-]?\d+)?|\d+(?:_\d+)*\.?(?:[eE][+-]?\d+)?/y;
const BASED = /0[xX](?:_?[\da-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+/y;
const STRING =
  /([rRuU]?)("""[\s\S]*?(?<!\\)"""|'''[\s\S]*?(?<!\\)'''|"(?:[^"\\\n]|\\[\s\S])*"|'(?:[^'\\\n]|\\[\s\S])*')/y;
const WORD = /[A-Za-z_]\w*/y;
const PYTHON_WORDS: Readonly<Record<string, boolean | null>> = { True: true, False: false, None: null };
const WORDS: Readonly<Record<string, boolean | null>> = { ...PYTHON_WORDS, true: true, false: false, null: null };

class NoLiteral extends Error {}

class LiteralReader {
  #at = 0;
  constructor(
    readonly text: string,
    readonly words: typeof WORDS = WORDS,
  ) {}

  read(): Rt {
    const value = this.#value();
    const rest: Rt[] = [];
    // `[1], [2]` is a tuple to Python, even without parentheses.
    let isTuple = false;
    while (this.#skip(",")) {
      isTuple = true;
      this.#space();
      if (this.#at >= this.text.length) break;
      rest.push(this.#value());
    }
    this.#space();
    if (this.#at < this.text.length) throw new NoLiteral();
    return isTuple ? Tuple.of2([value, ...rest]) : value;
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.text);
    if (match !== null) this.#at += match[0].length;
    return match;
  }

  #space(): void {
    this.#match(SPACE);
  }

  #skip(char: string): boolean {
    this.#space();
    if (this.text.charAt(this.#at) !== char) return false;
    this.#at++;
    return true;
  }

  #value(): Rt {
    this.#space();
    if (this.#skip("[")) return this.#items("]").items;
    if (this.#skip("{")) return this.#dict();
    if (this.#skip("(")) {
      const { items, comma } = this.#items(")");
      const only = items[0];
      return items.length === 1 && !comma && only !== undefined ? only : Tuple.of2(items);
    }
    if (this.#skip("-")) {
      const number = this.#number();
      return typeof number === "number" ? -number : makeFloat(-(number as { value: number }).value);
    }
    if (this.#skip("+")) return this.#number();
    const texts: string[] = [];
    for (let match = this.#match(STRING); match !== null; match = this.#match(STRING)) {
      texts.push(this.#text(match[1] ?? "", match[2] ?? ""));
      this.#space();
    }
    if (texts.length > 0) return texts.join("");
    const start = this.#at;
    const word = this.#match(WORD)?.[0];
    if (word !== undefined) {
      const value = Object.hasOwn(this.words, word) ? this.words[word] : undefined;
      if (value === undefined) {
        this.#at = start;
        throw new NoLiteral();
      }
      return value;
    }
    return this.#number();
  }

  #text(prefix: string, literal: string): string {
    const size = /^("""|''')/.test(literal) ? 3 : 1;
    const body = literal.slice(size, -size);
    if (prefix.toLowerCase() === "r") return body;
    try {
      return unescapeText(body);
    } catch {
      throw new NoLiteral();
    }
  }

  #number(): Rt {
    this.#space();
    const based = this.#match(BASED);
    if (based !== null) return makeInt(Number(based[0].replace(/_/g, "").toLowerCase()));
    const match = this.#match(NUMBER);
    if (match === null || /[\w]/.test(this.text.charAt(this.#at))) throw new NoLiteral();
    const text = match[0].replace(/_/g, "");
    if (/[.eE]/.test(text)) return makeFloat(Number(text));
    if (/^0+[1-9]/.test(text)) throw new NoLiteral();
    return makeInt(Number(text));
  }

  #items(close: string): { items: Rt[]; comma: boolean } {
    const items: Rt[] = [];
    let comma = false;
    while (!this.#skip(close)) {
      items.push(this.#value());
      comma = this.#skip(",");
      if (!comma) {
        if (!this.#skip(close)) throw new NoLiteral();
        break;
      }
    }
    return { items, comma };
  }

  #dict(): Rt {
    const entries: [string, Rt][] = [];
    while (!this.#skip("}")) {
      const key = this.#value();
      if (!this.#skip(":")) {
        if (this.#skip(",") || this.#skip("}"))
          throw new ValueProblem(`the text "${this.text}" is a Python set, which the subset does not have`);
        throw new NoLiteral();
      }
      const value = this.#value();
      if (typeof key !== "string")
        throw new ValueProblem(`the text "${this.text}" is a dict with a key that is no string`);
      entries.push([key, value]);
      if (!this.#skip(",")) {
        if (!this.#skip("}")) throw new NoLiteral();
        break;
      }
    }
    return makeDict(entries);
  }
}

/** The value that Ansible makes of a rendered text: a list, dict or bool when it reads as one, else the text. */
export function fromRendered(text: string): Rt {
  if (text === "True") return true;
  if (text === "False") return false;
  if (!text.startsWith("[") && !text.startsWith("{")) return text;
  try {
    return new LiteralReader(text).read();
  } catch (error) {
    if (error instanceof NoLiteral) return text;
    throw error;
  }
}

/**
 * What `ast.literal_eval` itself makes of a text; undefined where it is no literal.
 * @throws ValueProblem for a literal that a Value cannot hold
 */
export function literalEval(text: string): Rt | undefined {
  try {
    return new LiteralReader(text, PYTHON_WORDS).read();
  } catch (error) {
    if (error instanceof NoLiteral) return undefined;
    throw error;
  }
}
