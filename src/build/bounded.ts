import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";

/** Sources of one build are 5 MB, a build is 1 to 2 MB: years of them. */
export const MAX_CACHE_BYTES = 256 * 1024 * 1024;
/** What was used within a day stays, whatever its size: another run may be about to send it. */
const KEEP_MS = 24 * 3600 * 1000;

interface BoundOptions {
  readonly maxBytes?: number;
  /** Milliseconds since the epoch. */
  readonly now?: number;
  /** Files that go together, by the name that this gives; those it gives none for stay. */
  readonly setOf: (name: string) => string | undefined;
}

/**
 * Removes from a cache directory what was not used for longest, until the rest is small enough. A file was used when its time was
 * last set. Other runs may do the same at once.
 */
export async function boundCache(directory: string, options: BoundOptions): Promise<void> {
  const { maxBytes = MAX_CACHE_BYTES, now = Date.now(), setOf } = options;
  const sets = new Map<string, { names: string[]; bytes: number; used: number }>();
  let total = 0;
  for (const name of await readdir(directory)) {
    const key = setOf(name);
    const info = await stat(join(directory, name)).catch(() => undefined);
    if (key === undefined || info === undefined || !info.isFile()) continue;
    const set = sets.get(key) ?? { names: [], bytes: 0, used: 0 };
    set.names.push(name);
    set.bytes += info.size;
    set.used = Math.max(set.used, info.mtimeMs);
    sets.set(key, set);
    total += info.size;
  }
  for (const set of [...sets.values()].sort((a, b) => a.used - b.used)) {
    if (total <= maxBytes || now - set.used < KEEP_MS) return;
    await Promise.all(set.names.map((name) => rm(join(directory, name), { force: true })));
    total -= set.bytes;
  }
}
