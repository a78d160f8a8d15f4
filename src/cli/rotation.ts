import { generateSecret } from "../inventory/secrets.js";
import type { HostSecretsChange } from "../inventory/secrets-file.js";
import type { GeneratedName, HostSecrets } from "../inventory/settings/resolve.js";
import { VaultSecret } from "../inventory/vault/vault-secret.js";
import { formatPosition, InputError } from "../util/errors.js";
import type { Secret } from "../util/secret.js";
import type { Fleet, FleetHost } from "./fleet.js";
import { assertKept } from "./keep-and-apply.js";

const STREAM_KEYS = "rtmp_stream_keys";

/** Which secrets are to be made anew. */
export interface Wanted {
  readonly names: readonly GeneratedName[];
  /** Names of streams. */
  readonly streams: readonly string[] | "all";
}

/** A secret that stays, as it is the operator's own. */
export interface Kept {
  readonly host: string;
  readonly name: string;
  /** Where it is to be changed. */
  readonly where: string;
}

export interface Rotation {
  /** Hosts with their new secrets. */
  readonly changes: ReadonlyMap<string, HostSecretsChange>;
  readonly kept: readonly Kept[];
}

/**
 * New secrets for those that were generated. What the inventory gives, by value or by reference, and what was encrypted by hand
 * in the secrets file is the operator's to change.
 * @throws InputError when a host's secrets are not kept here, or when there is nothing to rotate
 */
export function planRotation(fleet: Fleet, wanted: Wanted): Rotation {
  const kept: Kept[] = [];
  const changes = new Map<string, HostSecretsChange>();
  for (const one of fleet.hosts) {
    assertKept(fleet, one);
    const change = changeOf(one, fleet.secrets.secrets.get(one.host.name) ?? {}, wanted, kept);
    if (Object.keys(change).length > 0) changes.set(one.host.name, change);
  }
  if (changes.size > 0) return { changes, kept };
  throw new InputError("E_SECRETS", "there is no generated secret to rotate", {
    hint: kept.length === 0 ? "`edge-setup secrets show` lists those that there are." : keptLines(kept).join("\n"),
  });
}

/** What stays, as lines for the operator. */
export function keptLines(kept: readonly Kept[]): string[] {
  return kept.map(({ host, name, where }) => `${name} of ${host} is given at ${where}: change it there, and apply.`);
}

function changeOf(one: FleetHost, known: HostSecrets, wanted: Wanted, kept: Kept[]): HostSecretsChange {
  const { host } = one;
  const keep = (name: string, where: string) => kept.push({ host: host.name, name, where });
  const given = (name: string) => formatPosition(host.origins[name] ?? host.position);
  const isNew = (label: string, own: Secret | undefined): boolean => {
    if (own instanceof VaultSecret) keep(label, formatPosition(own.position));
    return own !== undefined && !(own instanceof VaultSecret);
  };
  const single = wanted.names.filter((name) => {
    if (host.vars[name] === undefined) return isNew(name, known[name]);
    keep(name, given(name));
    return false;
  });
  const all = Object.keys(one.settings.values[STREAM_KEYS]);
  const inInventory = Object.keys((host.vars[STREAM_KEYS] as object | undefined) ?? {});
  const streams = (wanted.streams === "all" ? all : wanted.streams.filter((name) => all.includes(name))).filter(
    (name) => {
      if (!inInventory.includes(name)) return isNew(`the key of ${name}`, known[STREAM_KEYS]?.[name]);
      keep(`the key of ${name}`, given(STREAM_KEYS));
      return false;
    },
  );
  const fresh = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, generateSecret()]));
  return { ...fresh(single), ...(streams.length === 0 ? {} : { [STREAM_KEYS]: fresh(streams) }) };
}
