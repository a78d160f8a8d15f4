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
