import { tryRun } from "./command.js";

/** How this machine reaches its package mirror; what it needs there (a proxy, a lenient clock), its lab hosts need too. */
const CARRIED = /^Acquire::(https?::(Proxy|Timeout)|Check-Valid-Until|Check-Date|Retries|ForceIPv4)\b/;
const LOOPBACK = /localhost|127\.\d+\.\d+\.\d+|\[::1\]/;
const DEFAULT_MIRROR = "http://deb.debian.org/debian";

/** Keeps the lines of `apt-config dump` that hosts take over; a proxy on this machine's loopback would not reach us from there. */
export function carriedSettings(dump: string): string[] {
  return dump.split("\n").filter((line) => CARRIED.test(line) && !line.endsWith('"";') && !LOOPBACK.test(line));
}

/** Lines for a file in a host's /etc/apt/apt.conf.d. */
export async function aptSettings(signal?: AbortSignal): Promise<string[]> {
  const dump = await tryRun(["apt-config", "dump"], { signal });
  return ['Acquire::Languages "none";', ...carriedSettings(dump.stdout)];
}

/** The Debian mirror that lab hosts use. */
export function mirrorOf(option: string | undefined): string {
  return option ?? (process.env.EDGE_SETUP_LAB_MIRROR || DEFAULT_MIRROR);
}
