import { access } from "node:fs/promises";
import { controllerReader } from "../engine/language.js";
import { type ExtraVars, withExtraVars } from "../inventory/extra-vars.js";
import { type HostAccess, hostAccess } from "../inventory/host-address.js";
import { inlineInventory, isInlineInventory } from "../inventory/inline-inventory.js";
import { loadInventory } from "../inventory/load-inventory.js";
import { openSecrets } from "../inventory/open-secrets.js";
import type { Readers } from "../inventory/readers.js";
import type { Inventory, InventoryHost } from "../inventory/types.js";
import type { Vault } from "../inventory/vault/vault.js";
import { stateFolder } from "../report/log-files.js";
import { pastRuns } from "../report/run-history.js";
import { InputError, InputErrors } from "../util/errors.js";
import type { Secret } from "../util/secret.js";
import type { Flags } from "./options.js";

export const DEFAULT_INVENTORY = "edges.yml";
/** As a --limit: the hosts that failed, or were not reached, in the last run. */
const FAILED = "@failed";

export interface Passwords {
  readonly ssh?: Secret | undefined;
  readonly become?: Secret | undefined;
}

/** How a host is reached, by its variables and, where they say nothing, by the play's login and the flags. @throws InputErrors */
export function accessWith(host: InventoryHost, flags: Flags, passwords: Passwords, login?: string): HostAccess {
  const user = login ?? flags.user;
  return hostAccess(host, {
    ...(user === undefined ? {} : { user }),
    ...(flags["private-key"] === undefined ? {} : { identityFile: flags["private-key"] }),
    ...(passwords.ssh === undefined ? {} : { password: passwords.ssh }),
    ...(passwords.become === undefined ? {} : { becomePassword: passwords.become }),
  });
}

/** A host of the inventory with its vaults and connection templates opened. @throws InputErrors for what is wrong in them */
export async function openOne(
  inventory: Inventory,
  name: string,
  extraVars: ExtraVars,
  vault: Vault,
): Promise<InventoryHost> {
  const named = inventory.hosts.filter((host) => host.name === name).map((host) => withExtraVars(host, extraVars));
  const { hosts, errors } = await openSecrets(inventory, named, { vault, reader: controllerReader });
  const [host] = hosts;
  if (errors.length > 0 || host === undefined) throw new InputErrors(errors);
  return host;
}

/** The inventory that the flags name, or ./edges.yml. @throws InputError when it is not there, or wrong */
export async function readInventory(flags: Flags, readers: Readers | undefined, vault: Vault): Promise<Inventory> {
  const named = flags.inventory;
  if (named !== undefined && readers !== undefined) return loadInventory(named, { readers, vault });
  if (named !== undefined && isInlineInventory(named)) return inlineInventory(named);
  const file = named ?? DEFAULT_INVENTORY;
  if (await isThere(file)) return loadInventory(file, { vault });
  throw noInventory(file, named !== undefined);
}

/** @param named whether a flag names the file */
export function noInventory(file: string, named: boolean): InputError {
  return new InputError("E_NO_INVENTORY", `${file} does not exist`, {
    hint: named
      ? "A file is an inventory; a host is followed by a comma: `-i pi@raspberrypi.local,`."
      : "Name the hosts with `-i pi@raspberrypi.local,` or write an edges.yml (docs/inventory.md).",
  });
}

async function isThere(file: string): Promise<boolean> {
  try {
    await access(file);
    return true;
  } catch {
    return false;
  }
}

function lastFailed(inventory: Inventory): readonly InventoryHost[] {
  const names = new Set(inventory.hosts.map((host) => host.name));
  const last = pastRuns(stateFolder()).find((run) => Object.keys(run.hosts).some((host) => names.has(host)));
  if (last === undefined) {
    throw new InputError("E_LIMIT", `--limit ${FAILED}: no run of these hosts is remembered`);
  }
  const failed = inventory.hosts.filter((host) => (last.hosts[host.name] ?? "ok") !== "ok");
  if (failed.length > 0) return failed;
  throw new InputError("E_LIMIT", `--limit ${FAILED}: no host failed in the last run (${last.command}, ${last.time})`, {
    hint: "`edge-setup logs` lists the runs.",
  });
}

/** The hosts of a --limit. @throws InputError for a pattern that names nothing */
export function limitedTo(inventory: Inventory, limit: string): readonly InventoryHost[] {
  return limit === FAILED ? lastFailed(inventory) : matching(inventory, limit);
}

function matching(inventory: Inventory, limit: string): readonly InventoryHost[] {
  try {
    return inventory.select(limit);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError("E_LIMIT", `--limit ${limit}: ${error.message}`, { hint: error.hint, cause: error });
  }
}
