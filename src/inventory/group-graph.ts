import type { Position } from "../util/errors.js";
import type { HostValue } from "./host-value.js";

export interface VarEntry {
  readonly value: HostValue;
  readonly position: Position;
}
export type VarMap = Map<string, VarEntry>;

export interface Group {
  readonly name: string;
  readonly position: Position;
  readonly vars: VarMap;
  readonly children: Set<string>;
  /** Hosts named in this group itself. */
  readonly hosts: Set<string>;
  /** ansible_group_priority */
  priority: number;
}

export interface HostEntry {
  readonly name: string;
  readonly position: Position;
  readonly vars: VarMap;
}

/** Groups and hosts as an inventory names them, before anything is merged. */
export class GroupGraph {
  readonly groups = new Map<string, Group>();
  readonly hosts = new Map<string, HostEntry>();

  constructor(position: Position) {
    this.group("all", position);
    this.group("ungrouped", position);
  }

  group(name: string, position: Position): Group {
    const known = this.groups.get(name);
    if (known !== undefined) return known;
    const group = {
      name,
      position,
      vars: new Map(),
      children: new Set<string>(),
      hosts: new Set<string>(),
      priority: 1,
    };
    this.groups.set(name, group);
    return group;
  }

  host(name: string, position: Position): HostEntry {
    const known = this.hosts.get(name);
    if (known !== undefined) return known;
    const host = { name, position, vars: new Map() };
    this.hosts.set(name, host);
    return host;
  }

  /** Groups without a parent hang below `all`; hosts without a group are in `ungrouped`. */
  settle(): void {
    const all = this.#get("all");
    const kids = new Set([...this.groups.values()].flatMap((group) => [...group.children]));
    for (const name of this.groups.keys()) if (name !== "all" && !kids.has(name)) all.children.add(name);
    const ungrouped = this.#get("ungrouped");
    for (const host of this.hosts.keys()) {
      const named = [...this.groups.values()].some((g) => g !== all && g !== ungrouped && g.hosts.has(host));
      if (named) ungrouped.hosts.delete(host);
      else ungrouped.hosts.add(host);
    }
  }

  /** Names on a way from a group back to itself, or undefined. */
  findLoop(): readonly string[] | undefined {
    const done = new Set<string>();
    const visit = (name: string, path: readonly string[]): readonly string[] | undefined => {
      if (path.includes(name)) return [...path.slice(path.indexOf(name)), name];
      if (done.has(name)) return undefined;
      for (const child of this.#get(name).children) {
        const loop = visit(child, [...path, name]);
        if (loop !== undefined) return loop;
      }
      done.add(name);
      return undefined;
    };
    for (const name of this.groups.keys()) {
      const loop = visit(name, []);
      if (loop !== undefined) return loop;
    }
    return undefined;
  }

  /** Longest way from `all`, which is at 0: the order in which Ansible merges. Call only without a loop. */
  depths(): ReadonlyMap<string, number> {
    const depths = new Map<string, number>();
    const visit = (name: string, depth: number): void => {
      if ((depths.get(name) ?? -1) >= depth) return;
      depths.set(name, depth);
      for (const child of this.#get(name).children) visit(child, depth + 1);
    };
    visit("all", 0);
    return depths;
  }

  /** Hosts of a group and of the groups below it, in Ansible's order: level by level, so a group's own come first. */
  membersOf(name: string): ReadonlySet<string> {
    const members = new Set<string>();
    // A set that grows while it is walked is a queue without repeats.
    const queue = new Set([name]);
    for (const group of queue) {
      for (const host of this.#get(group).hosts) members.add(host);
      for (const child of this.#get(group).children) queue.add(child);
    }
    return members;
  }

  #get(name: string): Group {
    const group = this.groups.get(name);
    if (group === undefined) throw new Error(`no group ${name}`);
    return group;
  }
}
