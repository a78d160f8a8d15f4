/** The tests behind `is`: Jinja's own and those of ansible.builtin (plugins/test). */
import { argument, needDict, needText } from "./filter-helpers.js";
import type { Call, TestSpec, TestTable } from "./plugin.js";
import { compileRegex, regexExec } from "./python-regex.js";
import {
  asNumber,
  asText,
  compare,
  contains,
  equal,
  isDict,
  isFloat,
  isList,
  iterate,
  LazyDict,
  type Rt,
  str,
  Tuple,
  truthy,
  Undefined,
  ValueProblem,
  View,
} from "./python-values.js";
import type { FileKind } from "./scope.js";
import { looseVersionCompare, semanticVersionCompare, strictVersionCompare } from "./versions.js";

/** A key of a task's result, or false when it is absent. */
function flag(subject: Rt, key: string, test: string): boolean {
  const result = needDict(subject, `what "is ${test}" looks at`);
  return Object.hasOwn(result, key) && truthy(result[key] ?? null);
}

/** A result that says nothing of it is one of a task that has run to its end. */
function asyncState(subject: Rt, key: "started" | "finished"): boolean {
  const result = needDict(subject, `what "is ${key}" looks at`);
  return !Object.hasOwn(result, key) || asNumber(result[key] ?? null) === 1;
}

function changed(subject: Rt): boolean {
  const result = needDict(subject, 'what "is changed" looks at');
  if (Object.hasOwn(result, "changed")) return truthy(result.changed ?? null);
  const results = result.results;
  return (
    results !== undefined && isList(results) && results.some((item) => isDict(item) && truthy(item.changed ?? false))
  );
}

function regexTest(anchored: boolean | undefined): TestSpec {
  return {
    params:
      anchored === undefined
        ? ["pattern", "ignorecase", "multiline", "match_type"]
        : ["pattern", "ignorecase", "multiline"],
    run: (subject, call) => {
      const type = needText(argument(call, 3, anchored === true ? "match" : "search"), "match_type");
      if (type !== "match" && type !== "search")
        throw new ValueProblem(`match_type is "match" or "search", not "${type}"`);
      const regex = compileRegex(needText(argument(call, 0, ""), "the pattern"), {
        ignoreCase: truthy(argument(call, 1, false)),
        multiline: truthy(argument(call, 2, false)),
      });
      return regexExec(regex, str(subject), type === "match") !== undefined;
    },
  };
}

const OPERATORS: Record<string, (order: number) => boolean> = {
  "==": (order) => order === 0,
  "=": (order) => order === 0,
  eq: (order) => order === 0,
  "<": (order) => order < 0,
  lt: (order) => order < 0,
  "<=": (order) => order <= 0,
  le: (order) => order <= 0,
  ">": (order) => order > 0,
  gt: (order) => order > 0,
  ">=": (order) => order >= 0,
  ge: (order) => order >= 0,
  "!=": (order) => order !== 0,
  "<>": (order) => order !== 0,
  ne: (order) => order !== 0,
};

const VERSIONS: Readonly<Record<string, (left: string, right: string) => number>> = {
  loose: looseVersionCompare,
  strict: strictVersionCompare,
  semver: semanticVersionCompare,
  semantic: semanticVersionCompare,
};

function ordering(strict: Rt, type: Rt): (left: string, right: string) => number {
  if (strict !== null && type !== null) throw new ValueProblem("version takes either strict or version_type");
  if (truthy(strict)) return strictVersionCompare;
  if (!truthy(type)) return looseVersionCompare;
  const order = VERSIONS[needText(type, "version_type")];
  if (order === undefined)
    throw new ValueProblem(
      `versions of the type "${str(type)}" are not compared`,
      `One of ${Object.keys(VERSIONS).join(", ")}.`,
    );
  return order;
}

function version(subject: Rt, call: Call): boolean {
  const operator = needText(argument(call, 1, "eq"), "the operator");
  const decide = OPERATORS[operator];
  if (decide === undefined)
    throw new ValueProblem(`unknown operator "${operator}"`, `One of ${Object.keys(OPERATORS).join(", ")}.`);
  const order = ordering(argument(call, 2, null), argument(call, 3, null));
  const other = argument(call, 0, "");
  if (!truthy(subject) || !truthy(other)) throw new ValueProblem("a version to compare is empty");
  return decide(order(str(subject), str(other)));
}

