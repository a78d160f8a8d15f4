import { mkdir, mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { defaultCacheDir } from "../build/fetch.js";
import { type BundleManifest, bundleError } from "../bundle/manifest.js";
import { unpackBundle } from "../bundle/unpack.js";

/** A bundle's directory that nobody has touched for this long belongs to a run that died, milliseconds. */
const STALE_MS = 24 * 60 * 60 * 1000;

/** A verified bundle, unpacked for the length of a run. */
export interface OpenBundle {
  readonly directory: string;
  readonly manifest: BundleManifest;
  /** Removes the directory. */
  close(): Promise<void>;
}

/**
 * Unpacks and verifies a bundle below the cache.
 * @throws InputError `E_BUNDLE` naming what is wrong; nothing stays behind then
 */
export async function openBundle(file: string, env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<OpenBundle> {
  const info = await stat(file).catch(() => undefined);
  if (info?.isFile() !== true) throw bundleError(file, info === undefined ? "it does not exist" : "it is no file");
  const parent = join(dirname(defaultCacheDir(env)), "bundles");
  await mkdir(parent, { recursive: true, mode: 0o700 });
  await removeStale(parent);
  const directory = await mkdtemp(join(parent, "run-"));
  const close = () => rm(directory, { recursive: true, force: true });
  try {
    return { directory, manifest: await unpackBundle(resolve(file), directory, signal), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function removeStale(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const path = join(parent, name);
    const info = await stat(path).catch(() => undefined);
    if (info !== undefined && Date.now() - info.mtimeMs > STALE_MS) await rm(path, { recursive: true, force: true });
  }
}
