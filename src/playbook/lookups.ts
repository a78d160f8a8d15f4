/** `lookup('file', ...)`: what the controller reads while it computes a template. */
import { posix } from "node:path";
import { didYouMean } from "../util/suggest.js";
import { needDict, needText } from "./filter-helpers.js";
import { flatten } from "./filters-list.js";
import { expandUser, globFiles } from "./filters-path.js";
import { sequenceOf } from "./lookup-sequence.js";
import { strip } from "./python-text.js";
import {
  asText,
  type Dict,
  isDict,
  isList,
  iterate,
  makeDict,
  NativeText,
  type Rt,
  str,
  Tuple,
  truthy,
  Undefined,
  UndefinedProblem,
  ValueProblem,
} from "./python-values.js";
import { renderFileTemplate, resolveName } from "./render.js";
import type { LookupReader, Scope } from "./scope.js";
import { JINJA_MARKS } from "./template-marks.js";
import type { Value } from "./types.js";

type Keywords = Readonly<Record<string, Rt>>;

interface Lookup {
  readonly keywords?: readonly string[];
  /** All terms at once, as some lookups need them. */
  readonly run: (terms: readonly Rt[], keywords: Keywords, scope: Scope) => readonly Rt[];
}

function readerOf(scope: Scope): LookupReader {
  const { reader } = scope.options;
  if (reader === undefined) throw new ValueProblem("lookups cannot be used here");
  return reader;
}

/** Ansible's search: in each directory `files/` (or `templates/`), then the directory itself. */
function candidates(path: string, folder: string, scope: Scope): string[] {
  const reader = readerOf(scope);
  const absolute = path.startsWith("~") ? expandUser(path, reader) : path;
  const { searchPath = [] } = scope.options;
  return absolute.startsWith("/")
    ? [posix.normalize(absolute)]
    : searchPath.flatMap((directory) => [posix.join(directory, folder, path), posix.join(directory, path)]);
}

function notFound(path: string, looked: readonly string[]): ValueProblem {
  return new ValueProblem(
    `the file "${path}" is not found`,
    looked.length === 0
      ? "Write its whole path, or one from the inventory on: {{ inventory_dir }}/FILE."
      : `Looked for ${looked.join(", ")}.`,
  );
}

function findFile(path: string, folder: string, scope: Scope): { path: string; text: string } {
  const looked = candidates(path, folder, scope);
  for (const candidate of looked) {
    const text = readerOf(scope).readFile(candidate);
    if (text !== undefined) return { path: candidate, text };
  }
  throw notFound(path, looked);
}

/** A lookup that gives one value a term. */
function each(keywords: readonly string[], one: (name: string, given: Keywords, scope: Scope) => Rt): Lookup {
  return {
    keywords,
    run: (terms, given, scope) => terms.map((term) => one(needText(term, "what is looked up"), given, scope)),
  };
}

function file(name: string, given: Keywords, scope: Scope): Rt {
  const { text } = findFile(name, "files", scope);
  const left = truthy(given.lstrip ?? false) ? strip(text, undefined, "left") : text;
  return truthy(given.rstrip ?? true) ? strip(left, undefined, "right") : left;
}

const TEMPLATE_MARKS = {
  variable_start_string: "variableStart",
  variable_end_string: "variableEnd",
  comment_start_string: "commentStart",
  comment_end_string: "commentEnd",
} as const;

function template(name: string, given: Keywords, scope: Scope): Rt {
  const { path, text } = findFile(name, "templates", scope);
  const marks = { ...JINJA_MARKS };
  for (const [keyword, mark] of Object.entries(TEMPLATE_MARKS)) {
    const value = given[keyword];
    if (value !== undefined && value !== null) marks[mark] = needText(value, keyword);
  }
  const more = given.template_vars === undefined ? {} : needDict(given.template_vars, "template_vars");
  const vars = { ...readerOf(scope).templateVars(name, path), ...(more as Record<string, Value>) };
  const result = renderFileTemplate(text, { file: path, line: 1, column: 1 }, scope, { marks }, vars);
  return truthy(given.convert_data ?? true) ? result : new NativeText(str(result));
}

