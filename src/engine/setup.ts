import type { Value, Vars } from "../playbook/types.js";
import { InputError } from "../util/errors.js";

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

/** The facts that `setup` shows for its `filter`: one pattern or several, with or without `ansible_`. */
export function filteredFacts(facts: Vars, filter: Value | undefined): Vars {
  const patterns = (Array.isArray(filter) ? filter : [filter ?? "*"]).map((pattern: Value) => {
    if (typeof pattern !== "string") throw new InputError("E_MODULE_ARGUMENT", "setup: filter is a list of patterns.");
    return pattern;
  });
  if (patterns.length === 0 || patterns.includes("*")) return facts;
  const wanted = patterns.flatMap((pattern) =>
    pattern === "" ? [() => true] : [matches(pattern), matches(`ansible_${pattern}`)],
  );
  return Object.fromEntries(Object.entries(facts).filter(([name]) => wanted.some((fits) => fits(name))));
}
