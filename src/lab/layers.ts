import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { withLock } from "./lock.js";
import { cacheDir, layerDir } from "./paths.js";
import type { LabArchitecture, LabLayer, LabProgress, LabRelease } from "./types.js";

/** Written last, into the layer's folder: says that it is complete and what it lies on. */
const MARKER = "layer.json";
/** The file system's own files, beside the marker. */
const ROOT = "root";

interface Marker {
  readonly release: LabRelease;
  readonly architecture?: LabArchitecture | undefined;
  /** Folders below this one, topmost first; empty for a whole file system. */
  readonly below: readonly string[];
}

interface BuildLayer {
  readonly name: string;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: LabProgress | undefined;
  /** Fills `folder` (which exists) with the layer's `root`, and gives the marker. */
  readonly build: (folder: string) => Promise<Marker>;
}

/** @returns undefined when the cache has no complete layer of that name. */
export async function findLayer(name: string): Promise<LabLayer | undefined> {
  const folder = layerDir(name);
  try {
    const marker = JSON.parse(await readFile(join(folder, MARKER), "utf8")) as Marker;
    if (!marker.below.every((lower) => existsSync(lower))) return undefined;
    return layerOf(name, marker);
  } catch {
    return undefined;
  }
}

/** Gives the layer from the cache, or builds it there: under a lock, in a temporary folder, renamed when complete. */
export async function ensureLayer(request: BuildLayer): Promise<LabLayer> {
  const found = await findLayer(request.name);
  if (found) return found;
  await mkdir(cacheDir(), { recursive: true, mode: 0o755 });
  const onWait = () => request.onProgress?.(`waiting for another run that prepares ${request.name}`);
  const lock = join(cacheDir(), `.${request.name}.lock`);
  return withLock(lock, () => buildUnderLock(request), { signal: request.signal, onWait });
}

async function buildUnderLock(request: BuildLayer): Promise<LabLayer> {
  const already = await findLayer(request.name);
  if (already) return already;
  await removeUnfinished(request.name);
  const folder = layerDir(request.name);
  const unfinished = `${folder}.tmp-${process.pid}`;
  try {
    await mkdir(unfinished, { mode: 0o755 });
    const text = JSON.stringify(await request.build(unfinished));
    await writeFile(join(unfinished, MARKER), `${text}\n`);
    await rm(folder, { recursive: true, force: true });
    await rename(unfinished, folder);
    return layerOf(request.name, JSON.parse(text) as Marker);
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}

function layerOf(name: string, { below, ...traits }: Marker): LabLayer {
  return { name, ...traits, lowers: [rootOf(layerDir(name)), ...below] };
}

/** Removes what a crashed build left: we hold the lock, so nobody works in it. */
async function removeUnfinished(name: string): Promise<void> {
  for (const entry of await readdir(cacheDir())) {
    if (entry.startsWith(`${name}.tmp-`)) await rm(join(cacheDir(), entry), { recursive: true, force: true });
  }
}

/** Where a layer being built has its files. */
export function rootOf(folder: string): string {
  return join(folder, ROOT);
}
