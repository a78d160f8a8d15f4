import { sha256 } from "./lock-fixture.js";

/** Name of the build that the fixture describes. */
export const ID = "debian-1.26.3-0123456789ab";

/** One member of a tar, which may be of ill will. */
export interface TarMember {
  readonly name: string;
  readonly type?: string;
  readonly body?: string;
  readonly mode?: number;
  readonly link?: string;
  readonly prefix?: string;
  /** What the header says in place of the body's size: octal digits. */
  readonly size?: string;
  readonly sum?: number;
  /** These bytes in place of a member. */
  readonly raw?: Buffer;
}

const MANIFEST = {
  format: 1,
  profile: "debian",
  versions: { nginx: "1.26.3", njs: "0.8.9" },
  build: ID,
  system: "debian trixie",
  userland: "amd64/x86-64",
};

/** A build as build.sh packs it, as far as the cache looks at it. */
export function buildFiles(program = "a program"): TarMember[] {
  return [
    { name: "./", type: "5" },
    { name: "./.complete" },
    { name: "./manifest.json", body: `${JSON.stringify(MANIFEST, undefined, 2)}\n` },
    { name: "./sbin/", type: "5" },
    { name: "./sbin/nginx", body: program, mode: 0o755 },
  ];
}

/** What build.sh writes beside the archive. */
export function describe(archive: Buffer): string {
  const { format, ...rest } = MANIFEST;
  return `${JSON.stringify({ format, sha256: sha256(archive), size: archive.length, ...rest }, undefined, 2)}\n`;
}

export function tarOf(members: readonly TarMember[]): Buffer {
  return Buffer.concat([...members.map(memberOf), Buffer.alloc(1024)]);
}

function memberOf({
  name,
  type = "0",
  body = "",
  mode = 0o644,
  link = "",
  prefix = "",
  size,
  sum,
  raw,
}: TarMember): Buffer {
  if (raw !== undefined) return raw;
  const header = Buffer.alloc(512);
  header.write(name, 0, 100, "latin1");
  header.write(`${mode.toString(8).padStart(7, "0")}\0`, 100);
  header.write(`${size ?? Buffer.byteLength(body).toString(8).padStart(11, "0")}\0`, 124);
  header.write("        ", 148);
  header.write(type, 156);
  header.write(link, 157);
  header.write("ustar  \0", 257);
  header.write(prefix, 345);
  const total = header.reduce((before, byte) => before + byte, 0);
  header.write(`${(sum ?? total).toString(8).padStart(6, "0")}\0 `, 148);
  const padded = Buffer.alloc(Math.ceil(Buffer.byteLength(body) / 512) * 512);
  padded.write(body);
  return Buffer.concat([header, padded]);
}
