/** str methods and literals of Python that JavaScript spells or treats differently. */
import { codePoints, makeFloat, makeInt, type Rt, ValueProblem } from "./python-values.js";

/** What str.strip() and str.split() take for white space. */
const WHITESPACE = " \\t\\n\\r\\v\\f\\x1c-\\x1f\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const LEADING = new RegExp(`^[${WHITESPACE}]+`, "u");
const TRAILING = new RegExp(`[${WHITESPACE}]+$`, "u");
const SPACES = new RegExp(`[${WHITESPACE}]+`, "u");

export type StripSide = "both" | "left" | "right";

/** str.strip(), lstrip() and rstrip(). */
export function strip(text: string, chars?: string, side: StripSide = "both"): string {
  if (chars === undefined) {
    const left = side === "right" ? text : text.replace(LEADING, "");
    return side === "left" ? left : left.replace(TRAILING, "");
  }
  const set = new Set(codePoints(chars));
  const points = codePoints(text);
  let start = 0;
  let end = points.length;
  if (side !== "right") while (start < end && set.has(points[start] ?? "")) start++;
  if (side !== "left") while (end > start && set.has(points[end - 1] ?? "")) end--;
  return points.slice(start, end).join("");
}

/** str.split(sep, maxsplit). */
export function split(text: string, separator?: string, limit = -1): string[] {
  if (separator === "") throw new ValueProblem("empty separator");
  const parts: string[] = [];
  let rest = separator === undefined ? strip(text, undefined, "left") : text;
  if (separator === undefined && rest === "") return [];
  while (limit < 0 || parts.length < limit) {
    if (separator === undefined) {
      const match = SPACES.exec(rest);
      if (match === null) break;
      parts.push(rest.slice(0, match.index));
      rest = rest.slice(match.index + match[0].length);
      if (rest === "") return parts;
    } else {
      const index = rest.indexOf(separator);
      if (index < 0) break;
      parts.push(rest.slice(0, index));
      rest = rest.slice(index + separator.length);
    }
  }
  const cut = limit >= 0 && parts.length === limit;
  parts.push(separator === undefined && !cut ? strip(rest, undefined, "right") : rest);
  return parts;
}

/** str.rsplit(sep, maxsplit): counts from the end. */
export function splitRight(text: string, separator?: string, limit = -1): string[] {
  const reversed = (value: string): string => codePoints(value).reverse().join("");
  const parts = split(reversed(text), separator === undefined ? undefined : reversed(separator), limit);
  return parts.map(reversed).reverse();
}

/** str.splitlines(). */
export function splitLines(text: string): string[] {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: Python breaks lines at them
  const lines = text.split(/\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]/);
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

/** str.replace(old, new, count). */
export function replaceText(text: string, before: string, after: string, count = -1): string {
  if (count === 0) return text;
  if (before === "") {
    const points = codePoints(text);
    let left = count < 0 ? Number.POSITIVE_INFINITY : count;
    let out = "";
    for (const point of points) {
      if (left-- > 0) out += after;
      out += point;
    }
    return left > 0 ? out + after : out;
  }
  const parts = split(text, before, count);
  return parts.join(after);
}

/** int("..."): undefined when Python would raise. */
export function parseInt10(text: string, base = 10): number | undefined {
  const prefix: Record<number, string> = { 2: "(?:0[bB])?", 8: "(?:0[oO])?", 16: "(?:0[xX])?" };
  const digits: Record<number, string> = { 2: "[01]", 8: "[0-7]", 10: "[0-9]", 16: "[0-9a-fA-F]" };
  const digit = digits[base];
  if (digit === undefined) throw new ValueProblem(`int() takes the bases 2, 8, 10 and 16, not ${base}`);
  const match = new RegExp(`^([+-]?)${prefix[base] ?? ""}(${digit}+(?:_${digit}+)*)$`).exec(strip(text));
  if (match === null) return undefined;
  const size = Number.parseInt((match[2] ?? "").replace(/_/g, ""), base);
  return makeInt(match[1] === "-" ? -size : size);
}

/** float("..."): undefined when Python would raise. */
export function parseFloat64(text: string): number | undefined {
  const clean = strip(text);
  if (/^[+-]?(?:inf(?:inity)?|nan)$/i.test(clean)) throw new ValueProblem(`"${clean}" is not a finite number`);
  if (!/^[+-]?(?:\d+(?:_\d+)*\.?(?:\d+(?:_\d+)*)?|\.\d+(?:_\d+)*)(?:[eE][+-]?\d+(?:_\d+)*)?$/.test(clean))
    return undefined;
  return Number(clean.replace(/_/g, ""));
}

/** Python's round(): halves go to the even neighbour, on the exact binary value. */
export function roundHalfEven(value: number, precision: number): number {
  if (precision < 0 || precision > 15) throw new ValueProblem("round() takes a precision of 0 to 15");
  const nearest = Number(value.toFixed(precision));
  const exact = Math.abs(value).toFixed(Math.min(100, precision + 60));
  const tail = exact.slice(exact.indexOf(".") + 1 + precision);
  if (!/^50*$/.test(tail)) return nearest;
  const scale = 10 ** precision;
  const lower = Math.floor(Math.abs(value) * scale);
  const even = lower % 2 === 0 ? lower : lower + 1;
  return (Math.sign(value) * even) / scale;
}

/** Letters whose capital at the beginning of a word is one of its own. */
const DIGRAPHS: Readonly<Record<string, string>> = { ǆ: "ǅ", Ǆ: "ǅ", ǉ: "ǈ", Ǉ: "ǈ", ǌ: "ǋ", Ǌ: "ǋ", ǳ: "ǲ", Ǳ: "ǲ" };

/** str.capitalize(): the first letter large, all others small. */
export function capitalize(text: string): string {
  const [first = "", ...rest] = codePoints(text);
  const [large = "", ...more] = codePoints(DIGRAPHS[first] ?? first.toUpperCase());
  return large + more.join("").toLowerCase() + rest.join("").toLowerCase();
}

/** A float result of arithmetic, as Python would hold it. */
export function floatOf(value: number): Rt {
  return makeFloat(value);
}
