import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { InputError } from "../util/errors.js";

/** What a build is made of; `nginx_patches` is Debian's patch set and exists in its profiles only. */
export const components = ["nginx", "nginx_patches", "rtmp", "njs", "vts"] as const;
export type Component = (typeof components)[number];

/** One pinned file. `tarSha256`, where known, decides instead of `sha256`: a forge may recompress, the tar stays. */
export interface SourceEntry {
  readonly component: Component;
  /** The key in the lock, such as "1.30.4-git"; `version` is what the file holds. */
  readonly key: string;
  readonly version: string;
  /** Name in the cache and on the host. */
  readonly file: string;
  readonly urls: readonly string[];
  readonly sha256: string | undefined;
  readonly tarSha256: string | undefined;
  /** Bytes, where known. */
  readonly size: number | undefined;
  readonly license: string;
  /** When it was published: YYYY-MM-DD, or YYYY-MM. */
  readonly date: string;
  /** Undefined where its authors sign nothing that can be had. */
  readonly signature: SourceSignature | undefined;
  /** CVEs that it is the first to fix. */
  readonly fixed: readonly string[];
  /** CVEs known to affect it when it was pinned. */
  readonly affecting: readonly string[];
}

export interface SourceSignature {
  /** Of the detached signature. */
  readonly urls: readonly string[];
  /** Fingerprints of those who may sign this version. */
  readonly signers: readonly string[];
  /** File of their public keys, beside the lock. */
  readonly keyring: string;
}

export interface BuildProfile {
  /** "upstream", "debian-trixie", ... */
  readonly name: string;
  readonly versions: Readonly<Partial<Record<Component, string>>>;
  /** Newer pins that not every mirror holds. */
  readonly securityVersions: Readonly<Partial<Record<Component, string>>>;
  /** Components that the profile takes only where their source is given. */
  readonly optional: readonly Component[];
}

export interface SourceLock {
  readonly file: string;
  readonly profiles: ReadonlyMap<string, BuildProfile>;
  readonly entries: readonly SourceEntry[];
}

const SHA256 = /^[0-9a-f]{64}$/;
const FINGERPRINT = /^[0-9A-F]{40}$/;
const DATE = /^\d{4}-\d{2}(-\d{2})?$/;
const KEYRING = "keys/nginx.gpg";
const FILE_NAME = /^[A-Za-z0-9][A-Za-z0-9_.+~-]*$/;

type JsonObject = { readonly [key: string]: unknown };

/** Reads a lock file's JSON; every complaint names the path inside it. */
class LockReader {
  constructor(private readonly file: string) {}

  fail(path: string, problem: string): never {
    throw new InputError("E_LOCK_INVALID", `${this.file}: ${path} ${problem}`);
  }

  object(value: unknown, path: string): JsonObject {
    if (typeof value !== "object" || value === null || Array.isArray(value)) this.fail(path, "is not an object");
    return value as JsonObject;
  }

  string(value: unknown, path: string): string {
    if (typeof value !== "string" || value === "") this.fail(path, "is not a text");
    return value;
  }

  strings(value: unknown, path: string): string[] {
    if (!Array.isArray(value)) this.fail(path, "is not a list");
    return value.map((item, index) => this.string(item, `${path}.${index}`));
  }

  hash(value: unknown, path: string): string | undefined {
    if (value === undefined) return undefined;
    const text = this.string(value, path);
    return SHA256.test(text) ? text : this.fail(path, "is not a SHA-256 in lower-case hexadecimal");
  }

  urls(value: unknown, path: string): string[] {
    const urls = this.strings(value, path);
    if (urls.length === 0) this.fail(path, "is empty");
    for (const url of urls) if (!URL.canParse(url)) this.fail(path, `holds "${url}", which is no URL`);
    return urls;
  }

