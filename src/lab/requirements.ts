import { existsSync } from "node:fs";
import { join } from "node:path";
import { InputError } from "../util/errors.js";
import { labEnvironment, run } from "./command.js";
import { EMULATION_REQUIREMENTS } from "./emulation.js";
import type { LabProgress } from "./types.js";

/** What the lab runs, and the Debian package that has it. A path is a file, a plain word a program. */
const REQUIREMENTS: readonly (readonly [needed: string, debianPackage: string])[] = [
  ["systemd-nspawn", "systemd-container"],
  ["mmdebstrap", "mmdebstrap"],
  ["/usr/share/keyrings/debian-archive-keyring.gpg", "debian-archive-keyring"],
  ["ip", "iproute2"],
  ["iptables", "iptables"],
  ["ssh-keygen", "openssh-client"],
  ["flock", "util-linux"],
  ["nsenter", "util-linux"],
  ["mount", "mount"],
];

/** Whether a program is in PATH or sbin. */
function hasProgram(program: string): boolean {
  const folders = (labEnvironment().PATH ?? "").split(":");
  return folders.some((folder) => folder !== "" && existsSync(join(folder, program)));
}

/** Debian packages that a lab needs (one of emulated hosts, too) and this machine lacks, sorted. */
export function missingPackages(options: { readonly emulated?: boolean } = {}): string[] {
  const missing = [...REQUIREMENTS, ...(options.emulated ? EMULATION_REQUIREMENTS : [])].filter(
    ([needed]) => !(needed.startsWith("/") ? existsSync(needed) : hasProgram(needed)),
  );
  return [...new Set(missing.map(([, debianPackage]) => debianPackage))].sort();
}

/**
 * Installs Debian packages on this machine. The caller has said which.
 * @throws TaskError E_LAB_COMMAND with apt's last lines.
 */
export async function installPackages(
  packages: readonly string[],
  options: { readonly signal?: AbortSignal | undefined; readonly onProgress?: LabProgress | undefined } = {},
): Promise<void> {
  if (packages.length === 0) return;
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  options.onProgress?.(`installing ${packages.join(" ")} on this machine`);
  await run(["apt-get", "-qq", "update"], { signal: options.signal, env });
  await run(["apt-get", "-qq", "-y", "--no-install-recommends", "install", ...packages], {
    signal: options.signal,
    env,
  });
}

/**
 * Refuses early, with the reason, where a lab host cannot be booted.
 * @throws InputError E_LAB_UNSUPPORTED or E_LAB_ROOT.
 */
export function requireLabMachine(
  machine: { readonly platform: string; readonly uid: number | undefined; readonly hasApt: boolean } = {
    platform: process.platform,
    uid: process.getuid?.(),
    hasApt: hasProgram("apt-get"),
  },
): void {
  if (machine.platform !== "linux" || !machine.hasApt) {
    throw new InputError(
      "E_LAB_UNSUPPORTED",
      "a throw-away host needs a Debian or Ubuntu machine: it runs by systemd-nspawn, not by Docker or Podman",
      {
        hint: "run it on a Debian machine, or provision a real host with `edge-setup apply`",
      },
    );
  }
  if (machine.uid !== 0) {
    throw new InputError("E_LAB_ROOT", "a throw-away host needs root: it mounts a file system and makes a network", {
      hint: "run the same command with sudo",
    });
  }
}

/**
 * @throws InputError E_LAB_PACKAGES naming the command that installs what is missing.
 */
export function requirePackages(options: { readonly emulated?: boolean } = {}): void {
  const missing = missingPackages(options);
  if (missing.length === 0) return;
  throw new InputError("E_LAB_PACKAGES", `this machine lacks ${missing.join(", ")}`, {
    hint: `apt-get install --no-install-recommends ${missing.join(" ")}`,
  });
}
