import type { Transport } from "../transport/transport.js";
import { boundedAnswer } from "../util/bounded-answer.js";
import { EdgeError } from "../util/errors.js";
import { userlandWords } from "../util/machine-words.js";
import { modelKey } from "../util/model-key.js";
import type { HostCheck, HostPortrait } from "../wizard/types.js";
import { capability } from "./capability.js";
import { cpuLevelOf } from "./cpu-level.js";
import { portraitScript } from "./portrait-script.js";
import { storageKindOf } from "./storage.js";
import { powerWords } from "./throttled.js";
import { userlandOf, userlandProblem } from "./userland.js";

/** The most that is read of an answer, bytes. */
const ANSWER_LIMIT = 256 * 1024;
/** A host that takes longer for a look is none to be set up now. */
const TIMEOUT_MS = 30_000;
/** Longest value that is shown. */
const VALUE_LIMIT = 120;
/** Certificates and the dates in playlists suffer beyond this, milliseconds. */
const CLOCK_LIMIT_MS = 60_000;
/** playbooks/tasks/preflight.yml wants as much for packages, sources and the compile. */
const DISK_WANTED = 900e6;
const MEMORY_WANTED_MB = 200;

/** Connects, looks, and closes; whatever goes wrong is told as the host's own state. */
export async function checkHost(open: () => Promise<Transport>, now: () => number): Promise<HostCheck> {
  try {
    const transport = await open();
    try {
      return { status: "ok", portrait: await takePortrait(transport, now) };
    } finally {
      await transport.close();
    }
  } catch (error) {
    if (!(error instanceof EdgeError)) throw error;
    const hint = error.hint === undefined ? {} : { hint: error.hint };
    return { status: "failed", code: error.code, text: error.message, ...hint };
  }
}

/**
 * What a host is, before anything is changed: one command.
 * @param now milliseconds since the epoch, for the difference of the clocks
 */
export async function takePortrait(transport: Transport, now: () => number): Promise<HostPortrait> {
  const began = now();
  const answer = await boundedAnswer(transport, "sh", {
    stdin: Buffer.from(portraitScript),
    most: ANSWER_LIMIT,
    timeoutMs: TIMEOUT_MS,
    signal: undefined,
  });
  // The clock was read about half way between the question and its answer.
  const middle = began + (now() - began) / 2;
  return parsePortrait(answer.toString("utf8"), middle);
}

/** @param middle our clock when the host read its own, milliseconds since the epoch */
export function parsePortrait(answer: string, middle: number): HostPortrait {
  const values = new Map<string, string>();
  for (const line of answer.split("\n")) {
    const tab = line.indexOf("\t");
    if (tab > 0) values.set(line.slice(0, tab), printable(line.slice(tab + 1)));
  }
  const text = (key: string) => values.get(key) ?? "";
  const number = (key: string) => Number.parseInt(text(key), 10) || 0;
  const machine = text("machine");
  const board = text("model");
  const product = /^(|none|to be filled.*|system product name|default string)$/i.test(text("product"))
    ? ""
    : text("product");
  const model = board || product || `${machine || "unknown"} host`;
  const cores = Math.max(1, number("cores"));
  const clock = number("clock");
  const clockSkewMs = clock === 0 ? 0 : Math.round(clock - middle);
  const power = powerWords(text("throttled"));
  const userland = userlandOf(text("arch"), text("id"));
  const portrait = {
    model,
    modelKey: modelKey(board, machine, cores),
    os: osName(text("id"), text("name"), text("version"), text("point")),
    userland,
    architecture: userlandWords(userland, machine),
    cpuLevel: cpuLevelOf(machine, text("parts").split(" ")),
    cores,
    memoryMb: Math.floor(number("total") / 1024),
    memoryFreeMb: Math.floor(number("available") / 1024),
    swapMb: Math.floor(number("swap") / 1024),
    storage: storageKindOf(text("root_device"), text("root_rotational"), text("root_type")),
    diskFreeBytes: number("free") * 1024,
    power,
    clockSkewMs,
    sudo: sudoOf(text("uid"), text("sudo")),
    addresses: text("addresses")
      .split(" ")
      .filter((address) => address !== ""),
    capability: capability(model, machine, cores),
  };
  const unfit = userlandProblem(userland, machine);
  const warnings = warningsOf(portrait, text("id"), text("version"), text("systemd") === "yes");
  return { ...portrait, warnings: unfit === undefined ? warnings : [unfit, ...warnings] };
}

function printable(value: string): string {
  return value
    .replaceAll(/[^\x20-\x7e\u00a1-\u024f]/g, "")
    .trim()
    .slice(0, VALUE_LIMIT);
}

function osName(id: string, name: string, version: string, point: string): string {
  if (id === "debian" || id === "raspbian") return `Debian ${/^\d+(\.\d+)*$/.test(point) ? point : version}`;
  return `${name || id || "unknown system"} ${version}`.trim();
}

function sudoOf(uid: string, sudo: string): HostPortrait["sudo"] {
  if (uid === "0") return "root";
  return sudo === "free" ? "passwordless" : sudo === "asks" ? "password" : "none";
}

/** The one warning that speaks against a compile alone, and not against what runs. */
export function memoryWarning(freeMb: number): string {
  return `only ${freeMb} MB of memory are free: the compile will be slow`;
}

/** playbooks/tasks/preflight.yml refuses the same, later. */
function isSupported(id: string, version: string): boolean {
  const major = Number.parseInt(version, 10);
  if (id === "debian" || id === "raspbian") return major === 12 || major === 13;
  return id === "ubuntu" && major >= 22;
}

function warningsOf(
  portrait: Omit<HostPortrait, "warnings">,
  id: string,
  version: string,
  systemd: boolean,
): readonly string[] {
  const { os, diskFreeBytes, memoryFreeMb, clockSkewMs, sudo, power } = portrait;
  const minutes = Math.round(Math.abs(clockSkewMs) / 60_000);
  const clock = `its clock is ${minutes} min ${clockSkewMs > 0 ? "ahead" : "behind"}: set it (timedatectl set-ntp true)`;
  return [
    ...(isSupported(id, version)
      ? []
      : [`${os} is not supported: Debian or Raspberry Pi OS 12 and 13, Ubuntu 22.04 and newer are`]),
    ...(systemd ? [] : ["it does not run systemd, which an edge needs"]),
    ...(sudo === "none" ? ["the user is not root and has no sudo"] : []),
    ...(diskFreeBytes < DISK_WANTED
      ? [`only ${Math.round(diskFreeBytes / 1e6)} MB of disk are free: 900 MB are needed`]
      : []),
    ...(memoryFreeMb < MEMORY_WANTED_MB ? [memoryWarning(memoryFreeMb)] : []),
    ...(Math.abs(clockSkewMs) > CLOCK_LIMIT_MS ? [clock] : []),
    ...power,
  ];
}
