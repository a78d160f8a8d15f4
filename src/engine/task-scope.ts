import { resolve } from "node:path";
import type { LookupReader, Scope } from "../playbook/scope.js";
import type { Play, TaskNode, Vars } from "../playbook/types.js";
import { InputError } from "../util/errors.js";
import type { CompileInput } from "./compile-input.js";
import type { Target } from "./compiled.js";
import type { TaskLanguage } from "./language.js";

/** Where relative paths of a task are looked for: beside its file, then beside the playbook. */
export function searchPath(node: TaskNode, play: Play): string[] {
  return [...new Set([resolve(node.directory), resolve(play.directory)])];
}

/** Whom a task runs as, and where. @throws InputError for a host that it cannot be delegated to */
export function targetOf(
  node: TaskNode,
  language: TaskLanguage,
  { play, host }: Pick<CompileInput, "play" | "host">,
): Target {
  let local = host.local;
  if (node.delegateTo !== undefined) {
    const to = String(language.render(node.delegateTo));
    if (["localhost", "127.0.0.1", "::1"].includes(to)) local = true;
    else {
      throw new InputError("E_DELEGATE", `delegate_to: ${to} is not supported; only localhost is.`, {
        position: node.delegateTo.position,
      });
    }
  }
  const become = node.become ?? (play.become || host.become === true);
  if (!become) return { local, user: undefined };
  const asked = node.becomeUser === undefined ? undefined : String(language.render(node.becomeUser));
  const user = asked ?? play.becomeUser ?? host.becomeUser ?? "root";
  const uid = local ? host.localUid : host.uid;
  return { local, user: user === "root" && uid === 0 ? undefined : user };
}

/** The variables that a task sees, from the weakest to the strongest. */
export function taskScope(
  { play, host, now }: Pick<CompileInput, "play" | "host" | "now">,
  reader: LookupReader,
  node: TaskNode,
  extra: Vars,
  facts: Vars,
  registers: Vars,
): Scope {
  let scope = host.base.withOptions({ reader, searchPath: searchPath(node, play) }).withVars(play.vars);
  for (const vars of play.fileVars) scope = scope.withVars(vars);
  scope = scope
    .withVars(node.vars)
    .withValues({ ...host.facts, ...facts })
    .withValues({ ...host.registers, ...registers })
    .withValues(extra)
    .withTemplates(host.extraVars)
    .withValues(host.magic(now));
  return scope;
}
