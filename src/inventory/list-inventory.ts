import { InputError, type Position } from "../util/errors.js";
import type { GroupGraph } from "./group-graph.js";
import type { SourceEntry, SourceNode } from "./yaml-source.js";

/** Whether a file is what `ansible-inventory --list`, or an inventory program, prints: groups whose hosts are lists. */
export function isListInventory(root: SourceNode): boolean {
  const groups = [...(root.entries?.entries() ?? [])];
  const hasList = ({ node }: SourceEntry) =>
    Array.isArray(node.value) || ["hosts", "children"].some((key) => Array.isArray(node.entries?.get(key)?.node.value));
  return groups.some(([name, entry]) => name === "_meta" || hasList(entry));
}

/** Puts the groups and hosts of such a file into a graph, and gives what is wrong with them. */
export function readList(root: SourceNode, graph: GroupGraph): InputError[] {
  const errors: InputError[] = [];
  const names = (node: SourceNode | undefined): string[] => {
    const list = node?.value ?? [];
    if (Array.isArray(list) && list.every((name) => typeof name === "string")) return list;
    errors.push(problem("this is not a list of names", node?.position));
    return [];
  };
  const variables = (node: SourceNode | undefined, into: (key: string, entry: SourceEntry) => void) => {
    for (const [key, entry] of node?.entries ?? []) into(key, entry);
  };
  for (const [name, { node, keyPosition }] of root.entries ?? []) {
    if (name === "_meta") continue;
    const group = graph.group(name, keyPosition);
    const section = (key: string) => node.entries?.get(key)?.node;
    for (const host of names(node.entries === undefined ? node : section("hosts"))) {
      graph.host(host, keyPosition);
      group.hosts.add(host);
    }
    for (const child of names(section("children"))) {
      graph.group(child, keyPosition);
      group.children.add(child);
    }
    variables(section("vars"), (key, entry) =>
      group.vars.set(key, { value: entry.node.value, position: entry.node.position }),
    );
  }
  for (const [name, { node, keyPosition }] of root.entries?.get("_meta")?.node.entries?.get("hostvars")?.node.entries ??
    []) {
    const host = graph.host(name, keyPosition);
    variables(node, (key, entry) => host.vars.set(key, { value: entry.node.value, position: entry.node.position }));
  }
  return errors;
}

function problem(message: string, position: Position | undefined): InputError {
  return new InputError("E_INVENTORY", message, { position });
}
