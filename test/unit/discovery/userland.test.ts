import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import t from "tap";
import { parse } from "yaml";
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
    const [task] = parse(readFileSync(TASKS, "utf8"));
    const program: string = task["ansible.builtin.shell"];
    const said = execFileSync("/bin/sh", ["-c", program.replace("/etc/os-release", join(folder, "os-release"))], {
      env: { PATH: folder },
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    t.equal(said.trim(), userland);
  });
}

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
