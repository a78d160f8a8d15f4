import type { Value } from "../playbook/types.js";
import type { Position } from "../util/errors.js";

/** One host with the variables that inventory gives it, already merged in Ansible's order (groups by depth, host last). */
export interface InventoryHost {
  readonly name: string;
  readonly groups: readonly string[];
  readonly vars: Readonly<Record<string, Value>>;
  /** Where each variable was given, for messages about it. */
  readonly origins: Readonly<Record<string, Position>>;
  readonly position: Position;
}

export interface Inventory {
  readonly file: string;
  /** In Ansible's order: level by level below `all`, a group's own hosts first. */
  readonly hosts: readonly InventoryHost[];
  /** Group name to host names, `all` and `ungrouped` included. */
  readonly groups: Readonly<Record<string, readonly string[]>>;
  /**
   * Hosts that match Ansible's pattern (`edges:!pi-*`), in inventory order.
   * @throws InputError for a pattern that names nothing.
   */
  select(pattern: string): readonly InventoryHost[];
}
