/** Levels that the userland of a Debian architecture is compiled for; Raspbian's armhf is another one than Debian's. */
const LEVELS: Readonly<Record<string, string>> = {
  amd64: "x86-64",
  arm64: "armv8-a",
  armhf: "armv7-a",
  armel: "armv5te",
};

/**
 * What programs of a host are compiled for, whatever its CPU and its kernel could do beyond that: `armhf/armv6`.
 * playbooks/tasks/userland.yml tells Ansible the same.
 * @param architecture dpkg's; empty where there is no dpkg
 * @param distributionId ID of os-release
 */
export function userlandOf(architecture: string, distributionId: string): string {
  const level = distributionId === "raspbian" && architecture === "armhf" ? "armv6" : LEVELS[architecture];
  return `${architecture || "unknown"}/${level ?? "unknown"}`;
}

/** Kernels (`uname -m`) whose CPUs run what a userland is compiled for; playbooks/tasks/preflight-machine.yml has the same. */
const MACHINES: Readonly<Record<string, readonly string[]>> = {
  "amd64/x86-64": ["x86_64"],
  "arm64/armv8-a": ["aarch64"],
  "armhf/armv7-a": ["armv7l", "armv8l", "aarch64"],
  "armhf/armv6": ["armv6l", "armv7l", "armv8l", "aarch64"],
  "armel/armv5te": ["armv5tel", "armv5tejl", "armv6l", "armv7l", "armv8l", "aarch64"],
};

/** Why no program for this userland may run there, in words. */
export function userlandProblem(userland: string, machine: string): string | undefined {
  const machines = MACHINES[userland];
  if (machines === undefined) {
    return `its architecture (${userland.split("/")[0]}) is not supported: amd64, arm64, armhf and armel are`;
  }
  return machines.includes(machine) ? undefined : `its CPU (${machine}) does not run what is compiled for ${userland}`;
}
