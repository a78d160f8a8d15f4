/** The hosts of a play: which come first, and how many at a time. */

import type { InventoryHost } from "../inventory/types.js";
import type { Play } from "../playbook/types.js";

/** As Ansible: at least one host each, and the last size for all that are left. */
export function batchesOf<T>(hosts: readonly T[], serial: Play["serial"] = []): readonly (readonly T[])[] {
  const batches: (readonly T[])[] = [];
  for (let from = 0; from < hosts.length; ) {
    const { count, percent } = serial[Math.min(batches.length, serial.length - 1)] ?? { count: 0, percent: false };
    const size = percent ? Math.max(1, Math.trunc((count / 100) * hosts.length)) : count || hosts.length;
    batches.push(hosts.slice(from, from + size));
    from += size;
  }
  return batches;
}

/** As Ansible: one failure is too much for any_errors_fatal, and more than so many percent of a batch. */
export function bearableFailures({ anyErrorsFatal, maxFailPercentage }: Play, hosts: number): number {
  if (anyErrorsFatal) return 0;
  return maxFailPercentage === undefined ? Number.POSITIVE_INFINITY : Math.floor((hosts * maxFailPercentage) / 100);
}

/** As Ansible sorts them. */
export function inOrder(hosts: readonly InventoryHost[], order: Play["order"]): readonly InventoryHost[] {
  if (order === undefined || order === "inventory") return hosts;
  const sorted = order === "reverse_inventory" ? [...hosts] : [...hosts].sort((a, b) => (a.name < b.name ? -1 : 1));
  return order === "sorted" ? sorted : sorted.reverse();
}

/** `hosts: localhost` in an inventory that does not have it. */
export function implicitLocalhost(play: Play): InventoryHost {
  return {
    name: "localhost",
    groups: [],
    vars: { ansible_connection: "local" },
    origins: {},
    position: play.position,
  };
}
