import { randomBytes } from "node:crypto";
import { createWriteStream } from "node:fs";
import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

/** Milliseconds until a server has to answer with headers. */
const ANSWER_MS = 20_000;
/** Milliseconds a download may stand still. */
const STALL_MS = 30_000;
/** A half download that nobody has touched for this long belongs to a run that died. */
const STALE_PART_MS = 24 * 60 * 60 * 1000;

export interface DownloadOptions {
  readonly fetch?: typeof globalThis.fetch;
  readonly signal?: AbortSignal;
  readonly answerMs?: number;
  readonly stallMs?: number;
}

export interface Download {
  readonly url: string;
  /** A portal's page or an endless body is cut off here. */
  readonly maxBytes: number;
  /** @param total as the server says, where it does */
  readonly onBytes?: (bytes: number, total: number | undefined) => void;
}

/** Writes what a URL gives into a file that must not be there yet. @throws Error with the reason in words */
export async function download(part: string, { url, maxBytes, onBytes }: Download, options: DownloadOptions) {
  const watchdog = new AbortController();
  const signal = options.signal === undefined ? watchdog.signal : AbortSignal.any([options.signal, watchdog.signal]);
  const bite = (ms: number, why: string) =>
    setTimeout(() => watchdog.abort(new Error(`${why} for ${Math.round(ms / 1000)} s`)), ms);
  let timer = bite(options.answerMs ?? ANSWER_MS, "no answer");
  try {
    const response = await (options.fetch ?? globalThis.fetch)(url, { signal, redirect: "follow" });
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    if (response.body === null) throw new Error("an empty answer");
    const length = Number(response.headers.get("content-length"));
    let bytes = 0;
    clearTimeout(timer);
    timer = bite(options.stallMs ?? STALL_MS, "no data");
    await pipeline(
      // The DOM's ReadableStream and Node's are one object with two type declarations.
      Readable.fromWeb(response.body as import("node:stream/web").ReadableStream<Uint8Array>),
      async function* (chunks: AsyncIterable<Uint8Array>) {
        for await (const chunk of chunks) {
          bytes += chunk.length;
          if (bytes > maxBytes) throw new Error(`more than ${maxBytes} bytes`);
          timer.refresh();
          onBytes?.(bytes, length > 0 ? length : undefined);
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
export function partName(path: string): string {
  return `${path}.${process.pid}-${randomBytes(4).toString("hex")}.part`;
}

/** Removes what runs left in a directory that died while they downloaded. */
export async function removeStaleParts(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    if (!name.endsWith(".part")) continue;
    const path = join(directory, name);
    const info = await stat(path).catch(() => undefined);
    if (info !== undefined && Date.now() - info.mtimeMs > STALE_PART_MS) await rm(path, { force: true });
  }
}

/** fetch() says "fetch failed" and hides the reason (ECONNREFUSED, a certificate) in the cause. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (!(cause instanceof Error)) return error.message;
  const code = "code" in cause && typeof cause.code === "string" ? cause.code : "";
  return cause.message === "" ? code || error.message : cause.message;
}
