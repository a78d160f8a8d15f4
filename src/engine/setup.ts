import type { Value, Vars } from "../playbook/types.js";
import { InputError } from "../util/errors.js";
import { subsetHas } from "./fact-subsets.js";

/** What gathering facts has shown of them. */
export interface Sight {
  /** What is told of the gathering itself. */
  readonly about: Vars;
  /** @param name of a fact without `ansible_` */
  readonly shows: (name: string) => boolean;
  /** What the gathering's own environment has beside the login's. */
  readonly environment?: () => Vars;
}

/** Facts that are named without `ansible_`. */
const BARE: ReadonlySet<string> = new Set(["gather_subset", "module_setup", "_ansible_facts_gathered"]);

/** The variable of a fact. */
export const variableOf = (fact: string): string => (BARE.has(fact) ? fact : `ansible_${fact}`);

/** A pattern of fnmatch. */
function matches(pattern: string): (name: string) => boolean {
  const source = pattern.replace(/\[(!?)([^\]]+)\]|[\s\S]/g, (char: string, not: string, set: string | undefined) => {
    if (set !== undefined) return `[${not === "!" ? "^" : ""}${set.replaceAll("\\", "\\\\")}]`;
    if (char === "*") return ".*";
    return char === "?" ? "." : char.replace(/[\\^$.|+()[\]{}/]/, "\\$&");
  });
  const regex = new RegExp(`^${source}$`, "su");
  return (name) => regex.test(name);
}

/** A list of texts, or one text of them with commas between. */
function texts(name: string, value: Value | undefined): string[] {
  const list: readonly Value[] = Array.isArray(value) ? value : typeof value === "string" ? value.split(",") : [];
  return list.map((item) => {
    if (typeof item === "string") return item.trim();
    throw new InputError("E_MODULE_ARGUMENT", `setup: ${name} is a list of texts.`);
  });
}

interface SightWish {
  readonly filter?: Value | undefined;
  readonly subset?: Value | undefined;
  /** A play gathers them, before its tasks. */
  readonly ofPlay?: boolean;
  readonly environment?: () => Vars;
}

/** What `setup`, or a play that gathers facts, shows. @throws InputError for a subset that there is none of */
export function sightOf(args: SightWish): Sight {
  const given = texts("gather_subset", args.subset);
  const subset = given.length === 0 ? ["all"] : given;
  const inSubset = subsetHas(subset);
  const patterns = texts("filter", args.filter);
  const filters = patterns.flatMap((pattern) => {
    if (pattern === "") return [() => true];
    const plain = /^(ansible_|facter|ohai)/.test(pattern);
    return plain ? [matches(pattern)] : [matches(pattern), matches(`ansible_${pattern}`)];
  });
  return {
    ...(args.environment === undefined ? {} : { environment: args.environment }),
    about: {
      gather_subset: subset,
      module_setup: true,
      ...(args.ofPlay === true ? { _ansible_facts_gathered: true } : {}),
    },
    shows: (name) => {
      const variable = variableOf(name);
      const filtered = filters.length === 0 || filters.some((fits) => fits(variable));
      return filtered && (BARE.has(name) || inSubset(name));
    },
  };
}

/** The facts that have been shown. */
export function seenFacts(facts: Vars, sights: readonly Sight[]): Vars {
  if (sights.length === 0) return {};
  const whole: Vars = Object.assign({ ...facts }, ...sights.map(({ about }) => about), environmentOf(facts, sights));
  return Object.fromEntries(Object.entries(whole).filter(([name]) => sights.some(({ shows }) => shows(name))));
}

/** The environment as it was gathered last. */
function environmentOf({ env }: Vars, sights: readonly Sight[]): Vars {
  const last = sights.filter(({ shows }) => shows("env")).at(-1);
  if (last?.environment === undefined || typeof env !== "object" || env === null) return {};
  return { env: { ...env, ...last.environment() } };
}

/** Facts under the names of variables. */
export function prefixed(facts: Vars): Vars {
  return Object.fromEntries(Object.entries(facts).map(([name, value]) => [variableOf(name), value]));
}
