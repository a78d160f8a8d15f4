import { type FileHandle, open } from "node:fs/promises";

const BLOCK = 512;
const READ_BYTES = 1 << 20;

/** A regular file of an archive; its bytes are read in order, once. */
export interface ArchivedFile {
  readonly name: string;
  readonly size: number;
  chunks(): AsyncGenerator<Buffer>;
}

/** What is wrong with an archive, as an error of who reads it. */
export type Complain = (problem: string) => Error;

/**
 * The regular files of a POSIX ustar archive that is a file of this machine, in their order. Anything else in it (links,
 * devices, long names of GNU) is refused, as is an archive that ends before it says so.
 * @throws what `complain` makes of a problem; each names the place
 */
export async function* readTar(path: string, complain: Complain): AsyncGenerator<ArchivedFile> {
  const handle = await open(path, "r");
  try {
    const { size: total } = await handle.stat();
    let last = "";
    for (let at = 0; ; ) {
      const header = await block(handle, at);
      if (header === undefined) throw complain(`it is cut off after ${last || "its beginning"}`);
      if (header.every((byte) => byte === 0)) return;
      const { name, size } = parseHeader(header, complain, last);
      const begin = at + BLOCK;
      at = begin + Math.ceil(size / BLOCK) * BLOCK;
      if (at > total) throw complain(`it is cut off within ${name}`);
      yield { name, size, chunks: () => bytesOf(handle, begin, size, () => complain(`it is cut off within ${name}`)) };
      last = name;
    }
  } finally {
    await handle.close();
  }
}

/** A whole block; undefined at the end of the file. */
async function block(handle: FileHandle, at: number): Promise<Buffer | undefined> {
  const { bytesRead, buffer } = await handle.read(Buffer.alloc(BLOCK), 0, BLOCK, at);
  return bytesRead === BLOCK ? buffer : undefined;
}

async function* bytesOf(handle: FileHandle, begin: number, size: number, cutOff: () => Error): AsyncGenerator<Buffer> {
  for (let done = 0; done < size; ) {
    const wanted = Math.min(READ_BYTES, size - done);
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(wanted), 0, wanted, begin + done);
    if (bytesRead === 0) throw cutOff();
    done += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

/** IEEE Std 1003.1-1988, 10.1.1. */
function parseHeader(header: Buffer, complain: Complain, last: string): { name: string; size: number } {
  const place = last === "" ? "its beginning" : `what follows ${last}`;
  const sum = Number.parseInt(text(header, 148, 8), 8);
  const blank = Buffer.from(header).fill(" ", 148, 156);
  if (text(header, 257, 5) !== "ustar" || sum !== blank.reduce((total, byte) => total + byte, 0)) {
    throw complain(`${place} is no header of a tar archive`);
  }
  const prefix = text(header, 345, 155);
  const name = (prefix === "" ? "" : `${prefix}/`) + text(header, 0, 100);
  const type = text(header, 156, 1);
  const size = text(header, 124, 12).trim();
  if ((type !== "0" && type !== "") || !/^[0-7]{1,11}$/.test(size)) {
    throw complain(`${JSON.stringify(name)} is no regular file`);
  }
  return { name, size: Number.parseInt(size, 8) };
}

function text(header: Buffer, begin: number, length: number): string {
  const field = header.subarray(begin, begin + length);
  const end = field.indexOf(0);
  return field.subarray(0, end < 0 ? length : end).toString("latin1");
}
