/** Filters that put items together: in groups, pairs and tables. */
import { argument, attributeGetter, getItem, ignoreCase, needInt, needText } from "./filter-helpers.js";
import { sorted } from "./filters-list.js";
import type { Call, FilterTable } from "./plugin.js";
import {
  asText,
  type Dict,
  equal,
  GroupTuple,
  isDict,
  isList,
  iterate,
  makeDict,
  type Rt,
  repr,
  str,
  Tuple,
  truthy,
  typeName,
  Undefined,
  UndefinedProblem,
  ValueProblem,
} from "./python-values.js";

/** More than anybody lists. */
const MAX_COMBINATIONS = 1_000_000;

function batch(items: readonly Rt[], size: number, fill: Rt): Rt[] {
  const batches: Rt[][] = [];
  let current: Rt[] = [];
  for (const item of items) {
    if (current.length === size) {
      batches.push(current);
      current = [];
    }
    current.push(item);
  }
  if (current.length === 0) return batches;
  if (fill !== null) while (current.length < size) current.push(fill);
  return [...batches, current];
}

function slices(items: readonly Rt[], count: number, fill: Rt): Rt[] {
  if (count === 0) throw new ValueProblem("division by zero");
  const size = Math.floor(items.length / count);
  const longer = items.length - size * count;
  const result: Rt[][] = [];
  let from = 0;
  for (let number = 0; number < count; number++) {
    const to = from + size + (number < longer ? 1 : 0);
    const part = items.slice(from, to);
    if (fill !== null && number >= longer) part.push(fill);
    result.push(part);
    from = to;
  }
  return result;
}

function groupBy(subject: Rt, call: Call): Rt {
  const fallback = argument(call, 1, null);
  const own = attributeGetter(call.args[0], fallback);
  const minds = truthy(argument(call, 2, false));
  const key = (item: Rt): Rt => (minds ? own(item) : ignoreCase(own(item)));
  const groups: { key: Rt; items: Rt[] }[] = [];
  for (const item of sorted(iterate(subject), key, false)) {
    const last = groups.at(-1);
    if (last !== undefined && equal(last.key, key(item))) last.items.push(item);
    else groups.push({ key: key(item), items: [item] });
  }
  return groups.map((group) => GroupTuple.of2([own(group.items[0] ?? null), group.items]));
}

function refuseTooMany(count: number): void {
  if (count > MAX_COMBINATIONS) throw new ValueProblem(`these are more than ${MAX_COMBINATIONS} combinations`);
}

function product(subject: Rt, call: Call): Rt {
  const { repeat = 1, ...others } = call.keywords;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw new ValueProblem(`product has no argument "${unknown}"`);
  const lists = [subject, ...call.args.map((arg) => arg ?? null)].map(iterate);
  const times = needInt(repeat, "product's repeat");
  if (times < 0) throw new ValueProblem("product's repeat is not negative");
  let rows: Rt[][] = [[]];
  for (let time = 0; time < times; time++) {
    for (const list of lists) {
      refuseTooMany(rows.length * list.length);
      rows = rows.flatMap((row) => list.map((item) => [...row, item]));
    }
  }
  return rows.map((row) => Tuple.of2(row));
}

/** Ways to choose items by their places; `ordered` keeps each set of places once. */
function choose(items: readonly Rt[], size: number, ordered: boolean): Rt[] {
  if (size < 0) throw new ValueProblem("a number of items is not negative");
  let total = 1;
  for (let length = 0; length < size; length++) total *= (items.length - length) / (ordered ? length + 1 : 1);
  refuseTooMany(total);
  let rows: number[][] = [[]];
  for (let length = 0; length < size; length++) {
    // The places that are still to come have to fit behind this one.
    const end = ordered ? items.length - (size - length) + 1 : items.length;
    rows = rows.flatMap((row) => {
      const from = ordered ? (row.at(-1) ?? -1) + 1 : 0;
      const places = Array.from({ length: Math.max(0, end - from) }, (_, offset) => from + offset);
      return places.filter((at) => ordered || !row.includes(at)).map((at) => [...row, at]);
    });
  }
  return rows.map((row) => Tuple.of2(row.map((at) => items[at] ?? null)));
}

