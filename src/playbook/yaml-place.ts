import type { Position } from "../util/errors.js";
import type { Locate } from "./template-source.js";

/** How a scalar stands in its file: from one offset of the text to another. */
export interface Written {
  readonly style: "plain" | "quoted" | "block";
  readonly from: number;
  readonly to: number;
}

/** Where offsets of a scalar's value stand: it is aligned with its text, past quotes, indents, folded breaks and escapes. */
export function locateWithin(
  text: string,
  placeOf: (offset: number) => Position,
  { style, from, to }: Written,
  value: string,
  start: Position,
): Locate {
  const head = style === "quoted" ? from + 1 : from;
  // Most are as they are written, in one line.
  if (style !== "block" && !value.includes("\n") && text.startsWith(value, head)) {
    return (offset) => placeOf(Math.min(head + offset, to));
  }
  let offsets: number[] | undefined;
  const align = (): number[] => {
    const found: number[] = [];
    let at = from;
    if (style === "block") at = text.indexOf("\n", from) + 1;
    else if (style === "quoted") at++;
    for (const char of value) {
      if (/\s/.test(char)) {
        if (/\s/.test(text.charAt(at))) {
          found.push(at);
          at++;
          if (char !== " " || text.charAt(at - 1) === "\n")
            while (/[ \t]/.test(text.charAt(at)) && char === "\n" && at < to) at++;
          continue;
        }
      } else {
        let ahead = at;
        while (ahead < to && text.charAt(ahead) !== char && /[\s\\'"]/.test(text.charAt(ahead))) ahead++;
        if (text.startsWith(char, ahead)) at = ahead;
      }
      found.push(at);
      if (char.length === 2) found.push(at);
      at += char.length;
    }
    found.push(at);
    return found;
  };
  return (offset) => {
    offsets ??= align();
    const at = offsets[Math.min(offset, offsets.length - 1)];
    return at === undefined ? start : placeOf(Math.min(at, to));
  };
}
