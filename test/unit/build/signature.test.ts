import { copyFile, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import t, { type Test } from "tap";
import { type FetchOptions, fetchSource } from "../../../src/build/fetch.js";
import { sourceWords } from "../../../src/build/resolver.js";
import { parseLock, type SourceEntry } from "../../../src/build/sources.js";
import { lockJson, sha256 } from "./lock-fixture.js";

const fixtures = join(dirname(fileURLToPath(import.meta.url)), "fixtures/openpgp");
const SIGNER = "7BCC22B2B795933B16720167748E5129B7A63307";
const ENDED = "5CBEBAE85412C14AD8503014C1424C93B0FEBB63";
const release = await readFile(join(fixtures, "release.txt"));
const asc = (name: string) => readFile(join(fixtures, `${name}.asc`), "utf8");

/** A place with a lock, its keys, and a server; gives the signed entry and how often its signature was asked for. */
async function place(t: Test, served: Readonly<Record<string, string>>, urls = ["/release.txt.asc"]) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const url = request.url ?? "";
    if (url === "/release") return response.end(release);
    asked.push(url);
    const body = served[url];
    return body === undefined ? response.writeHead(404).end() : response.end(body);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const dir = t.testdir({ lock: { keys: {} }, cache: {}, given: {} });
  await copyFile(join(fixtures, "keys.gpg"), join(dir, "lock/keys/nginx.gpg"));
  const json = lockJson({ nginx: [`${base}/release`], rtmp: ["http://127.0.0.1:1/x"] });
  Object.assign(json.edge_lock.components.nginx["1"], {
    file: "release.txt",
    sha256: sha256(release),
    signature: { urls: urls.map((url) => base + url), signers: [SIGNER, ENDED] },
  });
  const lock = parseLock(JSON.stringify(json), join(dir, "lock/sources.lock.json"));
  const entry = lock.entries.find((one) => one.component === "nginx") as SourceEntry;
  const warnings: string[] = [];
  const options: FetchOptions = { cacheDir: join(dir, "cache"), onWarning: (text) => warnings.push(text) };
  return { dir, entry, options, asked, warnings, given: join(dir, "given"), kept: join(dir, "cache/release.txt.asc") };
}

t.test("from upstream with the source; after that both come from the cache, and are verified again", async (t) => {
  const { entry, options, asked, kept } = await place(t, { "/release.txt.asc": await asc("good") });
  const good = { status: "good", by: "signer <signer@example.org>", made: "2022-03-01" };
  const first = await fetchSource(entry, options);
  t.match(first, { origin: "upstream", signature: good });
  t.same(sourceWords(entry, first), {
    level: "info",
    text: "source release.txt from upstream, signed by signer <signer@example.org> on 2022-03-01",
  });
  t.match(await fetchSource(entry, options), { origin: "cache", signature: good });
  t.equal(asked.length, 1);
  await writeFile(kept, await asc("stranger"));
  await t.rejects(fetchSource(entry, options), { code: "E_SIGNATURE", message: /release\.txt\.asc does not sign/ });
});

t.test("one that is not good is refused wherever it is from, and nothing of it stays", async (t) => {
  for (const [name, reason] of [
    ["stranger", /made by the key 0656BF921DB6144B0B533D3B94F78ED102C47A3A, which may not sign this file/],
    ["late", /had ended on 2021-01-01, before it was made/],
    ["sha1", /only SHA-2 is accepted/],
  ] as const) {
    const { entry, options, given } = await place(t, { "/release.txt.asc": await asc(name) });
    await t.rejects(fetchSource(entry, options), {
      code: "E_SIGNATURE",
      message: reason,
      hint: /still it is not used/,
    });
    t.same(await readdir(options.cacheDir), ["release.txt"], "the hash was right");
    await writeFile(join(given, "release.txt.asc"), await asc(name));
    await t.rejects(fetchSource(entry, { ...options, sourceDirs: [given] }), { code: "E_SIGNATURE", message: reason });
  }
});

t.test("the given directory comes first, and one there that is no signature is refused", async (t) => {
  const { entry, options, given, asked, kept } = await place(t, { "/release.txt.asc": await asc("stranger") });
  await writeFile(join(given, "release.txt"), release);
  await writeFile(join(given, "release.txt.asc"), await asc("sha512"));
  const from = { ...options, sourceDirs: [given] };
  t.match(await fetchSource(entry, from), { origin: "source-dir", signature: { status: "good" } });
  t.equal(asked.length, 0);
  t.equal(await readFile(kept, "utf8"), await asc("sha512"));
  await writeFile(join(given, "release.txt.asc"), "not one");
  await t.rejects(fetchSource(entry, from), { code: "E_SIGNATURE", message: /not an armored/ });
});

t.test("where it cannot be had the hash decides, and that is said", async (t) => {
  const { entry, options } = await place(t, { "/portal": "<html>log in</html>" }, ["/gone", "/portal"]);
  const source = await fetchSource(entry, options);
  t.match(source.signature, { status: "absent", reasons: [/gone: HTTP 404/, /portal: it is not an armored/] });
  t.match(sourceWords(entry, source), {
    level: "warning",
    text: /cannot be had .*, so its pinned SHA-256 alone decides$/,
  });
  t.same(await readdir(options.cacheDir), ["release.txt"]);
});

t.test("a second place is asked, and a damaged one in the cache fetched anew", async (t) => {
  const { entry, options, warnings, kept } = await place(t, { "/second": await asc("good") }, ["/gone", "/second"]);
  await mkdir(options.cacheDir, { recursive: true });
  await writeFile(kept, "bit rot");
  t.match(await fetchSource(entry, options), { signature: { status: "good" } });
  t.match(warnings, [/release\.txt\.asc is damaged .* fetched anew/]);
  t.equal(await readFile(kept, "utf8"), await asc("good"));
});

t.test("a silent server holds nothing up for long; an abort ends it", async (t) => {
  const { entry, options } = await place(t, {});
  const silent = createServer(() => {});
  await new Promise<void>((done) => silent.listen(0, "127.0.0.1", done));
  t.teardown(() => {
    silent.closeAllConnections();
    silent.close();
  });
  const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}/x`;
  const stuck = { ...entry, signature: { urls: [url], signers: [SIGNER], keyring: entry.signature?.keyring ?? "" } };
  const source = await fetchSource(stuck, { ...options, answerMs: 600 });
  t.match(source.signature, { status: "absent", reasons: [/no answer/] });
  const controller = new AbortController();
  setTimeout(() => controller.abort(new Error("interrupted by the operator")), 50);
  await t.rejects(fetchSource(stuck, { ...options, signal: controller.signal }), { message: /interrupted by/ });
});

t.test("keys that are missing or not those of the lock", async (t) => {
  const { dir, entry, options } = await place(t, {});
  const other = {
    ...entry,
    signature: { urls: [], signers: ["A".repeat(40)], keyring: entry.signature?.keyring ?? "" },
  };
  await t.rejects(fetchSource(other, options), { code: "E_KEYRING", message: /lacks the key AAAA/ });
  await writeFile(join(dir, "lock/keys/nginx.gpg"), "x");
  await t.rejects(fetchSource(entry, options), { code: "E_KEYRING", message: /cannot be used: it is not OpenPGP/ });
});
