import { randomInt } from "node:crypto";
import { chmod, mkdir, readdir, readFile, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, dirname, join } from "node:path";
import { EdgeError, InputError } from "../util/errors.js";
import { Secret } from "../util/secret.js";
import { revealed } from "./host-value.js";
import { INLINE_FILE } from "./inline-inventory.js";
import { hasCode, readProblem } from "./readers.js";
import { replaceLocked } from "./replace-locked.js";
import { EDGE_SECRETS } from "./secret-vars.js";
import { type HostSecretsChange, parseSecretsFile, renderSecretsFile } from "./secrets-file.js";
import type { GeneratedName, HostSecrets } from "./settings/resolve.js";
import { parseValue } from "./settings/values.js";
import type { InventoryHost } from "./types.js";
import { isVaultText } from "./vault/format.js";
import { type OpenText, openFile } from "./vault/open-file.js";
import { noVault, type Vault } from "./vault/vault.js";

/** What every host has, and is shown when it is made. */
export const GENERATED: readonly GeneratedName[] = ["rtmp_publish_token", "http_status_password"];

/** Without letters and digits that look alike: people read these aloud and type them into encoders. */
const ALPHABET = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
/** 32 of 56 characters are 185 bits. */
const LENGTH = 32;
const PRIVATE_MODE = 0o600;

export interface SecretsResult {
  /** Generated secrets by host name; a host whose inventory gives a value has none for it. */
  readonly secrets: ReadonlyMap<string, HostSecrets>;
  /** Hosts that got a new token or password now: theirs are to be shown once. */
  readonly created: readonly string[];
  /** Hosts that got any secret now. */
  readonly fresh: readonly string[];
  readonly file: string;
  /** For stderr: such as a mode that was put right. */
  readonly warnings: readonly string[];
}

export interface SecretsOptions {
  /** false: missing secrets are made up for this run only and nothing is written, as for a plan. */
  readonly save?: boolean;
  readonly environment?: NodeJS.ProcessEnv;
  /** Opens the file where it is encrypted, as a whole or in single values. */
  readonly vault?: Vault;
}

/**
 * Reads the secrets beside the inventory and generates those that hosts lack. What exists is never changed.
 * @param inventoryFile as in Inventory.file; an inline inventory keeps its secrets in the user's state directory
 * @throws InputError when the file cannot be read, decrypted, written, made private, or would hide group_vars/all.yml from Ansible
 */
export async function ensureSecrets(
  inventoryFile: string,
  hosts: readonly InventoryHost[],
  { save = true, environment = process.env, vault = noVault }: SecretsOptions = {},
): Promise<SecretsResult> {
  const file = secretsFile(inventoryFile, environment);
  const warnings = await makePrivate(file, save);
  const before = await parseSecretsFile((await readSecretsFile(file, vault)).text, file, vault);
  const missing = missingSecrets(hosts, before);
  if (missing.size === 0 || !save)
    return { secrets: merge(before, missing), created: toBeShown(missing), fresh: [...missing.keys()], file, warnings };
  await assertHidesNothing(file);
  const added = await addSecrets(file, hosts, vault);
  return { ...added, file, warnings };
}

/**
 * Keeps secrets that the operator chose, in place of what hosts had.
 * @throws InputError when the file cannot be read or written
 */
export async function saveSecrets(
  inventoryFile: string,
  given: ReadonlyMap<string, HostSecretsChange>,
  { environment = process.env, vault = noVault }: Omit<SecretsOptions, "save"> = {},
): Promise<void> {
  const file = secretsFile(inventoryFile, environment);
  await assertHidesNothing(file);
  await replaceSecrets(file, async () => {
    const { text, seal } = await readSecretsFile(file, vault);
    return seal(renderSecretsFile(text, given));
  });
}

/**
 * Encrypts the file of secrets as a whole, as `ansible-vault encrypt` does, or decrypts it.
 * @param change gives the file's new text
 * @throws InputError when there is none, or when it cannot be read or written
 */
export async function rewriteSecrets(file: string, change: (text: string) => Promise<string>): Promise<void> {
  await makePrivate(file, true);
  if ((await textOf(file)) === "")
    throw new InputError("E_SECRETS", `there are no secrets in ${file}`, {
      hint: "`edge-setup apply` generates them.",
    });
  await replaceSecrets(file, async () => change(await textOf(file)));
}

/** The host with `edge_secrets` as the play reads it; needed for secrets that did not come with the inventory. */
export function withSecrets(host: InventoryHost, { secrets, file }: SecretsResult): InventoryHost {
  return {
    ...host,
    vars: { ...host.vars, [EDGE_SECRETS]: { [host.name]: { ...secrets.get(host.name) } } },
    origins: { ...host.origins, [EDGE_SECRETS]: { file, line: 1, column: 1 } },
  };
}

/** Where the secrets of an inventory are: `group_vars/all/edge-secrets.yml` beside it, which Ansible reads too. */
export function secretsFile(inventoryFile: string, environment: NodeJS.ProcessEnv = process.env): string {
  if (inventoryFile !== INLINE_FILE) return join(dirname(inventoryFile), "group_vars", "all", "edge-secrets.yml");
  // https://specifications.freedesktop.org/basedir-spec: an empty or relative path counts as unset.
  const state = environment.XDG_STATE_HOME;
  const base = state?.startsWith("/") ? state : join(environment.HOME ?? homedir(), ".local", "state");
  return join(base, "edge-setup", "edge-secrets.yml");
}

