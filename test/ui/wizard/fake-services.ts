import { Secret } from "../../../src/util/secret.js";
import type { DetectedHost, HostPortrait, WizardServices } from "../../../src/wizard/types.js";

export const pi: DetectedHost = {
  kind: "ssh",
  name: "raspberrypi.local",
  source: "answers to its name on this network",
};

export const portrait: HostPortrait = {
  model: "Raspberry Pi 4 Model B",
  modelKey: "Raspberry Pi 4 Model B",
  os: "Debian 13.1",
  userland: "arm64/armv8-a",
  architecture: "arm64",
  cpuLevel: "armv8-a",
  cores: 4,
  memoryMb: 3790,
  memoryFreeMb: 3000,
  swapMb: 0,
  storage: "SD card",
  diskFreeBytes: 25e9,
  power: ["under-voltage now"],
  clockSkewMs: 12,
  sudo: "passwordless",
  addresses: ["192.0.2.7"],
  capability: "by its encoder's limit it holds 720p + 480p + 360p + 240p",
  warnings: ["under-voltage now: use the original power supply"],
};

/** A world with one Raspberry Pi in it. */
export function fakeServices(more: Partial<WizardServices> = {}): WizardServices {
  let made = 0;
  return {
    inventoryFile: "edges.yml",
    async detectHosts(onFound) {
      onFound(pi);
      onFound({ kind: "local", name: "local", source: "this machine" });
    },
    checkHost: () => Promise.resolve({ status: "ok", portrait }),
    checkDomain: () => Promise.resolve({ status: "ok", text: "leads to the host" }),
    plan: (answers) =>
      Promise.resolve(
        answers.hosts.map((host) => ({
          host: host.name,
          create: 30,
          change: 2,
          keep: 5,
          tasks: [{ name: "FFmpeg", reason: "missing", status: "changed" as const }],
          estimateMs: 660_000,
        })),
      ),
    generateSecret() {
      made += 1;
      return new Secret(`Generated-secret-number-${made}-of-this-test`);
    },
    ...more,
  };
}
