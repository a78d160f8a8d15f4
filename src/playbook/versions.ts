import { ValueProblem } from "./python-values.js";

/** Splits as distutils' LooseVersion: runs of digits are numbers, runs of letters text, dots vanish. */
function parts(version: string): (number | string)[] {
  return version
    .split(/(\d+|[a-z]+|\.)/)
    .filter((part) => part !== "" && part !== ".")
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));
}

/**
 * Orders two versions as LooseVersion does.
 * @throws ValueProblem where a number meets a word, which Python refuses to order
 */
export function looseVersionCompare(left: string, right: string): number {
  const a = parts(left);
  const b = parts(right);
  for (let index = 0; index < a.length && index < b.length; index++) {
    const x = a[index] ?? "";
    const y = b[index] ?? "";
    if (x === y) continue;
    if (typeof x !== typeof y) throw new ValueProblem(`the versions "${left}" and "${right}" cannot be ordered`);
    return x < y ? -1 : 1;
  }
  return a.length - b.length;
}

type Part = number | string;

function compareParts(a: readonly Part[], b: readonly Part[]): number {
  for (let index = 0; index < a.length && index < b.length; index++) {
    const x = a[index] ?? 0;
    const y = b[index] ?? 0;
    if (x === y) continue;
    // Numbers come before words.
    if (typeof x !== typeof y) return typeof x === "number" ? -1 : 1;
    return x < y ? -1 : 1;
  }
  return a.length - b.length;
}

/** What stands behind the numbers comes before the version without it. */
function withPrerelease(numbers: number, left: readonly Part[], right: readonly Part[]): number {
  if (numbers !== 0) return numbers;
  if (left.length === 0 || right.length === 0) return right.length - left.length;
  return compareParts(left, right);
}

const STRICT = /^(\d+)\.(\d+)(?:\.(\d+))?(?:([ab])(\d+))?$/;
const SEMANTIC =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-((?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?(?:\+[0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*)?$/;

function matched(pattern: RegExp, version: string, kind: string): RegExpExecArray {
  const match = pattern.exec(version);
  if (match === null) throw new ValueProblem(`"${version}" is no ${kind} version`);
  return match;
}

/** Orders two versions as StrictVersion does: `1.2`, `1.2.3`, `1.2b3`. @throws ValueProblem for what is none */
export function strictVersionCompare(left: string, right: string): number {
  const [a, b] = [left, right].map((version) => {
    const [, major, minor, patch = "0", letter, number] = matched(STRICT, version, "strict");
    const pre: Part[] = letter === undefined ? [] : [letter, Number(number)];
    return { numbers: [major, minor, patch].map(Number), pre };
  });
  return withPrerelease(compareParts(a?.numbers ?? [], b?.numbers ?? []), a?.pre ?? [], b?.pre ?? []);
}

/** Orders two versions by semver.org. @throws ValueProblem for what is none */
export function semanticVersionCompare(left: string, right: string): number {
  const [a, b] = [left, right].map((version) => {
    const [, major, minor, patch, pre] = matched(SEMANTIC, version, "semantic");
    const words =
      pre === undefined ? [] : pre.split(".").map((word): Part => (/^\d+$/.test(word) ? Number(word) : word));
    return { numbers: [major, minor, patch].map(Number), pre: words };
  });
  return withPrerelease(compareParts(a?.numbers ?? [], b?.numbers ?? []), a?.pre ?? [], b?.pre ?? []);
}
