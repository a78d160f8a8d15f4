import { createHash } from "node:crypto";
import { gunzipSync } from "node:zlib";
import { TaskError } from "../util/errors.js";

/** What the archive of a build holds, as far as anybody asks. */
export interface ArchiveContent {
  /** Of the archive itself. */
  readonly sha256: string;
  readonly size: number;
  readonly names: ReadonlySet<string>;
  /** The text of its manifest.json. */
  readonly manifest: string;
}

const BLOCK = 512;
/** Bytes that a build may take unpacked; the largest was 6 MB. install.sh has the same limit. */
const MAX_BYTES = 64 * 1024 * 1024;
const MAX_ENTRIES = 1000;
const MANIFEST = "./manifest.json";
const LINK = "2";
const LINKED = /^\.\.\/from\/(sbin|lib\/nginx\/modules)\/[A-Za-z0-9_]+(\.so)?$/;
/** What a path may be: relative, of plain characters, and below the top. */
const PATH = /^\.\/(?:[A-Za-z0-9_+~-][A-Za-z0-9._+~-]*\/)*(?:\.?[A-Za-z0-9_+~-][A-Za-z0-9._+~-]*)?$/;

/**
 * Reads the archive of a build as what it is: something that a host has sent. Directories and plain files below its own top are
 * all that it may hold.
 * @throws TaskError E_ARTIFACT for anything else
 */
export function readArchive(bytes: Buffer): ArchiveContent {
  let tar: Buffer;
  try {
    tar = gunzipSync(bytes, { maxOutputLength: MAX_BYTES });
  } catch (cause) {
    throw wrong(`cannot be read (${cause instanceof Error ? cause.message : String(cause)})`);
  }
  return { sha256: createHash("sha256").update(bytes).digest("hex"), size: bytes.length, ...contentOf(tar) };
}

function contentOf(tar: Buffer): Pick<ArchiveContent, "names" | "manifest"> {
  const names = new Set<string>();
  let manifest = "";
  for (let at = 0; ; ) {
    const header = tar.subarray(at, at + BLOCK);
    if (header.length < BLOCK) throw wrong("ends in the middle");
    if (header.every((byte) => byte === 0)) return { names, manifest };
    const { name, size } = entryOf(header);
    if (names.has(name)) throw wrong(`holds ${shown(name)} twice`);
    names.add(name);
    if (names.size > MAX_ENTRIES) throw wrong(`holds more than ${MAX_ENTRIES} files`);
    const body = tar.subarray(at + BLOCK, at + BLOCK + size);
    if (body.length < size) throw wrong("ends in the middle");
    if (name === MANIFEST) manifest = body.toString("utf8");
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
}

function entryOf(header: Buffer): { readonly name: string; readonly size: number } {
  if (checksum(header) !== octal(header, 148, 8)) throw wrong("is damaged");
  const name = text(header, 0, 100);
  const type = text(header, 156, 1);
  const size = octal(header, 124, 12);
  if (type === LINK && isOwnLink(name, text(header, 157, 100))) return { name, size: 0 };
  if (type !== "0" && type !== "5") throw wrong(`holds what is no file and no directory (${shown(name)})`);
  if (!PATH.test(name) || name.startsWith("./from/") || text(header, 345, 155) !== "")
    throw wrong(`holds a path that is not its own (${shown(name)})`);
  if ((octal(header, 100, 8) & 0o7000) !== 0) throw wrong(`holds a file with special rights (${shown(name)})`);
  if (!(size >= 0) || (type === "5" && size > 0)) throw wrong(`holds ${shown(name)} of no size`);
  return { name, size };
}

function wrong(problem: string): TaskError {
  return new TaskError("E_ARTIFACT", `the archive of the build ${problem}`);
}

/** A build of packages has links to the NGINX that the distribution installed, by way of one link. */
function isOwnLink(name: string, target: string): boolean {
  if (name === "./from") return target === "/usr";
  return /^\.\/(sbin|modules)\/[A-Za-z0-9_.]+$/.test(name) && LINKED.test(target);
}

function text(block: Buffer, from: number, length: number): string {
  const field = block.subarray(from, from + length);
  const end = field.indexOf(0);
  return field.subarray(0, end < 0 ? length : end).toString("latin1");
}

/** NaN for what is no octal number. */
function octal(block: Buffer, from: number, length: number): number {
  const digits = text(block, from, length).trim();
  return /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number.NaN;
}

/** The sum of the header's bytes, with blanks in place of the sum itself. */
function checksum(block: Buffer): number {
  let sum = 0;
  for (const [index, byte] of block.entries()) sum += index >= 148 && index < 156 ? 0x20 : byte;
  return sum;
}

function shown(name: string): string {
  return JSON.stringify(name.slice(0, 100).replaceAll(/[^\x20-\x7e]/g, "?"));
}
