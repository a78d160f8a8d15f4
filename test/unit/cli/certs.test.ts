import { join } from "node:path";
import t, { type Test } from "tap";
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