  signature(value: unknown, path: string): SourceSignature | undefined {
    if (value === undefined) return undefined;
    const raw = this.object(value, path);
    const signers = this.strings(raw.signers, `${path}.signers`);
    if (signers.length === 0) this.fail(`${path}.signers`, "is empty");
    for (const signer of signers) {
      if (!FINGERPRINT.test(signer)) this.fail(`${path}.signers`, `holds "${signer}", which is no fingerprint`);
    }
    return { urls: this.urls(raw.urls, `${path}.urls`), signers, keyring: join(dirname(this.file), KEYRING) };
  }

  component(value: string, path: string): Component {
    return components.find((name) => name === value) ?? this.fail(path, `names an unknown component "${value}"`);
  }

  versions(value: unknown, path: string): Partial<Record<Component, string>> {
    const versions: Partial<Record<Component, string>> = {};
    for (const [name, version] of Object.entries(this.object(value ?? {}, path))) {
      versions[this.component(name, path)] = this.string(version, `${path}.${name}`);
    }
    return versions;
  }

  entry(component: Component, key: string, value: unknown): SourceEntry {
    const path = `components.${component}.${key}`;
    const raw = this.object(value, path);
    const file = this.string(raw.file, `${path}.file`);
    if (!FILE_NAME.test(file)) this.fail(`${path}.file`, "is not a plain file name");
    const sha256 = this.hash(raw.sha256, `${path}.sha256`);
    const tarSha256 = this.hash(raw.tar_sha256, `${path}.tar_sha256`);
    if (sha256 === undefined && tarSha256 === undefined) this.fail(path, "has neither sha256 nor tar_sha256");
    if (tarSha256 !== undefined && !file.endsWith(".tar.gz")) this.fail(path, "has a tar_sha256 and is no .tar.gz");
    const cves = this.object(raw.cves, `${path}.cves`);
    const date = this.string(raw.date, `${path}.date`);
    if (!DATE.test(date)) this.fail(`${path}.date`, "is not YYYY-MM-DD or YYYY-MM");
    return {
      component,
      key,
      version: this.string(raw.version, `${path}.version`),
      file,
      urls: this.urls(raw.urls, `${path}.urls`),
      sha256,
      tarSha256,
      size: typeof raw.size === "number" ? raw.size : undefined,
      license: this.string(raw.license, `${path}.license`),
      date,
      signature: this.signature(raw.signature, `${path}.signature`),
      fixed: this.strings(cves.fixed, `${path}.cves.fixed`),
      affecting: this.strings(cves.affecting, `${path}.cves.affecting`),
    };
  }

  profile(name: string, value: unknown): BuildProfile {
    const path = `profiles.${name}`;
    const raw = this.object(value, path);
    return {
      name,
      versions: this.versions(raw.versions, `${path}.versions`),
      securityVersions: this.versions(raw.security_versions, `${path}.security_versions`),
      optional: this.strings(raw.optional ?? [], `${path}.optional`).map((text) => this.component(text, path)),
    };
  }
}

/**
 * Parses the text of a lock file (nginx-build/sources.lock.json).
 * @throws InputError `E_LOCK_INVALID` naming the place.
 */
export function parseLock(text: string, file: string): SourceLock {
  const reader = new LockReader(file);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new InputError("E_LOCK_INVALID", `${file} is not JSON: ${String(cause)}`, { cause });
  }
  const lock = reader.object(reader.object(json, "the file").edge_lock, "edge_lock");
  if (lock.format !== 1) reader.fail("format", `is ${String(lock.format)}, this version of edge-setup reads 1`);
  const entries: SourceEntry[] = [];
  for (const [name, versions] of Object.entries(reader.object(lock.components, "components"))) {
    const component = reader.component(name, "components");
    for (const [key, value] of Object.entries(reader.object(versions, `components.${name}`))) {
      entries.push(reader.entry(component, key, value));
    }
  }
  const files = new Set<string>();
  for (const entry of entries) {
    if (files.has(entry.file)) reader.fail(`components.${entry.component}.${entry.key}.file`, "is used twice");
    files.add(entry.file);
  }
  const profiles = new Map<string, BuildProfile>();
  for (const [name, value] of Object.entries(reader.object(lock.profiles, "profiles"))) {
    profiles.set(name, reader.profile(name, value));
  }
  const parsed = { file, profiles, entries };
  for (const profile of profiles.values()) {
    for (const versions of [profile.versions, profile.securityVersions]) sourcesFor(parsed, profile, versions);
  }
  return parsed;
}

