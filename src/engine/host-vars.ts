import { hostScope } from "../inventory/host-scope.js";
import type { InventoryHost } from "../inventory/types.js";
import type { Scope } from "../playbook/scope.js";
import { isPossiblyTemplate } from "../playbook/template-parser.js";
import { type Playbook, type PlayNode, partsOf, type Vars } from "../playbook/types.js";
import type { HostScope } from "./compile-input.js";
import { withFacts } from "./module-facts.js";
import { prefixed } from "./setup.js";

/** Inventory variables are templates of the operator's; facts come from the host and are data. */
export function baseScope(host: InventoryHost, facts: Vars): Scope {
  return hostScope(host).withValues({ ...prefixed(facts), ansible_facts: facts });
}

/** The variables of a host as others see them: without those of plays and tasks. @param own undefined before its first play */
export function hostVarsScope(
  base: Scope,
  own: Pick<HostScope, "given" | "included" | "facts" | "registers"> | undefined,
  { extraVars, magic }: { readonly extraVars: Vars; readonly magic: Vars },
): Scope {
  const { given = {}, included = {}, facts = {}, registers = {} } = own ?? {};
  const scope = base
    .withValues(given)
    .withVars(included)
    .withValues(facts)
    .withValues(registers)
    .withTemplates(extraVars)
    .withValues(magic);
  return withFacts(scope, given);
}

/** Names that tasks of a playbook give values to, and facts: a host may have to come to such a task first. */
export function settableNames(playbook: Playbook): (name: string) => boolean {
  const names = new Set<string>();
  let any = false;
  const visit = (nodes: readonly PlayNode[]): void => {
    for (const node of nodes) {
      if (node.kind === "block") {
        visit(partsOf(node));
        continue;
      }
      const task = node.kind === "include" ? node.task : node;
      // What an included file does is known when it is its turn.
      any ||= node.kind === "include" || task.module === "include_vars";
      if (task.register !== undefined) names.add(task.register);
      if (task.module !== "set_fact") continue;
      for (const name of Object.keys(task.args)) {
        any ||= isPossiblyTemplate(name);
        names.add(name);
      }
    }
  };
  for (const play of playbook.plays)
    for (const part of [play.preTasks, play.tasks, play.postTasks, play.handlers]) visit(part);
  return (name) => any || names.has(name) || name.startsWith("ansible_") || MODULE_FACTS.has(name);
}

/** Facts that modules give under names of their own. */
const MODULE_FACTS: ReadonlySet<string> = new Set(["services", "packages"]);
