import { selectHosts } from "../inventory/pattern.js";
import type { Inventory, InventoryHost } from "../inventory/types.js";
import { InputError, type Position } from "../util/errors.js";

/** A group that `group_by` puts a host into. */
export interface Joined {
  readonly group: string;
  readonly parents: readonly string[];
}

/** A place in the playbook, by which what was made before is told from what a check has made later on. */
export type Moment = number & { readonly moment: unique symbol };

/** More tasks than any play has. */
const TASKS = 1_000_000;

/** @param task the task's number; 0 is before the play's first */
export function momentOf(play: number, task: number): Moment {
  return (play * TASKS + task) as Moment;
}

/** Above and below everything: it is in no list of names. */
const ALL = "all";
const UNGROUPED = "ungrouped";

/** The inventory's groups, and those that `group_by` makes while a playbook runs. */
export class RunGroups {
  readonly #inventory: Inventory;
  /** By group, its hosts and when each came in. */
  readonly #hosts = new Map<string, Map<string, Moment>>();
  readonly #parents = new Map<string, Map<string, Moment>>();
  /** Grows whenever the groups become others. */
  version = 0;

  constructor(inventory: Inventory) {
    this.#inventory = inventory;
  }

  /**
   * Puts a host into the groups that a task names, and out of those that the same task named in the check before.
   * @returns for each of them whether that is news, as Ansible tells
   * @throws InputError for a group of the inventory, whose variables would come with it
   */
  join(host: string, task: Moment, joined: readonly Joined[], position: Position): boolean[] {
    for (const { group, parents } of joined) {
      for (const name of [group, ...parents]) this.#check(host, name, position);
      for (const parent of parents) this.#checkLoop(group, parent, position);
    }
    for (const members of this.#hosts.values()) if (members.get(host) === task) members.delete(host);
    this.version++;
    return joined.map(({ group, parents }) => {
      const members = this.#hosts.get(group) ?? new Map<string, Moment>();
      this.#hosts.set(group, members);
      for (const parent of parents) if (parent !== ALL) this.#relate(group, parent, task);
      const since = members.get(host);
      if (this.#inventory.groups[group]?.includes(host) || (since !== undefined && since <= task)) return false;
      members.set(host, task);
      return true;
    });
  }

  #relate(group: string, parent: string, task: Moment): void {
    if (!this.#hosts.has(parent)) this.#hosts.set(parent, new Map());
    const parents = this.#parents.get(group) ?? new Map<string, Moment>();
    this.#parents.set(group, parents);
    if ((parents.get(parent) ?? Number.POSITIVE_INFINITY) > task) parents.set(parent, task);
  }

  #check(host: string, name: string, position: Position): void {
    if (name === "") throw new InputError("E_GROUP_BY", "group_by is given an empty name.", { position });
    const members = this.#inventory.groups[name];
    if (name === ALL || members === undefined || members.includes(host)) return;
    throw new InputError("E_GROUP_BY", `group_by would put ${host} into ${name}, a group of the inventory.`, {
      position,
      hint: "The host would not get that group's variables: choose a name that the inventory does not have.",
    });
  }

  #checkLoop(group: string, parent: string, position: Position): void {
    if (!this.#above(parent, Number.POSITIVE_INFINITY as Moment).has(group)) return;
    throw new InputError("E_GROUP_BY", `The group ${group} would be above and below ${parent}.`, { position });
  }

  /** A group and all above it. */
  #above(group: string, before: Moment): Set<string> {
    const found = new Set([group]);
    for (const name of found) {
      for (const [parent, since] of this.#parents.get(name) ?? []) if (since < before) found.add(parent);
    }
    return found;
  }

  /** What a host is in beyond the inventory. */
  #madeFor(host: string, before: Moment): Set<string> {
    const isIn = (members: ReadonlyMap<string, Moment>) => (members.get(host) ?? Number.POSITIVE_INFINITY) < before;
    const own = [...this.#hosts].filter(([, members]) => isIn(members)).map(([group]) => group);
    return new Set(own.flatMap((group) => [...this.#above(group, before)]));
  }

  /** `group_names`: sorted, without `all`. */
  namesOf(host: InventoryHost, before: Moment): string[] {
    const made = this.#madeFor(host.name, before);
    const given = host.groups.filter((name) => name !== ALL && (name !== UNGROUPED || made.size === 0));
    return [...new Set([...given, ...made])].sort();
  }

  /** `groups`: host names by group, in the order of the inventory. */
  all(before: Moment): Record<string, readonly string[]> {
    const groups: Record<string, readonly string[]> = { ...this.#inventory.groups };
    const known = this.#inventory.hosts.map((host) => host.name);
    const names = new Set([...known, ...[...this.#hosts.values()].flatMap((hosts) => [...hosts.keys()])]);
    const made = new Map([...names].map((name) => [name, this.#madeFor(name, before)]));
    for (const group of new Set([...made.values()].flatMap((own) => [...own]))) {
      const given = this.#inventory.groups[group] ?? [];
      groups[group] = [...made].filter(([name, own]) => own.has(group) || given.includes(name)).map(([name]) => name);
    }
    if (groups[UNGROUPED] !== undefined)
      groups[UNGROUPED] = groups[UNGROUPED].filter((name) => (made.get(name)?.size ?? 0) === 0);
    return groups;
  }

  /** Hosts of the pattern of a play whose groups may not have come to be: a name that nothing has is nothing then. */
  select(pattern: string, before: Moment): readonly InventoryHost[] {
    return selectHosts(pattern, this.#inventory.hosts, this.all(before), { lenient: true });
  }
}
