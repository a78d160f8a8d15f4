import { InputError, type Position } from "../util/errors.js";
import { didYouMean } from "../util/suggest.js";
import { GroupGraph, type VarMap } from "./group-graph.js";
import { expandHosts } from "./host-range.js";
import { parseSource, type SourceEntry, type SourceNode } from "./yaml-source.js";

const SECTIONS = ["hosts", "vars", "children"];
/** What Ansible takes without a warning. */
const GROUP_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** What it warns about, and takes: no characters of a pattern. */
export const ANY_GROUP_NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/;
/** Names that address one host: no pattern characters, no spaces, no user before an @. */
export const HOST_NAME = /^[A-Za-z0-9_][A-Za-z0-9_.:-]*$/;

export interface ParsedInventory {
  readonly graph: GroupGraph;
  readonly errors: readonly InputError[];
}

/** Reads an inventory in Ansible's YAML form. Collects every problem of the file. */
export function parseInventory(text: string, file: string, options: { secret?: boolean } = {}): ParsedInventory {
  const start: Position = { file, line: 1, column: 1 };
  const graph = new GroupGraph(start);
  if (looksLikeIni(text)) return { graph, errors: [iniError(file, start)] };
  const { root, errors } = parseSource(text, file, options);
  const problems = errors.length > 0 ? errors : readGroups(root, graph, file, GROUP_NAME);
  return { graph, errors: [...problems, ...settled(graph)] };
}

/** Puts the groups of one YAML inventory into a graph, and gives what is wrong with them. */
export function readGroups(
  root: SourceNode | undefined,
  graph: GroupGraph,
  file: string,
  groupName = ANY_GROUP_NAME,
): InputError[] {
  const reader = new InventoryReader(graph, groupName);
  reader.top(root, { file, line: 1, column: 1 });
  return reader.errors;
}

/** Ends a graph that all sources were read into; groups that contain each other are an error. */
export function settled(graph: GroupGraph): InputError[] {
  graph.settle();
  const loop = graph.findLoop();
  if (loop === undefined) return [];
  const position = graph.groups.get(loop[0] ?? "")?.position;
  return [new InputError("E_INVENTORY", `the groups ${loop.join(" > ")} contain each other`, { position })];
}

class InventoryReader {
  readonly errors: InputError[] = [];
  readonly #graph: GroupGraph;
  readonly #groupName: RegExp;

  constructor(graph: GroupGraph, groupName: RegExp) {
    this.#graph = graph;
    this.#groupName = groupName;
  }

  report(message: string, position: Position, hint?: string): void {
    this.errors.push(new InputError("E_INVENTORY", message, { position, hint }));
  }

  top(root: SourceNode | undefined, start: Position): void {
    if (root === undefined || root.value === null) {
      this.report("the inventory is empty", start, "name a group with its hosts: edges: { hosts: { pi-1: } }");
      return;
    }
    if (root.entries === undefined) {
      this.report("the inventory is not a mapping of groups", root.position, "begin with a group: edges:");
      return;
    }
    for (const entry of root.entries.values()) {
      if (entry.key === "plugin")
        this.report(
          "inventory plugins are not run",
          entry.keyPosition,
          "write their result: ansible-inventory --list --yaml --export",
        );
      // The common slip: the file begins with hosts: or vars: and names no group.
      else if (SECTIONS.includes(entry.key) && entry.node.entries !== undefined)
        this.report(`${entry.key} stands outside a group`, entry.keyPosition, "put it below a group, or below all");
      else this.#group(entry);
    }
  }

