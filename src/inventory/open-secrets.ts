import { renderValue } from "../playbook/render.js";
import type { LookupReader, Scope } from "../playbook/scope.js";
import type { Value } from "../playbook/types.js";
import { EdgeError, formatPosition, InputError, type Position } from "../util/errors.js";
import { masker } from "../util/mask.js";
import { Secret } from "../util/secret.js";
import { usedAnsibleVars } from "./ansible-vars.js";
import { hostScope } from "./host-scope.js";
import { sourceVars } from "./host-source.js";
import { type HostValue, hasTemplate, hidden, secretsIn } from "./host-value.js";
import { PASSWORD_VARS, secretSettings } from "./secret-vars.js";
import type { Inventory, InventoryHost } from "./types.js";
import type { Vault } from "./vault/vault.js";
import { VaultSecret } from "./vault/vault-secret.js";

/** Variables whose templates have to be known before the host is asked. */
const EARLY_VARS = new Set([...secretSettings, ...usedAnsibleVars, "pull"]);
/** Of these, the ones whose templates give what must stay hidden. */
const HIDDEN_VARS = new Set([...secretSettings, ...PASSWORD_VARS, "pull"]);

export interface OpenOptions {
  readonly vault: Vault;
  /** Where lookups read. */
  readonly reader: LookupReader;
}

export interface OpenedHosts {
  readonly hosts: readonly InventoryHost[];
  /** Without the values that are wrong. */
  readonly errors: readonly InputError[];
}

/**
 * Opens what the variables of hosts keep elsewhere: values of a vault, and secrets and connection variables that are
 * templates, such as `{{ lookup('env', 'TOKEN') }}` and `{{ lookup('file', '/run/secrets/token') }}`.
 */
export async function openSecrets(
  inventory: Inventory,
  hosts: readonly InventoryHost[],
  { vault, reader }: OpenOptions,
): Promise<OpenedHosts> {
  const errors = new Map<string, InputError>();
  const report = (error: InputError) => errors.set(`${place(error.position)} ${error.message}`, error);
  const opened = await Promise.all(hosts.map((host) => openVault(host, vault, report)));
  const resolved = opened.map((host) => resolveTemplates(host, inventory, reader, report));
  return { hosts: resolved, errors: [...errors.values()] };
}

type Report = (error: InputError) => void;

async function openVault(host: InventoryHost, vault: Vault, report: Report): Promise<InventoryHost> {
  const wrong = new Set<string>();
  const open = async (name: string, secret: VaultSecret) => {
    try {
      await secret.open(vault, name);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      report(error);
      wrong.add(name);
    }
  };
  const sealed = Object.entries(host.vars).flatMap(([name, value]) =>
    secretsIn(value).flatMap((secret) => (secret instanceof VaultSecret ? [{ name, secret }] : [])),
  );
  await Promise.all(sealed.map(({ name, secret }) => open(name, secret)));
  return wrong.size === 0 ? host : { ...host, vars: without(host.vars, wrong) };
}

function resolveTemplates(
  host: InventoryHost,
  inventory: Inventory,
  reader: LookupReader,
  report: Report,
): InventoryHost {
  const early = Object.entries(host.vars).filter(
    ([name, value]) => hasTemplate(value) && (EARLY_VARS.has(name) || secretsIn(value).length > 0),
  );
  if (early.length === 0) return host;
  const missing = new Set<string>();
  // What lookups read may be secret, and messages quote what is wrong.
  const read = Object.values(host.vars).flatMap((value) => secretsIn(value).map((secret) => secret.reveal()));
  const noted = (text: string | undefined) => {
    if (text !== undefined) read.push(text.trim());
    return text;
  };
  const env = (name: string) => {
    const value = reader.env(name);
    if (value === undefined || value === "") missing.add(name);
    return noted(value);
  };
  const scope = hostScope(host)
    .withOptions({ reader: { ...reader, env, readFile: (path) => noted(reader.readFile(path)) }, searchPath: [] })
    .withValues(magic(host, inventory));
  const wrong = new Set<string>();
  const known = early.map(([name, value]) => {
    const position = host.origins[name] ?? host.position;
    missing.clear();
    try {
      const result = render(value, scope, position);
      assertFull(name, result, position, missing);
      return [name, HIDDEN_VARS.has(name) || secretsIn(value).length > 0 ? hidden(result) : result] as const;
    } catch (error) {
      if (!(error instanceof EdgeError)) throw error;
      wrong.add(name);
      report(error instanceof SecretEmpty ? error : asProblem(name, error, position, masker(read)));
      return [name, value] as const;
    }
  });
  return { ...host, vars: without({ ...host.vars, ...Object.fromEntries(known) }, wrong) };
}

/** Templates rendered, all else as it is. */
function render(value: HostValue, scope: Scope, position: Position): HostValue {
  if (typeof value === "string") {
    return hasTemplate(value) ? renderValue({ value, position, positionOf: () => position }, scope) : value;
  }
  if (!hasTemplate(value)) return value;
  if (Array.isArray(value)) return (value as readonly HostValue[]).map((part) => render(part, scope, position));
  return Object.fromEntries(
    Object.entries(value as Readonly<Record<string, HostValue>>).map(([key, part]) => [
      key,
      render(part, scope, position),
    ]),
  );
}

class SecretEmpty extends InputError {}

/** A secret that is not there would else be an empty one. */
function assertFull(name: string, value: HostValue, position: Position, missing: ReadonlySet<string>): void {
  if (!isEmpty(value)) return;
  const [variable] = missing;
  const why =
    variable === undefined ? "its template gives nothing" : `the environment variable ${variable} is not set, or empty`;
  throw new SecretEmpty("E_SECRET_EMPTY", `${name} is empty: ${why}`, {
    position,
    hint:
      variable === undefined ? "see that the file it names holds the secret" : `set ${variable} where edge-setup runs`,
  });
}

function isEmpty(value: HostValue): boolean {
  if (value === null || value === "") return true;
  if (value instanceof Secret || typeof value !== "object") return false;
  return Object.values(value).some(isEmpty);
}

function asProblem(name: string, error: EdgeError, position: Position, mask: (text: string) => string): InputError {
  const hint =
    error.code === "E_UNDEFINED"
      ? "before a host is connected to, variables of the inventory and lookup('file'), lookup('env') are known, and no facts"
      : error.hint;
  return new InputError(error.code, `${name} cannot be computed: ${mask(error.message)}`, {
    position: error.position ?? position,
    hint,
  });
}

/** What Ansible sets itself, as far as it is known without a play. */
function magic(host: InventoryHost, inventory: Inventory): Readonly<Record<string, Value>> {
  return {
    inventory_hostname: host.name,
    inventory_hostname_short: host.name.split(".")[0] ?? host.name,
    group_names: host.groups.filter((group) => group !== "all"),
    groups: inventory.groups,
    ...sourceVars(host.name, inventory),
  };
}

function without(
  vars: Readonly<Record<string, HostValue>>,
  names: ReadonlySet<string>,
): Readonly<Record<string, HostValue>> {
  return Object.fromEntries(Object.entries(vars).filter(([name]) => !names.has(name)));
}

function place(position: Position | undefined): string {
  return position === undefined ? "" : formatPosition(position);
}
