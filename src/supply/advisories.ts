import { readFile } from "node:fs/promises";
import { InputError } from "../util/errors.js";
import { compareVersions } from "./versions.js";

/** One security problem of something that edges are made of (nginx-build/advisories.json says what its fields mean). */
export interface Advisory {
  /** CVE-..., or a commit where nobody gave it a number. */
  readonly id: string;
  /** nginx, njs, vts, or a source package of Debian. */
  readonly component: string;
  readonly title: string;
  /** As its authors say, or "unknown". */
  readonly severity: string;
  readonly from?: string;
  readonly fixed: readonly string[];
  readonly debian?: Readonly<Record<string, string>>;
  readonly with?: readonly string[];
  readonly without?: readonly string[];
  readonly uses?: readonly string[];
  readonly unless?: readonly string[];
  readonly url: string;
}

export interface AdvisoryList {
  /** YYYY-MM-DD: what became known later is not in it. */
  readonly date: string;
  readonly advisories: readonly Advisory[];
}

/** A version of a component, as installed or as pinned. */
export interface Part {
  readonly component: string;
  readonly version: string;
  /** Release of Debian whose package it is, or whose patches are in it; undefined for what its authors publish. */
  readonly debian?: string | undefined;
}

/** How far an advisory that names a version concerns an edge. */
export type Exposure =
  | "used"
  /** Compiled in, but the configuration does not use it. */
  | "unused"
  /** Not compiled in. */
  | "absent";

/** @throws InputError `E_ADVISORIES` when the list of this package cannot be read */
export async function loadAdvisories(file: string): Promise<AdvisoryList> {
  try {
    const list = JSON.parse(await readFile(file, "utf8")) as AdvisoryList & { format: number };
    if (list.format !== 1 || !Array.isArray(list.advisories)) throw new Error("it has another format");
    return list;
  } catch (cause) {
    throw new InputError("E_ADVISORIES", `the list of advisories ${file} cannot be read: ${String(cause)}`, { cause });
  }
}

/** Whether the advisory names this version. */
export function names(advisory: Advisory, part: Part): boolean {
  if (advisory.component !== part.component) return false;
  const { version } = part;
  if (part.debian !== undefined) {
    const fixed = advisory.debian?.[part.debian];
    return fixed !== undefined && compareVersions(version, fixed) < 0;
  }
  if (advisory.fixed.length === 0) return false;
  if (advisory.from !== undefined && compareVersions(version, advisory.from) < 0) return false;
  const has = advisory.fixed.map((fixed) => ({ fixed, reached: compareVersions(version, fixed) >= 0 }));
  return !has.every(({ reached }) => reached) && !has.some((one) => one.reached && sameBranch(one.fixed, version));
}

/** 1.30.6 and 1.30.4 are of the branch 1.30. */
function sameBranch(a: string, b: string): boolean {
  const branch = (version: string) => version.split(".").slice(0, 2).join(".");
  return branch(a) === branch(b);
}

/**
 * How far the affected part is there.
 * @param options of NGINX's configure, as one text
 * @param configuration lines of the configuration: those that `patternsOf` look for at least
 */
export function exposure(advisory: Advisory, options: string, configuration: readonly string[]): Exposure {
  const words = new Set(options.split(/\s+/));
  if (advisory.with !== undefined && !advisory.with.some((option) => words.has(option))) return "absent";
  if (advisory.without?.every((option) => words.has(option)) === true) return "absent";
  const there = (text: string) => {
    const pattern = new RegExp(text);
    return configuration.some((line) => pattern.test(line));
  };
  return (advisory.uses ?? []).every(there) && !(advisory.unless ?? []).some(there) ? "used" : "unused";
}

/** Expressions of all lines of a configuration that `exposure` has to see. */
export function patternsOf(advisories: readonly Advisory[]): string[] {
  return advisories.flatMap(({ uses = [], unless = [] }) => [...uses, ...unless]);
}

/** The version that has the fix, for what is installed. */
export function fixedIn(advisory: Advisory, part: Part): string {
  if (part.debian !== undefined) return advisory.debian?.[part.debian] ?? "";
  const branch = advisory.fixed.find((version) => sameBranch(version, part.version));
  return branch ?? advisory.fixed.join(" and ");
}
