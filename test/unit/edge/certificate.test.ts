import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { certificateLabel, daysLeft, isFor, isLate, readCertificate } from "../../../src/edge/certificate.js";
import { pairProblem } from "../../../src/edge/pair-problems.js";

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 10, 26);
const record = {
  ...{ v: 1, kind: "acme", names: ["live.example.org"], issuer: "Let's Encrypt E7", staging: false },
  ...{ fingerprint: "ab".repeat(32), not_before: NOW / 1000 - 30 * 86_400, not_after: NOW / 1000 + 60 * 86_400 },
};

t.test("what an edge notes of its certificate", async (t) => {
  const certificate = readCertificate(JSON.stringify(record));
  t.match(certificate, { kind: "acme", names: ["live.example.org"], standsIn: false });
  if (certificate === undefined) return;
  t.equal(daysLeft(certificate, NOW), 60);
  t.equal(isLate(certificate, NOW), false);
  t.equal(isLate(certificate, NOW + 45 * DAY), true, "a fifth of its lifetime is left");
  const labels = [{}, { staging: true }, { kind: "own" }, { kind: "self-signed" }, { issuer: "Ours CA" }].map(
    (more) => {
      const other = readCertificate(JSON.stringify({ ...record, ...more }));
      return other && certificateLabel(other);
    },
  );
  t.same(labels, ["Let's Encrypt", "staging", "own", "self-signed", "Ours CA"]);
});

t.test("a host that says something else", async (t) => {
  const wrong = [
    ...[{ kind: "x" }, { issuer: "\u001b]0;x\u0007" }, { names: ["a b"] }, { names: "a" }, { fingerprint: "zz" }],
    ...[{ not_after: "soon" }, { not_before: 1e300 }],
  ];
  for (const more of wrong) t.equal(readCertificate(JSON.stringify({ ...record, ...more })), undefined);
  for (const text of ["", "-", "null", "[]", "{"]) t.equal(readCertificate(text), undefined, text);
});

t.test("names that browsers take it for", async (t) => {
  const names = ["live.example.org", "*.tv.example.org", "192.0.2.7"];
  t.same(
    ["LIVE.example.org", "a.tv.example.org", "192.0.2.7"].map((host) => isFor({ names }, host)),
    [true, true, true],
  );
  t.same(
    ["example.org", "a.b.tv.example.org", "tv.example.org", "192.0.2.8"].map((host) => isFor({ names }, host)),
    [false, false, false, false],
  );
});

/** An authority, and certificates of it, made by OpenSSL. */
function makePki(folder: string): Record<"leaf" | "key" | "ca" | "other" | "locked" | "late", string> {
  const run = (script: string) => execFileSync("sh", ["-ec", script], { cwd: folder, stdio: "ignore" });
  run(`
    ec='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'
    openssl req -x509 $ec -keyout ca.key -out ca.pem -days 30 -subj /CN=CA
    printf 'subjectAltName=DNS:live.example.org,DNS:*.tv.example.org,IP:192.0.2.7,IP:2001:db8::7\\nbasicConstraints=CA:FALSE\\n' > ext
    openssl req -new $ec -keyout key.pem -out csr -subj /CN=live.example.org
    openssl x509 -req -in csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile ext -days 30 -out leaf.pem
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out other.pem
    openssl pkey -in key.pem -aes256 -passout pass:secret -out locked.pem
  `);
  const read = (name: string) => readFileSync(join(folder, `${name}.pem`), "utf8");
  return {
    leaf: read("leaf"),
    key: read("key"),
    ca: read("ca"),
    other: read("other"),
    locked: read("locked"),
    late: "",
  };
}

t.test("an operator's own certificate", async (t) => {
  const { leaf, key, ca, other, locked } = makePki(t.testdir({}));
  const now = Date.now();
  const names = ["live.example.org", "a.tv.example.org", "192.0.2.7", "2001:db8:0::7"];
  t.equal(pairProblem(leaf, key, names, now), undefined);
  t.equal(pairProblem(`${leaf}${ca}`, key, names, now), undefined, "with who vouches for it");
  const said = (certificate: string, secret: string, wanted: readonly string[] = [], at = now) => {
    const problem = pairProblem(certificate, secret, wanted, at);
    return `${problem?.file} ${problem?.text}`;
  };
  t.equal(said("MII...", key), "certificate holds no certificate in PEM form");
  t.equal(said(leaf.replace(/\n[A-Za-z0-9+/]{4}/, "\nAAAA"), key), "certificate is damaged");
  t.equal(said(`${ca}${leaf}`, key), "certificate is out of order: its certificate 2 does not vouch for certificate 1");
  t.equal(said(leaf, leaf), "key holds no private key in PEM form");
  t.equal(said(leaf, locked), "key has a pass phrase, which nobody could type on the host");
  t.equal(said(leaf, other), "key is not the key of the certificate");
  t.match(said(leaf, key, [], now + 31 * DAY), /^certificate ended 20/);
  t.match(said(leaf, key, [], now - 2 * DAY), /^certificate is good from 20/);
  t.match(
    said(leaf, key, ["tv.example.org", "192.0.2.7"]),
    /^certificate is not for tv.example.org \(it is for DNS:live/,
  );
  t.notMatch(JSON.stringify([said(leaf, other), said(leaf, locked)]), /PRIVATE KEY-----\n/);
});
