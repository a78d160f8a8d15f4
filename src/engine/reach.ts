import { usedAnsibleVars } from "../inventory/ansible-vars.js";
import type { InventoryHost } from "../inventory/types.js";
import { renderValue } from "../playbook/render.js";
import type { Scope } from "../playbook/scope.js";
import type { Play } from "../playbook/types.js";

/** A host as a play reaches it: its connection variables are those that the play's own variables leave. */
export function reachedBy(play: Play, host: InventoryHost, scope: Scope): InventoryHost {
  const given = [play.vars, ...play.fileVars, play.roleVars, play.roleDefaults];
  const names = usedAnsibleVars.filter((name) => given.some((vars) => Object.hasOwn(vars, name)));
  const said = names.flatMap((name) => {
    const binding = scope.lookup(name);
    if (binding === undefined) return [];
    const { value, position = play.position } = binding;
    const positionOf = binding.positionOf ?? (() => position);
    return [{ name, position, value: binding.templated ? renderValue({ value, position, positionOf }, scope) : value }];
  });
  if (said.length === 0) return host;
  return {
    ...host,
    vars: { ...host.vars, ...Object.fromEntries(said.map(({ name, value }) => [name, value])) },
    origins: { ...host.origins, ...Object.fromEntries(said.map(({ name, position }) => [name, position])) },
  };
}

/** Whether a host's variables say who logs in, which is stronger than any keyword. */
export function saysLogin({ vars }: InventoryHost): boolean {
  return [vars.ansible_user, vars.ansible_ssh_user].some((value) => value !== undefined && value !== null);
}
