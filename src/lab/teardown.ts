import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { removeCgroupSync } from "./cgroup.js";
import { withLockSync } from "./lock.js";
import { removeNetworkSync } from "./network.js";
import { machineTraits } from "./nspawn.js";
import { unmountRootSync } from "./overlay.js";
import { hostsDir, lockFile } from "./paths.js";
import { leaderOf, signalProcess, waitGoneSync } from "./processes.js";
import { type HostState, readOrphans, readStates, removeState } from "./state.js";

const GONE_TIMEOUT_MS = 5000;

/**
 * Ends a host's processes and removes its mount, folder and state, and the network with the last host. Synchronous, so
 * that exit handlers, `stop()` and the clean-up after a crash are one code. Ends only processes named in the state,
 * by id and start time.
 */
export function teardownHostSync(state: HostState): void {
  endProcessesSync(state);
  removeCgroupSync(state.id, machineTraits());
  unmountRootSync(state.folder);
  rmSync(state.folder, { recursive: true, force: true });
  withLockSync(lockFile, () => {
    removeState(state.id);
    if (readStates().length === 0) removeNetworkSync();
  });
}

/** The host's init first: the kernel then ends all that runs inside, and nspawn follows by itself. */
export function endProcessesSync(state: HostState): void {
  if (state.nspawn === undefined) return;
  const leader = leaderOf(state.nspawn);
  if (leader) {
    signalProcess(leader, "SIGKILL");
    waitGoneSync(leader, GONE_TIMEOUT_MS);
  }
  if (waitGoneSync(state.nspawn, GONE_TIMEOUT_MS)) return;
  signalProcess(state.nspawn, "SIGKILL");
  waitGoneSync(state.nspawn, GONE_TIMEOUT_MS);
}

/** Removes the hosts of runs that ended without doing so, and folders that no host has. @returns the hosts' ids. */
export function removeOrphansSync(): string[] {
  const orphans = readOrphans();
  for (const orphan of orphans) teardownHostSync(orphan);
  withLockSync(lockFile, () => {
    const known = new Set(readStates().map((state) => state.id));
    const folders = existsSync(hostsDir()) ? readdirSync(hostsDir()) : [];
    for (const folder of folders.filter((entry) => !known.has(entry))) {
      unmountRootSync(join(hostsDir(), folder));
      rmSync(join(hostsDir(), folder), { recursive: true, force: true });
    }
    if (known.size === 0) removeNetworkSync();
  });
  return orphans.map((orphan) => orphan.id);
}