  #group({ key: name, keyPosition, node }: SourceEntry): void {
    if (!this.#groupName.test(name))
      this.report(`${JSON.stringify(name)} is not a name for a group`, keyPosition, "use letters, digits and _");
    const group = this.#graph.group(name, keyPosition);
    if (node.value === null) return;
    if (node.entries === undefined) {
      this.report(`the group ${name} is not a mapping`, node.position, "give it hosts, vars or children");
      return;
    }
    for (const section of node.entries.values()) {
      if (!SECTIONS.includes(section.key)) {
        const near = didYouMean(section.key, SECTIONS);
        const hint = near ?? `a group has hosts, vars and children: put settings below vars`;
        this.report(`${section.key} is not a part of a group`, section.keyPosition, hint);
        continue;
      }
      for (const entry of this.#entries(section, name)) this.#member(group, section.key, entry);
    }
  }

  /** The entries of a section; a single name stands for a mapping with that key, as in Ansible. */
  #entries({ key, node }: SourceEntry, group: string): SourceEntry[] {
    if (node.entries !== undefined) return [...node.entries.values()];
    if (node.value === null) return [];
    if (typeof node.value === "string" && key !== "vars") {
      const nothing = { value: null, position: node.position };
      return [{ key: node.value, keyPosition: node.position, node: nothing }];
    }
    const hint = Array.isArray(node.value) && key !== "vars" ? "write each as a key: `pi-1:`, not `- pi-1`" : undefined;
    this.report(`${key} of the group ${group} is not a mapping`, node.position, hint);
    return [];
  }

  #member(group: ReturnType<GroupGraph["group"]>, section: string, entry: SourceEntry): void {
    if (section === "hosts") this.#hosts(group.hosts, entry);
    else if (section === "children") {
      group.children.add(entry.key);
      this.#group(entry);
    } else if (entry.key === "ansible_group_priority") {
      if (typeof entry.node.value === "number" && Number.isInteger(entry.node.value)) group.priority = entry.node.value;
      else this.report("ansible_group_priority is not a whole number", entry.node.position);
    } else this.#variable(group.vars, entry);
  }

  #hosts(members: Set<string>, { key, keyPosition, node }: SourceEntry): void {
    if (node.value !== null && node.entries === undefined) {
      this.report(
        `the host ${key} is not a mapping of variables`,
        node.position,
        `write ${key}: { ansible_host: ... }`,
      );
      return;
    }
    let names: string[];
    try {
      names = expandHosts(key);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.report(error.message, keyPosition, "write a range as pi[1:3]");
      return;
    }
    for (const written of names) {
      const { name, port } = splitPort(written);
      if (!HOST_NAME.test(name)) {
        const hint = name.includes("@") ? "write the user as ansible_user" : "use letters, digits, . _ -";
        this.report(`${JSON.stringify(written)} is not a name for a host`, keyPosition, hint);
        return;
      }
      const host = this.#graph.host(name, keyPosition);
      members.add(name);
      if (port !== undefined) host.vars.set("ansible_port", { value: port, position: keyPosition });
      for (const variable of node.entries?.values() ?? []) this.#variable(host.vars, variable);
    }
  }

  #variable(vars: VarMap, { key, node }: SourceEntry): void {
    vars.set(key, { value: node.value, position: node.position });
  }
}

/** `pi-1:2222` is the host pi-1 at port 2222; an IPv6 address keeps its colons. */
export function splitPort(written: string): { name: string; port: number | undefined } {
  const [, bracketed, bracketPort] = /^\[([0-9A-Fa-f:.]+)\](?::([0-9]+))?$/.exec(written) ?? [];
  if (bracketed !== undefined)
    return { name: bracketed, port: bracketPort === undefined ? undefined : Number(bracketPort) };
  const [, name, port] = /^([^:]+):([0-9]+)$/.exec(written) ?? [];
  return name === undefined ? { name: written, port: undefined } : { name, port: Number(port) };
}

export function looksLikeIni(text: string): boolean {
  const first = text.split("\n").find((line) => /^\s*[^\s#;]/.test(line)) ?? "";
  return /^\[[A-Za-z0-9_:-]+\]\s*$/.test(first.trim());
}

function iniError(file: string, position: Position): InputError {
  const hint = `convert it: ansible-inventory -i ${file} --list --yaml --export > edges.yml`;
  return new InputError("E_INVENTORY", "this is an INI inventory, and only the YAML form is read", { position, hint });
}
