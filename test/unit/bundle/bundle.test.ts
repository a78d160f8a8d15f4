import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { type BundleManifest, parseManifest, sumsOf, systemKey } from "../../../src/bundle/manifest.js";
import { unpackBundle } from "../../../src/bundle/unpack.js";
import { type PackedFile, writeBundle } from "../../../src/bundle/write-bundle.js";
import { openBundle } from "../../../src/cli/open-bundle.js";
import { tarHeader } from "../../../src/engine/tar.js";
import { InputError } from "../../../src/util/errors.js";

const signal = new AbortController().signal;
const KEY = "debian-trixie-amd64-x86-64";
const LONG = `debs/${KEY}/python3-something-with-a-name-that-is-longer-than-a-header-of-tar-takes_1.2.3+dfsg-4+deb13u5_all.deb`;
const about = {
  format: 1,
  made: "2026-11-26T07:00:00Z",
  edge_setup: "1.2.3",
  systems: {
    [KEY]: {
      system: "debian trixie",
      userland: "amd64/x86-64",
      from: "http://deb.debian.org",
      packages: 2,
      bytes: 9,
      unpacked: { "nginx-dev": "nginx-dev_1_all.deb" },
    },
  },
} as const;
const packed: readonly PackedFile[] = [
  { name: "sources/nginx-1.30.6.tar.gz", source: Buffer.from("nginx") },
  { name: LONG, source: Buffer.from("a package") },
  { name: `debs/${KEY}/Packages`, source: Buffer.from("Package: a\n") },
  { name: "artifacts/debian-1.26.3-0123456789ab.json", source: Buffer.from("{}") },
];

async function written(t: Test, files = packed): Promise<{ path: string; sha256: string }> {
  const path = join(t.testdir(), "bundle.tar");
  const { sha256 } = await writeBundle(path, about, files, signal);
  return { path, sha256 };
}

t.test("what is packed is unpacked", async (t) => {
  const { path } = await written(t);
  const into = join(path, "../into");
  mkdirSync(into);
  const manifest = await unpackBundle(path, into, signal);
  t.same(manifest.systems, about.systems);
  t.equal(readFileSync(join(into, LONG), "utf8"), "a package");
  t.equal(readFileSync(join(into, "manifest.json"), "utf8").includes('"edge_setup": "1.2.3"'), true);
  const sums = readFileSync(join(into, "SHA256SUMS"), "utf8");
  const { SHA256SUMS: _, ...rest } = manifest.files;
  t.equal(sums, sumsOf(rest));
  t.match(sums, `${createHash("sha256").update("nginx").digest("hex")}  sources/nginx-1.30.6.tar.gz\n`);
});

t.test("the same content makes the same bytes, in whatever order it comes", async (t) => {
  const one = await written(t);
  const other = await written(t, [...packed].reverse());
  t.equal(one.sha256, other.sha256);
  t.equal(createHash("sha256").update(readFileSync(other.path)).digest("hex"), other.sha256);
});

t.test("a bundle that cannot be written leaves nothing", async (t) => {
  const folder = t.testdir({});
  const gone = { name: "sources/x", source: { path: join(folder, "not-there") } };
  await t.rejects(writeBundle(join(folder, "bundle.tar"), about, [gone], signal), { code: "ENOENT" });
  t.same(readdirSync(folder), []);
});

/** An archive as somebody of ill will makes it. */
function archive(...files: readonly (readonly [string, string] | Buffer)[]): Buffer {
  const parts = files.flatMap((file) => {
    if (Buffer.isBuffer(file)) return [file];
    const [name, text] = file;
    return [tarHeader(name, text.length), Buffer.from(text), Buffer.alloc((512 - (text.length % 512)) % 512)];
  });
  return Buffer.concat([...parts, Buffer.alloc(1024)]);
}

function manifestOf(files: Record<string, string>, more: object = {}): string {
  const hashed = Object.entries(files).map(([name, text]) => [
    name,
    { sha256: createHash("sha256").update(text).digest("hex"), size: text.length },
  ]);
  return JSON.stringify({ ...about, files: Object.fromEntries(hashed), ...more });
}

/** Header of a thing that is no regular file. */
function special(name: string, type: string): Buffer {
  const header = tarHeader(name, 0);
  header.write(type, 156);
  header.write("        ", 148);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return header;
}

