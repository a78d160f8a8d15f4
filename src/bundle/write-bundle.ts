import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { partName } from "../build/download.js";
import { type TarEntry, tarStream } from "../engine/tar.js";
import { type BundledFile, type BundleManifest, MANIFEST, SUMS, sumsOf } from "./manifest.js";

/** A file that goes into a bundle, by the name that it has there. */
export interface PackedFile {
  readonly name: string;
  readonly source: Buffer | { readonly path: string };
}

/** What was written. */
export interface WrittenBundle {
  readonly sha256: string;
  readonly bytes: number;
}

/**
 * Writes a bundle: manifest first, then the hashes, then all files by their names. The same content gives the same bytes; the
 * date alone differs. The file appears whole or not at all.
 * @throws the file system's error; the signal's reason when aborted
 */
export async function writeBundle(
  path: string,
  about: Omit<BundleManifest, "files">,
  packed: readonly PackedFile[],
  signal: AbortSignal,
): Promise<WrittenBundle> {
  const sorted = [...packed].sort((one, other) => (one.name < other.name ? -1 : 1));
  const files: Record<string, BundledFile> = {};
  for (const file of sorted) files[file.name] = await describe(file, signal);
  const sums = { name: SUMS, source: Buffer.from(sumsOf(files)) };
  const manifest: BundleManifest = { ...about, files: { [SUMS]: await describe(sums, signal), ...files } };
  const first = { name: MANIFEST, source: Buffer.from(`${JSON.stringify(manifest, null, 1)}\n`) };
  const entries = [first, sums, ...sorted].map(
    ({ name, source }): TarEntry => ({
      name,
      source,
      mode: 0o644,
      size: manifest.files[name]?.size ?? lengthOf(source),
    }),
  );
  return writeArchive(path, entries, signal);
}

const lengthOf = (source: PackedFile["source"]) => (Buffer.isBuffer(source) ? source.length : 0);

async function describe({ source }: PackedFile, signal: AbortSignal): Promise<BundledFile> {
  const hash = createHash("sha256");
  if (Buffer.isBuffer(source)) return { sha256: hash.update(source).digest("hex"), size: source.length };
  let size = 0;
  for await (const chunk of createReadStream(source.path, { signal })) {
    hash.update(chunk as Buffer);
    size += (chunk as Buffer).length;
  }
  return { sha256: hash.digest("hex"), size };
}

async function writeArchive(path: string, entries: readonly TarEntry[], signal: AbortSignal): Promise<WrittenBundle> {
  const part = partName(path);
  const hash = createHash("sha256");
  let bytes = 0;
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      bytes += chunk.length;
      done(null, chunk);
    },
  });
  try {
    await pipeline(tarStream(entries), counted, createWriteStream(part, { flags: "wx" }), { signal });
    await rename(part, path);
  } finally {
    await rm(part, { force: true });
  }
  return { sha256: hash.digest("hex"), bytes };
}