function variable(name: string, given: Keywords, scope: Scope): Rt {
  const value = resolveName(name, scope);
  if (value !== undefined && !(value instanceof Undefined)) return value;
  if (given.default !== undefined) return given.default;
  throw new UndefinedProblem(value ?? new Undefined(`'${name}' is undefined`, name));
}

function fileGlob(name: string, _given: Keywords, scope: Scope): string[] {
  const reader = readerOf(scope);
  const at = name.lastIndexOf("/");
  const { searchPath = [] } = scope.options;
  let directories = searchPath.flatMap((directory) => [posix.join(directory, "files"), directory]);
  if (at >= 0) {
    const looked = candidates(name.slice(0, at) || "/", "files", scope);
    const found = looked.find((path) => reader.kindOf(path, true) !== undefined);
    directories = found === undefined ? [] : [found];
  }
  for (const directory of directories) {
    const found = globFiles(posix.join(directory, name.slice(at + 1)), reader);
    if (found.length > 0) return found;
  }
  return [];
}

/** Names in a list, or in one text with marks between them. */
function splitNames(value: Rt | undefined, marks: RegExp): string[] {
  if (value === undefined || value === null) return [];
  const text = asText(value);
  return text === undefined
    ? iterate(value).flatMap((part) => splitNames(part, marks))
    : text.split(marks).map((part) => strip(part));
}

function firstFound(terms: readonly Rt[], given: Keywords, scope: Scope): readonly Rt[] {
  const wanted: string[] = [];
  let skip = truthy(given.skip ?? false);
  const add = (term: Rt): void => {
    if (isList(term)) {
      for (const part of term) add(part);
      return;
    }
    const options: Keywords = isDict(term) ? term : given;
    skip = truthy(options.skip ?? false);
    const files = splitNames(options.files, /[,;]/);
    const paths = splitNames(options.paths, /[,:;]/);
    if (paths.length > 0) wanted.push(...paths.flatMap((path) => files.map((name) => posix.join(path, name))));
    else if (files.length > 0) wanted.splice(0, wanted.length, ...files);
    else wanted.push(needText(term, "what first_found looks for"));
  };
  for (const term of terms) add(term);
  for (const name of wanted) {
    const { folder = "files" } = scope.options;
    const found = candidates(name, folder, scope).find((path) => readerOf(scope).kindOf(path, true) !== undefined);
    if (found !== undefined) return [found];
  }
  if (skip) return [];
  throw new ValueProblem("first_found finds no file", `Looked for ${wanted.join(", ")}.`);
}

function dictItems(terms: readonly Rt[]): Rt[] {
  return terms.flatMap((term) =>
    Object.entries(needDict(term, "what lookup('dict') reads")).map(
      ([key, value]): Dict =>
        makeDict([
          ["key", key],
          ["value", value],
        ]),
    ),
  );
}

/** One level of lists in a row. */
const flat = (items: Rt): Rt[] => flatten(iterate(items), 1, false);

function nested(terms: readonly Rt[]): Rt[] {
  const [first, ...more] = terms;
  if (first === undefined) throw new ValueProblem("lookup('nested') needs lists");
  let rows: Rt[] = Array.from(iterate(first));
  for (const list of more) rows = rows.flatMap((row) => iterate(list).map((item): Rt => flat([row, item])));
  return rows.map((row) => (isList(row) ? flat(row) : [row]));
}

function together(terms: readonly Rt[]): Rt[] {
  if (terms.length === 0) throw new ValueProblem("lookup('together') needs lists");
  const lists = terms.map(iterate);
  const size = Math.max(...lists.map((list) => list.length));
  return Array.from({ length: size }, (_, index) => flat(lists.map((list) => list[index] ?? null)));
}

