import { dirname, resolve } from "node:path";
import { hostScope } from "../inventory/host-scope.js";
import type { InventoryHost } from "../inventory/types.js";
import type { Play, Playbook, Value, Vars } from "../playbook/types.js";
import { controllerReader, TaskLanguage } from "./language.js";

/** What variables of a play are worth on a host whose facts are known, without a run. */
export function playValues(
  playbook: Playbook,
  play: Play,
  host: InventoryHost,
  facts: Vars,
  extraVars: Vars,
): (expression: string) => Value {
  const prefixed = Object.fromEntries(Object.entries(facts).map(([name, value]) => [`ansible_${name}`, value]));
  let scope = hostScope(host)
    .withValues(prefixed)
    .withOptions({ reader: controllerReader, searchPath: [resolve(play.directory)] })
    .withVars(play.vars);
  for (const vars of play.fileVars) scope = scope.withVars(vars);
  const language = new TaskLanguage(
    scope.withTemplates(extraVars).withValues({
      inventory_hostname: host.name,
      group_names: host.groups,
      playbook_dir: resolve(dirname(playbook.file)),
      ansible_facts: facts,
    }),
    new Set(),
  );
  return (expression) => language.evaluate(expression, play.position);
}
