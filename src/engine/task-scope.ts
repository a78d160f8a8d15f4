import { resolve } from "node:path";
import type { Scope, ScopeOptions } from "../playbook/scope.js";
import type { Play, RoleScope, TaskNode, Vars } from "../playbook/types.js";
import { InputError } from "../util/errors.js";
import { didYouMean } from "../util/suggest.js";
import type { CompileInput } from "./compile-input.js";
import type { Target } from "./compiled.js";
import type { Draft } from "./draft.js";
import type { TaskLanguage } from "./language.js";
import { withFacts } from "./module-facts.js";

/** Where relative paths of a task are looked for: beside its file, then beside the playbook. */
export function searchPath(node: TaskNode, play: Play): string[] {
  const directories = [...(node.role?.paths ?? []), node.directory, play.directory];
  return [...new Set(directories.map((directory) => resolve(directory)))];
}

/** Whom a task runs as, and where. @throws InputError for a host that it cannot be delegated to */
export function targetOf(
  node: TaskNode,
  language: TaskLanguage,
  { play, host }: Pick<CompileInput, "play" | "host">,
): Target {
  const asked = node.becomeUser === undefined ? play.becomeUser : String(language.render(node.becomeUser));
  const to = node.delegateTo === undefined ? host.name : String(language.render(node.delegateTo));
  if (to !== host.name && (host.delegates.has(to) || !HERE.includes(to))) {
    if (!host.delegates.has(to)) throw unknownDelegate(to, node, host.delegates.names);
    return { local: false, user: asked, delegate: { host: to, become: node.become ?? (play.become || undefined) } };
  }
  const local = host.local || to !== host.name;
  const become = node.become ?? (play.become || host.become === true);
  return become ? { local, user: userOf(asked ?? host.becomeUser, local, host) } : { local, user: undefined };
}

/** Where a play's own tasks run. */
export function playTarget({ play, host }: Pick<CompileInput, "play" | "host">): Target {
  const { local } = host;
  const become = play.become || host.become === true;
  return become ? { local, user: userOf(play.becomeUser ?? host.becomeUser, local, host) } : { local, user: undefined };
}

/** Ansible's names for this machine, unless a host is called so. */
const HERE: readonly string[] = ["localhost", "127.0.0.1", "::1"];

function userOf(user = "root", local: boolean, host: CompileInput["host"]): string | undefined {
  const uid = local ? host.localUid : host.uid;
  return user === "root" && uid === 0 ? undefined : user;
}

function unknownDelegate(to: string, node: TaskNode, names: readonly string[]): InputError {
  return new InputError("E_DELEGATE", `delegate_to: ${to} is no host of the inventory.`, {
    position: node.delegateTo?.position ?? node.position,
    hint: didYouMean(to, names) ?? "It may be localhost, too.",
  });
}

export function sameTarget(a: Target, b: Target): boolean {
  const same = a.local === b.local && a.user === b.user;
  return same && a.delegate?.host === b.delegate?.host && a.delegate?.become === b.delegate?.become;
}

/** The variables that a task sees, from the weakest to the strongest. */
export function taskScope(
  { play, host, now }: Pick<CompileInput, "play" | "host" | "now">,
  options: ScopeOptions,
  node: TaskNode,
  extra: Vars,
  news: Pick<Draft, "facts" | "registers" | "given" | "included">,
): Scope {
  const { role } = node;
  const given = { ...host.given, ...news.given };
  let scope = host.base.withValues(given).withOptions({ ...options, searchPath: searchPath(node, play) });
  if (role !== undefined) scope = scope.withDefaults(role.defaults);
  scope = scope.withDefaults(play.roleDefaults).withVars(play.vars);
  for (const vars of play.fileVars) scope = scope.withVars(vars);
  scope = scope
    .withVars({ ...play.roleVars, ...role?.vars })
    .withVars(node.vars)
    .withVars({ ...host.included, ...news.included })
    .withValues({ ...host.facts, ...news.facts })
    .withValues({ ...host.registers, ...news.registers })
    .withVars({ ...role?.params, ...node.includeVars })
    .withValues({ ...node.includeValues, ...extra })
    .withTemplates(host.extraVars)
    .withValues(host.magic(now));
  const whole = role === undefined ? scope : scope.withValues(roleNames(role));
  return withFacts(whole, given);
}

/** What Ansible tells tasks of their role. */
function roleNames({ name, paths, parents }: RoleScope): Vars {
  const [path = ""] = paths;
  return {
    ...{ role_name: name, ansible_role_name: name, role_path: resolve(path) },
    ...(parents.length === 0 ? {} : { ansible_parent_role_names: parents }),
  };
}
