import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import type { SourceEntry } from "./sources.js";

/** Bound on a decompressed source: NGINX's tar is 8 MB, so anything near this is not a source but an attack. */
const MAX_TAR_BYTES = 256 * 1024 * 1024;

/** What a file's hash should be and is. */
export interface DigestCheck {
  readonly ok: boolean;
  /** Which hash was compared: of the file, or of the tar inside it. */
  readonly of: "file" | "tar";
  readonly expected: string;
  /** A hash, or why there is none ("not gzip: ..."). */
  readonly actual: string;
}

/** SHA-256 of a file's bytes. @throws the file system's error. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}

/** SHA-256 of what a gzip file decompresses to. @throws the file system's error, zlib's, or RangeError past the bound. */
export async function hashTar(path: string): Promise<string> {
  const hash = createHash("sha256");
  let bytes = 0;
  await pipeline(createReadStream(path), createGunzip(), async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) {
      bytes += chunk.length;
      if (bytes > MAX_TAR_BYTES) throw new RangeError(`more than ${MAX_TAR_BYTES} bytes decompressed`);
      hash.update(chunk);
    }
  });
  return hash.digest("hex");
}

/** Compares a file with its pin: by the hash of its tar where that is pinned, else by its own. */
export async function checkDigest(entry: SourceEntry, path: string): Promise<DigestCheck> {
  if (entry.tarSha256 === undefined) {
    const actual = await hashFile(path);
    return { ok: actual === entry.sha256, of: "file", expected: entry.sha256 ?? "", actual };
  }
  const expected = entry.tarSha256;
  try {
    const actual = await hashTar(path);
    return { ok: actual === expected, of: "tar", expected, actual };
  } catch (error) {
    if (error instanceof Error && "syscall" in error) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    return { ok: false, of: "tar", expected, actual: `none (not readable as gzip: ${reason})` };
  }
}
