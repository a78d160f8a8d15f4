/** Filters on lists and dicts. */
import {
  argument,
  attributeGetter,
  getItem,
  ignoreCase,
  lengthOf,
  needDict,
  needInt,
  needList,
  needText,
} from "./filter-helpers.js";
import type { Call, FilterTable, Plugins } from "./plugin.js";
import {
  asNumber,
  asText,
  codePoints,
  compare,
  contains,
  type Dict,
  equal,
  isDict,
  isFloat,
  isList,
  iterate,
  makeDict,
  makeFloat,
  makeInt,
  type Rt,
  str,
  Tuple,
  truthy,
  typeName,
  Undefined,
  UndefinedProblem,
  ValueProblem,
  View,
} from "./python-values.js";

/** Python's sorted(), by a key. */
export function sorted(items: readonly Rt[], key: (item: Rt) => Rt, reverse: boolean): Rt[] {
  const keyed = items.map((item, index) => ({ item, index, key: key(item) }));
  if (keyed.length === 1 && keyed[0]?.key instanceof Undefined) return [...items];
  // Python's reverse keeps equal items in their order, so the sign turns and not the list.
  keyed.sort((a, b) => {
    const order = compare(a.key, b.key);
    return (reverse ? -order : order) || a.index - b.index;
  });
  return keyed.map(({ item }) => item);
}

/** `sorted(reverse=...)` takes numbers and booleans alone. */
function reversed(given: Rt | undefined): boolean {
  return given !== undefined && needInt(given, "reverse") !== 0;
}

function unique(items: readonly Rt[], key: (item: Rt) => Rt): Rt[] {
  const seen: Rt[] = [];
  return items.filter((item) => {
    const mark = key(item);
    if (mark instanceof Undefined) throw new UndefinedProblem(mark);
    if (seen.some((other) => equal(other, mark))) return false;
    seen.push(mark);
    return true;
  });
}

/** Ansible's `unique` falls back to a comparison that minds case once an item is a list or dict. */
function uniqueFilter(subject: Rt, call: Call): Rt {
  const items = Array.from(iterate(subject));
  const caseSensitive = argument(call, 0, null);
  const attribute = argument(call, 1, null);
  const getter = attributeGetter(attribute);
  const unhashable = items.some((item) => isList(getter(item)) || isDict(getter(item)));
  if (unhashable && (caseSensitive === false || attribute !== null)) {
    throw new ValueProblem("unique of lists or dicts takes no case_sensitive=false and no attribute");
  }
  const minds = unhashable || truthy(caseSensitive);
  return unique(items, (item) => (minds ? getter(item) : ignoreCase(getter(item))));
}

function extreme(sign: 1 | -1, name: string) {
  return (subject: Rt, call: Call): Rt => {
    const getter = attributeGetter(call.args[1]);
    const minds = truthy(argument(call, 0, false));
    const key = (item: Rt): Rt => (minds ? getter(item) : ignoreCase(getter(item)));
    const items = iterate(subject);
    let best = items[0];
    if (best === undefined) return new Undefined(`the list is empty, so it has no ${name}`);
    for (const item of items.slice(1)) if (compare(key(item), key(best)) * sign < 0) best = item;
    return best;
  };
}

function sum(subject: Rt, call: Call): Rt {
  const getter = attributeGetter(call.args[0]);
  let float = isFloat(argument(call, 1, 0));
  let total = asNumber(argument(call, 1, 0));
  if (total === undefined) throw new ValueProblem("sum starts from a number");
  const items = iterate(subject);
  if (items.length === 0) return argument(call, 1, 0);
  for (const item of items) {
    const value = getter(item);
    if (value instanceof Undefined) throw new UndefinedProblem(value);
    const number = asNumber(value);
    if (number === undefined) throw new ValueProblem(`a ${typeName(value)} cannot be added to a number`);
    float ||= isFloat(value);
    total += number;
  }
  return float ? makeFloat(total) : makeInt(total);
}

function map(subject: Rt, call: Call, plugins: Plugins): Rt {
  if (!truthy(subject)) return [];
  const [name, ...rest] = call.args;
  if (name === undefined) {
    const { attribute, default: fallback, ...others } = call.keywords;
    if (attribute === undefined || Object.keys(others).length > 0)
      throw new ValueProblem("map takes a filter's name or attribute=");
    return iterate(subject).map(attributeGetter(attribute, fallback));
  }
  return iterate(subject).map((item) =>
    plugins.filter(
      needText(name, "the filter's name"),
      item,
      rest.map((arg) => arg ?? null),
      call.keywords,
    ),
  );
}

