import { readFileSync, writeFileSync } from "node:fs";
import t from "tap";
import { effectivePolicy } from "../../../src/transport/host-key.js";
import { fingerprint } from "../../../src/transport/known-hosts.js";
import { blob, know, makeBench, makeKey, plain, startServer } from "./ssh-server.js";

const hostKey = makeKey();
const print = fingerprint(blob(hostKey.public));
const server = await startServer({ hostKeys: [hostKey.private] });
const name = `[127.0.0.1]:${server.port}`;
t.teardown(() => server.close());

t.test("unknown: asked, accepted, remembered", async (t) => {
  const bench = makeBench({ confirm: true });
  const first = await bench.connect(server.port, {}, { hostKeyPolicy: "ask" });
  await first.close();
  t.same(bench.asked.hostKeys, [{ host: name, keyType: "ssh-ed25519", fingerprint: print }]);
  t.equal(readFileSync(bench.knownHosts, "utf8"), `${name} ${plain(hostKey.public)}\n`);
  const second = await bench.connect(server.port, {}, { hostKeyPolicy: "strict" });
  await second.close();
});

t.test("many new hosts of one name ask once", async (t) => {
  const bench = makeBench({ confirm: true });
  const all = await Promise.all([1, 2, 3].map(() => bench.connect(server.port, {}, { hostKeyPolicy: "ask" })));
  t.equal(bench.asked.hostKeys.length, 1);
  for (const one of all) await one.close();
});

t.test("unknown and nobody says yes", async (t) => {
  const bench = makeBench({ confirm: false });
  const tries = server.tries.length;
  await t.rejects(bench.connect(server.port, {}, { hostKeyPolicy: "ask" }), {
    code: "E_HOST_KEY_UNKNOWN",
    exitCode: 5,
    message: new RegExp(print.replace(/[+/]/g, ".")),
    hint: /--accept-new/,
  });
  await t.rejects(bench.connect(server.port, {}, { hostKeyPolicy: "strict" }), { code: "E_HOST_KEY_UNKNOWN" });
  t.equal(server.tries.length, tries, "no login is tried on a host that is not trusted");
});

t.test("accept-new files the key hashed where ssh_config says so", async (t) => {
  const bench = makeBench({ config: "HashKnownHosts yes" });
  await (await bench.connect(server.port)).close();
  t.match(readFileSync(bench.knownHosts, "utf8"), /^\|1\|/);
  await (await bench.connect(server.port, {}, { hostKeyPolicy: "strict" })).close();
});

t.test("changed: refused under every policy, with both fingerprints and the way out", async (t) => {
  const old = makeKey();
  const bench = makeBench({ confirm: true });
  know(bench, `${name} ${plain(old.public)}`);
  for (const hostKeyPolicy of ["ask", "accept-new", "strict"] as const) {
    const error = await bench.connect(server.port, {}, { hostKeyPolicy }).then(
      () => t.fail("connected"),
      (caught: unknown) => caught as { code: string; exitCode: number; message: string; hint: string },
    );
    if (error === undefined || typeof error === "boolean") return;
    t.match(error, { code: "E_HOST_KEY_CHANGED", exitCode: 5 });
    t.ok(error.message.includes(print) && error.message.includes(fingerprint(blob(old.public))));
    t.equal(error.hint.split(": ")[1], `ssh-keygen -R '${name}' -f ${bench.knownHosts}`);
  }
  t.same(bench.asked.hostKeys, []);
});

t.test("revoked", async (t) => {
  const bench = makeBench();
  know(bench, `${name} ${plain(hostKey.public)}`);
  know(bench, `@revoked * ${plain(hostKey.public)}`);
  await t.rejects(bench.connect(server.port), { code: "E_HOST_KEY_REVOKED", exitCode: 5, message: /known_hosts:2/ });
});

t.test("vouched for only by a certificate authority, and by ssh2 alone", async (t) => {
  const bench = makeBench({ confirm: true });
  know(bench, `@cert-authority ${name} ${plain(makeKey().public)}`);
  await t.rejects(bench.connect(server.port, { connection: "ssh2" }, { hostKeyPolicy: "ask" }), {
    code: "E_HOST_KEY_UNKNOWN",
    message: /certificate authority/,
    hint: /edge_connection/,
  });
});

t.test("the known type of key is asked for first", async (t) => {
  const ecdsa = makeKey("ecdsa");
  const both = await startServer({ hostKeys: [hostKey.private, ecdsa.private] });
  t.teardown(() => both.close());
  const bench = makeBench();
  know(bench, `[127.0.0.1]:${both.port} ${plain(ecdsa.public)}`);
  await (await bench.connect(both.port, {}, { hostKeyPolicy: "strict" })).close();
});

t.test("HostKeyAlias names the key", async () => {
  const bench = makeBench({ config: "HostKeyAlias edge-alias" });
  know(bench, `edge-alias ${plain(hostKey.public)}`);
  await (await bench.connect(server.port, {}, { hostKeyPolicy: "strict" })).close();
});

t.test("a given known_hosts file replaces the user's", async () => {
  const bench = makeBench();
  const file = `${bench.folder}/other`;
  writeFileSync(file, `${name} ${plain(hostKey.public)}\n`);
  await (await bench.connect(server.port, {}, { hostKeyPolicy: "strict", knownHostsFile: file })).close();
});

t.test("a flag wins over ssh_config", async (t) => {
  t.equal(effectivePolicy("ask", "ask"), "ask");
  t.equal(effectivePolicy("ask", "yes"), "strict");
  t.equal(effectivePolicy("ask", "no"), "accept-new");
  t.equal(effectivePolicy("ask", "accept-new"), "accept-new");
  t.equal(effectivePolicy("accept-new", "yes"), "accept-new");
  t.equal(effectivePolicy("strict", "no"), "strict");
});
