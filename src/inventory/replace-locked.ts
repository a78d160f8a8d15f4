import { type FileHandle, open, realpath, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { hasCode } from "./readers.js";

/** A writer needs milliseconds; an older temporary file was left by one that died. */
const STALE_MS = 10_000;
const POLL_MS = 50;

/**
 * Replaces a file in one rename. Its temporary file is also the lock: it is created exclusively, so writers wait for
 * each other and none loses what another wrote. The name begins with a dot, which Ansible skips.
 * @param content gives the new text, called under the lock; undefined leaves the file as it is
 */
export async function replaceLocked(
  file: string,
  mode: number,
  content: () => Promise<string | undefined>,
): Promise<void> {
  const target = await realpath(file).catch(() => file);
  const temporary = join(dirname(target), `.${basename(target)}.new`);
  const handle = await acquire(temporary, mode);
  try {
    const text = await content();
    if (text === undefined) return await rm(temporary, { force: true });
    await handle.writeFile(text);
    await handle.sync();
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
}

async function acquire(temporary: string, mode: number): Promise<FileHandle> {
  for (;;) {
    try {
      return await open(temporary, "wx", mode);
    } catch (error) {
      if (!hasCode(error, "EEXIST")) throw error;
    }
    const age = await ageOf(temporary);
    if (age !== undefined && age > STALE_MS) await rm(temporary, { force: true });
    else await sleep(POLL_MS);
  }
}

/** ms since the last change; undefined when it is gone. */
async function ageOf(path: string): Promise<number | undefined> {
  try {
    return Date.now() - (await stat(path)).mtimeMs;
  } catch {
    return undefined;
  }
}
