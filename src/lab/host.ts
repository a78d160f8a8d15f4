import { randomBytes } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { InputError, InterruptedError, TaskError } from "../util/errors.js";
import { ensureBase, ensurePackages } from "./base.js";
import { tryRun } from "./command.js";
import { type Emulator, emulatorOf, ensureEmulation } from "./emulation.js";
import { guardHost, unguardHost } from "./exit-guard.js";
import { type GuestKeys, prepareGuest } from "./guest.js";
import { withLock } from "./lock.js";
import { ensureNetwork, type LabNetwork } from "./network.js";
import { startNspawn } from "./nspawn.js";
import { mountRoot } from "./overlay.js";
import { hostsDir, lockFile } from "./paths.js";
import { isAlive, leaderOf, type ProcessIdentity } from "./processes.js";
import { requireLabMachine, requirePackages } from "./requirements.js";
import { type HostState, ourselves, readStates, writeState } from "./state.js";
import { removeOrphansSync, teardownHostSync } from "./teardown.js";
import type { BootOptions, LabExecResult, LabHost, LabLayer } from "./types.js";

const NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const SSH_PORT = 22;
const FIRST_NUMBER = 2;
const LAST_NUMBER = 254;
/** Busy machines take most of it; an idle amd64 one 1 to 3 s. */
const BOOT_TIMEOUT_MS = 120_000;
/** 45 s on an idle machine. */
const EMULATED_BOOT_TIMEOUT_MS = 600_000;
const POLL_MS = 50;
/** A question to an emulated host keeps it from its boot for half a second. */
const EMULATED_POLL_MS = 3000;
const GUEST_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const SHOWN_CONSOLE_LINES = 15;

/** What only this room needs to know of a running host. */
export interface RunningHost {
  /** Replaced at each reboot, since its process is another then. */
  readonly current: { readonly state: HostState };
  readonly layer: LabLayer;
  readonly emulator: Emulator | undefined;
}

const running = new WeakMap<LabHost, RunningHost>();

/** @throws TypeError when the host was not made by `bootHost` of this process. */
export function runningHost(host: LabHost): RunningHost {
  const found = running.get(host);
  if (found === undefined) throw new TypeError(`${host.name} is not a host that this process booted`);
  return found;
}

/**
 * Boots a throw-away Debian host on this machine and waits until SSH answers and systemd is up. What is missing of
 * the cached file systems is made first, which takes about a minute, once.
 * @throws InputError where a lab cannot be had (no root, no Debian, packages missing); TaskError E_LAB_BOOT with the
 * console's last lines; InterruptedError. Nothing stays behind in any of these cases.
 */
export async function bootHost(options: BootOptions): Promise<LabHost> {
  if (!NAME.test(options.name))
    throw new InputError("E_LAB_NAME", `"${options.name}" is no host name: lower-case letters, digits and dashes`);
  requireLabMachine();
  const emulator = await emulatorOf(options.from ? options.from.architecture : options.architecture);
  requirePackages({ emulated: emulator !== undefined });
  if (emulator !== undefined) await ensureEmulation(emulator);
  for (const id of removeOrphansSync()) options.onProgress?.(`removed ${id}, left by a run that crashed`);
  const layer = await chooseLayer(options, emulator);
  const began = performance.now();
  const { state, network } = await reserve(options, layer);
  guardHost(state, options.handleSignals ?? true);
  try {
    return await boot(options, { layer, emulator }, state, network, began);
  } catch (error) {
    unguardHost(state.id);
    teardownHostSync(currentState(state));
    throw error;
  }
}

async function chooseLayer(options: BootOptions, emulator: Emulator | undefined): Promise<LabLayer> {
  if (options.from) return options.from;
  const base = await ensureBase(options.release ?? (emulator === undefined ? "trixie" : "bookworm"), options);
  return options.layer ? ensurePackages(base, options.layer, options) : base;
}

/** Takes a number and a folder, and the network; under the machine's lock, written down before it is used. */
async function reserve(options: BootOptions, layer: LabLayer): Promise<{ state: HostState; network: LabNetwork }> {
  return withLock(
    lockFile,
    async () => {
      const network = await ensureNetwork(options.signal);
      const taken = new Set(readStates().map((state) => state.number));
      const free = Array.from({ length: LAST_NUMBER - FIRST_NUMBER + 1 }, (_, index) => index + FIRST_NUMBER);
      const number = free.find((candidate) => !taken.has(candidate));
      if (number === undefined) throw new TaskError("E_LAB_FULL", "the lab has no address left: 253 hosts are up");
      const id = `${options.name.slice(0, 6)}-${randomBytes(2).toString("hex")}`;
      const folder = join(hostsDir(), id);
      const state: HostState = { id, number, folder, owner: ourselves(), lowers: layer.lowers };
      writeState(state);
      await mkdir(folder, { recursive: true, mode: 0o700 });
      return { state, network };
    },
    { signal: options.signal },
  );
}

