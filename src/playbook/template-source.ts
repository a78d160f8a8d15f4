import { InputError, type Position } from "../util/errors.js";

/** Where an offset of a template's text stands in the file it came from. */
export type Locate = (offset: number) => Position;

/** Offsets counted from `start`: right for whole files and for text on one line. */
export function locateFrom(text: string, start: Position): Locate {
  return (offset) => {
    const before = text.slice(0, offset);
    const lastBreak = before.lastIndexOf("\n");
    if (lastBreak < 0) return { ...start, column: start.column + offset };
    return { file: start.file, line: start.line + before.split("\n").length - 1, column: offset - lastBreak };
  };
}

export function toLocate(text: string, place: Position | Locate): Locate {
  return typeof place === "function" ? place : locateFrom(text, place);
}

/** A mistake in the text of a template or expression. */
export class TemplateSyntaxError extends InputError {
  constructor(message: string, position: Position, hint?: string) {
    super("E_TEMPLATE_SYNTAX", message, { position, hint });
  }
}

const NAMED_ESCAPES: Record<string, string> = {
  "\n": "",
  "\\": "\\",
  "'": "'",
  '"': '"',
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};

/** Python's escapes in a string literal; an unknown one stays as written. @throws Error for a broken or unsupported one. */
export function unescapeText(body: string): string {
  return body.replace(
    /\\(?:([0-7]{1,3})|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([\s\S]))/g,
    (whole, octal?: string, hex2?: string, hex4?: string, hex8?: string, char = "") => {
      const hex = hex2 ?? hex4 ?? hex8;
      if (octal !== undefined) return String.fromCodePoint(Number.parseInt(octal, 8));
      if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
      if (char === "x" || char === "u" || char === "U") throw new Error(`truncated \\${char} escape`);
      if (char === "N") throw new Error("\\N{...} escapes are not supported");
      return NAMED_ESCAPES[char] ?? whole;
    },
  );
}
