import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { open } from "node:fs/promises";
import { cgroupWords } from "./cgroup.js";
import { labEnvironment } from "./command.js";
import { identify, type ProcessIdentity } from "./processes.js";

/** With --keep-unit nspawn leaves a reboot of the host to its supervisor, and says so by this code (systemd-nspawn@.service). */
const REBOOT_EXIT_CODE = 133;

/** How this machine runs systemd-nspawn; read from it, given in tests. */
export interface MachineTraits {
  /** Process 1 is systemd, so that scopes can be had from it. */
  readonly systemdBooted: boolean;
  /** Only the unified cgroup hierarchy is mounted. */
  readonly pureCgroup2: boolean;
}

export function machineTraits(): MachineTraits {
  return {
    // sd_booted(3): the documented way to tell.
    systemdBooted: existsSync("/run/systemd/system"),
    pureCgroup2: existsSync("/sys/fs/cgroup/cgroup.controllers"),
  };
}

export interface NspawnOptions {
  /** Unique on this machine, at most 11 characters, since it names the veth `vb-ID`. */
  readonly id: string;
  readonly hostname: string;
  readonly root: string;
  readonly bridge: string;
  /** What qemu emulates, on a host of another architecture. */
  readonly cpu?: string | undefined;
}

/** The command line, as data. */
export function nspawnCommand(
  options: NspawnOptions,
  traits: MachineTraits,
): { argv: string[]; env: Record<string, string> } {
  const argv = [
    ...["systemd-nspawn", "--quiet", "--register=no"],
    // With systemd as process 1 the host gets a scope with delegation; without there is nobody to ask for one.
    ...(traits.systemdBooted ? [] : ["--keep-unit"]),
    ...[`--directory=${options.root}`, `--machine=${options.id}`, `--hostname=${options.hostname}`],
    ...(options.cpu === undefined ? [] : [`--setenv=QEMU_CPU=${options.cpu}`]),
    ...[`--network-bridge=${options.bridge}`, "--resolv-conf=off", "--timezone=off", "--link-journal=no", "--boot"],
  ];
  // On a mixed v1/v2 layout nspawn gives the host the legacy hierarchy, which systemd of Debian 13 refuses.
  return { argv, env: traits.pureCgroup2 ? {} : { SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: "1" } };
}

/**
 * Starts the host's container in a session of its own, its console appended to `consoleFile`. When the host reboots
 * it is started again; `onStart` gets the process each time, the first one before the promise resolves.
 */
export async function startNspawn(
  options: NspawnOptions,
  consoleFile: string,
  onStart: (nspawn: ProcessIdentity) => void,
): Promise<void> {
  const traits = machineTraits();
  const { argv, env } = nspawnCommand(options, traits);
  const [program = "", ...words] = [...cgroupWords(options.id, traits), ...argv];
  const console = await open(consoleFile, "a", 0o600);
  try {
    const child = spawn(program, words, {
      stdio: ["ignore", console.fd, console.fd],
      // Its own session: a Ctrl-C of the terminal is ours to handle, and must not reach the host's init.
      detached: true,
      env: labEnvironment(env),
    });
    await new Promise<void>((resolve, reject) => child.once("spawn", resolve).once("error", reject));
    child.unref();
    const identity = child.pid === undefined ? undefined : identify(child.pid);
    if (identity === undefined) throw new Error("systemd-nspawn ended at once");
    child.once("exit", (code) => {
      if (code === REBOOT_EXIT_CODE) startNspawn(options, consoleFile, onStart).catch(() => {});
    });
    onStart(identity);
  } finally {
    await console.close();
  }
}
