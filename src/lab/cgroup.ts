import { readdirSync, readFileSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import type { MachineTraits } from "./nspawn.js";

/**
 * Words before a host's command line that put it into a control group of its own. nspawn makes its groups below the one that it is
 * started in; hosts of one group see each other's processes, and one that ends its users' sessions waits for those of others.
 * With systemd as process 1 it gives each host a scope, so none are needed. Where no group can be made the host goes without.
 */
export function cgroupWords(id: string, traits: MachineTraits): string[] {
  const folder = cgroupFolder(id, traits);
  if (folder === undefined) return [];
  return ["sh", "-c", '{ mkdir -p "$0" && echo $$ >"$0/cgroup.procs"; } 2>/dev/null; exec "$@"', folder];
}

/** Removes the group of a host that has ended; the kernel keeps those in which something lives. */
export function removeCgroupSync(id: string, traits: MachineTraits): void {
  const folder = cgroupFolder(id, traits);
  if (folder === undefined) return;
  removeTreeSync(folder);
  // nspawn makes it in systemd's own hierarchy of version 1, too.
  removeTreeSync(folder.replace("/unified/", "/systemd/"));
}

function cgroupFolder(id: string, { systemdBooted, pureCgroup2 }: MachineTraits): string | undefined {
  // cgroups(7): the line of version 2 is "0::PATH".
  const [, own] = /^0::(.*)$/m.exec(readFileSync("/proc/self/cgroup", "utf8")) ?? [];
  if (systemdBooted || own === undefined) return undefined;
  return join(pureCgroup2 ? "/sys/fs/cgroup" : "/sys/fs/cgroup/unified", own, `edge-lab-${id}`);
}

/** Folders of control groups have files that go with them, so only folders are removed, from below. */
function removeTreeSync(folder: string): void {
  try {
    for (const entry of readdirSync(folder, { withFileTypes: true }))
      if (entry.isDirectory()) removeTreeSync(join(folder, entry.name));
    rmdirSync(folder);
  } catch {
    // Not there, or not empty yet.
  }
}
