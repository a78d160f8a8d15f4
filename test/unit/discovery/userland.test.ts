import { execFileSync } from "node:child_process";
import { readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import t from "tap";
import { parse } from "yaml";
import { librariesOf } from "../../../src/discovery/libraries.js";
import { userlandOf, userlandProblem } from "../../../src/discovery/userland.js";

const TASKS = resolve(import.meta.dirname, "../../../playbooks/tasks/userland.yml");

for (const [architecture, id, userland] of [
  ["amd64", "debian", "amd64/x86-64"],
  ["amd64", "ubuntu", "amd64/x86-64"],
  ["arm64", "debian", "arm64/armv8-a"],
  ["armhf", "debian", "armhf/armv7-a"],
  ["armhf", "ubuntu", "armhf/armv7-a"],
  ["armhf", "raspbian", "armhf/armv6"],
  ["armel", "debian", "armel/armv5te"],
  ["riscv64", "debian", "riscv64/unknown"],
  ["", "fedora", "unknown/unknown"],
] as const) {
  t.test(`${architecture || "no dpkg"} of ${id} is ${userland}, and Ansible is told the same`, async (t) => {
    t.equal(userlandOf(architecture, id), userland);
    const folder = t.testdir();
    writeFileSync(join(folder, "os-release"), `NAME="Some system"\nID=${id}\n`);
    if (architecture !== "") {
      writeFileSync(join(folder, "dpkg"), `#!/bin/sh\necho ${architecture}\n`, { mode: 0o755 });
    }
    t.equal(asked(folder)[0], userland);
  });
}

/** What the task for Ansible says of a system whose os-release, dpkg and list of packages are in a folder. */
function asked(folder: string): string[] {
  for (const tool of ["awk", "sed", "sort", "paste"]) {
    symlinkSync(execFileSync("sh", ["-c", `command -v ${tool}`], { encoding: "utf8" }).trim(), join(folder, tool));
  }
  const [task] = parse(readFileSync(TASKS, "utf8"));
  const program: string = task["ansible.builtin.shell"];
  const there = program.replace("/etc/os-release", join(folder, "os-release"));
  return execFileSync("/bin/sh", ["-c", there.replace("/var/lib/dpkg/status", join(folder, "status"))], {
    env: { PATH: folder },
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  }).split("\n");
}

t.test("libraries are named alike for both engines, by what of their versions counts", async (t) => {
  const versions = {
    libc6: "2.36-9+deb12u14",
    "libpcre2-8-0": "10.42-1",
    libssl3: "3.0.20-1~deb12u2",
    zlib1g: "1:1.2.13.dfsg-1",
  };
  const folder = t.testdir({ "os-release": "ID=debian\n" });
  const entries = Object.entries(versions);
  const status = ["amd64", "i386"].flatMap((architecture) =>
    entries.map(([name, version]) => `Package: ${name}\nArchitecture: ${architecture}\nVersion: ${version}\n`),
  );
  const other = "Package: libssl-dev\nVersion: 3.0.20-1~deb12u2\n";
  writeFileSync(join(folder, "status"), [other, ...status].join("\n"));
  const wanted = "libc6 2.36, libpcre2-8-0 10, libssl3 3.0, zlib1g 1.2";
  t.equal(asked(folder)[1], wanted);
  t.equal(librariesOf(entries.map(([name, version]) => `${name} ${version}`)), wanted);
});

t.test("what runs where is the same for both engines", async (t) => {
  const [task] = parse(readFileSync(resolve(TASKS, "../preflight-machine.yml"), "utf8"));
  const table: Readonly<Record<string, readonly string[]>> = task.vars.edge_userland_machines;
  const machines = ["x86_64", "aarch64", "armv8l", "armv7l", "armv6l", "armv5tel", "armv5tejl", "riscv64", "i686"];
  for (const userland of [...Object.keys(table), "riscv64/unknown", "i386/unknown"]) {
    for (const machine of machines) {
      const runs = table[userland]?.includes(machine) ?? false;
      t.equal(userlandProblem(userland, machine) === undefined, runs, `${userland} on ${machine}`);
    }
  }
  t.equal(
    userlandProblem("armhf/armv7-a", "armv6l"),
    "its CPU (armv6l) does not run what is compiled for armhf/armv7-a",
  );
  t.match(userlandProblem("riscv64/unknown", "riscv64"), /\(riscv64\) is not supported/);
});
