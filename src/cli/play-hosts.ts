import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { controllerReader } from "../engine/language.js";
import { type ExtraVars, withExtraVars } from "../inventory/extra-vars.js";
import type { HostAccess } from "../inventory/host-address.js";
import { type HostValue, vaultSecretsIn } from "../inventory/host-value.js";
import { isInlineInventory } from "../inventory/inline-inventory.js";
import { loadSources } from "../inventory/load-sources.js";
import { openSecrets } from "../inventory/open-secrets.js";
import type { Inventory, InventoryHost } from "../inventory/types.js";
import type { Vault } from "../inventory/vault/vault.js";
import type { Playbook } from "../playbook/types.js";
import { EdgeError, InputErrors } from "../util/errors.js";
import { accessWith, DEFAULT_INVENTORY, limitedTo, noInventory, openOne, type Passwords } from "./inventory-hosts.js";
import type { Flags } from "./options.js";

/** The hosts of a playbook that is not the product's own: no setting of edges is asked for or checked. */
export interface PlayHosts {
  /** With the plays' hosts as they are once their vaults are opened. */
  readonly inventory: Inventory;
  readonly extraVars: ExtraVars;
  /** Names of --limit; undefined where there is none. */
  readonly limit: readonly string[] | undefined;
  readonly access: (host: InventoryHost, login?: string) => HostAccess;
  /** Any host of the inventory, for tasks that others delegate to it. @throws InputErrors for what it is reached by */
  readonly reach: (
    name: string,
    login?: string,
  ) => Promise<{ readonly host: InventoryHost; readonly access: HostAccess }>;
}

/**
 * Reads the inventory that the flags name, and opens the vaults of the hosts that the playbook may work on.
 * @throws InputError or InputErrors for anything wrong in flags and files
 */
export async function loadPlayHosts(
  playbook: Playbook,
  flags: Flags,
  { vault, extraVars, passwords }: { vault: Vault; extraVars: ExtraVars; passwords: Passwords },
): Promise<PlayHosts> {
  const inventory = needsNone(playbook, flags) ? NO_HOSTS : await readInventories(playbook, flags, vault);
  const limit = flags.limit === undefined ? undefined : limitedTo(inventory, flags.limit).map((host) => host.name);
  const wanted = wantedBy(playbook, inventory).filter((host) => limit === undefined || limit.includes(host.name));
  const named = wanted.map((host) => withExtraVars(host, extraVars));
  const { hosts, errors } = await openSecrets(inventory, named, { vault, reader: controllerReader });
  if (errors.length > 0) throw new InputErrors(errors);
  const access = (host: InventoryHost, login?: string) => accessWith(host, flags, passwords, login);
  const opened = withOpened(inventory, hosts);
  return {
    ...{ inventory: opened, extraVars, limit, access },
    reach: async (name, login) => {
      const known = hosts.find((host) => host.name === name) ?? (await openOne(inventory, name, extraVars, vault));
      return { host: known, access: access(known, login) };
    },
  };
}

/** The inventories that the flags name, or ./edges.yml, with the variables beside the playbook. */
async function readInventories(playbook: Playbook, flags: Flags, vault: Vault): Promise<Inventory> {
  if (flags.inventories === undefined && !existsSync(DEFAULT_INVENTORY)) throw noInventory(DEFAULT_INVENTORY, false);
  const sources = flags.inventories ?? [DEFAULT_INVENTORY];
  const missing = sources.find((source) => !isInlineInventory(source) && !existsSync(source));
  if (missing !== undefined) throw noInventory(missing, true);
  return await loadSources(sources, { vault, playbookDirectory: dirname(playbook.file) });
}

const LOCALHOST = "localhost";
/** As Ansible: a playbook for localhost alone needs no inventory. */
const NO_HOSTS: Inventory = {
  file: DEFAULT_INVENTORY,
  hosts: [],
  groups: { all: [], ungrouped: [] },
  select: () => [],
};

function needsNone({ plays }: Playbook, flags: Flags): boolean {
  return (
    flags.inventory === undefined && !existsSync(DEFAULT_INVENTORY) && plays.every((play) => play.hosts === LOCALHOST)
  );
}

/** Hosts of all plays; all hosts where plays name groups that come to be in the run. */
function wantedBy({ plays }: Playbook, inventory: Inventory): readonly InventoryHost[] {
  const wanted = new Set<string>();
  for (const { hosts } of plays) {
    try {
      for (const host of inventory.select(hosts)) wanted.add(host.name);
    } catch (error) {
      if (!(error instanceof EdgeError)) throw error;
      return inventory.hosts;
    }
  }
  return inventory.hosts.filter((host) => wanted.has(host.name));
}

function withOpened(inventory: Inventory, opened: readonly InventoryHost[]): Inventory {
  const byName = new Map(opened.map((host) => [host.name, host]));
  const now = (host: InventoryHost) => byName.get(host.name) ?? withoutVaults(host);
  return {
    ...inventory,
    hosts: inventory.hosts.map(now),
    select: (pattern) => inventory.select(pattern).map(now),
  };
}

/** A host that no play works on: its vaults stay closed, and others do not see what is in them. */
function withoutVaults(host: InventoryHost): InventoryHost {
  const open = ([, value]: [string, HostValue]) => vaultSecretsIn(value).length === 0;
  return { ...host, vars: Object.fromEntries(Object.entries(host.vars).filter(open)) };
}
