import type { Scope } from "../playbook/scope.js";
import type { Value, Vars } from "../playbook/types.js";

/** Under `ansible_facts` names go without this. */
const PREFIX = "ansible_";

const bare = (name: string) => (name.startsWith(PREFIX) ? name.slice(PREFIX.length) : name);

/** The names that facts of a module are read by: as variables, below `ansible_facts`, and that as a whole. */
export function factNames(names: readonly string[] = []): string[] {
  return names.flatMap((name) => [name, `ansible_facts.${bare(name)}`, "ansible_facts"]);
}

/** A scope whose `ansible_facts` have those that modules have given, too. */
export function withFacts(scope: Scope, given: Vars): Scope {
  const entries = Object.entries(given);
  if (entries.length === 0) return scope;
  const gathered = scope.lookup("ansible_facts")?.value as { readonly [key: string]: Value } | undefined;
  return scope.withValues({
    ansible_facts: { ...gathered, ...Object.fromEntries(entries.map(([name, value]) => [bare(name), value])) },
  });
}