function selector(byAttribute: boolean, wanted: boolean) {
  return (subject: Rt, call: Call, plugins: Plugins): Rt => {
    if (!truthy(subject)) return [];
    const [attribute, ...others] = byAttribute ? call.args : [undefined, ...call.args];
    const getter = attributeGetter(attribute);
    const [test, ...rest] = others;
    const given = rest.map((arg) => arg ?? null);
    return iterate(subject).filter((item) => {
      const value = getter(item);
      const result =
        test === undefined
          ? truthy(value)
          : plugins.test(needText(test, "the test's name"), value, given, call.keywords);
      return result === wanted;
    });
  };
}

/** ansible.utils.vars.merge_hash */
function mergeDicts(low: Dict, high: Dict, recursive: boolean, lists: string): Dict {
  if (Object.keys(low).length === 0 || equal(low, high)) return high;
  const merged: Record<string, Rt> = { ...low };
  for (const [key, value] of Object.entries(high)) {
    const before = Object.hasOwn(merged, key) ? (merged[key] ?? null) : undefined;
    if (before !== undefined && isDict(before) && isDict(value)) {
      merged[key] = recursive ? mergeDicts(before, value, recursive, lists) : value;
    } else if (before !== undefined && isList(before) && isList(value)) {
      if (lists === "append") merged[key] = [...before, ...value];
      else if (lists === "prepend") merged[key] = [...value, ...before];
      else if (lists === "append_rp") merged[key] = [...before.filter((item) => !contains(value, item)), ...value];
      else if (lists === "prepend_rp") merged[key] = [...value, ...before.filter((item) => !contains(value, item))];
      else if (lists !== "keep") merged[key] = value;
    } else merged[key] = value;
  }
  return makeDict(Object.entries(merged));
}

function combine(subject: Rt, call: Call): Rt {
  const lists = needText(call.keywords.list_merge ?? "replace", "list_merge");
  if (!["replace", "keep", "append", "prepend", "append_rp", "prepend_rp"].includes(lists)) {
    throw new ValueProblem(`combine does not know list_merge="${lists}"`);
  }
  const recursive = truthy(call.keywords.recursive ?? false);
  const dicts = flatten([subject, ...call.args.map((arg) => arg ?? null)], 1, true).map((part) =>
    needDict(part, "what combine joins"),
  );
  return (
    dicts.reduceRight<Dict | undefined>(
      (high, low) => (high === undefined ? low : mergeDicts(low, high, recursive, lists)),
      undefined,
    ) ?? {}
  );
}

/** A list without the lists in it, to a depth. */
export function flatten(items: readonly Rt[], levels: number | undefined, skipNulls: boolean): Rt[] {
  return items.flatMap((item): Rt[] => {
    if (item instanceof Undefined) throw new UndefinedProblem(item);
    if (skipNulls && (item === null || asText(item) === "None" || asText(item) === "null")) return [];
    if (!isList(item) || (levels !== undefined && levels < 1)) return [item];
    return flatten(item, levels === undefined ? undefined : levels - 1, skipNulls);
  });
}

/** The three set filters, for lists; Ansible gives strings a meaning of their own. */
function setFilter(choose: (a: readonly Rt[], b: readonly Rt[]) => readonly Rt[]) {
  return (subject: Rt, call: Call): Rt => {
    const other = argument(call, 0, null);
    for (const part of [subject, other]) {
      if (part instanceof Tuple) throw new ValueProblem("sets of tuples have no order", "Use lists.");
    }
    return unique([...choose(needList(subject, "a set"), needList(other, "a set"))], (item) => item);
  };
}

function dictSort(subject: Rt, call: Call): Rt {
  const by = needText(argument(call, 1, "key"), "dictsort's by");
  if (by !== "key" && by !== "value") throw new ValueProblem('dictsort sorts by "key" or "value"');
  const minds = truthy(argument(call, 0, false));
  const pairs = Object.entries(needDict(subject, "what dictsort sorts")).map(([key, value]) => Tuple.of2([key, value]));
  const key = (pair: Rt): Rt => {
    const value = getItem(pair, by === "key" ? 0 : 1);
    return minds ? value : ignoreCase(value);
  };
  return sorted(pairs, key, reversed(call.args[2]));
}

const length = { params: [], run: (subject: Rt): Rt => lengthOf(subject) };

