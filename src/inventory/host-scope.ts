import { Scope } from "../playbook/scope.js";
import { type HostValue, revealed, secretsIn } from "./host-value.js";
import type { InventoryHost } from "./types.js";

/**
 * The variables of a host as templates see them. Their texts are templates, but for those that hold secrets: as in Ansible
 * what came from a vault, a file or the environment is data, whatever braces it has.
 */
export function hostScope({ vars, origins }: InventoryHost): Scope {
  const entries = Object.entries(vars);
  const isData = ([, value]: readonly [string, HostValue]) => secretsIn(value).length > 0;
  const plain = (some: typeof entries) => Object.fromEntries(some.map(([name, value]) => [name, revealed(value)]));
  return new Scope()
    .withTemplates(plain(entries.filter((entry) => !isData(entry))), origins)
    .withValues(plain(entries.filter(isData)));
}
