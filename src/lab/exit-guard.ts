import type { HostState } from "./state.js";
import { teardownHostSync } from "./teardown.js";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Hosts of this process that are up; the newest state of each. */
const guarded = new Map<string, HostState>();

/**
 * From now on the end of this process removes the host. Call it again when the state has grown.
 * @param handleSignals false where the caller turns signals into an abort or an exit itself.
 */
export function guardHost(state: HostState, handleSignals: boolean): void {
  if (guarded.size === 0) process.on("exit", removeAll);
  if (handleSignals && !SIGNALS.some((signal) => process.listeners(signal).includes(onSignal))) {
    for (const signal of SIGNALS) process.on(signal, onSignal);
  }
  guarded.set(state.id, state);
}

export function unguardHost(id: string): void {
  guarded.delete(id);
  if (guarded.size > 0) return;
  process.off("exit", removeAll);
  for (const signal of SIGNALS) process.off(signal, onSignal);
}

/**
 * Raises the signal again when we no longer listen, so that the process ends by it. Counting other listeners instead
 * would be wrong: libraries such as signal-exit listen too, and leave the end to us.
 */
function onSignal(signal: NodeJS.Signals): void {
  removeAll();
  process.kill(process.pid, signal);
}

function removeAll(): void {
  for (const state of [...guarded.values()]) {
    unguardHost(state.id);
    teardownHostSync(state);
  }
}