export function generateSecret(): Secret {
  return new Secret(Array.from({ length: LENGTH }, () => ALPHABET.charAt(randomInt(ALPHABET.length))).join(""));
}

type SecretsByHost = ReadonlyMap<string, HostSecrets>;

function missingSecrets(hosts: readonly InventoryHost[], known: SecretsByHost): SecretsByHost {
  const missing = new Map<string, HostSecrets>();
  for (const host of hosts) {
    const wanted = wantsSigning(host) ? [...GENERATED, "hls_signing_key" as const] : GENERATED;
    const names = wanted.filter((name) => host.vars[name] === undefined && known.get(host.name)?.[name] === undefined);
    if (names.length > 0) missing.set(host.name, Object.fromEntries(names.map((name) => [name, generateSecret()])));
  }
  return missing;
}

/** A value that a template decides counts as yes. */
function wantsSigning(host: InventoryHost): boolean {
  const parsed = parseValue({ kind: "bool" }, revealed(host.vars.hls_signed ?? false));
  return parsed.ok ? parsed.value === true : true;
}

/** Hosts that got what people need to know. */
function toBeShown(missing: SecretsByHost): string[] {
  return [...missing]
    .filter(([, secrets]) => GENERATED.some((name) => secrets[name] !== undefined))
    .map(([host]) => host);
}

function merge(known: SecretsByHost, added: SecretsByHost): SecretsByHost {
  const merged = new Map(known);
  for (const [host, secrets] of added) merged.set(host, { ...known.get(host), ...secrets });
  return merged;
}

/** Reads once more under the lock: another run may have added hosts meanwhile, and its secrets stay. */
async function addSecrets(file: string, hosts: readonly InventoryHost[], vault: Vault) {
  let secrets: SecretsByHost = new Map();
  let missing: SecretsByHost = new Map();
  await replaceSecrets(file, async () => {
    const { text, seal } = await readSecretsFile(file, vault);
    const known = await parseSecretsFile(text, file, vault);
    missing = missingSecrets(hosts, known);
    secrets = merge(known, missing);
    return missing.size === 0 ? undefined : seal(renderSecretsFile(text, missing));
  });
  return { secrets, created: toBeShown(missing), fresh: [...missing.keys()] };
}

/** @throws InputError when it cannot be written */
async function replaceSecrets(file: string, content: () => Promise<string | undefined>): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true });
    await replaceLocked(file, PRIVATE_MODE, content);
  } catch (error) {
    if (error instanceof EdgeError) throw error;
    throw new InputError("E_SECRETS", `${file} cannot be written: ${readProblem(error)}`, {
      hint: "the secrets of the edges are kept beside the inventory: make the directory writable",
      cause: error,
    });
  }
}

async function readSecretsFile(file: string, vault: Vault): Promise<OpenText> {
  return openFile(await textOf(file), file, vault);
}

/** Empty where there is no file yet. */
async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (hasCode(error, "ENOENT")) return "";
    throw new InputError("E_SECRETS", `${file} cannot be read: ${readProblem(error)}`, { cause: error });
  }
}

/** Others must not read it, unless it is encrypted as a whole. With `save` false the mode is only told. */
async function makePrivate(file: string, save: boolean): Promise<string[]> {
  let mode: number;
  try {
    mode = (await stat(file)).mode & 0o777;
  } catch {
    return [];
  }
  if ((mode & 0o077) === 0 || isVaultText(await textOf(file))) return [];
  const octal = mode.toString(8).padStart(4, "0");
  if (!save) return [`${file} has mode ${octal}: others can read the secrets; chmod 600 ${file}`];
  try {
    await chmod(file, PRIVATE_MODE);
  } catch (error) {
    const hint = `chmod 600 ${file}`;
    throw new InputError("E_SECRETS", `${file} has mode ${octal}: others can read the secrets`, { hint, cause: error });
  }
  return [`${file} had mode ${octal}, so others could read the secrets; it has 0600 now`];
}

/** Where both group_vars/all/ and group_vars/all.yml exist, Ansible reads only the directory. */
async function assertHidesNothing(file: string): Promise<void> {
  const directory = dirname(file);
  const parent = dirname(directory);
  if (basename(directory) !== "all") return;
  const names = await readdir(parent).catch((): string[] => []);
  const shadowed = ["all.yml", "all.yaml", "all.json"].find((name) => names.includes(name));
  const isFile = names.includes("all") && (await stat(directory)).isFile();
  if (shadowed === undefined && !isFile) return;
  const old = join(parent, shadowed ?? "all");
  const fresh = join(directory, "main.yml");
  const move = isFile
    ? `mv ${old} ${old}.tmp && mkdir ${directory} && mv ${old}.tmp ${fresh}`
    : `mkdir -p ${directory} && mv ${old} ${fresh}`;
  throw new InputError("E_SECRETS", `${file} cannot be made: beside the directory, Ansible would ignore ${old}`, {
    hint: `move it into the directory: ${move}`,
  });
}
