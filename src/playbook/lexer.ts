/** Tokens of Jinja (jinja2/lexer.py of 3.1), for the part of the syntax that the subset has. */
import { type Locate, TemplateSyntaxError, unescapeText } from "./template-source.js";

export type TokenType = "name" | "string" | "integer" | "float" | "operator" | "end";

export interface Token {
  readonly type: TokenType;
  /** Strings are unescaped, numbers as written. */
  readonly value: string;
  readonly offset: number;
}

export interface LexOptions {
  /**
   * Backslashes in string literals: "python" as Jinja reads them (template files, `when`, `{% %}`), "literal" as
   * Ansible reads them within `{{ }}` of a playbook, where it doubles each.
   */
  readonly escapes: "python" | "literal";
  /** What line breaks in string literals become. */
  readonly newline?: string | undefined;
}

const OPERATORS = "// ** == != >= <= + - / * % ~ [ ] ( ) { } > < = . : | , ;".split(" ");
const CLOSERS: Record<string, string> = { "(": ")", "[": "]", "{": "}" };
const SPACE = /\s+/y;
const FLOAT = /(?<!\.)(?:\d+_)*\d+(?:(?:\.(?:\d+_)*\d+)?e[+-]?(?:\d+_)*\d+|\.(?:\d+_)*\d+)/iy;
const INTEGER = /0b(?:_?[01])+|0o(?:_?[0-7])+|0x(?:_?[\da-f])+|[1-9](?:_?\d)*|0(?:_?0)*/iy;
const NAME = /[\p{ID_Start}_]\p{ID_Continue}*/uy;
const STRING = /'[^'\\]*(?:\\[\s\S][^'\\]*)*'|"[^"\\]*(?:\\[\s\S][^"\\]*)*"/y;

function matchAt(pattern: RegExp, text: string, offset: number): string | undefined {
  pattern.lastIndex = offset;
  return pattern.exec(text)?.[0];
}

function stringValue(literal: string, offset: number, locate: Locate, options: LexOptions): string {
  const quote = literal.charAt(0);
  const body = literal.slice(1, -1).replaceAll("\n", options.newline ?? "\n");
  if (options.escapes === "literal") {
    if (/\\["']/.test(body.replace(/\\\\/g, "")) && body.replace(/\\\\/g, "").includes(`\\${quote}`)) {
      throw new TemplateSyntaxError(
        "a backslash does not escape a quote within {{ }} of a playbook",
        locate(offset),
        "Use the other kind of quote around the text.",
      );
    }
    return body;
  }
  try {
    return unescapeText(body);
  } catch (error) {
    throw new TemplateSyntaxError(error instanceof Error ? error.message : String(error), locate(offset));
  }
}

export interface Lexed {
  readonly tokens: Token[];
  /** Offset after the closing tag, or the end of the text. */
  readonly end: number;
}

/**
 * Reads tokens from `offset` until `close` matches outside of brackets (sticky pattern), or to the end of the text
 * when there is none.
 */
export function lex(
  text: string,
  offset: number,
  close: RegExp | undefined,
  locate: Locate,
  options: LexOptions,
): Lexed {
  const tokens: Token[] = [];
  const open: string[] = [];
  let at = offset;
  while (true) {
    const space = matchAt(SPACE, text, at);
    if (close !== undefined && open.length === 0) {
      const closing = matchAt(close, text, at);
      if (closing !== undefined) {
        tokens.push({ type: "end", value: closing, offset: at });
        return { tokens, end: at + closing.length };
      }
    }
    if (space !== undefined) {
      at += space.length;
      continue;
    }
    if (at >= text.length) {
      if (close !== undefined) throw new TemplateSyntaxError("the tag is not closed", locate(Math.max(0, offset - 2)));
      tokens.push({ type: "end", value: "", offset: at });
      return { tokens, end: at };
    }
    const token = tokenAt(text, at, locate, options);
    if (token.type === "operator") {
      const closer = CLOSERS[token.value];
      if (closer !== undefined) open.push(closer);
      else if (")]}".includes(token.value)) {
        const expected = open.pop();
        if (expected !== token.value) {
          throw new TemplateSyntaxError(
            expected === undefined
              ? `unexpected "${token.value}"`
              : `unexpected "${token.value}", expected "${expected}"`,
            locate(at),
          );
        }
      }
    }
    tokens.push(token);
    at += token.length;
  }
}

function tokenAt(text: string, at: number, locate: Locate, options: LexOptions): Token & { length: number } {
  const float = matchAt(FLOAT, text, at);
  if (float !== undefined) return { type: "float", value: float.replace(/_/g, ""), offset: at, length: float.length };
  const integer = matchAt(INTEGER, text, at);
  if (integer !== undefined) {
    return { type: "integer", value: integer.replace(/_/g, ""), offset: at, length: integer.length };
  }
  const name = matchAt(NAME, text, at);
  if (name !== undefined) return { type: "name", value: name, offset: at, length: name.length };
  const string = matchAt(STRING, text, at);
  if (string !== undefined) {
    return { type: "string", value: stringValue(string, at, locate, options), offset: at, length: string.length };
  }
  for (const operator of OPERATORS) {
    if (text.startsWith(operator, at))
      return { type: "operator", value: operator, offset: at, length: operator.length };
  }
  const char = text.charAt(at);
  const hint =
    char === "'" || char === '"'
      ? "The text in quotes has no end."
      : char === "&"
        ? "Write `and`."
        : char === "!"
          ? "Write `not`."
          : undefined;
  throw new TemplateSyntaxError(`unexpected character "${char}"`, locate(at), hint);
}
