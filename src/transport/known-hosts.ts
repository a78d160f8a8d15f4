import { createHash, createHmac, randomBytes } from "node:crypto";
import { appendFile, mkdir, readFile, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { HostKeyError } from "../util/errors.js";

/** One line of a known_hosts file (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT). */
export interface KnownHost {
  readonly marker: "revoked" | "cert-authority" | undefined;
  /** Comma-separated patterns, or `|1|salt|hash`. */
  readonly patterns: string;
  readonly keyType: string;
  /** Base64 of the key blob. */
  readonly key: string;
  readonly file: string;
  /** 1-based. */
  readonly line: number;
}

/** What the files say about one host. */
export interface HostKnowledge {
  readonly keys: readonly KnownHost[];
  /** Filed under the name without its port: they may vouch for the host, not speak against it (another sshd may live there). */
  readonly vouchers: readonly KnownHost[];
  readonly revoked: readonly KnownHost[];
  readonly authorities: readonly KnownHost[];
}

export type Verdict =
  | { readonly kind: "known" }
  | { readonly kind: "unknown"; readonly authority: KnownHost | undefined }
  | { readonly kind: "changed"; readonly known: readonly KnownHost[] }
  | { readonly kind: "revoked"; readonly entry: KnownHost };

/** What ssh2 can verify, in the order in which it prefers them. */
const HOST_KEY_ALGORITHMS = [
  "ssh-ed25519",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "rsa-sha2-512",
  "rsa-sha2-256",
  "ssh-rsa",
] as const;

export type HostKeyAlgorithm = (typeof HOST_KEY_ALGORITHMS)[number];

/** Reads the lines of a known_hosts file; lines that are none are passed over, as ssh does. */
export function parseKnownHosts(text: string, file: string): KnownHost[] {
  const entries: KnownHost[] = [];
  for (const [index, raw] of text.split("\n").entries()) {
    const fields = raw.trim().split(/[ \t]+/);
    if (raw.trim() === "" || raw.trimStart().startsWith("#")) continue;
    const marker = fields[0]?.startsWith("@") ? fields.shift()?.slice(1) : undefined;
    if (marker !== undefined && marker !== "revoked" && marker !== "cert-authority") continue;
    const [patterns, keyType, key] = fields;
    if (patterns === undefined || keyType === undefined || key === undefined) continue;
    if (!/^[a-z][\w@.-]+$/.test(keyType)) continue;
    entries.push({ marker, patterns, keyType, key, file, line: index + 1 });
  }
  return entries;
}

/** The name under which a host is filed: `host`, or `[host]:port` away from port 22. */
export function knownHostsName(host: string, port: number): string {
  return port === 22 ? host.toLowerCase() : `[${host.toLowerCase()}]:${port}`;
}

/** Whether the patterns of a line name the host: hashed, plain, with `*` and `?`, or negated by `!`. */
export function matchesHost(patterns: string, name: string): boolean {
  if (patterns.startsWith("|")) return matchesHash(patterns, name);
  let matched = false;
  for (const pattern of patterns.toLowerCase().split(",")) {
    const negated = pattern.startsWith("!");
    if (!globMatches(negated ? pattern.slice(1) : pattern, name)) continue;
    if (negated) return false;
    matched = true;
  }
  return matched;
}

function matchesHash(patterns: string, name: string): boolean {
  const [, version, salt, hash] = patterns.split("|");
  if (version !== "1" || salt === undefined || hash === undefined) return false;
  return hashName(name, Buffer.from(salt, "base64")) === hash;
}

/** OpenSSH files hashed names as base64(HMAC-SHA1(salt, name)); hostfile.c, host_hash(). */
function hashName(name: string, salt: Buffer): string {
  return createHmac("sha1", salt).update(name).digest("base64");
}

function globMatches(pattern: string, name: string): boolean {
  if (!/[*?]/.test(pattern)) return pattern === name;
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`).test(name);
}

/** What the lines say about a host; `portless` is its name without the port, which ssh looks up as well (sshconnect.c). */
export function knowledgeOf(entries: readonly KnownHost[], name: string, portless?: string): HostKnowledge {
  const named = entries.filter((entry) => matchesHost(entry.patterns, name));
  const alike = portless === undefined ? [] : entries.filter((entry) => matchesHost(entry.patterns, portless));
  const marked = (list: readonly KnownHost[], marker: KnownHost["marker"]) =>
    list.filter((entry) => entry.marker === marker);
  return {
    keys: marked(named, undefined),
    vouchers: marked(alike, undefined),
    revoked: marked([...named, ...alike], "revoked"),
    authorities: marked(named, "cert-authority"),
  };
}

/**
 * Compares a host's key with what is known. Stricter than ssh in one thing: where keys are known and the host shows
 * one of another type, that counts as changed, because known types are asked for first.
 */
export function judge(knowledge: HostKnowledge, key: Buffer): Verdict {
  const shown = key.toString("base64");
  const revoked = knowledge.revoked.find((entry) => sameKey(entry, shown));
  if (revoked !== undefined) return { kind: "revoked", entry: revoked };
  if ([...knowledge.keys, ...knowledge.vouchers].some((entry) => sameKey(entry, shown))) return { kind: "known" };
  if (knowledge.keys.length > 0) return { kind: "changed", known: knowledge.keys };
  return { kind: "unknown", authority: knowledge.authorities[0] };
}

function sameKey(entry: KnownHost, shown: string): boolean {
  return entry.key.replace(/=+$/, "") === shown.replace(/=+$/, "");
}

/**
 * The algorithms to offer, those of known keys first: a host that is known by its ECDSA key would else answer with its
 * Ed25519 key and look like a stranger.
 */
export function preferKnownAlgorithms(knowledge: HostKnowledge): HostKeyAlgorithm[] {
  const types = new Set([...knowledge.keys, ...knowledge.vouchers].map((entry) => entry.keyType));
  const isKnown = (name: HostKeyAlgorithm) => types.has(name.startsWith("rsa-sha2") ? "ssh-rsa" : name);
  return [...HOST_KEY_ALGORITHMS.filter(isKnown), ...HOST_KEY_ALGORITHMS.filter((name) => !isKnown(name))];
}

/** `SHA256:...` as OpenSSH prints it. */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash("sha256").update(key).digest("base64").replace(/=+$/, "")}`;
}

/** The type that a key blob names in its first field (RFC 4253, section 6.6); ssh2 has seen that it is one we offered. */
export function keyTypeOf(key: Buffer): string {
  return key.subarray(4, 4 + key.readUInt32BE(0)).toString("latin1");
}

/** Reads known_hosts files, parsing each only once until it changes on disk. */
export class KnownHostsFiles {
  readonly #parsed = new Map<string, { stamp: string; entries: Promise<KnownHost[]> }>();

  /**
   * All lines of all files in their order; a file that does not exist has none.
   * @throws HostKeyError E_KNOWN_HOSTS_FILE when one cannot be read: a revoked key might stand in it.
   */
  async read(files: readonly string[]): Promise<KnownHost[]> {
    return (await Promise.all(files.map((file) => this.#readFile(file)))).flat();
  }

  async #readFile(file: string): Promise<KnownHost[]> {
    try {
      const { mtimeMs, size, isFile } = await stat(file).then((found) => ({
        mtimeMs: found.mtimeMs,
        size: found.size,
        isFile: found.isFile(),
      }));
      if (!isFile) return [];
      const stamp = `${mtimeMs}/${size}`;
      const held = this.#parsed.get(file);
      if (held?.stamp === stamp) return await held.entries;
      const entries = readFile(file, "utf8").then((text) => parseKnownHosts(text, file));
      this.#parsed.set(file, { stamp, entries });
      return await entries;
    } catch (error) {
      if (isMissing(error)) return [];
      throw new HostKeyError("E_KNOWN_HOSTS_FILE", `${file} cannot be read: ${String(error)}`, {
        hint: `Make it readable: chmod u+r ${file}`,
        cause: error,
      });
    }
  }

  /**
   * Files a key under the name; makes the file (0600) and its folder (0700) when missing.
   * @throws HostKeyError E_KNOWN_HOSTS_FILE when it cannot be written.
   */
  async append(file: string, name: string, key: Buffer, hashed: boolean): Promise<void> {
    try {
      await mkdir(dirname(file), { recursive: true, mode: 0o700 });
      const before = await readFile(file, "utf8").catch((error: unknown) => {
        if (isMissing(error)) return "";
        throw error;
      });
      const newline = before === "" || before.endsWith("\n") ? "" : "\n";
      const line = `${hashed ? hashedName(name) : name} ${keyTypeOf(key)} ${key.toString("base64")}\n`;
      await appendFile(file, newline + line, { mode: 0o600 });
    } catch (error) {
      throw new HostKeyError("E_KNOWN_HOSTS_FILE", `The host's key cannot be added to ${file}: ${String(error)}`, {
        hint: "Make the file writable, or name another UserKnownHostsFile in ssh_config.",
        cause: error,
      });
    }
  }
}

function hashedName(name: string): string {
  const salt = randomBytes(20);
  return `|1|${salt.toString("base64")}|${hashName(name, salt)}`;
}

function isMissing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  return code === "ENOENT" || code === "ENOTDIR";
}
