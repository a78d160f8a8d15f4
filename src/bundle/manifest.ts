import { InputError } from "../util/errors.js";

/** Version of the format: what reads a bundle refuses another one. */
export const BUNDLE_FORMAT = 1;
/** First file of a bundle; it names all others. */
export const MANIFEST = "manifest.json";
/** For `sha256sum -c`, where a bundle was unpacked by hand. */
export const SUMS = "SHA256SUMS";

/** Packages of one release, architecture and level of CPU. */
export interface BundledSystem {
  /** `debian bookworm` */
  readonly system: string;
  /** `armhf/armv7-a` */
  readonly userland: string;
  /** Where the packages came from, in words. */
  readonly from: string;
  readonly packages: number;
  /** Of all packages. */
  readonly bytes: number;
  /** Files of packages that a compile unpacks and does not install, by the packages' names. */
  readonly unpacked: Readonly<Record<string, string>>;
}

export interface BundledFile {
  readonly sha256: string;
  /** Bytes. */
  readonly size: number;
}

export interface BundleManifest {
  readonly format: typeof BUNDLE_FORMAT;
  /** When it was made: 2026-11-26T07:12:00Z */
  readonly made: string;
  readonly edge_setup: string;
  /** By the name of the folder below `debs/`, as `systemKey` makes it. */
  readonly systems: Readonly<Record<string, BundledSystem>>;
  readonly files: Readonly<Record<string, BundledFile>>;
}

/** Release and userland as one word, a folder's name: `debian-bookworm-armhf-armv7-a`. playbooks/vars/derived.yml makes the same. */
export function systemKey({ system, userland }: Pick<BundledSystem, "system" | "userland">): string {
  return `${system} ${userland}`.replaceAll(/[ /]/g, "-");
}

/** Name of a package's file. */
const DEB = /^[a-z0-9][a-z0-9+.-]*_[A-Za-z0-9.+~-]+_[a-z0-9-]+\.deb$/;
/** Files that a bundle may have, besides manifest and sums; `..` and a leading dot are in none of them. */
const FILE_NAMES = [
  /^sources\/[A-Za-z0-9][A-Za-z0-9_.+~-]{0,99}$/,
  /^artifacts\/[A-Za-z0-9][A-Za-z0-9_.+~-]{0,99}$/,
  /^debs\/[a-z0-9][a-z0-9.-]{0,79}\/(Packages|[a-z0-9][a-z0-9+.-]*_[A-Za-z0-9.+~-]+_[a-z0-9-]+\.deb)$/,
];
/** Of one path, characters: as much as a tar header can say. */
const MAX_NAME = 200;
const MAX_FILES = 50_000;
/** Bytes of one file. The largest package that an edge needs has 26 MB. */
const MAX_FILE = 2 ** 30;
const SHA256 = /^[0-9a-f]{64}$/;
const KEY = /^[a-z0-9][a-z0-9.-]{0,79}$/;
const WORDS = /^[A-Za-z0-9][\x20-\x7e]{0,299}$/;
const MADE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

/** What is wrong with a bundle: one message, which names the place. */
export function bundleError(file: string, problem: string): InputError {
  return new InputError("E_BUNDLE", `the bundle ${file}: ${problem}`, {
    hint: "Copy it again and compare its SHA-256 with what `edge-setup bundle` printed, or make it anew. Nothing was touched.",
  });
}

type Json = { readonly [key: string]: unknown };

/** Reads a manifest as what somebody else may have written. */
class ManifestReader {
  constructor(private readonly file: string) {}

  fail(problem: string): never {
    throw bundleError(this.file, `${MANIFEST} ${problem}`);
  }

  object(value: unknown, what: string): Json {
    if (typeof value !== "object" || value === null || Array.isArray(value)) this.fail(`has no ${what}`);
    return value as Json;
  }

  words(value: unknown, what: string, pattern = WORDS): string {
    if (typeof value !== "string" || !pattern.test(value)) this.fail(`has no valid ${what}`);
    return value;
  }

  count(value: unknown, what: string, most = Number.MAX_SAFE_INTEGER): number {
    if (typeof value !== "number" || !Number.isInteger(value) || value < 0 || value > most) {
      this.fail(`has no valid ${what}`);
    }
    return value;
  }

  system(key: string, value: unknown): BundledSystem {
    const raw = this.object(value, `system ${key}`);
    const read = {
      system: this.words(raw.system, `system of ${key}`),
      userland: this.words(raw.userland, `userland of ${key}`),
      from: this.words(raw.from, `origin of ${key}`),
      packages: this.count(raw.packages, `number of packages of ${key}`),
      bytes: this.count(raw.bytes, `size of ${key}`),
      unpacked: this.unpacked(raw.unpacked, key),
    };
    if (systemKey(read) !== key) this.fail(`calls ${read.system} ${read.userland} "${key}"`);
    return read;
  }

  unpacked(value: unknown, key: string): Record<string, string> {
    const entries = Object.entries(this.object(value, `unpacked packages of ${key}`));
    return Object.fromEntries(entries.map(([name, file]) => [name, this.words(file, `file of ${name}`, DEB)]));
  }

  bundled(name: string, value: unknown): BundledFile {
    const raw = this.object(value, `description of ${name}`);
    return {
      sha256: this.words(raw.sha256, `SHA-256 of ${name}`, SHA256),
      size: this.count(raw.size, `size of ${name}`, MAX_FILE),
    };
  }
}

/**
 * Parses the manifest of a bundle.
 * @param file the bundle, for messages
 * @throws InputError `E_BUNDLE` for another format, and for names that a bundle has no use for
 */
export function parseManifest(text: string, file: string): BundleManifest {
  const reader = new ManifestReader(file);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    reader.fail("is not JSON");
  }
  const raw = reader.object(json, "content");
  if (raw.format !== BUNDLE_FORMAT) {
    reader.fail(`is of format ${String(raw.format).slice(0, 20)}, this version of edge-setup reads ${BUNDLE_FORMAT}`);
  }
  const files = Object.entries(reader.object(raw.files, "files"));
  if (files.length > MAX_FILES) reader.fail(`names ${files.length} files, a bundle has ${MAX_FILES} at most`);
  for (const [name] of files) {
    if (name.length > MAX_NAME || (name !== SUMS && !FILE_NAMES.some((pattern) => pattern.test(name)))) {
      reader.fail(`names a file ${JSON.stringify(name.slice(0, MAX_NAME))}, which no bundle has`);
    }
  }
  const systems = Object.entries(reader.object(raw.systems, "systems"));
  for (const [key] of systems) if (!KEY.test(key)) reader.fail(`names a system ${JSON.stringify(key.slice(0, 80))}`);
  return {
    format: BUNDLE_FORMAT,
    made: reader.words(raw.made, "date", MADE),
    edge_setup: reader.words(raw.edge_setup, "version of edge-setup"),
    systems: Object.fromEntries(systems.map(([key, value]) => [key, reader.system(key, value)])),
    files: Object.fromEntries(files.map(([name, value]) => [name, reader.bundled(name, value)])),
  };
}

/** Hashes of all files, as sha256sum reads them. */
export function sumsOf(files: BundleManifest["files"]): string {
  return Object.entries(files)
    .map(([name, { sha256 }]) => `${sha256}  ${name}\n`)
    .join("");
}
