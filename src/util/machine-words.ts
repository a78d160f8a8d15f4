const LEVELS: Readonly<Record<string, string>> = {
  armv5te: "ARMv5",
  armv6: "ARMv6",
  "armv7-a": "ARMv7",
  "armv8-a": "ARMv8",
};

function is32BitArm(userland: string): boolean {
  return /^arm(hf|el)\//.test(userland);
}

/**
 * `armhf (ARMv6) on a 64-bit kernel`: what programs are compiled for, and the kernel where it is another.
 * @param userland `armhf/armv6`
 * @param machine `uname -m`
 */
export function userlandWords(userland: string, machine: string): string {
  const [architecture = "", level = ""] = userland.split("/");
  if (!is32BitArm(userland)) return architecture;
  return `${architecture} (${LEVELS[level] ?? level})${machine === "aarch64" ? " on a 64-bit kernel" : ""}`;
}

/** `4 ARMv8 cores`, where a userland may be compiled for less; `1 core`. */
export function coreWords(cores: number, level: string, userland: string): string {
  const of = is32BitArm(userland) && LEVELS[level] !== undefined ? ` ${LEVELS[level]}` : "";
  return `${cores}${of} ${cores === 1 ? "core" : "cores"}`;
}

/** `426 MB`, `3.8 GB`. */
function memoryWords(mb: number): string {
  return mb < 1000 ? `${mb} MB` : `${(mb / 1024).toFixed(1)} GB`;
}

/** `5.2 GB free (SD card)`. */
export function storageWords(kind: string | undefined, freeBytes: number): string {
  const gb = freeBytes / 1e9;
  return `${gb.toFixed(gb < 10 ? 1 : 0)} GB free${kind === undefined ? "" : ` (${kind})`}`;
}

/** `426 MB and 99 MB of swap`. */
export function memoryAndSwapWords(mb: number, swapMb: number): string {
  return `${memoryWords(mb)}${swapMb > 0 ? ` and ${memoryWords(swapMb)} of swap` : ""}`;
}