const plainTest = (run: (subject: Rt) => boolean): TestSpec => ({ params: [], run });
/** For tests that an undefined value simply does not pass. */
const anyTest = (run: (subject: Rt) => boolean): TestSpec => ({ params: [], keepUndefined: true, run });
const pairTest = (run: (subject: Rt, other: Rt) => boolean): TestSpec => ({
  params: ["other"],
  required: 1,
  run: (subject, call) => run(subject, argument(call, 0, null)),
});

/** Python's operators know no names of arguments. */
const operatorTest = (run: (subject: Rt, other: Rt) => boolean): TestSpec => ({
  ...pairTest(run),
  params: ["other value"],
});

const equalTest = operatorTest(equal);
const notEqualTest = operatorTest((a, b) => !equal(a, b));
const lessTest = operatorTest((a, b) => compare(a, b) < 0);
const lessEqualTest = operatorTest((a, b) => equal(a, b) || compare(a, b) < 0);
const greaterTest = operatorTest((a, b) => compare(a, b) > 0);
const greaterEqualTest = operatorTest((a, b) => equal(a, b) || compare(a, b) > 0);
const versionTest: TestSpec = { params: ["version", "operator", "strict", "version_type"], required: 1, run: version };
const failed = plainTest((subject) => flag(subject, "failed", "failed"));
const succeeded = plainTest((subject) => !flag(subject, "failed", "succeeded"));
const skipped = plainTest((subject) => flag(subject, "skipped", "skipped"));
const changedTest = plainTest(changed);
/** Every item of `inner` is in `outer`; Python's sets hold no lists and dicts. */
function within(inner: Rt, outer: Rt): boolean {
  const all = [...iterate(inner), ...iterate(outer)];
  const unhashable = (item: Rt): boolean =>
    isDict(item) || (isList(item) && (!(item instanceof Tuple) || item.some(unhashable)));
  if (all.some(unhashable)) throw new ValueProblem("subset and superset do not work on lists of lists or dicts");
  return iterate(inner).every((item) => contains(Array.from(iterate(outer)), item));
}

const subset = pairTest(within);
const superset = pairTest((a, b) => within(b, a));

function remainder(subject: Rt, by: number): number {
  const number = asNumber(subject);
  if (number === undefined) throw new ValueProblem("only numbers are odd or even");
  return ((number % by) + by) % by;
}

function divisor(by: Rt): number {
  const number = asNumber(by);
  if (number === undefined || number === 0) throw new ValueProblem("divisibleby takes a number other than 0");
  return number;
}

function isIterable(subject: Rt): boolean {
  return asText(subject) !== undefined || isList(subject) || isDict(subject) || subject instanceof View;
}

/** Tests of this machine's files, as Python's os.path. */
function fileTest(holds: (kind: FileKind | undefined) => boolean, follow = true): TestSpec {
  return {
    params: [],
    run: (subject, _call, { reader }) => {
      if (reader === undefined) throw new ValueProblem("files cannot be looked at here");
      return holds(reader.kindOf(needText(subject, "a path"), follow));
    },
  };
}

const isFile = fileTest((kind) => kind === "file");
const isDirectory = fileTest((kind) => kind === "directory");
const isLink = fileTest((kind) => kind === "link", false);
const absolute = plainTest((subject) => needText(subject, "a path").startsWith("/"));

/** Python's islower and isupper. */
function hasCase(text: string, changed: string): boolean {
  return text === changed && text.toLowerCase() !== text.toUpperCase();
}

/** Python's `is`, for what there is one of. */
function same(subject: Rt, other: Rt): boolean {
  if (subject === null || typeof subject === "boolean") return subject === other;
  if (other === null || typeof other === "boolean") return false;
  throw new ValueProblem("sameas compares with true, false and none", "Compare with `==`.");
}

const TRUE_WORDS = ["y", "yes", "on", "1", "true", "t"];
const FALSE_WORDS = ["n", "no", "off", "0", "false", "f"];