/** Reads and parses a lock file. @throws InputError `E_LOCK_INVALID`, also when it cannot be read. */
export async function loadLock(file: string): Promise<SourceLock> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    throw new InputError("E_LOCK_INVALID", `cannot read the lock of sources ${file}: ${String(cause)}`, { cause });
  }
  return parseLock(text, file);
}

/** Kinds of profiles: the setting `nginx_sources`, or with `nginx_from: packages` that. */
export type ProfileKind = "upstream" | "debian" | "packages";

const ELSEWHERE = {
  debian: ["nginx_sources: debian knows no sources", "nginx_sources: upstream"],
  packages: ["nginx_from: packages knows no packages", "nginx_from: source"],
} as const;

/**
 * The profile for a host.
 * @param release the host's `ansible_distribution_release`, such as "trixie"
 * @throws InputError `E_PROFILE_UNKNOWN` where the lock has nothing of Debian for that release.
 */
export function profileFor(lock: SourceLock, kind: ProfileKind, release: string): BuildProfile {
  const profile = lock.profiles.get(kind === "upstream" ? kind : `${kind}-${release}`);
  if (profile !== undefined) return profile;
  const [problem, instead] = ELSEWHERE[kind === "packages" ? kind : "debian"];
  const known = [...lock.profiles.keys()].filter((key) => key.startsWith(`${kind}-`));
  throw new InputError("E_PROFILE_UNKNOWN", `${problem} for the release "${release}"`, {
    hint: `It knows ${known.map((key) => key.slice(kind.length + 1)).join(", ")}. Elsewhere use ${instead}.`,
  });
}

export interface NeededOptions {
  /** Versions other than the profile's own, by component. */
  readonly versions?: Readonly<Partial<Record<Component, string>>>;
  /** Optional components whose source is given. */
  readonly given?: readonly Component[];
}

/**
 * The files that a build of a profile takes, in the order of `components`.
 * @throws InputError `E_VERSION_UNKNOWN` for a version that the lock does not pin.
 */
export function neededSources(lock: SourceLock, profile: BuildProfile, options: NeededOptions = {}): SourceEntry[] {
  const versions: Partial<Record<Component, string>> = {};
  for (const component of components) {
    if (profile.versions[component] === undefined) continue;
    if (profile.optional.includes(component) && options.given?.includes(component) !== true) continue;
    const version = options.versions?.[component] ?? profile.versions[component];
    if (version !== undefined) versions[component] = version;
  }
  return sourcesFor(lock, profile, versions);
}

/** The entry whose file has this name. */
export function entryByFile(lock: SourceLock, file: string): SourceEntry | undefined {
  return lock.entries.find((entry) => entry.file === file);
}

function sourcesFor(
  lock: SourceLock,
  profile: BuildProfile,
  versions: Readonly<Partial<Record<Component, string>>>,
): SourceEntry[] {
  return components.flatMap((component) => {
    const key = versions[component];
    if (key === undefined) return [];
    const entry = lock.entries.find((item) => item.component === component && item.key === key);
    if (entry !== undefined) return [entry];
    const known = lock.entries.flatMap((item) => (item.component === component ? [item.key] : []));
    throw new InputError(
      "E_VERSION_UNKNOWN",
      `${lock.file} pins no ${component} ${key}, which the profile ${profile.name} is to use`,
      { hint: `It pins ${known.join(", ")}.` },
    );
  });
}
