import { spawn } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import t from "tap";
import { ArtifactCache } from "../../../src/build/artifacts.js";
import { boundCache } from "../../../src/build/bounded.js";
import { withFileLock } from "../../../src/build/file-lock.js";
import { buildFiles, describe, ID, type TarMember, tarOf } from "./artifact-fixture.js";
import { sha256 } from "./lock-fixture.js";

function makeCache(directory: string) {
  const warnings: string[] = [];
  const cache = new ArtifactCache({ directory, onWarning: (text) => warnings.push(text) });
  const archive = join(directory, `${ID}.tar.gz`);
  const description = join(directory, `${ID}.json`);
  /** As a run does with what a host sends. */
  const take = (members: readonly TarMember[], said: (bytes: Buffer) => string = describe) => {
    mkdirSync(directory, { recursive: true });
    const bytes = gzipSync(tarOf(members));
    const part = join(directory, "part");
    writeFileSync(part, said(bytes));
    cache.accept(part, description);
    writeFileSync(part, bytes);
    cache.accept(part, archive);
    return bytes;
  };
  return { cache, archive, description, take, warnings };
}

t.test("what a host sends is there, whole, and verified at every read", async (t) => {
  const directory = join(t.testdir({}), "artifacts");
  const { cache, archive, description, take, warnings } = makeCache(directory);
  t.notOk(cache.has(archive), "no directory, no build");
  const bytes = take(buildFiles());
  t.ok(readFileSync(archive).equals(bytes));
  t.match(JSON.parse(readFileSync(description, "utf8")), {
    sha256: sha256(bytes),
    size: bytes.length,
    profile: "debian",
  });
  t.match(
    readFileSync(description, "utf8"),
    /^ {2}"sha256": "\w{64}",$/m,
    "a line for each key, as install.sh reads it",
  );
  t.same(readdirSync(directory).sort(), [`${ID}.json`, `${ID}.tar.gz`], "and nothing else");
  t.ok(cache.has(archive));
  t.ok(cache.has(description));
  t.ok(cache.owns(archive));
  t.notOk(cache.owns("/elsewhere/a.tar.gz"));
  t.throws(() => cache.has(join(directory, "..", "a.tar.gz")), { code: "E_ARTIFACT" });

  bytes[100] = (bytes[100] ?? 0) ^ 1;
  writeFileSync(archive, bytes);
  t.notOk(cache.has(archive), "damaged");
  t.match(warnings, [
    /is damaged \(SHA-256 \w{64}, expected \w{64}\); moved to .*\.tar\.gz\.rejected, and the build is made anew/,
  ]);
  t.notOk(cache.has(archive));
  t.equal(warnings.length, 1, "one warning");
  t.same(readdirSync(directory), [`${ID}.tar.gz.rejected`]);
  take(buildFiles());
  t.ok(cache.has(archive), "and made anew");
});

t.test("a build of packages has links to the distribution's NGINX", async (t) => {
  const { cache, archive, take } = makeCache(join(t.testdir({}), "artifacts"));
  const links = [
    { name: "./from", type: "2", link: "/usr" },
    { name: "./sbin/nginx", type: "2", link: "../from/sbin/nginx" },
    { name: "./modules/ngx_http_js_module.so", type: "2", link: "../from/lib/nginx/modules/ngx_http_js_module.so" },
  ];
  take([...buildFiles().filter(({ name }) => name !== "./sbin/nginx"), ...links]);
  t.ok(cache.has(archive));
});

t.test("builds of a bundle are taken over, but for those that are there", async (t) => {
  const dir = t.testdir({});
  const bundle = makeCache(join(dir, "bundle"));
  const bytes = bundle.take(buildFiles());
  const { cache, archive, warnings } = makeCache(join(dir, "artifacts"));
  cache.takeOver(join(dir, "none"));
  cache.takeOver(join(dir, "bundle"));
  t.ok(cache.has(archive));
  t.ok(readFileSync(archive).equals(bytes));
  writeFileSync(bundle.archive, "else");
  cache.takeOver(join(dir, "bundle"));
  t.ok(cache.has(archive), "and not looked at again");
  t.throws(() => makeCache(join(dir, "other")).cache.takeOver(join(dir, "bundle")), { code: "E_ARTIFACT" });
  t.same(warnings, []);
});

