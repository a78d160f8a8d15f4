import { basename, dirname, resolve } from "node:path";
import { InputError } from "../util/errors.js";
import { type FetchedSource, type FetchOptions, fetchSource } from "./fetch.js";
import { entryByFile, type SourceEntry, type SourceLock } from "./sources.js";

export interface SourceResolverOptions extends FetchOptions {
  readonly lock: SourceLock;
  /** Called once a source is there and verified. */
  readonly onSource?: (entry: SourceEntry, source: FetchedSource) => void;
}

/**
 * A function that makes sure of local files which a playbook names and which may have to be fetched first: a path
 * directly inside the cache directory is looked up in the lock by its file name, fetched if need be, and verified, once
 * per run. Paths elsewhere are none of its business.
 * The returned function throws what `fetchSource` throws, and InputError `E_SOURCE_UNKNOWN` for a name that the lock
 * does not have.
 */
export function makeSourceResolver(options: SourceResolverOptions): (path: string) => Promise<void> {
  const cacheDir = resolve(options.cacheDir);
  const pending = new Map<string, Promise<void>>();

  async function ensure(path: string): Promise<void> {
    const entry = entryByFile(options.lock, basename(path));
    if (entry === undefined) {
      throw new InputError("E_SOURCE_UNKNOWN", `${options.lock.file} pins no file named ${basename(path)}`);
    }
    options.onSource?.(entry, await fetchSource(entry, { ...options, cacheDir }));
  }

  return async (path) => {
    const absolute = resolve(path);
    if (dirname(absolute) !== cacheDir) return;
    // Many hosts ask for the same file at once; one fetch serves them all. A failure is not remembered.
    const job = pending.get(absolute) ?? ensure(absolute);
    pending.set(absolute, job);
    await job.catch((error: unknown) => {
      pending.delete(absolute);
      throw error;
    });
  };
}

/** What there is to say of a source that is there and verified. */
export function sourceWords(
  entry: SourceEntry,
  { origin, signature }: FetchedSource,
): { readonly level: "info" | "warning"; readonly text: string } {
  const text = `source ${entry.file} from ${origin}`;
  switch (signature.status) {
    case "unsigned":
      return { level: "info", text };
    case "good":
      return { level: "info", text: `${text}, signed by ${signature.by} on ${signature.made}` };
    case "absent":
      return {
        level: "warning",
        text: `${text}: its signature cannot be had (${signature.reasons.join("; ")}), so its pinned SHA-256 alone decides`,
      };
  }
}
