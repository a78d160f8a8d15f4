import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { InterruptedError } from "../util/errors.js";
import { type BundledFile, type BundleManifest, bundleError, MANIFEST, parseManifest } from "./manifest.js";
import { type ArchivedFile, readTar } from "./read-tar.js";

/** Bytes of a manifest: one of 50,000 files has 8 MB. */
const MAX_MANIFEST = 16 << 20;

/**
 * Unpacks a bundle into an empty directory of ours. Each file is one that the manifest names, by its name, size and SHA-256,
 * and none is missing.
 * @throws InputError `E_BUNDLE` naming the file that is wrong; InterruptedError
 */
export async function unpackBundle(path: string, directory: string, signal: AbortSignal): Promise<BundleManifest> {
  let manifest: BundleManifest | undefined;
  const missing = new Set<string>();
  for await (const file of readTar(path, (problem) => bundleError(path, problem))) {
    if (signal.aborted) throw new InterruptedError("E_INTERRUPTED", "The run is interrupted; no host was called.");
    if (manifest === undefined) {
      manifest = await readManifest(file, path);
      await requireRoom(manifest, path, directory);
      for (const name of Object.keys(manifest.files)) missing.add(name);
      await put(file, directory, path, undefined);
      continue;
    }
    const expected = manifest.files[file.name];
    if (expected === undefined || !missing.delete(file.name)) {
      throw bundleError(path, `its ${MANIFEST} does not name ${JSON.stringify(file.name)}, or it is there twice`);
    }
    await put(file, directory, path, expected);
  }
  if (manifest === undefined) throw bundleError(path, "it is empty");
  const [lost] = missing;
  if (lost !== undefined) throw bundleError(path, `it lacks ${lost}`);
  return manifest;
}

async function readManifest(file: ArchivedFile, path: string): Promise<BundleManifest> {
  if (file.name !== MANIFEST)
    throw bundleError(path, `it does not begin with ${MANIFEST}: it is no bundle of edge-setup`);
  if (file.size > MAX_MANIFEST) throw bundleError(path, `${MANIFEST} has ${file.size} bytes`);
  const chunks: Buffer[] = [];
  for await (const chunk of file.chunks()) chunks.push(chunk);
  return parseManifest(Buffer.concat(chunks).toString("utf8"), path);
}

async function requireRoom({ files }: BundleManifest, path: string, directory: string): Promise<void> {
  const need = Object.values(files).reduce((total, { size }) => total + size, 0);
  const { bavail, bsize } = await statfs(directory);
  if (bavail * bsize >= need) return;
  const mb = (bytes: number) => Math.ceil(bytes / 1e6);
  throw bundleError(
    path,
    `to be unpacked it needs ${mb(need)} MB in ${directory}, where ${mb(bavail * bsize)} MB are free`,
  );
}

/** Writes one file while it is hashed. */
async function put(
  file: ArchivedFile,
  directory: string,
  bundle: string,
  expected: BundledFile | undefined,
): Promise<void> {
  if (expected !== undefined && file.size !== expected.size) {
    throw bundleError(bundle, `${file.name} has ${file.size} bytes instead of ${expected.size}`);
  }
  const path = join(directory, file.name);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const hash = createHash("sha256");
  const hashed = async function* (chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      hash.update(chunk);
      yield chunk;
    }
  };
  await pipeline(file.chunks(), hashed, createWriteStream(path, { flags: "wx", mode: 0o600 }));
  if (expected !== undefined) requireHash(file.name, hash.digest("hex"), expected, bundle);
}

function requireHash(name: string, actual: string, { sha256 }: BundledFile, bundle: string): void {
  if (actual === sha256) return;
  throw bundleError(bundle, `${name} is not what was packed: its SHA-256 is ${actual}, expected ${sha256}`);
}
