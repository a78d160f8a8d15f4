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