t.test("a description that is damaged counts as much", async (t) => {
  const { cache, archive, description, take, warnings } = makeCache(join(t.testdir({}), "artifacts"));
  take(buildFiles());
  writeFileSync(description, "");
  t.notOk(cache.has(archive));
  t.equal(warnings.length, 1);
});

t.test("an archive of ill will never gets its name", async (t) => {
  const files = buildFiles();
  const without = (name: string) => files.filter((member) => member.name !== name);
  const cases: [what: string, members: readonly TarMember[], message: RegExp][] = [
    ["a link out", [...files, { name: "./x", type: "2", link: "/etc" }], /no file and no directory \("\.\/x"\)/],
    [
      "a link of its own name elsewhere",
      [...files, { name: "./from", type: "2", link: "/etc" }],
      /no file and no directory/,
    ],
    [
      "a file by way of the link",
      [...files, { name: "./from", type: "2", link: "/usr" }, { name: "./from/sbin/x" }],
      /a path that is not its own/,
    ],
    ["a hard link", [...files, { name: "./x", type: "1", link: "/etc/shadow" }], /no file and no directory/],
    ["a device", [...files, { name: "./x", type: "3" }], /no file and no directory/],
    ["a long name's header", [...files, { name: "././@LongLink", type: "L", body: "x" }], /no file and no directory/],
    ["a path out", [...files, { name: "./../x" }], /a path that is not its own/],
    ["a path out, later", [...files, { name: "./sbin/../../x" }], /a path that is not its own/],
    ["an absolute path", [...files, { name: "/etc/x" }], /a path that is not its own/],
    ["a path with a prefix", [...files, { name: "./x", prefix: "/etc" }], /a path that is not its own/],
    ["control characters", [...files, { name: "./a\nb" }], /a path that is not its own \("\.\/a\?b"\)/],
    ["setuid", [...files, { name: "./x", mode: 0o4755 }], /special rights/],
    ["twice the same", [...files, { name: "./sbin/nginx" }], /holds "\.\/sbin\/nginx" twice/],
    ["a size that is none", [...files, { name: "./x", size: "-1" }], /of no size/],
    ["a size beyond its end", [...files, { name: "./x", size: "77777777777" }], /ends in the middle/],
    ["a false sum", [...files, { name: "./x", sum: 1 }], /is damaged/],
    [
      "many files",
      [...files, ...Array.from({ length: 1001 }, (_, i) => ({ name: `./f${i}` }))],
      /more than 1000 files/,
    ],
    ["no program", without("./sbin/nginx"), /lacks \.\/sbin\/nginx/],
    ["half of it", without("./.complete"), /lacks \.\/\.complete/],
    ["another manifest", [...without("./manifest.json"), { name: "./manifest.json", body: "{}" }], /another manifest/],
  ];
  const directory = join(t.testdir({}), "artifacts");
  for (const [what, members, message] of cases) {
    const { cache, archive, take } = makeCache(directory);
    t.throws(() => take(members), { code: "E_ARTIFACT", message }, what);
    t.notOk(cache.has(archive));
    t.same(readdirSync(directory), []);
  }
});