const good = { "sources/a": "aaa", "sources/b": "bbb" };
const cases: readonly (readonly [string, Buffer | string, RegExp])[] = [
  ["an empty file", "", /cut off after its beginning/],
  ["another kind of file", "#!/bin/sh\n".repeat(200), /its beginning is no header of a tar archive/],
  ["an archive of something else", archive(["readme", "hello"]), /does not begin with manifest.json/],
  ["no JSON", archive(["manifest.json", "{"]), /manifest.json is not JSON/],
  ["another format", archive(["manifest.json", manifestOf(good, { format: 2 })]), /format 2, .* reads 1/],
  ["no date", archive(["manifest.json", manifestOf(good, { made: "<b>" })]), /no valid date/],
  [
    "a system by another's name",
    archive(["manifest.json", manifestOf(good, { systems: { "debian-bookworm-x": about.systems[KEY] } })]),
    /calls debian trixie amd64\/x86-64 "debian-bookworm-x"/,
  ],
  ...["../x", "sources/../x", "/etc/passwd", "sources/.x", "other/x", "debs/x/y.sh", "sources/a\nb"].map(
    (name) =>
      [
        `the name ${JSON.stringify(name)}`,
        archive(["manifest.json", manifestOf({ [name]: "x" })], [name, "x"]),
        /names a file .*, which no bundle has/,
      ] as const,
  ),
  [
    "a file that is not named",
    archive(["manifest.json", manifestOf(good)], ["sources/c", "c"]),
    /does not name "sources\/c"/,
  ],
  [
    "a file twice",
    archive(["manifest.json", manifestOf(good)], ["sources/a", "aaa"], ["sources/a", "aaa"]),
    /does not name "sources\/a", or it is there twice/,
  ],
  [
    "a changed file",
    archive(["manifest.json", manifestOf(good)], ["sources/a", "aaa"], ["sources/b", "bbB"]),
    /sources\/b is not what was packed: its SHA-256 is/,
  ],
  [
    "a file of another size",
    archive(["manifest.json", manifestOf(good)], ["sources/a", "aa"]),
    /sources\/a has 2 bytes instead of 3/,
  ],
  ["a missing file", archive(["manifest.json", manifestOf(good)], ["sources/a", "aaa"]), /lacks sources\/b/],
  [
    "a link",
    archive(["manifest.json", manifestOf(good)], special("sources/a", "2")),
    /"sources\/a" is no regular file/,
  ],
  [
    "a file that would fill the disk",
    archive(["manifest.json", manifestOf(good, { files: { "sources/a": { sha256: "0".repeat(64), size: 2 ** 40 } } })]),
    /no valid size of sources\/a/,
  ],
];

for (const [name, bytes, message] of cases) {
  t.test(`refused: ${name}`, async (t) => {
    const cache = t.testdir({ "x.tar": "" });
    const file = join(cache, "x.tar");
    writeFileSync(file, bytes);
    const error = await openBundle(file, { XDG_CACHE_HOME: cache }, signal).then(
      () => undefined,
      (refused: unknown) => refused,
    );
    t.type(error, InputError);
    if (!(error instanceof InputError)) return;
    t.match(error.message, message);
    t.match(error.message, file, "the bundle is named");
    t.notOk(error.message.includes("\n"), "in one line");
    t.equal(error.exitCode, 2);
    t.same(readdirSync(join(cache, "edge-setup/bundles")), [], "nothing stays behind");
  });
}

t.test("a bundle that is cut off anywhere", async (t) => {
  const { path } = await written(t);
  const whole = readFileSync(path);
  const cache = t.testdir({});
  // Its last kilobytes are the zeros of an archive's end.
  const content = whole.length - whole.reverse().findIndex((byte) => byte !== 0);
  whole.reverse();
  for (const length of [1, 511, 512, 600, 1500, 3000, content - 600, content]) {
    const file = join(cache, "cut.tar");
    writeFileSync(file, whole.subarray(0, length));
    await t.rejects(openBundle(file, { XDG_CACHE_HOME: cache }, signal), { code: "E_BUNDLE", message: /cut off/ });
  }
});

t.test("every single changed byte of what matters is found", async (t) => {
  const { path } = await written(t);
  const whole = readFileSync(path);
  const cache = t.testdir({});
  const file = join(cache, "x.tar");
  const at = whole.indexOf("a package");
  whole[at] = (whole[at] ?? 0) ^ 1;
  writeFileSync(file, whole);
  await t.rejects(openBundle(file, { XDG_CACHE_HOME: cache }, signal), {
    message: /python3-something.*is not what was packed/,
  });
});

t.test("what is not there", async (t) => {
  const cache = t.testdir({});
  const open = (file: string) => openBundle(file, { XDG_CACHE_HOME: cache }, signal);
  await t.rejects(open(join(cache, "no.tar")), { message: /does not exist/ });
  await t.rejects(open(cache), { message: /is no file/ });
});

t.test("an open bundle goes with its run", async (t) => {
  const { path } = await written(t);
  const cache = t.testdir({ "bundle.tar": readFileSync(path) });
  const bundle = await openBundle(join(cache, "bundle.tar"), { XDG_CACHE_HOME: cache }, signal);
  t.equal(readFileSync(join(bundle.directory, "sources/nginx-1.30.6.tar.gz"), "utf8"), "nginx");
  await bundle.close();
  t.same(readdirSync(join(cache, "edge-setup/bundles")), []);
});

t.test("names of systems", (t) => {
  t.equal(systemKey({ system: "debian bookworm", userland: "armhf/armv6" }), "debian-bookworm-armhf-armv6");
  const manifest: BundleManifest = parseManifest(manifestOf(good), "x");
  t.same(Object.keys(manifest.systems), [KEY]);
  t.end();
});
