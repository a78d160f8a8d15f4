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
  const directory = dirname(file);
  const groupVars = await VarsDirectory.open(join(directory, "group_vars"), readers, vault);
  const hostVars = await VarsDirectory.open(join(directory, "host_vars"), readers, vault);
  const groupNames = [...graph.groups.keys()];
  const hostNames = [...graph.hosts.keys()];
  const varsOfGroups = await readAll(groupVars, groupNames);
  const varsOfHosts = await readAll(hostVars, hostNames);
  groupVars.reportStrays(groupNames);
  hostVars.reportStrays(hostNames);
  const problems = [...errors, ...groupVars.errors, ...hostVars.errors];
  if (problems.length > 0) throw new InputErrors(problems);
  return buildInventory(file, graph, varsOfGroups, varsOfHosts);
}

/** An inventory from a graph without a group that contains itself, and the variables of files beside it. */
export function buildInventory(
  file: string,
  graph: GroupGraph,
  varsOfGroups: ReadonlyMap<string, VarMap> = new Map(),
  varsOfHosts: ReadonlyMap<string, VarMap> = new Map(),
): Inventory {
  const members = new Map([...graph.groups.keys()].map((name) => [name, graph.membersOf(name)]));
  const order = mergeOrder(graph);
  const ordered = [...(members.get("all") ?? [])].flatMap((name) => graph.hosts.get(name) ?? []);
  const hosts = ordered.map((host): InventoryHost => {
    const groups = order.filter((name) => members.get(name)?.has(host.name));
    return { ...mergedVars(host, groups, graph, varsOfGroups, varsOfHosts), groups: withoutAll(groups) };
  });
  const groups = Object.fromEntries([...members].map(([name, set]) => [name, [...set]]));
  return { file, hosts, groups, select: (pattern) => selectHosts(pattern, hosts, groups) };
}

function mergedVars(
  host: HostEntry,
  groups: readonly string[],
  graph: GroupGraph,
  varsOfGroups: ReadonlyMap<string, VarMap>,
  varsOfHosts: ReadonlyMap<string, VarMap>,
): Omit<InventoryHost, "groups"> {
  const layers = [
    ...groups.map((name) => graph.groups.get(name)?.vars),
    ...groups.map((name) => varsOfGroups.get(name)),
    host.vars,
    varsOfHosts.get(host.name),
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

async function readInventory(file: string, readers: Readers, vault: Vault): Promise<OpenText> {
  try {
    return await openFile(await readers.readText(file), file, vault);
  } catch (error) {
    if (error instanceof InputError) throw error;
    const hint = "name it with --inventory FILE, or give hosts ended by a comma: --inventory pi@192.0.2.7,";
    throw new InputError("E_INVENTORY_READ", `the inventory ${file} cannot be read: ${readProblem(error)}`, { hint });
  }
}
