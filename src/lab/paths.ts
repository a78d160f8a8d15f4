import { join } from "node:path";

/** Bump when the content of a base changes, so that old caches are not used. */
const CACHE_VERSION = "v1";

/** State of the running hosts of this machine. On a tmpfs: what it describes (mounts, bridge, processes) ends with a reboot too. */
export const stateDir = "/run/edge-setup-lab";
export const hostStatesDir = join(stateDir, "hosts");
export const networkFile = join(stateDir, "network.json");
export const lockFile = join(stateDir, "lock");

/** Cached file systems, kept between runs. */
export function cacheDir(environment: NodeJS.ProcessEnv = process.env): string {
  const xdg = environment.XDG_CACHE_HOME;
  return xdg?.startsWith("/") ? join(xdg, "edge-setup", "lab") : "/var/cache/edge-setup/lab";
}

/** Throw-away parts of the hosts: on the cache's file system, so that freezing a host is a rename. */
export function hostsDir(): string {
  return join(cacheDir(), "hosts");
}

/** Folder of a layer in the cache, for example `trixie-amd64-v1` or `trixie-amd64-v1+build-1f2e3d4c`. */
export function layerDir(name: string): string {
  return join(cacheDir(), name);
}

export function baseName(release: string, architecture: string): string {
  return `${release}-${architecture}-${CACHE_VERSION}`;
}
