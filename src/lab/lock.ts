import { spawn, spawnSync } from "node:child_process";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { InterruptedError, TaskError } from "../util/errors.js";
import { labEnvironment } from "./command.js";

const PATIENCE_MS = 1000;
/** A teardown at exit rather goes on without the lock than hangs. */
const SYNC_TIMEOUT_SECONDS = 10;

interface LockOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called once when another process holds the lock for more than a second. */
  readonly onWait?: (() => void) | undefined;
}

/** Locks that this process holds: an exit handler in the middle of `withLock` must not wait for itself. */
const held = new Set<string>();

/**
 * Runs `work` while holding a kernel lock on `file`. flock(2) locks belong to the open file, which the flock program
 * inherits from us and leaves locked: so the lock ends with this process, however that ends.
 */
export async function withLock<T>(file: string, work: () => Promise<T>, options: LockOptions = {}): Promise<T> {
  const descriptor = openLock(file);
  try {
    await acquire(file, descriptor, options);
    held.add(file);
    return await work();
  } finally {
    held.delete(file);
    closeSync(descriptor);
  }
}

/** The same without an event loop. */
export function withLockSync(file: string, work: () => void): void {
  if (held.has(file)) {
    work();
    return;
  }
  const descriptor = openLock(file);
  try {
    spawnSync("flock", ["--timeout", String(SYNC_TIMEOUT_SECONDS), "3"], {
      stdio: ["ignore", "ignore", "ignore", descriptor],
      env: labEnvironment(),
    });
    work();
  } finally {
    closeSync(descriptor);
  }
}

function openLock(file: string): number {
  mkdirSync(dirname(file), { recursive: true });
  return openSync(file, "a", 0o600);
}

async function acquire(file: string, descriptor: number, options: LockOptions): Promise<void> {
  const patience = setTimeout(() => options.onWait?.(), PATIENCE_MS);
  const flock = spawn("flock", ["3"], { stdio: ["ignore", "ignore", "ignore", descriptor], env: labEnvironment() });
  const abandon = () => flock.kill();
  options.signal?.addEventListener("abort", abandon, { once: true });
  try {
    const code = await new Promise<number | null>((resolve, reject) =>
      flock.once("error", reject).once("exit", resolve),
    );
    if (options.signal?.aborted) throw new InterruptedError("E_INTERRUPTED", "interrupted");
    if (code !== 0) throw new TaskError("E_LAB_LOCK", `the lock ${file} cannot be taken: flock ends with code ${code}`);
  } finally {
    clearTimeout(patience);
    options.signal?.removeEventListener("abort", abandon);
  }
}
