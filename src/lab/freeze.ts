import { existsSync, readdirSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { TaskError } from "../util/errors.js";
import { runningHost } from "./host.js";
import { ensureLayer, findLayer, rootOf } from "./layers.js";
import { unmountRootSync } from "./overlay.js";
import { cacheDir } from "./paths.js";
import { isAlive, leaderOf, signalProcess } from "./processes.js";
import { readStates } from "./state.js";
import { endProcessesSync } from "./teardown.js";
import type { LabHost, LabLayer } from "./types.js";

/** What systemd as init takes for "power off" (systemd(1), SIGRTMIN+4); 34 is SIGRTMIN of glibc. */
const POWER_OFF = 34 + 4;
/** The same without waiting for units (SIGRTMIN+14). */
const POWER_OFF_NOW = 34 + 14;
/** Longer than services of an edge take; a user's manager, seen to hang for its full two minutes, has nothing to save. */
const PATIENCE_MS = 15_000;
const POWER_OFF_TIMEOUT_MS = 60_000;
const POLL_MS = 100;

function frozenName(name: string, key: string): string {
  return `frozen-${name}-${key}`;
}

/** @returns the layer that `freezeHost` kept under this name and key, if the cache has it. */
export async function findFrozen(name: string, key: string): Promise<LabLayer | undefined> {
  return findLayer(frozenName(name, key));
}

/**
 * Powers a host off in good order and keeps its file system as a cached layer, so that others boot on it. Layers of
 * the same name with other keys, on which no host lies, are removed. The host is stopped afterwards.
 * @param key names what is on it, such as a hash of the playbook and sources: letters, digits, dashes.
 */
export async function freezeHost(host: LabHost, name: string, key: string): Promise<LabLayer> {
  const { current, layer } = runningHost(host);
  const { folder: hostFolder } = current.state;
  await powerOff(host);
  const frozen = await ensureLayer({
    name: frozenName(name, key),
    build: async (folder) => {
      unmountRootSync(hostFolder);
      const isCopy = !existsSync(join(hostFolder, "work", "work"));
      await rename(join(hostFolder, isCopy ? "merged" : "upper"), rootOf(folder));
      return { release: layer.release, architecture: layer.architecture, below: isCopy ? [] : layer.lowers };
    },
  });
  await host.stop();
  await removeOldFrozen(name, frozen);
  return frozen;
}

async function powerOff(host: LabHost): Promise<void> {
  const { current, emulator } = runningHost(host);
  const { nspawn } = current.state;
  const leader = nspawn && leaderOf(nspawn);
  if (nspawn === undefined || leader === undefined) throw new TaskError("E_LAB_DOWN", `${host.name} is not running`);
  // qemu keeps the first signals for itself, and hands the others on by other numbers.
  if (emulator === undefined) signalProcess(leader, POWER_OFF);
  else await host.exec("systemctl --no-block poweroff");
  const began = performance.now();
  let patient = true;
  while (isAlive(nspawn)) {
    const waited = performance.now() - began;
    if (patient && waited > PATIENCE_MS && emulator === undefined) {
      patient = false;
      signalProcess(leader, POWER_OFF_NOW);
    }
    // One that hangs in its shutdown has ended its services by then.
    if (waited > POWER_OFF_TIMEOUT_MS && emulator !== undefined) endProcessesSync(current.state);
    else if (waited > POWER_OFF_TIMEOUT_MS) throw new TaskError("E_LAB_POWEROFF", `${host.name} does not power off`);
    await sleep(POLL_MS);
  }
}

async function removeOldFrozen(name: string, keep: LabLayer): Promise<void> {
  const inUse = new Set(readStates().flatMap((state) => state.lowers));
  const old = readdirSync(cacheDir()).filter((entry) => entry.startsWith(frozenName(name, "")) && entry !== keep.name);
  for (const entry of old) {
    const folder = join(cacheDir(), entry);
    if (!inUse.has(rootOf(folder))) await rm(folder, { recursive: true, force: true });
  }
}
