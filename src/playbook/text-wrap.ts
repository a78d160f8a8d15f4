/** Python's textwrap.wrap, without expanding tabs and replacing white space. */
import { strip } from "./python-text.js";
import { codePoints, ValueProblem } from "./python-values.js";

export interface WrapOptions {
  /** Words that are longer than a line are broken. */
  readonly breakLong: boolean;
  /** Lines may end behind a hyphen within a word. */
  readonly breakHyphens: boolean;
}

const WS = "[\\t\\n\\v\\f\\r ]";
const PUNCTUATED = "[\\p{L}\\p{N}_!\"'&.,?]";
const LETTER = "[\\p{L}_]";
const CHUNK = new RegExp(
  `(${WS}+|(?<=${PUNCTUATED})-{2,}(?=[\\p{L}\\p{N}_])|[^\\t\\n\\v\\f\\r ]+?(?:-(?:(?<=${LETTER}{2}-)|(?<=${LETTER}-${PUNCTUATED}-))` +
    `(?=${LETTER}-?${LETTER})|(?=${WS}|$)|(?<=${PUNCTUATED})(?=-{2,}[\\p{L}\\p{N}_])))`,
  "u",
);
const SIMPLE_CHUNK = new RegExp(`(${WS}+)`, "u");
const isBlank = (chunk: string): boolean => strip(chunk) === "";

/** Lines of at most `width` characters. @throws ValueProblem for a width of 0 or less */
export function wrapText(text: string, width: number, { breakLong, breakHyphens }: WrapOptions): string[] {
  if (width <= 0) throw new ValueProblem(`a width of ${width} is too little`);
  const size = (chunk: string): number => codePoints(chunk).length;
  const chunks = text
    .split(breakHyphens ? CHUNK : SIMPLE_CHUNK)
    .filter((chunk) => chunk !== "" && chunk !== undefined)
    .reverse();
  const lines: string[] = [];
  while (chunks.length > 0) {
    const line: string[] = [];
    let length = 0;
    if (isBlank(chunks.at(-1) ?? "") && lines.length > 0) chunks.pop();
    while (chunks.length > 0) {
      const next = chunks.at(-1) ?? "";
      if (length + size(next) > width) break;
      line.push(next);
      length += size(next);
      chunks.pop();
    }
    const long = chunks.at(-1);
    if (long !== undefined && size(long) > width) {
      length += breakInto(line, chunks, long, width - length, breakLong, breakHyphens);
    }
    if (isBlank(line.at(-1) ?? "x")) line.pop();
    if (line.length > 0) lines.push(line.join(""));
  }
  return lines;
}

function breakInto(
  line: string[],
  chunks: string[],
  long: string,
  left: number,
  breakLong: boolean,
  breakHyphens: boolean,
): number {
  const points = codePoints(long);
  if (breakLong) {
    let end = left;
    if (breakHyphens && points.length > end) {
      const hyphen = end === 0 ? -1 : points.lastIndexOf("-", end - 1);
      if (hyphen > 0 && points.slice(0, hyphen).some((char) => char !== "-")) end = hyphen + 1;
    }
    line.push(points.slice(0, end).join(""));
    chunks[chunks.length - 1] = points.slice(end).join("");
    return end;
  }
  if (line.length > 0) return 0;
  line.push(long);
  chunks.pop();
  return points.length;
}