t.test("a description has to be of the build that was asked for, and of its archive", async (t) => {
  const changed = (change: object) => (bytes: Buffer) =>
    `${JSON.stringify({ ...JSON.parse(describe(bytes)), ...change }, undefined, 2)}\n`;
  const cases: [said: (bytes: Buffer) => string, message: RegExp][] = [
    [() => "no json", /a description that is none/],
    [() => "[]", /a description that is none/],
    [() => " ".repeat(70_000), /a description that is none/],
    [changed({ system: "debian\nbookworm" }), /does not say what it is for/],
    [changed({ userland: undefined }), /does not say what it is for/],
    [changed({ sha256: "x" }), /does not say what it is for/],
    [changed({ build: "other" }), /is described as another build/],
    [changed({ sha256: sha256("else") }), /is another archive than its description says/],
    [changed({ size: 1 }), /is another archive than its description says/],
    [changed({ userland: "armhf/armv6" }), /holds another manifest/],
  ];
  const directory = join(t.testdir({}), "artifacts");
  for (const [said, message] of cases) {
    t.throws(() => makeCache(directory).take(buildFiles(), said), { code: "E_ARTIFACT", message });
    t.same(readdirSync(directory), []);
  }
  const { cache, archive } = makeCache(directory);
  writeFileSync(join(directory, "part"), gzipSync(Buffer.alloc(0)));
  t.throws(() => cache.accept(join(directory, "part"), archive), { message: /without its description/ });
  const bomb = gzipSync(Buffer.alloc(80 * 1024 * 1024));
  const { take } = makeCache(directory);
  t.throws(() => take([{ name: "", raw: bomb }], () => describe(gzipSync(bomb))), { code: "E_ARTIFACT" });
});

t.test("two runs at once", { timeout: 60_000 }, async (t) => {
  const directory = join(t.testdir({}), "artifacts");
  mkdirSync(directory);
  const program = join(import.meta.dirname, "artifact-writer.ts");
  const runs = ["1", "2"].map((name) => {
    const child = spawn(process.execPath, ["--import", "tsx", program, directory, name], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let said = "";
    child.stdout.on("data", (chunk) => (said += chunk));
    return new Promise<{ code: number | null; said: string }>((done) =>
      child.once("close", (code) => done({ code, said })),
    );
  });
  for (const { code, said } of await Promise.all(runs)) {
    t.equal(code, 0);
    t.match(said, /^reads \d+, warnings 0\n$/, "each saw whole builds alone");
  }
  t.same(readdirSync(directory).sort(), [`${ID}.json`, `${ID}.tar.gz`]);
});

t.test("a lock that a dead process left is taken over", async (t) => {
  const lock = join(t.testdir({}), "lock");
  writeFileSync(lock, "");
  utimesSync(lock, 1, 1);
  t.equal(
    withFileLock(lock, () => "done"),
    "done",
  );
  t.notOk(existsSync(lock));
  t.throws(
    () =>
      withFileLock(lock, () => {
        throw new Error("no");
      }),
    /no/,
  );
  t.notOk(existsSync(lock), "and given back, whatever happens");
});

t.test("a cache is bounded: what was not used for longest goes first", async (t) => {
  const directory = t.testdir({});
  const now = Date.now();
  const put = (name: string, days: number, bytes = 100) => {
    writeFileSync(join(directory, name), Buffer.alloc(bytes));
    const when = now / 1000 - days * 86_400;
    utimesSync(join(directory, name), when, when);
  };
  put("old.tar.gz", 30);
  put("old.json", 20, 1);
  put("older.tar.gz", 25);
  put("new.tar.gz", 0.5);
  put("note.txt", 90);
  const setOf = (name: string) => (name.endsWith(".txt") ? undefined : name.split(".")[0]);
  await boundCache(directory, { maxBytes: 301, now, setOf });
  t.same(
    readdirSync(directory).sort(),
    ["new.tar.gz", "note.txt", "old.json", "old.tar.gz", "older.tar.gz"],
    "small enough",
  );
  await boundCache(directory, { maxBytes: 250, now, setOf });
  t.same(readdirSync(directory).sort(), ["new.tar.gz", "note.txt", "old.json", "old.tar.gz"]);
  await boundCache(directory, { maxBytes: 0, now, setOf });
  t.same(readdirSync(directory).sort(), ["new.tar.gz", "note.txt"], "what was used within a day stays");
});

t.test(
  "a cache that cannot be written to is read",
  { skip: process.getuid?.() === 0 ? "root writes everywhere" : false },
  async (t) => {
    const directory = join(t.testdir({}), "artifacts");
    const { archive, take } = makeCache(directory);
    take(buildFiles());
    chmodSync(directory, 0o500);
    t.ok(makeCache(directory).cache.has(archive));
    chmodSync(directory, 0o700);
  },
);
