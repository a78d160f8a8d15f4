import { copyFile, mkdir, readdir, rename, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { InputError } from "../util/errors.js";
import { boundCache } from "./bounded.js";
import { cacheDir } from "./cache-dir.js";
import { checkDigest, type DigestCheck } from "./digest.js";
import { type DownloadOptions, download, partName, reasonOf, removeStaleParts } from "./download.js";
import { checkSignature, type SignatureCheck } from "./signature.js";
import type { SourceEntry } from "./sources.js";

/** The largest source is 1.3 MB; a portal's page or an endless body is cut off here. */
const MAX_BYTES = 64 * 1024 * 1024;

export interface FetchProgress {
  readonly file: string;
  readonly url: string;
  readonly bytes: number;
  /** Bytes in all, where the server or the lock says. */
  readonly total: number | undefined;
}

export interface FetchOptions extends DownloadOptions {
  readonly cacheDir: string;
  /** Directories the user gave (`--source-dir`), asked first. */
  readonly sourceDirs?: readonly string[];
  readonly onProgress?: (progress: FetchProgress) => void;
  /** Things worth saying that do not stop the fetch: a damaged file in the cache, a mirror with another file. */
  readonly onWarning?: (message: string) => void;
}

/** Where a source came from. */
export interface FetchedSource {
  readonly path: string;
  readonly origin: "source-dir" | "cache" | "upstream";
  readonly signature: SignatureCheck;
}

/** Where sources are. */
export function defaultCacheDir(env: NodeJS.ProcessEnv): string {
  return cacheDir(env, "sources");
}

/**
 * Puts one pinned source into the cache, verified by its hash and, where its authors sign it, by their signature: from
 * the given directories, the cache, or upstream, in this order.
 * Safe while another run does the same: what appears under the entry's name is always whole.
 * @throws InputError `E_SOURCE_MISMATCH` when only wrong files can be had, `E_SOURCE_UNREACHABLE` when none can,
 *   `E_SOURCE_DIR` when a given directory cannot be read, `E_SIGNATURE` for a signature that is not good; the signal's
 *   reason when aborted.
 */
export async function fetchSource(entry: SourceEntry, options: FetchOptions): Promise<FetchedSource> {
  await mkdir(options.cacheDir, { recursive: true });
  const path = join(options.cacheDir, entry.file);
  const origin = await obtain(entry, path, options);
  await markUsed(path);
  if (origin !== "cache") await boundCache(options.cacheDir, { setOf: sourceOf });
  return { path, origin, signature: await checkSignature(entry, path, options) };
}

/** What was used last goes last. A cache that cannot be written to is read all the same. */
async function markUsed(path: string): Promise<void> {
  const now = new Date();
  await utimes(path, now, now).catch(() => undefined);
}

/** A source, its signature, and what was found in its place go together. */
function sourceOf(name: string): string | undefined {
  return name.endsWith(".part") ? undefined : name.replace(/\.(asc|rejected)$/, "");
}

async function obtain(entry: SourceEntry, path: string, options: FetchOptions): Promise<FetchedSource["origin"]> {
  if (await copyFromGiven(entry, path, options)) return "source-dir";
  if (await verifyCached(entry, path, options)) return "cache";
  await downloadFirst(entry, path, options);
  return "upstream";
}

/** True when a given directory had the file, by name or by content, and it is in the cache now. */
async function copyFromGiven(entry: SourceEntry, path: string, options: FetchOptions): Promise<boolean> {
  const candidates: string[] = [];
  for (const directory of options.sourceDirs ?? []) {
    const names = await listGiven(directory);
    if (names.includes(entry.file)) {
      const given = join(directory, entry.file);
      const check = await checkDigest(entry, given);
      // The user means this very file: using another one instead would hide that it is wrong.
      if (!check.ok) throw mismatch(entry, check, given);
      return placeCopy(given, path);
    }
    candidates.push(...names.map((name) => join(directory, name)));
  }
  for (const candidate of candidates) {
    if (await couldBe(entry, candidate)) {
      const check = await checkDigest(entry, candidate);
      if (check.ok) return placeCopy(candidate, path);
    }
  }
  return false;
}

async function listGiven(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).sort();
  } catch (cause) {
    throw new InputError("E_SOURCE_DIR", `cannot read the source directory ${directory}: ${String(cause)}`, { cause });
  }
}

