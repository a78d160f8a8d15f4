import type { Position } from "../util/errors.js";
import type { HostValue } from "./host-value.js";

/** One host with the variables that inventory gives it, already merged in Ansible's order (groups by depth, host last). */
export interface InventoryHost {
  readonly name: string;
  readonly groups: readonly string[];
  /** Secrets, passwords and what a vault held are Secrets. */
  readonly vars: Readonly<Record<string, HostValue>>;
  /** Where each variable was given, for messages about it. */
  readonly origins: Readonly<Record<string, Position>>;
  readonly position: Position;
}

export interface Inventory {
  readonly file: string;
  /** As they were given, where there are several. */
  readonly sources?: readonly string[];
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
