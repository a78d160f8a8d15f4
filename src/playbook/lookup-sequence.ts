/** `lookup('sequence', '1-3')` and `with_sequence`: numbers as text. */
import { percentFormat } from "./python-format.js";
import { ValueProblem } from "./python-values.js";

const SHORT = /^(?:(0?x?[0-9a-f]+)-)?(0?x?[0-9a-f]+)(?:\/(0?x?[0-9a-f]+))?(?::(.+))?$/i;
const WORDS = ["start", "end", "count", "stride", "format"];
const MAX_NUMBERS = 1_000_000;

/** Python's int(text, 0). */
function wholeNumber(text: string, what: string): number {
  const match = /^([-+]?)(0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+|0+|[1-9]\d*)$/.exec(text.trim());
  if (match === null) throw new ValueProblem(`${what}=${text} is no whole number`);
  const size = Number(match[2]);
  return match[1] === "-" ? -size : size;
}

interface Sequence {
  readonly start: number;
  readonly end: number | undefined;
  readonly count: number | undefined;
  readonly stride: number;
  readonly format: string;
}

function parse(term: string): Sequence {
  const short = SHORT.exec(term);
  const given = new Map<string, string>();
  if (short !== null) {
    const [, start, end, stride, format] = short;
    for (const [word, value] of Object.entries({ start, end, stride, format }))
      if (value !== undefined) given.set(word, value);
  } else {
    for (const part of term.trim().split(/\s+/)) {
      const [, word = "", value = ""] = /^(\w+)=(.*)$/.exec(part) ?? [];
      if (!WORDS.includes(word)) throw new ValueProblem(`a sequence has no "${part}"`, `It takes ${WORDS.join(", ")}.`);
      given.set(word, value.replace(/^(["'])(.*)\1$/, "$2"));
    }
  }
  const number = (word: string): number | undefined => {
    const text = given.get(word);
    return text === undefined ? undefined : wholeNumber(text, word);
  };
  return {
    start: number("start") ?? 1,
    end: number("end"),
    count: number("count"),
    stride: number("stride") ?? 1,
    format: given.get("format") ?? "%d",
  };
}

/** `[start-]end[/stride][:format]`, or `start=1 count=3 format=host%02d`. @throws ValueProblem */
export function sequenceOf(term: string): string[] {
  const { start, count, stride, format, end: given } = parse(term);
  if ((count === undefined) === (given === undefined)) throw new ValueProblem("a sequence takes either count or end");
  if (count === 0 || stride === 0) return [];
  const end = given ?? start + (count ?? 0) * stride - 1;
  if (stride > 0 && end < start) throw new ValueProblem("a sequence that counts down has a negative stride");
  if (stride < 0 && end > start) throw new ValueProblem("a sequence that counts up has a positive stride");
  if (format.split("%").length !== 2) throw new ValueProblem(`"${format}" is no format of a sequence`);
  const size = Math.max(0, Math.ceil((end + Math.sign(stride) - start) / stride));
  if (size > MAX_NUMBERS) throw new ValueProblem(`a sequence has at most ${MAX_NUMBERS} numbers`);
  return Array.from({ length: size }, (_, index) => percentFormat(format, start + index * stride));
}
