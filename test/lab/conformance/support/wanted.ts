import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import type { Difference } from "./compare.js";

/** A difference that is meant to be, and why. */
export interface Wanted {
  /** Id of the case. */
  readonly case: string;
  /** What differs, as the harness names it: `status of ...`, `result NAME.field`; all that begins so. */
  readonly what: string;
  readonly reason: string;
}

/** The wanted differences of all cases and plays, test/lab/conformance/differences.yml. */
export function readWanted(): Wanted[] {
  const file = join(import.meta.dirname, "../differences.yml");
  return (parse(readFileSync(file, "utf8")) as Wanted[] | null) ?? [];
}

/** What is left of differences without the wanted ones, and the wanted ones that were not seen. */
export function withoutWanted(
  differences: readonly Difference[],
  wanted: readonly Wanted[],
): { readonly left: Difference[]; readonly unseen: Wanted[] } {
  const covers = (one: Wanted, { about, what }: Difference) => one.case === about && what.startsWith(one.what);
  return {
    left: differences.filter((difference) => !wanted.some((one) => covers(one, difference))),
    unseen: wanted.filter((one) => !differences.some((difference) => covers(one, difference))),
  };
}
