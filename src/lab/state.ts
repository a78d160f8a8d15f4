import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { hostStatesDir } from "./paths.js";
import { identify, isAlive, type ProcessIdentity } from "./processes.js";

/** What a host occupies on this machine, written before it is taken, so that a later run can clean up after a crash. */
export interface HostState {
  /** Unique on this machine; names the folder, the nspawn machine and its veth. */
  readonly id: string;
  /** Number of the host in the lab's network, 2 to 254. */
  readonly number: number;
  /** Folder with overlay, keys and console log. */
  readonly folder: string;
  /** The run that booted it, and that stops it. */
  readonly owner: ProcessIdentity;
  readonly nspawn?: ProcessIdentity | undefined;
  /** Layers it lies on, which may not be removed now. */
  readonly lowers: readonly string[];
}

function stateFile(id: string): string {
  return join(hostStatesDir, `${id}.json`);
}

export function writeState(state: HostState): void {
  mkdirSync(hostStatesDir, { recursive: true, mode: 0o700 });
  const file = stateFile(state.id);
  writeFileSync(`${file}.new`, `${JSON.stringify(state)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

export function removeState(id: string): void {
  rmSync(stateFile(id), { force: true });
}

/** Every host that occupies something, of all runs on this machine. */
export function readStates(): HostState[] {
  if (!existsSync(hostStatesDir)) return [];
  return readdirSync(hostStatesDir)
    .filter((entry) => entry.endsWith(".json"))
    .map((entry) => JSON.parse(readFileSync(join(hostStatesDir, entry), "utf8")) as HostState);
}

/** Hosts whose run has ended without stopping them. */
export function readOrphans(): HostState[] {
  return readStates().filter((state) => !isAlive(state.owner));
}

export function ourselves(): ProcessIdentity {
  const identity = identify(process.pid);
  if (identity === undefined) throw new Error("/proc does not list this process: is proc mounted?");
  return identity;
}