function isTruthy(subject: Rt, call: Call): boolean {
  if (!truthy(argument(call, 0, false))) return truthy(subject);
  const word = asText(subject)?.toLowerCase().trim();
  if (word !== undefined && TRUE_WORDS.includes(word)) return true;
  return !(word !== undefined && FALSE_WORDS.includes(word)) && truthy(subject);
}

function refused(instead: string): TestSpec {
  return { params: [], refused: instead, run: () => false };
}

export const tests: TestTable = {
  defined: { params: [], keepUndefined: true, run: (subject) => !(subject instanceof Undefined) },
  undefined: { params: [], keepUndefined: true, run: (subject) => subject instanceof Undefined },
  none: anyTest((subject) => subject === null),
  boolean: anyTest((subject) => typeof subject === "boolean"),
  true: anyTest((subject) => subject === true),
  false: anyTest((subject) => subject === false),
  string: anyTest((subject) => asText(subject) !== undefined),
  number: anyTest((subject) => asNumber(subject) !== undefined),
  integer: anyTest((subject) => typeof subject !== "boolean" && asNumber(subject) !== undefined && !isFloat(subject)),
  float: anyTest(isFloat),
  mapping: anyTest((subject) => isDict(subject) || subject instanceof LazyDict),
  sequence: anyTest((subject) => isIterable(subject) && !(subject instanceof View && !subject.sequence)),
  iterable: plainTest(isIterable),
  odd: plainTest((subject) => remainder(subject, 2) === 1),
  even: plainTest((subject) => remainder(subject, 2) === 0),
  divisibleby: pairTest((subject, by) => remainder(subject, divisor(by)) === 0),
  in: pairTest((subject, container) => contains(container, subject)),
  contains: pairTest((subject, item) => contains(subject, item)),
  eq: equalTest,
  equalto: equalTest,
  "==": equalTest,
  ne: notEqualTest,
  "!=": notEqualTest,
  lt: lessTest,
  lessthan: lessTest,
  "<": lessTest,
  le: lessEqualTest,
  "<=": lessEqualTest,
  gt: greaterTest,
  greaterthan: greaterTest,
  ">": greaterTest,
  ge: greaterEqualTest,
  ">=": greaterEqualTest,
  match: regexTest(true),
  search: regexTest(false),
  regex: regexTest(undefined),
  version: versionTest,
  version_compare: versionTest,
  changed: changedTest,
  change: changedTest,
  failed,
  failure: failed,
  succeeded,
  success: succeeded,
  successful: succeeded,
  skipped,
  skip: skipped,
  subset,
  issubset: subset,
  superset,
  issuperset: superset,
  any: plainTest((subject) => iterate(subject).some(truthy)),
  all: plainTest((subject) => iterate(subject).every(truthy)),
  truthy: { params: ["convert_bool"], run: isTruthy },
  falsy: { params: ["convert_bool"], run: (subject, call) => !isTruthy(subject, call) },
  lower: plainTest((subject) => hasCase(str(subject), str(subject).toLowerCase())),
  upper: plainTest((subject) => hasCase(str(subject), str(subject).toUpperCase())),
  sameas: pairTest(same),
  reachable: plainTest((subject) => !flag(subject, "unreachable", "reachable")),
  unreachable: plainTest((subject) => flag(subject, "unreachable", "unreachable")),
  abs: absolute,
  is_abs: absolute,
  exists: fileTest((kind) => kind !== undefined),
  link_exists: fileTest((kind) => kind !== undefined, false),
  file: isFile,
  is_file: isFile,
  directory: isDirectory,
  is_dir: isDirectory,
  link: isLink,
  is_link: isLink,
  same_file: refused("Compare the paths' `| realpath`."),
  is_same_file: refused("Compare the paths' `| realpath`."),
  mount: refused("Of the host, look at ansible_mounts."),
  is_mount: refused("Of the host, look at ansible_mounts."),
  vault_encrypted: refused("Values are decrypted before they get here."),
  callable: refused("Nothing that is a value can be called."),
  escaped: refused("There is no escaping to be switched off."),
  filter: refused("Names of filters are checked before anything runs."),
  test: refused("Names of tests are checked before anything runs."),
  nan: refused("All numbers are finite."),
  isnan: refused("All numbers are finite."),
  finished: plainTest((subject) => asyncState(subject, "finished")),
  started: plainTest((subject) => asyncState(subject, "started")),
};
