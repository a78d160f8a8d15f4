import { InputError, InputErrors, type Position } from "../util/errors.js";
import { GroupGraph } from "./group-graph.js";
import { splitPort } from "./inventory-file.js";
import { buildInventory } from "./load-inventory.js";
import type { Inventory } from "./types.js";

/** What stands for the file in positions of an inline inventory. */
export const INLINE_FILE = "--inventory";

/** `-i 192.0.2.7,` is a list of hosts, as in Ansible: a comma makes it one. */
export function isInlineInventory(text: string): boolean {
  return text.includes(",");
}

/**
 * An inventory from `[user@]host[:port],...`. Unlike in Ansible, where such hosts are in no group, they are in `edges`,
 * which is what the playbooks here work on.
 * @throws InputErrors for words that are not hosts
 */
export function inlineInventory(text: string): Inventory {
  const graph = new GroupGraph({ file: INLINE_FILE, line: 1, column: 1 });
  const errors = readInline(text, graph, "edges");
  if (errors.length > 0) throw new InputErrors(errors);
  graph.settle();
  return buildInventory(INLINE_FILE, graph);
}

/** Puts the hosts of `[user@]host[:port],...` into a group of a graph, and gives what is wrong with them. */
export function readInline(text: string, graph: GroupGraph, group: string): InputError[] {
  const errors: InputError[] = [];
  let offset = 0;
  for (const word of text.split(",")) {
    const position: Position = { file: INLINE_FILE, line: 1, column: offset + 1 };
    offset += word.length + 1;
    if (word.trim() !== "" && !addHost(graph, group, word.trim(), position))
      errors.push(
        new InputError("E_INVENTORY", `${JSON.stringify(word.trim())} is not a host`, {
          position,
          hint: "write [user@]host[:port]",
        }),
      );
  }
  if (graph.hosts.size === 0 && errors.length === 0)
    errors.push(
      new InputError("E_INVENTORY", "the inventory names no host", { hint: "write --inventory pi@192.0.2.7," }),
    );
  return errors;
}

function addHost(graph: GroupGraph, group: string, word: string, position: Position): boolean {
  const [, user, address] = /^(?:([A-Za-z_][A-Za-z0-9_.-]*)@)?([A-Za-z0-9[][A-Za-z0-9_.:[\]-]*)$/.exec(word) ?? [];
  if (address === undefined) return false;
  const { name, port } = splitPort(address);
  if (port !== undefined && (port < 1 || port > 65_535)) return false;
  const host = graph.host(name, position);
  graph.group(group, position).hosts.add(name);
  if (user !== undefined) host.vars.set("ansible_user", { value: user, position });
  if (port !== undefined) host.vars.set("ansible_port", { value: port, position });
  return true;
}
