import { dirname, join } from "node:path";
import { InputError, InputErrors } from "../util/errors.js";
import type { GroupGraph, HostEntry, VarMap } from "./group-graph.js";
import { parseInventory } from "./inventory-file.js";
import { selectHosts } from "./pattern.js";
import { fileReaders, type Readers, readProblem } from "./readers.js";
import { keptValue } from "./secret-vars.js";
import type { Inventory, InventoryHost } from "./types.js";
import { VarsDirectory } from "./vars-files.js";
import { type OpenText, openFile } from "./vault/open-file.js";
import { noVault, type Vault } from "./vault/vault.js";

export interface LoadOptions {
  readonly readers?: Readers;
  /** For files that are encrypted as a whole. Values (`!vault`) stay VaultSecrets until somebody opens them. */
  readonly vault?: Vault;
}

/**
 * Reads an inventory file in Ansible's YAML form with `group_vars` and `host_vars` beside it, and merges each host's
 * variables in Ansible's order: groups in the file (`all` first, then by depth, priority and name), group_vars/all, other
 * group_vars in the same order, the host in the file, host_vars. Whole values replace each other.
 * @throws InputError when the file cannot be read or decrypted
 * @throws InputErrors with every problem of all files
 */
export async function loadInventory(
  file: string,
  { readers = fileReaders, vault = noVault }: LoadOptions = {},
): Promise<Inventory> {
  const { text, secret } = await readInventory(file, readers, vault);
  const { graph, errors } = parseInventory(text, file, { secret });
  const { vars, errors: more } = await readFileVars(dirname(file), graph, { readers, vault, strays: true });
  if (errors.length + more.length > 0) throw new InputErrors([...errors, ...more]);
  return buildInventory(file, graph, [vars]);
}

/**
 * Reads `group_vars` and `host_vars` of a directory.
 * @param strays whether a file that is nearly called like a group or host is an error
 */
export async function readFileVars(
  directory: string,
  graph: GroupGraph,
  { readers, vault, strays }: Required<LoadOptions> & { readonly strays: boolean },
): Promise<{ readonly vars: FileVars; readonly errors: readonly InputError[] }> {
  const groupVars = await VarsDirectory.open(join(directory, "group_vars"), readers, vault);
  const hostVars = await VarsDirectory.open(join(directory, "host_vars"), readers, vault);
  const groupNames = [...graph.groups.keys()];
  const hostNames = [...graph.hosts.keys()];
  const vars = { groups: await readAll(groupVars, groupNames), hosts: await readAll(hostVars, hostNames) };
  if (strays) {
    groupVars.reportStrays(groupNames);
    hostVars.reportStrays(hostNames);
  }
  return { vars, errors: [...groupVars.errors, ...hostVars.errors] };
}

/** Variables of the files in `group_vars` and `host_vars` of one directory. */
export interface FileVars {
  readonly groups: ReadonlyMap<string, VarMap>;
  readonly hosts: ReadonlyMap<string, VarMap>;
}

/**
 * An inventory from a graph without a group that contains itself.
 * @param beside variables of files beside the inventory, of several in their order
 * @param playbook variables of files beside the playbook, stronger than those
 */
export function buildInventory(
  file: string,
  graph: GroupGraph,
  beside: readonly FileVars[] = [],
  playbook: readonly FileVars[] = [],
): Inventory {
  const members = new Map([...graph.groups.keys()].map((name) => [name, graph.membersOf(name)]));
  const order = mergeOrder(graph);
  const ordered = [...(members.get("all") ?? [])].flatMap((name) => graph.hosts.get(name) ?? []);
  const hosts = ordered.map((host): InventoryHost => {
    const groups = order.filter((name) => members.get(name)?.has(host.name));
    return { ...mergedVars(host, groups, graph, beside, playbook), groups: withoutAll(groups) };
  });
  const groups = Object.fromEntries([...members].map(([name, set]) => [name, [...set]]));
  return { file, hosts, groups, select: (pattern) => selectHosts(pattern, hosts, groups) };
}

function mergedVars(
  host: HostEntry,
  groups: readonly string[],
  graph: GroupGraph,
  beside: readonly FileVars[],
  playbook: readonly FileVars[],
): Omit<InventoryHost, "groups"> {
  const filesOf = (from: readonly FileVars[], names: readonly string[]) =>
    from.flatMap((files) => names.map((name) => files.groups.get(name)));
  const all = groups.filter((name) => name === "all");
  const others = groups.filter((name) => name !== "all");
  const layers = [
    ...groups.map((name) => graph.groups.get(name)?.vars),
    ...[...filesOf(beside, all), ...filesOf(playbook, all)],
    ...[...filesOf(beside, others), ...filesOf(playbook, others)],
    host.vars,
    ...[...beside, ...playbook].map((files) => files.hosts.get(host.name)),
  ];
  const merged: VarMap = new Map();
  for (const layer of layers) for (const [key, entry] of layer ?? []) merged.set(key, entry);
  const entries = [...merged];
  return {
    name: host.name,
    position: host.position,
    vars: Object.fromEntries(entries.map(([key, entry]) => [key, keptValue(key, entry.value)])),
    origins: Object.fromEntries(entries.map(([key, entry]) => [key, entry.position])),
  };
}

/** Group names as Ansible sorts them for merging: `all` first, as nothing is above it. */
function mergeOrder(graph: GroupGraph): string[] {
  const depths = graph.depths();
  const key = (name: string) => [depths.get(name) ?? 0, graph.groups.get(name)?.priority ?? 1] as const;
  return [...graph.groups.keys()].sort((a, b) => {
    const [depthA, priorityA] = key(a);
    const [depthB, priorityB] = key(b);
    return depthA - depthB || priorityA - priorityB || (a < b ? -1 : 1);
  });
}

/** Ansible's `group_names`: sorted, without `all`. */
function withoutAll(groups: readonly string[]): string[] {
  return groups.filter((name) => name !== "all").sort();
}

async function readAll(directory: VarsDirectory, names: readonly string[]): Promise<Map<string, VarMap>> {
  const vars = new Map<string, VarMap>();
  for (const name of names) vars.set(name, await directory.varsOf(name));
  return vars;
}

export async function readInventory(file: string, readers: Readers, vault: Vault): Promise<OpenText> {
  try {
    return await openFile(await readers.readText(file), file, vault);
  } catch (error) {
    if (error instanceof InputError) throw error;
    const hint = "name it with --inventory FILE, or give hosts ended by a comma: --inventory pi@192.0.2.7,";
    throw new InputError("E_INVENTORY_READ", `the inventory ${file} cannot be read: ${readProblem(error)}`, { hint });
  }
}
