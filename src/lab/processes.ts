import { readdirSync, readFileSync } from "node:fs";

/** A process named so that a reused id is noticed: id and start time in clock ticks since boot. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly start: string;
}

const POLL_MS = 20;

/** Fields of /proc/PID/stat after the command name, which may itself hold spaces and brackets (proc(5)). */
export function statFields(pid: number): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  } catch {
    return undefined;
  }
}

/** @returns undefined when no such process lives. */
export function identify(pid: number): ProcessIdentity | undefined {
  const fields = statFields(pid);
  const start = fields?.[19];
  return start === undefined || fields?.[0] === "Z" ? undefined : { pid, start };
}

export function isAlive(process: ProcessIdentity): boolean {
  return identify(process.pid)?.start === process.start;
}

/** Processes whose parent is `parent`. */
function childrenOf(parent: number): number[] {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => statFields(pid)?.[1] === String(parent));
}

/** The init of the host that this systemd-nspawn runs: its child that is process 1 in a namespace of its own. */
export function leaderOf(nspawn: ProcessIdentity): ProcessIdentity | undefined {
  if (!isAlive(nspawn)) return undefined;
  const leader = childrenOf(nspawn.pid).find((pid) => {
    try {
      return /^NSpid:.*\t1$/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
    } catch {
      return false;
    }
  });
  return leader === undefined ? undefined : identify(leader);
}

/** Sends a signal to exactly this process; one that is gone, or whose id was given to another, is left alone. */
export function signalProcess(target: ProcessIdentity, signal: NodeJS.Signals | number): void {
  if (!isAlive(target)) return;
  try {
    process.kill(target.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** Blocks until the process is gone. @returns false when it still lives after `timeoutMs`. */
export function waitGoneSync(target: ProcessIdentity, timeoutMs: number): boolean {
  const sleeper = new Int32Array(new SharedArrayBuffer(4));
  for (let waited = 0; isAlive(target); waited += POLL_MS) {
    if (waited >= timeoutMs) return false;
    Atomics.wait(sleeper, 0, 0, POLL_MS);
  }
  return true;
}
