import { resolve } from "node:path";
import { renderValue } from "../playbook/render.js";
import type { Scope, ScopeOptions } from "../playbook/scope.js";
import type { Play, RoleScope, TaskNode, Templated, Vars } from "../playbook/types.js";
import { InputError } from "../util/errors.js";
import { didYouMean } from "../util/suggest.js";
import type { CompileInput, HostScope } from "./compile-input.js";
import type { Delegate, Target } from "./compiled.js";
import type { Draft } from "./draft.js";
import type { Moment } from "./groups.js";
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
  const own = node.remoteUser === undefined ? undefined : String(language.render(node.remoteUser));
  const login = own ?? host.login.user;
  if (to !== host.name && (host.delegates.has(to) || !HERE.includes(to))) {
    if (!host.delegates.has(to)) throw unknownDelegate(to, node, host.delegates.names);
    return {
      local: false,
      user: asked,
      delegate: { host: to, become: node.become ?? (play.become || undefined), login },
    };
  }
  const local = host.local || to !== host.name;
  // Another user who logs in has a connection of his own, and a program on it.
  if (!local && login !== host.login.user && !host.login.fixed)
    return { local, user: asked, delegate: { host: to, become: node.become ?? (play.become || undefined), login } };
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
  return same && sameDelegate(a.delegate, b.delegate);
}

function sameDelegate(a: Delegate | undefined, b: Delegate | undefined): boolean {
  return a?.host === b?.host && a?.become === b?.become && a?.login === b?.login;
}

const LOGIN_NAMES = ["ansible_user", "ansible_ssh_user"];

/** The variables that a task sees, from the weakest to the strongest. */
export function taskScope(
  { play, host, now }: Pick<CompileInput, "play" | "host" | "now">,
  options: ScopeOptions,
  node: TaskNode,
  extra: Vars,
  news: Pick<Draft, "facts" | "registers" | "included" | "sights">,
): Scope {
  const { role } = node;
  const { given } = host;
  let scope = host
    .base([...host.sights, ...news.sights])
    .withValues(given)
    .withOptions({ ...options, searchPath: searchPath(node, play) });
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
  return withLogin(withFacts(whole, given), node.remoteUser, host.login);
}

/** The variables of a play before its first task. */
export function playScope(
  play: Play,
  host: Pick<HostScope, "given" | "included" | "facts" | "registers" | "extraVars" | "magic"> & {
    readonly base: Scope;
  },
  now: Moment,
  options: ScopeOptions,
): Scope {
  let scope = host.base
    .withValues(host.given)
    .withOptions({ ...options, searchPath: [resolve(play.directory)] })
    .withDefaults(play.roleDefaults)
    .withVars(play.vars);
  for (const vars of play.fileVars) scope = scope.withVars(vars);
  scope = scope
    .withVars(play.roleVars)
    .withVars(host.included)
    .withValues({ ...host.facts, ...host.registers })
    .withTemplates(host.extraVars)
    .withValues(host.magic(now));
  return withFacts(scope, host.given);
}

/** As Ansible: who logs in is told under the names by which variables say it, where none does. */
function withLogin(scope: Scope, own: Templated | undefined, { user, fixed }: HostScope["login"]): Scope {
  const said = own === undefined || fixed ? user : String(renderValue(own, scope));
  if (said === undefined) return scope;
  const names = LOGIN_NAMES.filter((name) => scope.lookup(name) === undefined);
  return scope.withValues(Object.fromEntries(names.map((name) => [name, said])));
}

/** What Ansible tells tasks of their role. */
function roleNames({ name, paths, parents }: RoleScope): Vars {
  const [path = ""] = paths;
  return {
    ...{ role_name: name, ansible_role_name: name, role_path: resolve(path) },
    ...(parents.length === 0 ? {} : { ansible_parent_role_names: parents }),
  };
}
