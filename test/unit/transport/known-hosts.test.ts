import { execFileSync } from "node:child_process";
import { chmodSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import ssh2 from "ssh2";
import t from "tap";
import {
  fingerprint,
  judge,
  KnownHostsFiles,
  keyTypeOf,
  knowledgeOf,
  knownHostsName,
  matchesHost,
  parseKnownHosts,
  preferKnownAlgorithms,
} from "../../../src/transport/known-hosts.js";
import { scratchFolder } from "../../support/scratch-folder.js";

const ED25519 = "AAAAC3NzaC1lZDI1NTE5AAAAIO/zM+SRX35s63ulbsxjWZjVadq6n/hvqegui+F+Ex7K";
const key = Buffer.from(ED25519, "base64");
const other = Buffer.from(ED25519.replace("Ex7K", "Ex7L"), "base64");

t.test("lines", async (t) => {
  const entries = parseKnownHosts(
    [
      "# comment",
      "",
      `host,10.0.0.1 ssh-ed25519 ${ED25519} a comment`,
      `@revoked * ssh-ed25519 ${ED25519}`,
      `@cert-authority\t*.example.org ssh-rsa AAAA`,
      `@unheard-of host ssh-ed25519 ${ED25519}`,
      "garbage",
      "host 1024 35 1234567890",
    ].join("\n"),
    "/kh",
  );
  t.match(entries, [
    { marker: undefined, patterns: "host,10.0.0.1", keyType: "ssh-ed25519", key: ED25519, file: "/kh", line: 3 },
    { marker: "revoked", patterns: "*", line: 4 },
    { marker: "cert-authority", patterns: "*.example.org", line: 5 },
  ]);
  t.equal(entries.length, 3, "comments, unknown markers, garbage and SSH 1 keys are passed over");
});

t.test("patterns", async (t) => {
  const cases: Array<[string, string, boolean]> = [
    ["host", "host", true],
    ["HOST", "host", true],
    ["host", "host2", false],
    ["a,host,b", "host", true],
    ["*.example.org", "a.example.org", true],
    ["*.example.org", "example.org", false],
    ["10.0.0.?", "10.0.0.7", true],
    ["10.0.0.?", "10.0.0.17", false],
    ["*.example.org,!secret.example.org", "secret.example.org", false],
    ["!secret.example.org,*.example.org", "secret.example.org", false],
    ["!a", "b", false],
    ["[host]:2222", "[host]:2222", true],
    ["[*.lan]:2222", "[pi.lan]:2222", true],
    ["[host]:2222", "host", false],
    ["a.b", "axb", false],
    ["|1|broken", "host", false],
    ["|2|AAAA|BBBB", "host", false],
  ];
  for (const [patterns, name, expected] of cases)
    t.equal(matchesHost(patterns, name), expected, `${patterns} ~ ${name}`);
});

t.test("names", async (t) => {
  t.equal(knownHostsName("Pi.Local", 22), "pi.local");
  t.equal(knownHostsName("Pi.Local", 2222), "[pi.local]:2222");
  t.equal(knownHostsName("fe80::1", 2222), "[fe80::1]:2222");
});

t.test("hashed by ssh-keygen, found by us, and the other way round", async (t) => {
  const folder = scratchFolder();
  const file = join(folder, "known_hosts");
  writeFileSync(file, `[host]:2222 ssh-ed25519 ${ED25519}\n`);
  try {
    execFileSync("ssh-keygen", ["-H", "-f", file], { stdio: "ignore" });
  } catch {
    t.comment("no ssh-keygen here");
    return;
  }
  const entries = parseKnownHosts(readFileSync(file, "utf8"), file);
  t.match(entries[0]?.patterns, /^\|1\|/);
  t.same(judge(knowledgeOf(entries, "[host]:2222"), key), { kind: "known" });
  t.match(judge(knowledgeOf(entries, "[host]:2223"), key), { kind: "unknown" });

  await new KnownHostsFiles().append(file, "new-host", key, true);
  t.match(execFileSync("ssh-keygen", ["-F", "new-host", "-f", file], { encoding: "utf8" }), ED25519);
});

t.test("verdicts", async (t) => {
  const entries = parseKnownHosts(
    [
      `host ssh-ed25519 ${ED25519}`,
      `stolen ssh-ed25519 ${ED25519}`,
      `@revoked stolen ssh-ed25519 ${ED25519}`,
      "@cert-authority *.ca ssh-rsa AAAA",
      "rsa-host ssh-rsa AAAA",
    ].join("\n"),
    "/kh",
  );
  t.same(judge(knowledgeOf(entries, "host"), key), { kind: "known" });
  t.match(judge(knowledgeOf(entries, "host"), other), { kind: "changed", known: [{ line: 1 }] });
  t.match(judge(knowledgeOf(entries, "stolen"), key), { kind: "revoked", entry: { line: 3 } });
  t.match(judge(knowledgeOf(entries, "elsewhere"), key), { kind: "unknown", authority: undefined });
  t.match(judge(knowledgeOf(entries, "a.ca"), key), { kind: "unknown", authority: { line: 4 } });
  t.match(judge(knowledgeOf(entries, "rsa-host"), key), { kind: "changed" }, "another type is a change, too");
  t.same(judge(knowledgeOf(entries, "[host]:2222", "host"), key), { kind: "known" }, "vouched for without its port");
  t.match(judge(knowledgeOf(entries, "[host]:2222", "host"), other), { kind: "unknown" }, "another sshd on port 22");
});

t.test("known algorithms come first", async (t) => {
  const entries = parseKnownHosts("r ssh-rsa AAAA\ne ecdsa-sha2-nistp256 AAAA\n", "/kh");
  t.same(preferKnownAlgorithms(knowledgeOf(entries, "r")).slice(0, 4), [
    "rsa-sha2-512",
    "rsa-sha2-256",
    "ssh-rsa",
    "ssh-ed25519",
  ]);
  t.same(preferKnownAlgorithms(knowledgeOf(entries, "e")).slice(0, 2), ["ecdsa-sha2-nistp256", "ssh-ed25519"]);
  t.equal(preferKnownAlgorithms(knowledgeOf(entries, "new"))[0], "ssh-ed25519");
});

t.test("fingerprint and type as ssh-keygen prints them", async (t) => {
  t.equal(fingerprint(key), "SHA256:s9yQWlZXP7LGUBPRGVyNh9eZA0nRcMH8b4yvoXcsAsw");
  t.equal(keyTypeOf(key), "ssh-ed25519");
  const made = ssh2.utils.parseKey(ssh2.utils.generateKeyPairSync("ecdsa", { bits: 256 }).public);
  if (made instanceof Error) throw made;
  t.equal(keyTypeOf(made.getPublicSSH()), "ecdsa-sha2-nistp256");
});

t.test("files", async (t) => {
  const folder = scratchFolder();
  const file = join(folder, ".ssh", "known_hosts");
  const files = new KnownHostsFiles();
  t.same(await files.read([file, "/dev/null"]), [], "a missing file has no entries");
  await files.append(file, "host", key, false);
  t.equal(statSync(file).mode & 0o777, 0o600);
  t.equal(statSync(join(folder, ".ssh")).mode & 0o777, 0o700);
  t.equal(readFileSync(file, "utf8"), `host ssh-ed25519 ${ED25519}\n`);
  t.equal((await files.read([file])).length, 1);

  writeFileSync(file, `host ssh-ed25519 ${ED25519}`);
  await files.append(file, "second", key, false);
  t.equal(readFileSync(file, "utf8").split("\n").length, 3, "a last line without its newline is not glued to the next");
  t.equal((await files.read([file])).length, 2, "what is appended is seen");

  if (process.getuid?.() !== 0) {
    chmodSync(file, 0o000);
    await t.rejects(new KnownHostsFiles().read([file]), { code: "E_KNOWN_HOSTS_FILE" }, "fails closed");
  }
});
