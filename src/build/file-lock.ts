import { closeSync, openSync, renameSync, rmSync, statSync } from "node:fs";
import { TaskError } from "../util/errors.js";

/** What is done under the lock are a few renames: whoever holds it longer has died. */
const STALE_MS = 10_000;
const POLL_MS = 20;
const PATIENCE_MS = 30_000;
/** Nothing ever changes it: waiting for it is sleeping. */
const clock = new Int32Array(new SharedArrayBuffer(4));

/**
 * Does a few quick steps that no other process does at the same time. The lock is a file that only one can create, as a kernel lock
 * is nothing that Node or macOS has a program for.
 * @throws TaskError E_CACHE_LOCK when it cannot be had
 */
export function withFileLock<T>(path: string, work: () => T): T {
  const began = Date.now();
  while (!take(path)) {
    if (Date.now() - began > PATIENCE_MS) throw new TaskError("E_CACHE_LOCK", `the lock ${path} cannot be had`);
    Atomics.wait(clock, 0, 0, POLL_MS);
  }
  try {
    return work();
  } finally {
    rmSync(path, { force: true });
  }
}

function take(path: string): boolean {
  try {
    closeSync(openSync(path, "wx"));
    return true;
  } catch (error) {
    if (!isCode(error, "EEXIST")) throw error;
  }
  const info = statSync(path, { throwIfNoEntry: false });
  if (info === undefined || Date.now() - info.mtimeMs < STALE_MS) return false;
  // Of several that find it stale, one gets it out of the way.
  const aside = `${path}.${process.pid}`;
  try {
    renameSync(path, aside);
    rmSync(aside, { force: true });
  } catch (error) {
    if (!isCode(error, "ENOENT")) throw error;
  }
  return false;
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
