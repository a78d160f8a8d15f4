/** The items that the lookups of `with_*` make of what they are given. */
import type { FileLoop, LoopWith, Value } from "../playbook/types.js";
import { InputError, type Position } from "../util/errors.js";

type List = readonly Value[];
type Dict = { readonly [key: string]: Value };

const isList = (value: Value | undefined): value is List => Array.isArray(value);
const isDict = (value: Value | undefined): value is Dict =>
  typeof value === "object" && value !== null && !Array.isArray(value);
/** One level is opened. */
const flattened = (values: List): List => values.flatMap((value) => (isList(value) ? value : [value]));

/** @throws InputError for what the lookup cannot make items of */
export function itemsOf(kind: Exclude<LoopWith, FileLoop>, value: Value, position: Position): List {
  const terms = isList(value) ? value : [value];
  const wrong = (what: string): InputError => new InputError("E_LOOP", `with_${kind}: ${what}.`, { position });
  switch (kind) {
    case "items":
      return flattened(terms);
    case "list":
      if (!isList(value)) throw wrong("this is no list");
      return value;
    case "dict":
      return terms.flatMap((term) => {
        if (isDict(term)) return Object.entries(term).map(([key, one]) => ({ key, value: one }));
        throw wrong("this is no mapping");
      });
    case "nested":
      if (terms.length === 0) throw wrong("at least one list is needed");
      return terms.reduce<List>(
        (all, term) => all.flatMap((one) => listOf(term).map((last) => [...(one as List), ...listOf(last)])),
        [[]],
      );
    case "together": {
      if (terms.length === 0) throw wrong("at least one list is needed");
      const lists = terms.map(listOf);
      const length = Math.max(...lists.map((list) => list.length));
      return Array.from({ length }, (_, index) => flattened(lists.map((list) => list[index] ?? null)));
    }
    case "indexed_items":
      return flattened(terms).map((item, index) => [index, item]);
    case "sequence":
      return terms.flatMap((term) => sequence(String(term), wrong));
    case "subelements":
      return subelements(terms, wrong);
  }
}

const listOf = (value: Value): List => (isList(value) ? value : [value]);

const SHORT = /^(0?x?[0-9a-f]+-)?(0?x?[0-9a-f]+)(\/(0?x?[0-9a-f]+))?(:(.+))?$/i;

/** `start=0 end=4 stride=2 format=x%02d`, `count=4`, or `0-4/2:x%02d`. */
function sequence(term: string, wrong: (what: string) => InputError): List {
  const given: Record<string, string> = { start: "1", stride: "1", format: "%d" };
  const short = SHORT.exec(term);
  if (short !== null) {
    const [, start, end = "", , stride, , format] = short;
    Object.assign(given, { end, ...(start === undefined ? {} : { start: start.slice(0, -1) }) });
    Object.assign(given, stride === undefined ? {} : { stride }, format === undefined ? {} : { format });
  } else {
    for (const word of term.split(/\s+/).filter((one) => one !== "")) {
      const [, key, value] = /^(start|end|count|stride|format)=(.*)$/.exec(word) ?? [];
      if (key === undefined || value === undefined) throw wrong(`${JSON.stringify(word)} is not understood`);
      given[key] = value;
    }
  }
  const number = (key: string): number => {
    const value = Number(given[key]);
    if (!Number.isInteger(value)) throw wrong(`${key} is no whole number`);
    return value;
  };
  if ((given.count === undefined) === (given.end === undefined)) throw wrong("it needs count or end, and not both");
  const start = number("start");
  const stride = number("stride");
  const end = given.count === undefined ? number("end") : start + number("count") * stride - 1;
  if (given.count !== undefined && number("count") === 0) return [];
  if (stride > 0 && end < start) throw wrong("to count backwards make stride negative");
  if (stride < 0 && end > start) throw wrong("to count forward make stride positive");
  const items: string[] = [];
  for (let at = start; stride > 0 ? at <= end : stride < 0 && at >= end; at += stride)
    items.push(formatted(given.format ?? "%d", at, wrong));
  return items;
}

/** printf's format of one whole number. */
function formatted(format: string, value: number, wrong: (what: string) => InputError): string {
  const [, before = "", flags = "", width = "0", letter = "", after = ""] =
    /^([^%]*)%([-0]*)(\d*)([dixXo])([^%]*)$/.exec(format) ?? [];
  if (letter === "") throw wrong(`the format ${JSON.stringify(format)} is not supported`);
  const base = { x: 16, X: 16, o: 8 }[letter] ?? 10;
  const text = value.toString(base);
  const digits = letter === "X" ? text.toUpperCase() : text;
  const size = Number(width);
  if (flags.includes("-")) return before + digits.padEnd(size) + after;
  const padded = flags.includes("0")
    ? (value < 0 ? "-" : "") + digits.replace("-", "").padStart(size - (value < 0 ? 1 : 0), "0")
    : digits.padStart(size);
  return before + padded + after;
}

function subelements(terms: List, wrong: (what: string) => InputError): List {
  const [first, path, flags] = terms;
  if (typeof path !== "string" || first === undefined) throw wrong("it needs a list and the name of a key");
  if (path.includes(".")) throw wrong("a key within a key is not supported");
  const skips = isDict(flags) && (flags.skip_missing === true || flags.skip_missing === "yes");
  const elements = isDict(first) ? Object.values(first) : listOf(first);
  return elements.flatMap((element) => {
    if (!isDict(element)) throw wrong("an element is no mapping");
    if (element.skipped === true) return [];
    const inner = element[path];
    if (inner === undefined && skips) return [];
    if (!isList(inner)) throw wrong(`${JSON.stringify(path)} of an element is no list`);
    const { [path]: _, ...rest } = element;
    return inner.map((one) => [rest, one]);
  });
}
