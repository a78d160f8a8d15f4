import { controllerReader } from "../engine/language.js";
import { type ExtraVars, parseExtraVars, withExtraVars } from "../inventory/extra-vars.js";
import type { HostAccess } from "../inventory/host-address.js";
import { openSecrets } from "../inventory/open-secrets.js";
import type { Readers } from "../inventory/readers.js";
import { ensureSecrets, type SecretsResult, withSecrets } from "../inventory/secrets.js";
import type { HostSecrets, HostSettings } from "../inventory/settings/resolve.js";
import { resolveSettings } from "../inventory/settings/resolve.js";
import { validateAllSettings } from "../inventory/settings/validate.js";
import type { Inventory, InventoryHost } from "../inventory/types.js";
import { InputError, InputErrors } from "../util/errors.js";
import { accessWith, limitedTo, openOne, type Passwords, readInventory } from "./inventory-hosts.js";
import type { Flags } from "./options.js";
import { vaultOf } from "./vault-passwords.js";

/** The group whose hosts are edges. */
export const EDGES = "edges";
/** Of hosts that are in no group of ours, messages name so many. */
const SHOWN_HOSTS = 5;

/** One host of the run with all that the inventory and the flags say about it. */
export interface FleetHost {
  /** With extra vars and secrets, as the play reads it. */
  readonly host: InventoryHost;
  readonly settings: HostSettings;
  readonly access: HostAccess;
}

export interface Fleet {
  readonly inventory: Inventory;
  readonly hosts: readonly FleetHost[];
  /** `file` is undefined where secrets live for this run only. */
  readonly secrets: Omit<SecretsResult, "file"> & { readonly file: string | undefined };
  readonly extraVars: ExtraVars;
  /** Any host of the inventory, for tasks that others delegate to it. @throws InputErrors for what it is reached by */
  readonly reach: (name: string) => Promise<Pick<FleetHost, "host" | "access">>;
}

export interface FleetOptions {
  /** false: missing secrets are made up for this run and not kept, as for a plan. */
  readonly saveSecrets: boolean;
  readonly passwords: Passwords;
  /** Other than the disk's: an inventory that is not written yet. */
  readonly readers?: Readers;
  /** Secrets that the operator chose and that are not written yet. */
  readonly given?: HostSecrets;
}

/**
 * Reads the inventory that the flags name, checks every setting of the chosen hosts, and adds their secrets.
 * @throws InputError or InputErrors for anything wrong in flags and files; nothing was touched then
 */
export async function loadFleet(flags: Flags, options: FleetOptions): Promise<Fleet> {
  const vault = vaultOf(flags);
  const inventory = await readInventory(flags, options.readers, vault);
  const extraVars = await parseExtraVars(flags["extra-vars"] ?? [], { vault });
  const named = chooseHosts(inventory, flags.limit).map((host) => withExtraVars(host, extraVars));
  const { hosts: chosen, errors: unread } = await openSecrets(inventory, named, { vault, reader: controllerReader });
  const errors = [...unread, ...validateAllSettings(chosen)];
  if (errors.length > 0) throw new InputErrors(errors);
  const kept = await ensureSecrets(inventory.file, chosen, { save: options.saveSecrets, vault });
  const secrets = { ...kept, secrets: withGiven(kept.secrets, options.given) };
  const accessOf = (host: InventoryHost) => accessWith(host, flags, options.passwords);
  const hosts = chosen.map((host) => ({
    host: withSecrets(host, secrets),
    settings: resolveSettings(host, secrets.secrets.get(host.name)),
    access: accessOf(host),
  }));
  const reach = async (name: string) => {
    const known = hosts.find((one) => one.host.name === name);
    if (known !== undefined) return known;
    const host = await openOne(inventory, name, extraVars, vault);
    return { host, access: accessOf(host) };
  };
  return { inventory, hosts, secrets, extraVars, reach };
}

function withGiven(secrets: SecretsResult["secrets"], given: HostSecrets | undefined): SecretsResult["secrets"] {
  return given === undefined ? secrets : new Map([...secrets].map(([host, own]) => [host, { ...own, ...given }]));
}

function chooseHosts(inventory: Inventory, limit: string | undefined): readonly InventoryHost[] {
  if ((inventory.groups[EDGES] ?? []).length === 0) {
    const elsewhere = inventory.hosts.slice(0, SHOWN_HOSTS).map((host) => host.name);
    const others = elsewhere.length === 0 ? "" : ` (it has ${elsewhere.join(", ")} elsewhere)`;
    throw new InputError("E_NO_EDGES", `${inventory.file} has no hosts in the group "${EDGES}"${others}`, {
      hint: `edge-setup works on the hosts of that group: put them under \`${EDGES}: hosts:\`.`,
    });
  }
  const edges = inventory.select(EDGES);
  if (limit === undefined) return edges;
  const limited = new Set(limitedTo(inventory, limit).map((host) => host.name));
  const chosen = edges.filter((host) => limited.has(host.name));
  if (chosen.length > 0) return chosen;
  throw new InputError("E_LIMIT", `--limit ${limit} leaves no host of the group "${EDGES}"`, {
    hint: `Its hosts are ${edges.map((host) => host.name).join(", ")}.`,
  });
}