function zipLongest(subject: Rt, call: Call): Rt {
  const { fillvalue = null, ...others } = call.keywords;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw new ValueProblem(`zip_longest has no argument "${unknown}"`);
  const lists = [subject, ...call.args.map((arg) => arg ?? null)].map(iterate);
  const size = Math.max(...lists.map((list) => list.length));
  const at = (list: readonly Rt[], index: number): Rt => (index < list.length ? (list[index] ?? null) : fillvalue);
  return Array.from({ length: size }, (_, index) => Tuple.of2(lists.map((list) => at(list, index))));
}

function subelements(subject: Rt, call: Call): Rt {
  const elements = isDict(subject) ? Object.values(subject) : subject;
  if (!isList(elements) || elements instanceof Tuple) throw new ValueProblem("subelements works on a list or dict");
  const path = argument(call, 0, "");
  const keys = isList(path) ? path : needText(path, "the keys of subelements").split(".");
  const lenient = truthy(argument(call, 1, false));
  return elements.flatMap((element) => {
    let value = element;
    for (const key of keys) {
      if (isList(key) || isDict(key)) throw new ValueProblem(`subelements: a ${typeName(key)} is no key`);
      if (!isDict(value)) throw new ValueProblem(`subelements: ${str(key)} is no key of a ${typeName(value)}`);
      const inner = getItem(value, key);
      if (inner instanceof Undefined && !lenient) throw new ValueProblem(`subelements: ${inner.message}`);
      if (inner instanceof Undefined) return [];
      value = inner;
    }
    if (!isList(value) || value instanceof Tuple)
      throw new ValueProblem(`subelements: what ${keys.map(str).join(".")} leads to is a ${typeName(value)}, no list`);
    return value.map((item) => Tuple.of2([element, item]));
  });
}

function extract(subject: Rt, call: Call): Rt {
  const more = argument(call, 1, null);
  const keys = [subject, ...(more === null ? [] : isList(more) && !(more instanceof Tuple) ? more : [more])];
  return keys.reduce<Rt>(
    (value, key) => {
      if (value instanceof Undefined) throw new UndefinedProblem(value);
      return getItem(value, key);
    },
    argument(call, 0, null),
  );
}

function rekey(subject: Rt, call: Call): Rt {
  const key = argument(call, 0, null);
  const duplicates = argument(call, 1, "error");
  if (duplicates !== "error" && duplicates !== "overwrite")
    throw new ValueProblem('duplicates is "error" or "overwrite"');
  if (asText(subject) !== undefined) throw new ValueProblem("rekey_on_member works on lists and dicts");
  const items = isDict(subject) ? Object.values(subject) : iterate(subject);
  const result = new Map<string, Dict>();
  for (const item of items) {
    if (!isDict(item)) throw new ValueProblem("rekey_on_member: an item is no dict");
    const name = getItem(item, key);
    if (name instanceof Undefined) throw new ValueProblem(`rekey_on_member: ${name.message}`);
    const text = asText(name);
    if (text === undefined) throw new ValueProblem(`a key of a dict is a string here, not ${repr(name)}`);
    if (result.has(text) && duplicates === "error")
      throw new ValueProblem(`rekey_on_member: the key "${text}" is not unique`);
    result.set(text, item);
  }
  return makeDict(result);
}

const count = (value: Rt, what: string): number => needInt(value, what);

export const groupFilters: FilterTable = {
  batch: {
    params: ["linecount", "fill_with"],
    required: 1,
    run: (subject, call) =>
      batch(iterate(subject), count(argument(call, 0, 1), "batch's linecount"), argument(call, 1, null)),
  },
  slice: {
    params: ["slices", "fill_with"],
    required: 1,
    run: (subject, call) =>
      slices(iterate(subject), count(argument(call, 0, 1), "slice's slices"), argument(call, 1, null)),
  },
  groupby: { params: ["attribute", "default", "case_sensitive"], required: 1, run: groupBy },
  product: { params: [], rest: true, keywords: ["repeat"], run: product },
  permutations: {
    params: ["r"],
    run: (subject, call) => {
      const items = iterate(subject);
      const size = argument(call, 0, null);
      return choose(items, size === null ? items.length : count(size, "permutations' r"), false);
    },
  },
  combinations: {
    params: ["r"],
    required: 1,
    run: (subject, call) => choose(iterate(subject), count(argument(call, 0, 0), "combinations' r"), true),
  },
  zip_longest: { params: [], rest: true, keywords: ["fillvalue"], run: zipLongest },
  subelements: { params: ["subelements", "skip_missing"], required: 1, run: subelements },
  extract: { params: ["container", "morekeys"], required: 1, run: extract },
  rekey_on_member: { params: ["key", "duplicates"], required: 1, run: rekey },
};