const LOOKUPS: Readonly<Record<string, Lookup>> = {
  file: each(["rstrip", "lstrip"], file),
  template: each(["convert_data", "template_vars", ...Object.keys(TEMPLATE_MARKS)], template),
  vars: each(["default"], variable),
  env: each(["default"], (name, given, scope) => readerOf(scope).env(name) ?? given.default ?? ""),
  fileglob: {
    run: (terms, given, scope) => terms.flatMap((term) => fileGlob(needText(term, "a pattern"), given, scope)),
  },
  first_found: { keywords: ["files", "paths", "skip"], run: firstFound },
  items: { run: (terms) => flat(terms) },
  list: { run: (terms) => terms },
  dict: { run: dictItems },
  nested: { run: nested },
  together: { run: together },
  indexed_items: { run: (terms) => flat(terms).map((item, index) => Tuple.of2([index, item])) },
  sequence: { run: (terms) => terms.flatMap((term) => sequenceOf(needText(term, "a sequence"))) },
};

const REFUSED: Readonly<Record<string, string>> = {
  pipe: "Programs do not run while a template is computed: use a task with delegate_to: localhost and register.",
  password: "A password that is made up here would be another one elsewhere: give it as a variable.",
  random_choice: "A random value would change in every run.",
  url: "Use the module uri or get_url.",
  unvault: "Use the secrets of the inventory.",
  varnames: "Name the variables: they depend on the engine.",
  config: "Ansible's settings are not read.",
  inventory_hostnames: "Use groups['NAME'].",
  subelements: "Use the filter subelements.",
  lines: "Use a task with register.",
  csvfile: "Use lookup('file', ...) and split.",
  ini: "Use lookup('file', ...) and regex_search.",
};

/** Why a lookup is not there; undefined when it is. */
export function refusedLookup(name: string): { message: string; hint: string } | undefined {
  const kind = name.replace(/^ansible\.builtin\./, "");
  if (Object.hasOwn(LOOKUPS, kind)) return undefined;
  const known = Object.keys(LOOKUPS);
  const hint = REFUSED[kind] ?? didYouMean(kind, known) ?? `Known lookups: ${known.join(", ")}.`;
  return { message: `the lookup "${kind}" is not supported`, hint };
}

/** What a lookup gives for its terms. @throws ValueProblem */
export function runLookup(name: string, terms: readonly Rt[], keywords: Keywords, scope: Scope): readonly Rt[] {
  const refused = refusedLookup(name);
  const kind = name.replace(/^ansible\.builtin\./, "");
  const lookup = LOOKUPS[kind];
  if (refused !== undefined || lookup === undefined) throw new ValueProblem(refused?.message ?? name, refused?.hint);
  for (const key of Object.keys(keywords))
    if (lookup.keywords?.includes(key) !== true)
      throw new ValueProblem(`lookup('${kind}') has no argument "${key}" here`);
  return lookup.run(terms, keywords, scope);
}

/** `lookup(kind, terms...)` gives one text, several joined by commas; `query` gives a list. */
export function callLookup(args: readonly Rt[], keywords: Keywords, asList: boolean, scope: Scope): Rt {
  const [first, ...terms] = args;
  const { wantlist = asList, errors = "strict", ...rest } = keywords;
  const name = needText(first, "the lookup's name");
  const lenient = needText(errors, "errors");
  if (!["strict", "warn", "ignore"].includes(lenient)) throw new ValueProblem('errors is "strict", "warn" or "ignore"');
  let found: readonly Rt[];
  try {
    found = runLookup(name, terms, rest, scope);
  } catch (error) {
    const ignored = lenient !== "strict" && error instanceof ValueProblem && !(error instanceof UndefinedProblem);
    if (!ignored) throw error;
    return truthy(wantlist) ? [] : null;
  }
  if (truthy(wantlist) || found.length === 0) return Array.from(found);
  const texts = found.map((value) => (value instanceof NativeText ? value.text : asText(value)));
  if (texts.every((text) => text !== undefined)) {
    const joined = texts.join(",");
    return found[0] instanceof NativeText ? new NativeText(joined) : joined;
  }
  const [only] = found;
  return found.length === 1 && only !== undefined ? only : Array.from(found);
}
