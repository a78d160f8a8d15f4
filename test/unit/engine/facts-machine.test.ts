import { readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { parseFacts } from "../../../src/engine/facts.js";
import { readIni } from "../../../src/engine/facts-local.js";

// What the facts' program prints on such hosts, without their networks. `armel` is an emulated host of the lab.
const folder = join(import.meta.dirname, "fixtures/facts");

const HOSTS: Readonly<Record<string, { facts: Readonly<Record<string, unknown>>; summary: string }>> = {
  "pi-zero-w": {
    facts: {
      ...{ architecture: "armv6l", userspace_bits: "32", edge_userland: "armhf/armv6", edge_cpu_level: "armv6" },
      ...{ edge_storage: "SD card", swaptotal_mb: 99, memtotal_mb: 427 },
      edge_power: ["under-voltage since it was started", "it was throttled since it was started"],
    },
    summary:
      "Raspberry Pi Zero W Rev 1.1, Debian 12.12 armhf (ARMv6), 1 ARMv6 core, 427 MB and 99 MB of swap, 12 GB free (SD card), under-voltage since it was started, it was throttled since it was started",
  },
  "pi-4-64-bit-kernel": {
    facts: {
      ...{ architecture: "aarch64", userspace_bits: "32", edge_userland: "armhf/armv6", edge_cpu_level: "armv8-a" },
      ...{ edge_storage: "USB drive", edge_power: [] },
    },
    summary:
      "Raspberry Pi 4 Model B Rev 1.4, Debian 12.6 armhf (ARMv6) on a 64-bit kernel, 4 ARMv8 cores, 3.7 GB and 99 MB of swap, 113 GB free (USB drive)",
  },
  "pi-3-32-bit-kernel": {
    facts: { architecture: "armv7l", edge_userland: "armhf/armv6", edge_cpu_level: "armv8-a", edge_storage: "SD card" },
    summary:
      "Raspberry Pi 3 Model B Rev 1.2, Debian 12.6 armhf (ARMv6), 4 ARMv8 cores, 922 MB and 99 MB of swap, 27 GB free (SD card)",
  },
  "pi-5": {
    facts: {
      ...{ architecture: "aarch64", userspace_bits: "64", edge_userland: "arm64/armv8-a", edge_cpu_level: "armv8-a" },
      ...{ edge_storage: "NVMe", swaptotal_mb: 2047 },
      edge_power: ["under-voltage now: use the original power supply", "it is throttled now"],
    },
    summary:
      "Raspberry Pi 5 Model B Rev 1.0, Debian 13.1 arm64, 4 cores, 7.9 GB and 2.0 GB of swap, 233 GB free (NVMe), under-voltage now: use the original power supply, it is throttled now",
  },
  "armhf-32-bit-kernel": {
    facts: {
      ...{ architecture: "armv7l", edge_userland: "armhf/armv7-a", edge_cpu_level: "armv7-a" },
      ...{ edge_storage: "hard disk", swaptotal_mb: 0 },
    },
    summary: "Cubietech Cubietruck, Debian 12.12 armhf (ARMv7), 2 ARMv7 cores, 2.0 GB, 50 GB free (hard disk)",
  },
  armel: {
    facts: { architecture: "armv6l", edge_userland: "armel/armv5te", edge_cpu_level: "armv6", edge_storage: "" },
    summary: "Debian 12.15 armel (ARMv5), 2 ARMv6 cores, 23.5 GB, 79 GB free",
  },
  "amd64-vps": {
    facts: {
      ...{ architecture: "x86_64", edge_userland: "amd64/x86-64", edge_cpu_level: "x86-64", edge_board_model: "" },
      edge_storage: "virtual disk",
      edge_libraries: "libc6 2.41, libpcre2-8-0 10, libssl3t64 3.5, zlib1g 1.3",
    },
    summary: "Debian 13.1 amd64, 1 core, 964 MB, 17 GB free (virtual disk)",
  },
};

for (const [name, wanted] of Object.entries(HOSTS)) {
  t.test(name, async (t) => {
    const { facts, summary } = parseFacts(readFileSync(join(folder, `${name}.txt`), "utf8"), []);
    t.match(facts, wanted.facts);
    t.equal(summary, wanted.summary);
  });
}

/** What ansible-core 2.14 gives on a host with such files in /etc. */
interface Distribution {
  readonly files: Readonly<Record<string, string>>;
  readonly facts: Readonly<Record<string, unknown>>;
}

t.test("distributions are told as Ansible tells them", async (t) => {
  const cases = JSON.parse(readFileSync(join(folder, "distributions.json"), "utf8")) as Record<string, Distribution>;
  for (const [name, { files, facts: wanted }] of Object.entries(cases)) {
    const lines = Object.entries(files).flatMap(([file, text]) =>
      text
        .trimEnd()
        .split("\n")
        .map((line) => `/etc/${file}:${line}`),
    );
    const answer = ["\x1eid\tuid=0(root) gid=0(root)", "\x1efiles\t", ...lines, "\x1eend\tok", ""].join("\n");
    const { facts } = parseFacts(answer, ["lsb"]);
    const found = Object.fromEntries(Object.keys(wanted).map((key) => [key, facts[key]]));
    t.strictSame(found, wanted, name);
    t.equal("distribution_minor_version" in facts, "distribution_minor_version" in wanted, name);
  }
});

t.test("facts that are INI files are read as Python's ConfigParser reads them", async (t) => {
  const cases = JSON.parse(readFileSync(join(folder, "ini.json"), "utf8")) as { text: string; sections: unknown }[];
  for (const { text, sections } of cases) t.strictSame(readIni(text) ?? null, sections, JSON.stringify(text));
});
