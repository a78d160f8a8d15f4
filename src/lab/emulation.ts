import { existsSync, writeFileSync } from "node:fs";
import { InputError } from "../util/errors.js";
import { run } from "./command.js";
import type { LabArchitecture, LabRelease } from "./types.js";

const BINFMT = "/proc/sys/fs/binfmt_misc";

/** How programs of another architecture are known and run, and the CPU that their host has: the oldest that it is made for. */
export interface Emulator {
  /** qemu's name of it. */
  readonly qemu: "arm" | "aarch64";
  /** Of the ELF header: class, byte order, kind (executable or shared), machine (elf(5), EM_ARM 40, EM_AARCH64 183). */
  readonly magic: string;
  readonly mask: string;
  readonly cpu: string;
}

const ARM = {
  qemu: "arm",
  magic: "7f454c4601010100000000000000000002002800",
  mask: "ffffffffffffff00fffffffffffffffffeffffff",
} as const;

const EMULATORS: Readonly<Record<Exclude<LabArchitecture, "amd64">, Emulator>> = {
  arm64: { ...ARM, qemu: "aarch64", magic: "7f454c460201010000000000000000000200b700", cpu: "cortex-a53" },
  armhf: { ...ARM, cpu: "cortex-a7" },
  // Of a Pi Zero: so `uname -m` says armv6l, and what is made for ARMv7 ends by SIGILL.
  armel: { ...ARM, cpu: "arm1176" },
};

/** What emulation needs besides the rest of the lab, and the Debian package that has it. */
export const EMULATION_REQUIREMENTS: readonly (readonly [needed: string, debianPackage: string])[] = [
  ["qemu-arm-static", "qemu-user-static"],
  ["arch-test", "arch-test"],
];

/** This machine's own architecture, as dpkg calls it. */
export async function ownArchitecture(): Promise<string> {
  return (await run(["dpkg", "--print-architecture"])).trim();
}

/** @returns undefined for this machine's own architecture. */
export async function emulatorOf(architecture: LabArchitecture | undefined): Promise<Emulator | undefined> {
  if (architecture === undefined || architecture === (await ownArchitecture())) return undefined;
  if (architecture === "amd64") {
    throw new InputError("E_LAB_ARCHITECTURE", "an amd64 host can be booted on an amd64 machine alone");
  }
  return EMULATORS[architecture];
}

/** @throws InputError E_LAB_ARCHITECTURE where the release does not run under emulation. */
export function requireEmulatedRelease(release: LabRelease): void {
  if (release === "bookworm") return;
  throw new InputError(
    "E_LAB_ARCHITECTURE",
    "an emulated host cannot be Debian 13: its systemd 257 starts no unit under qemu 7.2 (Failed to spawn executor)",
    { hint: "boot release bookworm" },
  );
}

/** A line of /proc/sys/fs/binfmt_misc/register. Flags: keep argv[0], open the file, keep credentials (sudo), fix the interpreter. */
export function binfmtLine(emulator: Emulator, interpreter: string): string {
  const escaped = (hex: string) => hex.replace(/../g, "\\x$&");
  return `:${entryOf(emulator)}:M::${escaped(emulator.magic)}:${escaped(emulator.mask)}:${interpreter}:POCF`;
}

/** A name of our own: this machine's entries stay as they are, and the newest entry is asked first. */
function entryOf({ qemu }: Emulator): string {
  return `edge-setup-${qemu}`;
}

/** Has the kernel run programs of the architecture by qemu. The entry stays until this machine reboots. */
export async function ensureEmulation(emulator: Emulator): Promise<void> {
  if (!existsSync(`${BINFMT}/register`)) await run(["mount", "-t", "binfmt_misc", "binfmt_misc", BINFMT]);
  if (existsSync(`${BINFMT}/${entryOf(emulator)}`)) return;
  // With this name qemu knows that it gets the program's own argv[0] (flag P).
  const interpreter = [`/usr/libexec/qemu-binfmt/${emulator.qemu}-binfmt-P`, `/usr/bin/qemu-${emulator.qemu}-static`];
  writeFileSync(`${BINFMT}/register`, binfmtLine(emulator, interpreter.find(existsSync) ?? ""));
}
