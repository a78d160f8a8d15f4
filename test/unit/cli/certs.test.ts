import { join } from "node:path";
import t, { type Test } from "tap";
import { stateLines, stateOf, stateParts } from "../../../src/cli/certificate-state.js";
import { printable } from "../../../src/cli/host-command.js";
import { runCommand } from "./run-command.js";

const NAMES = "{ https: true, https_cert_domain: [live.example.org] }";

/** `edge-setup WORDS` on an inventory of one edge with the variables; no host is called. */
function desk(t: Test, vars: string) {
  const folder = t.testdir({ "edges.yml": `edges:\n  hosts:\n    pi: { ansible_host: 192.0.2.7 }\n  vars: ${vars}\n` });
  return async (command: string, ...words: string[]) => {
    const { code, out, err } = await runCommand(t, command, [...words, "-i", join(folder, "edges.yml")]);
    return { code, out, err: err.replaceAll(folder, "") };
  };
}

t.test("what certs cannot do", async (t) => {
  const run = desk(t, NAMES);
  t.match(await run("certs", "buy"), { code: 2, err: /certs cannot buy/ });
  t.match(await run("certs", "show", "--dry-run"), { code: 2, err: /--dry-run has no effect with certs show/ });
  t.match(await run("certs", "renew", "--no-input"), { code: 2, err: /nobody is there to confirm it/ });
  t.match(await run("certs", "revoke", "--no-input"), { code: 2, err: /nobody is there to confirm it/ });
  const own = desk(t, "{ https: true }");
  for (const action of ["renew", "revoke"])
    t.match(await own("certs", action, "--yes"), { code: 2, err: /the certificate of pi is not of a CA that could/ });
});

t.test("--staging is a setting over all others", async (t) => {
  const run = desk(t, '{ https: true, https_cert_domain: [a.example], https_acme_server: "https://ca.example/dir" }');
  t.match(await run("apply", "--staging", "--yes"), { code: 2, err: /https_staging is Let's Encrypt's, and/ });
  t.match(await desk(t, "{ https: true }")("apply", "--staging", "--yes"), {
    code: 2,
    err: /without https_cert_domain/,
  });
});

t.test("files of certificates are looked at before any host is called", async (t) => {
  const missing = desk(t, "{ https: true, tls_certificate: own.pem, tls_key: own.key }");
  t.match(await missing("plan"), { code: 2, err: /edges.yml:4:\d+: tls_certificate \S*own.pem does not exist/ });
  t.match((await missing("apply", "--yes")).err, /tls_key \S*own.key does not exist/);
});

t.test("what a host says of its certificate", async (t) => {
  const live = {
    ...{ kind: "acme", names: ["a.example"], issuer: "Let's Encrypt E7", fingerprint: "0".repeat(64) },
    ...{ not_before: 1_800_000_000, not_after: 1_807_776_000 },
  };
  const wait = { until: 1_800_000_600, why: "a.example failed 5 times" };
  const good = stateOf(JSON.stringify({ live, status: "current", wait }));
  t.same(stateLines(good, 1_800_000_000_000), [
    "Let's Encrypt, for a.example",
    "until 2027-04-15, 90 days",
    "issued by Let's Encrypt E7",
    `SHA-256 ${"0".repeat(64)}`,
    "state: current",
    "no CA is asked before 2027-01-15T08:10:00.000Z: a.example failed 5 times",
  ]);
  t.match(stateParts(good), { certificate: { kind: "acme" }, state: "current", waitsUntil: 1_800_000_600 });
  const hostile = JSON.stringify({
    live: { ...live, not_after: 8e15 },
    status: "\u001b]0;x\u0007",
    wait: { until: 1e300 },
  });
  const lines = stateLines(stateOf(hostile), 0);
  t.match(lines[1], /^until a time/);
  t.notMatch(lines.map(printable).join(""), /\p{Cc}/u);
  for (const text of ["", "null", "[]", "1"]) t.match(stateLines(stateOf(text), 0), ["shows no certificate"]);
});
