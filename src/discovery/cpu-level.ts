/** Cores of ARM Ltd (implementer 0x41) from here on are ARMv8 (Cortex-A53: 0xd03), whatever the kernel runs them as. */
const FIRST_ARMV8_PART = 0xd00;

/**
 * What a CPU can run at most, in the words of compilers: `armv6`, `armv7-a`, `armv8-a`, `x86-64`. "CPU architecture" of
 * /proc/cpuinfo is not asked: it says 7 on a Pi Zero, whose CPU is an ARMv6.
 * @param machine `uname -m`
 * @param parts values of "CPU part" of /proc/cpuinfo, such as 0xd08; a 32-bit kernel knows no more of a newer CPU
 */
export function cpuLevelOf(machine: string, parts: readonly string[]): string {
  if (/^(x86_64|amd64)$/.test(machine)) return "x86-64";
  if (/^(aarch64|arm64|armv8)/.test(machine)) return "armv8-a";
  if (machine.startsWith("armv7")) {
    return parts.some((part) => Number.parseInt(part, 16) >= FIRST_ARMV8_PART) ? "armv8-a" : "armv7-a";
  }
  if (machine.startsWith("armv6")) return "armv6";
  return machine.startsWith("armv5te") ? "armv5te" : "unknown";
}
