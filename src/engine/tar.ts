import { createReadStream } from "node:fs";
import { Readable } from "node:stream";
import { createGzip } from "node:zlib";
import { compressed } from "./compress.js";

/** One file of an archive: bytes, or a file of this machine that is streamed. */
export interface TarEntry {
  /** At most 100 bytes, or 255 where a slash can part it. */
  readonly name: string;
  readonly size: number;
  /** Permission bits; 0600 unless given. */
  readonly mode?: number;
  readonly source: Uint8Array | { readonly path: string };
}

const BLOCK = 512;
/** GNU tar reads records of 20 blocks. */
const RECORD = 20 * BLOCK;
/** Larger archives are streamed instead of being made in memory. */
const STREAM_ABOVE = 1 << 20;

/** POSIX ustar header (IEEE Std 1003.1-1988) of a regular file of owner 0 and time 0. */
export function tarHeader(name: string, size: number, mode = 0o600): Buffer {
  const header = Buffer.alloc(BLOCK);
  const { prefix, rest } = parted(name);
  header.write(rest, 0);
  header.write(prefix, 345);
  header.write(`${mode.toString(8).padStart(7, "0")}\0`, 100);
  header.write("0000000\0", 108);
  header.write("0000000\0", 116);
  header.write(`${size.toString(8).padStart(11, "0")}\0`, 124);
  header.write("00000000000\0", 136);
  header.write("        ", 148);
  header.write("0", 156);
  header.write("ustar\x0000", 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return header;
}

/** A long name in two. */
function parted(name: string): { readonly prefix: string; readonly rest: string } {
  if (Buffer.byteLength(name) <= 100) return { prefix: "", rest: name };
  const slash = name.indexOf("/", Buffer.byteLength(name) - 101);
  if (slash < 0 || slash > 155) throw new RangeError(`name too long for an archive: ${name}`);
  return { prefix: name.slice(0, slash), rest: name.slice(slash + 1) };
}

const padding = (size: number, unit: number) => Buffer.alloc((unit - (size % unit)) % unit);

async function* tarChunks(entries: readonly TarEntry[]): AsyncGenerator<Uint8Array> {
  let total = 0;
  for (const entry of entries) {
    yield tarHeader(entry.name, entry.size, entry.mode);
    if (entry.source instanceof Uint8Array) yield entry.source;
    else yield* fileChunks(entry.source.path, entry.size);
    const pad = padding(entry.size, BLOCK);
    yield pad;
    total += BLOCK + entry.size + pad.length;
  }
  yield Buffer.alloc(2 * BLOCK);
  yield padding(total + 2 * BLOCK, RECORD);
}

/** Exactly `size` bytes: a file that changed meanwhile must not shift what follows. */
async function* fileChunks(path: string, size: number): AsyncGenerator<Uint8Array> {
  let left = size;
  if (size === 0) return;
  for await (const chunk of createReadStream(path, { end: size - 1 })) {
    const bytes = chunk as Buffer;
    left -= bytes.length;
    yield bytes;
  }
  if (left > 0) throw new Error(`${path} became shorter while it was sent`);
}

/** The archive as it is, read from its files as it goes. */
export function tarStream(entries: readonly TarEntry[]): Readable {
  return Readable.from(tarChunks(entries), { objectMode: false });
}

/** The archive as tar.gz: a buffer when small, else a stream that reads its files as it goes. */
export function tarGzip(entries: readonly TarEntry[]): Buffer | Readable {
  const size = entries.reduce((total, entry) => total + entry.size, 0);
  if (size <= STREAM_ABOVE && entries.every((entry) => entry.source instanceof Uint8Array)) {
    const parts: Uint8Array[] = [];
    let total = 0;
    for (const { name, size: bytes, mode, source } of entries) {
      if (!(source instanceof Uint8Array)) continue;
      const pad = padding(bytes, BLOCK);
      parts.push(tarHeader(name, bytes, mode), source, pad);
      total += BLOCK + bytes + pad.length;
    }
    parts.push(Buffer.alloc(2 * BLOCK), padding(total + 2 * BLOCK, RECORD));
    return compressed(Buffer.concat(parts));
  }
  // Payloads of that size are compressed archives mostly.
  const gzip = createGzip({ level: 1 });
  const source = tarStream(entries);
  source.on("error", (error) => gzip.destroy(error));
  return source.pipe(gzip);
}