/** Keeps the search by content from hashing films: right kind of name, plausible size. */
async function couldBe(entry: SourceEntry, path: string): Promise<boolean> {
  if (!/\.(tar\.[a-z0-9]+|tgz|txz)$/.test(path)) return false;
  const info = await stat(path).catch(() => undefined);
  if (info === undefined || !info.isFile() || info.size > MAX_BYTES) return false;
  return entry.tarSha256 !== undefined || entry.size === undefined || entry.size === info.size;
}

async function placeCopy(from: string, path: string): Promise<true> {
  const part = partName(path);
  await copyFile(from, part);
  await rename(part, path);
  return true;
}

/** The cache is verified at every read: a disk, a sync tool or a hand may have changed it since. */
async function verifyCached(entry: SourceEntry, path: string, options: FetchOptions): Promise<boolean> {
  const info = await stat(path).catch(() => undefined);
  if (info === undefined) return false;
  const check = await checkDigest(entry, path);
  if (check.ok) return true;
  const aside = await setAside(path);
  options.onWarning?.(
    `${path} is damaged (SHA-256 ${check.actual}, expected ${check.expected}); moved to ${aside} and fetched anew`,
  );
  return false;
}

async function setAside(path: string): Promise<string> {
  const aside = `${path}.rejected`;
  // Another run may have moved it already.
  await rename(path, aside).catch(() => undefined);
  return aside;
}

async function downloadFirst(entry: SourceEntry, path: string, options: FetchOptions): Promise<void> {
  await removeStaleParts(options.cacheDir);
  const problems: string[] = [];
  let wrong: { check: DigestCheck; aside: string; url: string } | undefined;
  for (const url of entry.urls) {
    const part = partName(path);
    try {
      await download(part, { url, maxBytes: MAX_BYTES, onBytes: progressOf(entry, url, options) }, options);
      const check = await checkDigest(entry, part);
      if (check.ok) {
        await rename(part, path);
        return;
      }
      wrong = { check, aside: `${path}.rejected`, url };
      await rename(part, wrong.aside);
      options.onWarning?.(`${url} serves another file than the pinned one: SHA-256 is ${check.actual}`);
    } catch (error) {
      options.signal?.throwIfAborted();
      problems.push(`${url}: ${reasonOf(error)}`);
    } finally {
      await rm(part, { force: true });
    }
  }
  if (wrong !== undefined) throw mismatch(entry, wrong.check, wrong.url, wrong.aside);
  throw unreachable(entry, problems);
}

function progressOf(entry: SourceEntry, url: string, { onProgress }: FetchOptions) {
  return (bytes: number, total: number | undefined) =>
    onProgress?.({ file: entry.file, url, bytes, total: total ?? entry.size });
}

function mismatch(entry: SourceEntry, check: DigestCheck, from: string, aside?: string): InputError {
  const what = check.of === "tar" ? `${entry.file} (its decompressed tar)` : entry.file;
  const kept = aside === undefined ? "" : ` It is kept as ${aside}.`;
  return new InputError(
    "E_SOURCE_MISMATCH",
    `${from} is not the pinned ${what}: SHA-256 is ${check.actual}, expected ${check.expected}.${kept}`,
    {
      hint: `Get ${entry.file} from ${entry.urls[0]} and give its directory with --source-dir DIR.`,
    },
  );
}

function unreachable(entry: SourceEntry, problems: readonly string[]): InputError {
  const debian = entry.urls.some((url) => new URL(url).hostname.endsWith("debian.org"));
  const ways = [`put ${entry.file} into a directory and give it with --source-dir DIR`];
  if (!debian) ways.push("compile from Debian's mirror instead with the setting nginx_sources: debian");
  return new InputError(
    "E_SOURCE_UNREACHABLE",
    `the source ${entry.file} (${entry.component} ${entry.version}) cannot be fetched: ${problems.join("; ")}`,
    { hint: `Either ${ways.join(", or ")}.` },
  );
}
