import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { run, runSync, tryRun } from "./command.js";

/** Name of the mounted (or copied) file system inside a folder of `mountRoot`. */
const MERGED = "merged";
const UPPER = "upper";
const WORK = "work";

export interface MountedRoot {
  /** The writable root file system. */
  readonly root: string;
  /** What was written lies in `upper` alone (overlay), or the root is a full copy. */
  readonly kind: "overlay" | "copy";
  readonly upper: string;
}

/**
 * Makes a writable root file system in `folder` from read-only lower directories: an overlay, which takes
 * milliseconds, or a copy of the lowest where the kernel or the file system has no overlay.
 */
export async function mountRoot(lowers: readonly string[], folder: string, signal?: AbortSignal): Promise<MountedRoot> {
  const [root, upper, work] = [join(folder, MERGED), join(folder, UPPER), join(folder, WORK)];
  for (const path of [root, upper, work]) await mkdir(path, { recursive: true, mode: 0o755 });
  const options = `lowerdir=${lowers.join(":")},upperdir=${upper},workdir=${work}`;
  const mounted = await tryRun(["mount", "-t", "overlay", "-o", options, "edge-setup-lab", root], { signal });
  if (mounted.code === 0) return { root, kind: "overlay", upper };
  if (lowers.length > 1) throw new Error(`the overlay cannot be mounted: ${mounted.stderr.trim()}`);
  // "/." copies the content into the existing folder.
  await run(["cp", "-a", "--reflink=auto", `${lowers[0]}/.`, root], { signal });
  return { root, kind: "copy", upper: root };
}

/** Ends the mount in `folder`, if there is one. Lazy, since a file still open must not keep the teardown from going on. */
export function unmountRootSync(folder: string): void {
  runSync(["umount", "--lazy", "--quiet", join(folder, MERGED)]);
}
