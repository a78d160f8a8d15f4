/** What can be named in a template: for the parser's checks and its suggestions. */
import { dataFilters } from "./filters-data.js";
import { groupFilters } from "./filters-group.js";
import { layoutFilters } from "./filters-layout.js";
import { listFilters } from "./filters-list.js";
import { pathFilters } from "./filters-path.js";
import { textFilters } from "./filters-text.js";
import { urlFilters } from "./filters-url.js";
import { yamlFilters } from "./filters-yaml.js";
import { knownMethods } from "./methods.js";
import type { CallSignature, FilterSpec, FilterTable, TestSpec } from "./plugin.js";
import { tests } from "./tests.js";

export type { CallSignature } from "./plugin.js";

const filters: FilterTable = {
  ...textFilters,
  ...layoutFilters,
  ...pathFilters,
  ...urlFilters,
  ...listFilters,
  ...groupFilters,
  ...dataFilters,
  ...yamlFilters,
};
const aliases: Record<string, string> = { d: "default" };

/** Global functions. */
export const functionNames: ReadonlySet<string> = new Set(
  "lookup query q range dict namespace joiner undef".split(" "),
);

/** Methods that can be called. */
export const methodNames: ReadonlySet<string> = new Set(knownMethods);

export function filterSpec(name: string): FilterSpec | undefined {
  const real = aliases[name] ?? name;
  return Object.hasOwn(filters, real) ? filters[real] : undefined;
}

export function testSpec(name: string): TestSpec | undefined {
  return Object.hasOwn(tests, name) ? tests[name] : undefined;
}

export function filterSignature(name: string): CallSignature | undefined {
  return filterSpec(name);
}

export function testSignature(name: string): CallSignature | undefined {
  return testSpec(name);
}

/** Names that can be used, in the order of the tables. */
export function signatureNames(what: "filter" | "test"): string[] {
  const table: Readonly<Record<string, CallSignature>> = what === "filter" ? filters : tests;
  return Object.keys(table).filter((name) => table[name]?.refused === undefined);
}
