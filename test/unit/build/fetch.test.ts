import { readdir, readFile, utimes } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import t, { type Test } from "tap";
import { defaultCacheDir, type FetchProgress, fetchSource } from "../../../src/build/fetch.js";
import { makeSourceResolver } from "../../../src/build/resolver.js";
import { entryByFile, type SourceEntry } from "../../../src/build/sources.js";
import { plain, recompressed, tarGz, testLock } from "./lock-fixture.js";

/** A server for one test; gives its address. */
async function serve(t: Test, listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function entryOf(file: "rtmp-1.tar.gz" | "nginx-1.tar.xz", ...urls: string[]): SourceEntry {
  const lock = testLock(urls.length === 0 ? {} : { rtmp: urls, nginx: urls });
  const entry = entryByFile(lock, file);
  if (entry === undefined) throw new Error(`no ${file} in the test's lock`);
  return entry;
}

t.test("downloads once, verified by the tar inside; the next run takes the cache", async (t) => {
  const cacheDir = join(t.testdir({}), "deep/cache");
  let requests = 0;
  const url = await serve(t, (_request, response) => {
    requests += 1;
    response.end(recompressed);
  });
  const entry = entryOf("rtmp-1.tar.gz", url);
  const seen: FetchProgress[] = [];
  const first = await fetchSource(entry, { cacheDir, onProgress: (progress) => seen.push(progress) });
  t.equal(first.origin, "upstream");
  t.equal(seen.at(-1)?.bytes, recompressed.length);
  t.equal((await fetchSource(entry, { cacheDir })).origin, "cache");
  t.equal(requests, 1);
  t.same(await readdir(cacheDir), ["rtmp-1.tar.gz"]);
});

t.test("a mirror that is down or wrong is passed over", async (t) => {
  const cacheDir = t.testdir({});
  const url = await serve(t, (request, response) => {
    if (request.url === "/gone") response.writeHead(404).end();
    else response.end(request.url === "/portal" ? "<html>please log in</html>" : plain);
  });
  const warnings: string[] = [];
  const entry = entryOf("nginx-1.tar.xz", "http://127.0.0.1:1/x", `${url}/gone`, `${url}/portal`, `${url}/good`);
  const source = await fetchSource(entry, { cacheDir, onWarning: (message) => warnings.push(message) });
  t.same(await readFile(source.path), plain);
  t.match(warnings, [/portal serves another file/]);
});

t.test("a wrong file everywhere: both hashes told, the file set aside, nothing under the right name", async (t) => {
  const cacheDir = t.testdir({});
  const url = await serve(t, (_request, response) => response.end("something else"));
  await t.rejects(fetchSource(entryOf("nginx-1.tar.xz", url), { cacheDir }), {
    code: "E_SOURCE_MISMATCH",
    message: /SHA-256 is [0-9a-f]{64}, expected [0-9a-f]{64}\. It is kept as .*\.rejected/,
  });
  await t.rejects(fetchSource(entryOf("rtmp-1.tar.gz", url), { cacheDir }), { message: /not readable as gzip/ });
  t.same(await readdir(cacheDir), ["nginx-1.tar.xz.rejected", "rtmp-1.tar.gz.rejected"]);
});

t.test("nothing reachable: the file, each URL with its reason, and the ways on", async (t) => {
  const cacheDir = t.testdir({});
  const entry = entryOf("nginx-1.tar.xz", "http://127.0.0.1:1/a", "http://127.0.0.1:1/b");
  await t.rejects(fetchSource(entry, { cacheDir }), {
    code: "E_SOURCE_UNREACHABLE",
    message: /nginx-1\.tar\.xz .*127\.0\.0\.1:1\/a: .*; http:\/\/127\.0\.0\.1:1\/b: /,
    hint: /--source-dir DIR, or .*nginx_sources: debian/,
  });
  const debian = entryOf("nginx-1.tar.xz", "http://deb.debian.org/x");
  const offline = async () => {
    throw new TypeError("fetch failed", { cause: Object.assign(new Error(""), { code: "ENETUNREACH" }) });
  };
  await t.rejects(fetchSource(debian, { cacheDir, fetch: offline }), { message: /ENETUNREACH/, hint: /DIR\.$/ });
});

t.test("a server that never answers, one that stops, and one that never ends are given up", async (t) => {
  const cacheDir = t.testdir({});
  const url = await serve(t, (request, response) => {
    if (request.url === "/silent") return;
    response.write("a");
    if (request.url !== "/endless") return;
    const block = Buffer.alloc(1 << 20);
    const more = () => {
      while (response.write(block));
      response.once("drain", more);
    };
    more();
  });
  const silent = { cacheDir, answerMs: 150 };
  await t.rejects(fetchSource(entryOf("nginx-1.tar.xz", `${url}/silent`), silent), { message: /no answer/ });
  const stops = { cacheDir, stallMs: 150 };
  await t.rejects(fetchSource(entryOf("nginx-1.tar.xz", `${url}/stops`), stops), { message: /no data/ });
  await t.rejects(fetchSource(entryOf("nginx-1.tar.xz", `${url}/endless`), { cacheDir }), { message: /more than/ });
  t.same(await readdir(cacheDir), [], "no half file stays");
});

t.test("an abort ends it with the signal's reason", async (t) => {
  const cacheDir = t.testdir({});
  const url = await serve(t, () => {});
  const controller = new AbortController();
  setTimeout(() => controller.abort(new Error("interrupted by the operator")), 50);
  await t.rejects(fetchSource(entryOf("nginx-1.tar.xz", url), { cacheDir, signal: controller.signal }), {
    message: "interrupted by the operator",
  });
  t.same(await readdir(cacheDir), []);
});

t.test("a damaged file in the cache is set aside and fetched anew", async (t) => {
  const cacheDir = t.testdir({ "nginx-1.tar.xz": "bit rot" });
  const url = await serve(t, (_request, response) => response.end(plain));
  const warnings: string[] = [];
  const entry = entryOf("nginx-1.tar.xz", url);
  const source = await fetchSource(entry, { cacheDir, onWarning: (message) => warnings.push(message) });
  t.equal(source.origin, "upstream");
  t.match(warnings, [/is damaged/]);
  t.same(await readdir(cacheDir), ["nginx-1.tar.xz", "nginx-1.tar.xz.rejected"]);
});

t.test("given directories come first: by name, or under any name by content", async (t) => {
  const dir = t.testdir({
    cache: {},
    named: { "rtmp-1.tar.gz": tarGz, "notes.txt": "x" },
    other: { "v1.tar.gz": recompressed, "film.mp4": "x", "broken.tar.gz": "x", "sub.tar.gz": {} },
    wrong: { "rtmp-1.tar.gz": "not it" },
  });
  const cacheDir = join(dir, "cache");
  const entry = entryOf("rtmp-1.tar.gz");
  for (const given of ["named", "other"]) {
    const source = await fetchSource(entry, { cacheDir, sourceDirs: [join(dir, given)] });
    t.equal(source.origin, "source-dir", given);
  }
  await t.rejects(fetchSource(entry, { cacheDir, sourceDirs: [join(dir, "wrong")] }), {
    code: "E_SOURCE_MISMATCH",
    message: new RegExp(`${dir}/wrong/rtmp-1\\.tar\\.gz is not the pinned`),
  });
  t.equal(await readFile(join(dir, "wrong/rtmp-1.tar.gz"), "utf8"), "not it", "the user's file is left alone");
  await t.rejects(fetchSource(entry, { cacheDir, sourceDirs: [join(dir, "absent")] }), { code: "E_SOURCE_DIR" });
});

t.test("two runs at once, and what a dead run left", async (t) => {
  const cacheDir = t.testdir({ "old.1-aa.part": "x", "new.1-bb.part": "x" });
  await utimes(join(cacheDir, "old.1-aa.part"), 1, 1);
  const url = await serve(t, (_request, response) => {
    response.write(plain.subarray(0, 5));
    setTimeout(() => response.end(plain.subarray(5)), 50);
  });
  const entry = entryOf("nginx-1.tar.xz", url);
  await Promise.all([fetchSource(entry, { cacheDir }), fetchSource(entry, { cacheDir })]);
  t.same(await readFile(join(cacheDir, "nginx-1.tar.xz")), plain);
  t.same(await readdir(cacheDir), ["new.1-bb.part", "nginx-1.tar.xz"]);
});

t.test("the resolver: one fetch for many askers, verified once, other paths untouched", async (t) => {
  const cacheDir = t.testdir({});
  let requests = 0;
  const url = await serve(t, (_request, response) => {
    requests += 1;
    response.end(requests === 1 ? "wrong" : plain);
  });
  const lock = testLock({ nginx: [url] });
  const origins: string[] = [];
  const ensure = makeSourceResolver({ lock, cacheDir, onSource: (_entry, source) => origins.push(source.origin) });
  const path = join(cacheDir, "nginx-1.tar.xz");
  await t.rejects(ensure(path), { code: "E_SOURCE_MISMATCH" });
  await Promise.all([ensure(path), ensure(path), ensure(join(cacheDir, ".", "nginx-1.tar.xz"))]);
  await ensure(path);
  t.equal(requests, 2, "a failure is tried again, a success is not");
  t.same(origins, ["upstream"]);
  await ensure("/etc/hostname");
  await ensure(join(cacheDir, "deeper/nginx-1.tar.xz"));
  await t.rejects(ensure(join(cacheDir, "php-9.tar.gz")), { code: "E_SOURCE_UNKNOWN", message: /php-9/ });
});

t.test("the cache directory follows XDG", async (t) => {
  t.equal(defaultCacheDir({ HOME: "/home/a" }), "/home/a/.cache/edge-setup/sources");
  t.equal(defaultCacheDir({ HOME: "/home/a", XDG_CACHE_HOME: "/c" }), "/c/edge-setup/sources");
  t.equal(defaultCacheDir({ HOME: "/home/a", XDG_CACHE_HOME: "rel" }), "/home/a/.cache/edge-setup/sources");
});
