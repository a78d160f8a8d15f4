import { createHash } from "node:crypto";
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  realpathSync,
  type Stats,
  statSync,
} from "node:fs";
import { isAbsolute, join, resolve } from "node:path";
import { contentDigest, DIGEST_DIGITS } from "../modules/digest.js";
import type { FileHashes, SourceInfo, TreeEntry } from "../modules/types.js";
import type { LookupReader } from "../playbook/scope.js";
import { AnsibleHashes } from "./ansible-hashes.js";
import type { TarEntry } from "./tar.js";

interface Payload extends SourceInfo {
  readonly source: Uint8Array | { readonly path: string };
}

/** Files up to this size are kept in memory, to be diffed and sent. */
const KEEP_BYTES = 1 << 20;
const READ_BYTES = 1 << 20;

/**
 * Everything of the controller that may travel in a run, by hash: files are read once for all hosts, and again only
 * when they changed.
 */
export class SourceStore {
  /** @param kindOf what is at a path, for files that are named one by one */
  constructor(private readonly kindOf: LookupReader["kindOf"]) {}

  readonly #payloads = new Map<string, Payload>();
  readonly #hashes = new Map<string, { stamp: string; hashes: FileHashes }>();
  readonly #files = new Map<string, { stamp: string; info: SourceInfo }>();

  /** Ansible's search: `files/` or `templates/` beside the task's file and the play, then the directories themselves. */
  resolve(name: string, folder: "files" | "templates", directories: readonly string[]): string {
    if (isAbsolute(name)) return name;
    const slash = name.endsWith("/") ? "/" : "";
    const places = directories.flatMap((directory) => [join(directory, folder, name), join(directory, name)]);
    const found = places.find((place) => existsSync(place)) ?? places.at(-1) ?? resolve(name);
    return found.replace(/\/+$/, "") + slash;
  }

  /** Describes a file; undefined when there is none. */
  describe(path: string): SourceInfo | undefined {
    const stats = this.kindOf(path, true) === "file" ? statOf(path) : undefined;
    if (stats === undefined) return undefined;
    const stamp = `${stats.size} ${stats.mtimeMs} ${stats.ino}`;
    const known = this.#files.get(path);
    if (known?.stamp === stamp) return known.info;
    const mode = stats.mode & 0o7777;
    if (stats.size <= KEEP_BYTES) {
      const info = { ...this.content(readFileSync(path)), mode };
      this.#files.set(path, { stamp, info });
      return info;
    }
    const info = { ...hashFile(path), size: stats.size, mode };
    this.#payloads.set(info.digest, { ...info, source: { path } });
    this.#files.set(path, { stamp, info });
    return info;
  }

  /** Hashes of a file, as Ansible tells them; undefined when there is none. */
  hashes(path: string): FileHashes | undefined {
    const stats = this.kindOf(path, true) === "file" ? statOf(path) : undefined;
    if (stats === undefined) return undefined;
    const stamp = `${stats.size} ${stats.mtimeMs} ${stats.ino}`;
    const known = this.#hashes.get(path);
    if (known?.stamp === stamp) return known.hashes;
    const hashes = fileHashes(path);
    this.#hashes.set(path, { stamp, hashes });
    return hashes;
  }

  content(data: string | Buffer): SourceInfo {
    const bytes = typeof data === "string" ? Buffer.from(data) : data;
    const digest = contentDigest(bytes);
    const known = this.#payloads.get(digest);
    if (known !== undefined) return known;
    const payload = { digest, size: bytes.length, firstLine: firstLine(bytes), mode: 0o644, source: bytes };
    this.#payloads.set(digest, payload);
    return payload;
  }

  /**
   * The tree below a directory, sorted, parents first.
   * @param follow links are what they lead to, but for those that lead nowhere, or to a directory that they are in
   */
  tree(path: string, follow = true): readonly TreeEntry[] | undefined {
    if (!statOf(path)?.isDirectory()) return undefined;
    const entries: TreeEntry[] = [];
    const walk = (directory: string, prefix: string, above: readonly string[]) => {
      for (const name of readdirSync(directory).sort()) {
        const full = join(directory, name);
        const target = linkTarget(full);
        const stats = target === undefined || follow ? statOf(full) : undefined;
        const circle = target !== undefined && stats?.isDirectory() === true && above.includes(realpathSync(full));
        if (target !== undefined && (stats === undefined || circle)) {
          entries.push({ path: prefix + name, mode: 0o777, kind: "link", target });
        }
        if (stats === undefined || circle) continue;
        const entry = { path: prefix + name, mode: stats.mode & 0o7777 };
        if (stats.isDirectory()) {
          entries.push({ ...entry, kind: "directory" });
          walk(full, `${prefix}${name}/`, [...above, realpathSync(full)]);
        } else if (stats.isFile()) entries.push({ ...entry, kind: "file" });
      }
    };
    walk(path, "", [realpathSync(path)]);
    return entries;
  }

  /** The payload as an entry of a program's archive. */
  entry(digest: string): TarEntry | undefined {
    const payload = this.#payloads.get(digest);
    return payload === undefined ? undefined : { name: `p/${digest}`, size: payload.size, source: payload.source };
  }

  size(digest: string): number {
    return this.#payloads.get(digest)?.size ?? 0;
  }

  /** The bytes, for a diff; undefined when they are not in memory. */
  bytes(digest: string): Uint8Array | undefined {
    const source = this.#payloads.get(digest)?.source;
    return source instanceof Uint8Array ? source : undefined;
  }
}

/** As Python's os.path: what cannot be looked at is not there. */
function statOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

/** What a symbolic link holds; undefined for what is none. */
function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

function firstLine(bytes: Uint8Array): string {
  return Buffer.from(bytes.subarray(0, 256)).toString("latin1").split("\n")[0] ?? "";
}

/** Reads a file in pieces. */
function eachPiece(path: string, take: (bytes: Uint8Array) => void): void {
  const handle = openSync(path, "r");
  try {
    const buffer = Buffer.alloc(READ_BYTES);
    for (let read = readSync(handle, buffer); read > 0; read = readSync(handle, buffer)) take(buffer.subarray(0, read));
  } finally {
    closeSync(handle);
  }
}

function fileHashes(path: string): FileHashes {
  const hashes = new AnsibleHashes();
  eachPiece(path, (bytes) => hashes.update(bytes));
  return hashes.digests();
}

function hashFile(path: string): { digest: string; firstLine: string } {
  const hash = createHash("sha256");
  let line: string | undefined;
  eachPiece(path, (bytes) => {
    line ??= firstLine(bytes);
    hash.update(bytes);
  });
  return { digest: hash.digest("hex").slice(0, DIGEST_DIGITS), firstLine: line ?? "" };
}