async function boot(
  options: BootOptions,
  { layer, emulator }: Omit<RunningHost, "current">,
  reserved: HostState,
  network: LabNetwork,
  began: number,
): Promise<LabHost> {
  const { folder, number, id } = reserved;
  const mounted = await mountRoot(layer.lowers, folder, options.signal);
  const cpu = emulator?.cpu;
  const keys = await prepareGuest(mounted.root, folder, { ...options, number, cpu }, network);
  // A host that had this number before left its hardware address in the neighbour table.
  await tryRun(["ip", "neigh", "flush", "dev", network.bridge, "to", `${network.prefix}.${number}`]);
  const spawnOptions = { id, hostname: options.name, root: mounted.root, bridge: network.bridge, cpu };
  const current = { state: reserved };
  await startNspawn(spawnOptions, join(folder, "console.log"), (nspawn) => {
    current.state = { ...reserved, nspawn };
    writeState(current.state);
    guardHost(current.state, options.handleSignals ?? true);
  });
  const address = `${network.prefix}.${number}`;
  await waitUp({ nspawn: nspawnOf(current.state), cpu }, address, options, folder);
  return makeHost(options, { current, layer, emulator }, network, keys, Math.round(performance.now() - began));
}

function makeHost(
  options: BootOptions,
  known: RunningHost,
  network: LabNetwork,
  keys: GuestKeys,
  bootMs: number,
): LabHost {
  const { current, layer, emulator } = known;
  const { number, id } = current.state;
  const host: LabHost = {
    ...{
      name: options.name,
      release: layer.release,
      architecture: layer.architecture,
      sshPort: SSH_PORT,
      user: "ops",
      bootMs,
      ...keys,
    },
    address: `${network.prefix}.${number}`,
    address6: `${network.prefix6}::${number.toString(16)}`,
    exec: (command, execOptions) =>
      execInside({ nspawn: nspawnOf(current.state), cpu: emulator?.cpu }, command, execOptions),
    stop: async () => {
      if (!running.delete(host)) return;
      unguardHost(id);
      teardownHostSync(current.state);
    },
  };
  running.set(host, known);
  return host;
}

/** A host's processes, from outside. */
interface Inside {
  readonly nspawn: ProcessIdentity;
  readonly cpu: string | undefined;
}

/** Runs a command as root in all of the host's namespaces. */
async function execInside(
  { nspawn, cpu }: Inside,
  command: string,
  options: { readonly input?: string; readonly signal?: AbortSignal } = {},
): Promise<LabExecResult> {
  const leader = leaderOf(nspawn);
  if (leader === undefined) throw new TaskError("E_LAB_DOWN", "the lab host is not running");
  const inside = ["nsenter", "-t", String(leader.pid), "-m", "-u", "-i", "-n", "-p", "--"];
  const emulated = cpu === undefined ? [] : [`QEMU_CPU=${cpu}`];
  const environment = ["env", "-i", GUEST_PATH, "HOME=/root", "LANG=C.UTF-8", ...emulated];
  return tryRun([...inside, ...environment, "/bin/sh", "-c", command], options);
}

/** Waits for sshd's greeting and for systemd to have started everything. */
async function waitUp(inside: Inside, address: string, options: BootOptions, folder: string): Promise<void> {
  const { nspawn, cpu } = inside;
  const [timeoutMs, pollMs] =
    cpu === undefined ? [BOOT_TIMEOUT_MS, POLL_MS] : [EMULATED_BOOT_TIMEOUT_MS, EMULATED_POLL_MS];
  const deadline = performance.now() + timeoutMs;
  let greeted = false;
  for (;;) {
    if (options.signal?.aborted) throw new InterruptedError("E_INTERRUPTED", "interrupted");
    if (!isAlive(nspawn) || performance.now() > deadline) {
      throw await bootError(options.name, folder, isAlive(nspawn) ? timeoutMs : undefined);
    }
    greeted ||= await greets(address);
    if (greeted && (await systemdUp(inside, options))) return;
    await sleep(pollMs);
  }
}

async function systemdUp(inside: Inside, options: BootOptions): Promise<boolean> {
  const state = (await execInside(inside, "systemctl is-system-running")).stdout.trim();
  if (state === "degraded") {
    const failed = await execInside(inside, "systemctl --failed --plain --no-legend | cut -d' ' -f1");
    options.onProgress?.(
      `${options.name} is up, but these units failed: ${failed.stdout.trim().split("\n").join(", ")}`,
    );
  }
  return state === "running" || state === "degraded";
}

/** Whether an SSH server sends its first bytes there. */
function greets(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port: SSH_PORT, timeout: 500 });
    const answer = (yes: boolean) => {
      socket.destroy();
      resolve(yes);
    };
    socket.once("data", (chunk) => answer(chunk.toString("latin1").startsWith("SSH-")));
    socket.once("error", () => answer(false)).once("timeout", () => answer(false));
  });
}

/** @param waitedMs undefined when it ended by itself */
async function bootError(name: string, folder: string, waitedMs: number | undefined): Promise<TaskError> {
  const console = await readFile(join(folder, "console.log"), "utf8").catch(() => "");
  const tail = console.trimEnd().split("\n").slice(-SHOWN_CONSOLE_LINES).join("\n");
  const what = waitedMs === undefined ? "ended while it booted" : `does not answer within ${waitedMs / 1000} s`;
  return new TaskError("E_LAB_BOOT", `the lab host ${name} ${what}; its console says:\n${tail}`);
}

function nspawnOf(state: HostState): ProcessIdentity {
  if (state.nspawn === undefined) throw new Error(`${state.id} was not started`);
  return state.nspawn;
}

/** The newest written state: a failure after the start must end the processes too. */
function currentState(state: HostState): HostState {
  return readStates().find((written) => written.id === state.id) ?? state;
}