export const listFilters: FilterTable = {
  length,
  count: length,
  join: {
    params: ["d", "attribute"],
    run: (subject, call) =>
      iterate(subject)
        .map(attributeGetter(call.args[1]))
        .map(str)
        .join(str(argument(call, 0, ""))),
  },
  first: { params: [], run: (subject) => iterate(subject)[0] ?? firstOf(subject, "first") },
  last: { params: [], run: (subject) => iterate(subject).at(-1) ?? firstOf(subject, "last") },
  list: { params: [], run: (subject) => Array.from(iterate(subject)) },
  unique: { params: ["case_sensitive", "attribute"], run: uniqueFilter },
  sort: {
    params: ["reverse", "case_sensitive", "attribute"],
    run: (subject, call) => {
      const attribute = call.args[2];
      const names = attribute === undefined ? undefined : asText(attribute);
      const getters =
        names === undefined ? [attributeGetter(attribute)] : names.split(",").map((name) => attributeGetter(name));
      const minds = truthy(argument(call, 1, false));
      const key = (item: Rt): Rt => getters.map((getter) => (minds ? getter(item) : ignoreCase(getter(item))));
      return sorted(iterate(subject), key, reversed(call.args[0]));
    },
  },
  reverse: {
    params: [],
    run: (subject) => {
      const text = asText(subject);
      return text === undefined ? Array.from(iterate(subject)).reverse() : codePoints(text).reverse().join("");
    },
  },
  map: { params: [], rest: true, anyKeyword: true, run: map },
  select: { params: [], rest: true, anyKeyword: true, run: selector(false, true) },
  reject: { params: [], rest: true, anyKeyword: true, run: selector(false, false) },
  selectattr: { params: ["attribute"], required: 1, rest: true, anyKeyword: true, run: selector(true, true) },
  rejectattr: { params: ["attribute"], required: 1, rest: true, anyKeyword: true, run: selector(true, false) },
  min: { params: ["case_sensitive", "attribute"], run: extreme(1, "minimum") },
  max: { params: ["case_sensitive", "attribute"], run: extreme(-1, "maximum") },
  sum: { params: ["attribute", "start"], run: sum },
  combine: { params: [], rest: true, keywords: ["recursive", "list_merge"], run: combine },
  dict2items: {
    params: ["key_name", "value_name"],
    run: (subject, call) => {
      const key = needText(argument(call, 0, "key"), "key_name");
      const value = needText(argument(call, 1, "value"), "value_name");
      return Object.entries(needDict(subject, "what dict2items reads")).map(([name, item]) =>
        makeDict([
          [key, name],
          [value, item],
        ]),
      );
    },
  },
  items2dict: {
    params: ["key_name", "value_name"],
    run: (subject, call) => {
      const pick = (item: Rt, name: Rt): Rt => {
        const value = getItem(needDict(item, "an item of items2dict"), name);
        if (value instanceof Undefined) throw new UndefinedProblem(value);
        return value;
      };
      return makeDict(
        needList(subject, "what items2dict reads").map((item) => [
          needText(pick(item, argument(call, 0, "key")), "a key"),
          pick(item, argument(call, 1, "value")),
        ]),
      );
    },
  },
  dictsort: { params: ["case_sensitive", "by", "reverse"], run: dictSort },
  items: {
    params: [],
    run: (subject) =>
      Object.entries(needDict(subject, "what items reads")).map(([key, value]) => Tuple.of2([key, value])),
  },
  flatten: {
    params: ["levels", "skip_nulls"],
    run: (subject, call) => {
      const levels = argument(call, 0, null);
      return flatten(
        iterate(subject),
        levels === null ? undefined : needInt(levels, "flatten's levels"),
        truthy(argument(call, 1, true)),
      );
    },
  },
  zip: {
    params: [],
    rest: true,
    run: (subject, call) => {
      const lists = [subject, ...call.args.map((arg) => arg ?? null)].map(iterate);
      const size = Math.min(...lists.map((list) => list.length));
      return Array.from({ length: size }, (_, index) => Tuple.of2(lists.map((list) => list[index] ?? null)));
    },
  },
  union: { params: ["b"], required: 1, run: setFilter((a, b) => [...a, ...b]) },
  intersect: { params: ["b"], required: 1, run: setFilter((a, b) => a.filter((item) => contains(b, item))) },
  difference: { params: ["b"], required: 1, run: setFilter((a, b) => a.filter((item) => !contains(b, item))) },
  symmetric_difference: {
    params: ["b"],
    required: 1,
    run: setFilter((a, b) => [...a, ...b].filter((item) => !(contains(a, item) && contains(b, item)))),
  },
};

/** A present item may be null, which `??` cannot tell from an absent one. */
function firstOf(subject: Rt, which: "first" | "last"): Rt {
  const size = subject instanceof View ? subject.items.length : lengthOf(subject);
  return size > 0 ? null : new Undefined(`the list is empty, so it has no ${which} item`);
}
