import { randomBytes } from "node:crypto";
import { createWriteStream } from "node:fs";
import { copyFile, mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { InputError } from "../util/errors.js";
import { checkDigest, type DigestCheck } from "./digest.js";
import type { SourceEntry } from "./sources.js";

/** Milliseconds until a server has to answer with headers. */
const ANSWER_MS = 20_000;
/** Milliseconds a download may stand still. */
const STALL_MS = 30_000;
/** The largest source is 1.3 MB; a portal's page or an endless body is cut off here. */
const MAX_BYTES = 64 * 1024 * 1024;
/** A half download that nobody has touched for this long belongs to a run that died. */
const STALE_PART_MS = 24 * 60 * 60 * 1000;

export interface FetchProgress {
  readonly file: string;
  readonly url: string;
  readonly bytes: number;
  /** Bytes in all, where the server or the lock says. */
  readonly total: number | undefined;
}

export interface FetchOptions {
  readonly cacheDir: string;
  /** Directories the user gave (`--source-dir`), asked first. */
  readonly sourceDirs?: readonly string[];
  readonly fetch?: typeof globalThis.fetch;
  readonly signal?: AbortSignal;
  readonly answerMs?: number;
  readonly stallMs?: number;
  readonly onProgress?: (progress: FetchProgress) => void;
  /** Things worth saying that do not stop the fetch: a damaged file in the cache, a mirror with another file. */
  readonly onWarning?: (message: string) => void;
}

/** Where a source came from. */
export interface FetchedSource {
  readonly path: string;
  readonly origin: "source-dir" | "cache" | "upstream";
}

/** `$XDG_CACHE_HOME/edge-setup/sources`, by default under ~/.cache. A relative XDG_CACHE_HOME is ignored, as its specification says. */
export function defaultCacheDir(env: NodeJS.ProcessEnv): string {
  const base = env.XDG_CACHE_HOME;
  return join(
    base !== undefined && isAbsolute(base) ? base : join(env.HOME ?? homedir(), ".cache"),
    "edge-setup/sources",
  );
}

/**
 * Puts one pinned source into the cache, verified: from the given directories, the cache, or upstream, in this order.
 * Safe while another run does the same: what appears under the entry's name is always whole.
 * @throws InputError `E_SOURCE_MISMATCH` when only wrong files can be had, `E_SOURCE_UNREACHABLE` when none can,
 *   `E_SOURCE_DIR` when a given directory cannot be read; the signal's reason when aborted.
 */
export async function fetchSource(entry: SourceEntry, options: FetchOptions): Promise<FetchedSource> {
  await mkdir(options.cacheDir, { recursive: true });
  const path = join(options.cacheDir, entry.file);
  if (await copyFromGiven(entry, path, options)) return { path, origin: "source-dir" };
  if (await verifyCached(entry, path, options)) return { path, origin: "cache" };
  await download(entry, path, options);
  return { path, origin: "upstream" };
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

async function download(entry: SourceEntry, path: string, options: FetchOptions): Promise<void> {
  await removeStaleParts(options.cacheDir);
  const problems: string[] = [];
  let wrong: { check: DigestCheck; aside: string; url: string } | undefined;
  for (const url of entry.urls) {
    const part = partName(path);
    try {
      await downloadTo(part, url, entry, options);
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

async function downloadTo(part: string, url: string, entry: SourceEntry, options: FetchOptions): Promise<void> {
  const watchdog = new AbortController();
  const signal = options.signal === undefined ? watchdog.signal : AbortSignal.any([options.signal, watchdog.signal]);
  const stallMs = options.stallMs ?? STALL_MS;
  const answerMs = options.answerMs ?? ANSWER_MS;
  const bite = (ms: number, why: string) =>
    setTimeout(() => watchdog.abort(new Error(`${why} for ${Math.round(ms / 1000)} s`)), ms);
  let timer = bite(answerMs, "no answer");
  try {
    const response = await (options.fetch ?? globalThis.fetch)(url, { signal, redirect: "follow" });
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    if (response.body === null) throw new Error("an empty answer");
    const length = Number(response.headers.get("content-length"));
    const total = length > 0 ? length : entry.size;
    let bytes = 0;
    clearTimeout(timer);
    timer = bite(stallMs, "no data");
    await pipeline(
      // The DOM's ReadableStream and Node's are one object with two type declarations.
      Readable.fromWeb(response.body as import("node:stream/web").ReadableStream<Uint8Array>),
      async function* (chunks: AsyncIterable<Uint8Array>) {
        for await (const chunk of chunks) {
          bytes += chunk.length;
          if (bytes > MAX_BYTES) throw new Error(`more than ${MAX_BYTES} bytes`);
          timer.refresh();
          options.onProgress?.({ file: entry.file, url, bytes, total });
          yield chunk;
        }
      },
      createWriteStream(part, { flags: "wx" }),
      { signal },
    );
  } catch (error) {
    throw watchdog.signal.aborted ? watchdog.signal.reason : error;
  } finally {
    clearTimeout(timer);
  }
}

/** Unique to this run, so that two runs never write into one file. */
function partName(path: string): string {
  return `${path}.${process.pid}-${randomBytes(4).toString("hex")}.part`;
}

async function removeStaleParts(cacheDir: string): Promise<void> {
  for (const name of await readdir(cacheDir)) {
    if (!name.endsWith(".part")) continue;
    const path = join(cacheDir, name);
    const info = await stat(path).catch(() => undefined);
    if (info !== undefined && Date.now() - info.mtimeMs > STALE_PART_MS) await rm(path, { force: true });
  }
}

/** fetch() says "fetch failed" and hides the reason (ECONNREFUSED, a certificate) in the cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (!(cause instanceof Error)) return error.message;
  const code = "code" in cause && typeof cause.code === "string" ? cause.code : "";
  return cause.message === "" ? code || error.message : cause.message;
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
