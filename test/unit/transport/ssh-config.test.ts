import { writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { parseJumps, parseSshConfig, SshConfigReader } from "../../../src/transport/ssh-config.js";
import { scratchFolder } from "../../support/scratch-folder.js";

const surroundings = {
  home: "/home/op",
  user: "op",
  environment: { SSH_AUTH_SOCK: "/run/agent", OTHER_SOCK: "/run/other", WHERE: "/keys" },
};
const parse = (output: string, query = {}) => parseSshConfig(output, { host: "pi", ...query }, surroundings);

t.test("without an ssh client the defaults of OpenSSH hold", async (t) => {
  t.match(parse(""), {
    hostname: "pi",
    port: 22,
    user: "op",
    agentSocket: "/run/agent",
    identitiesOnly: false,
    userKnownHostsFiles: ["/home/op/.ssh/known_hosts", "/home/op/.ssh/known_hosts2"],
    hashKnownHosts: false,
    hostKeyAlias: undefined,
    proxyJump: [],
    connectTimeoutMs: undefined,
    strictHostKeyChecking: "ask",
  });
  t.ok(parse("").identityFiles.some(({ path, isDefault }) => path === "/home/op/.ssh/id_ed25519" && isDefault));
});

t.test("what ssh -G says", async (t) => {
  const host = parse(
    [
      "host pi",
      "user bob",
      "hostname Pi.Example.ORG",
      "port 2222",
      "hashknownhosts yes",
      "stricthostkeychecking accept-new",
      "identityagent $OTHER_SOCK",
      "identitiesonly yes",
      "identityfile ~/.ssh/id_rsa",
      // biome-ignore lint/suspicious/noTemplateCurlyInString: ssh_config has the same form
      "identityfile ${WHERE}/%r_%h_%p_%n_100%%",
      "identityfile /with space/key",
      "globalknownhostsfile /etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2",
      "userknownhostsfile /with space/kh ~/x",
      "connecttimeout 7",
      "hostkeyalias alias",
      "proxyjump a,bob@b:2200",
    ].join("\n"),
  );
  t.match(host, {
    hostname: "pi.example.org",
    port: 2222,
    user: "bob",
    hashKnownHosts: true,
    strictHostKeyChecking: "accept-new",
    agentSocket: "/run/other",
    identitiesOnly: true,
    connectTimeoutMs: 7000,
    hostKeyAlias: "alias",
    proxyJump: [{ host: "a" }, { host: "b", user: "bob", port: 2200 }],
    userKnownHostsFiles: ["/with space/kh", "/home/op/x"],
    globalKnownHostsFiles: ["/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"],
  });
  t.same(host.identityFiles, [
    { path: "/home/op/.ssh/id_rsa", isDefault: true },
    { path: "/keys/bob_pi.example.org_2222_pi_100%", isDefault: false },
    { path: "/with space/key", isDefault: false },
  ]);
});

t.test("values with several spellings", async (t) => {
  const strict = (value: string) => parse(`stricthostkeychecking ${value}`).strictHostKeyChecking;
  t.equal(strict("true"), "yes");
  t.equal(strict("yes"), "yes");
  t.equal(strict("false"), "no");
  t.equal(strict("off"), "no");
  t.equal(strict("ask"), "ask");
  t.equal(parse("identityagent none").agentSocket, undefined);
  t.equal(parse("identityagent SSH_AUTH_SOCK").agentSocket, "/run/agent");
  t.equal(parse("identityagent ~/agent.sock").agentSocket, "/home/op/agent.sock");
  t.equal(parse("connecttimeout none").connectTimeoutMs, undefined);
  t.same(parse("userknownhostsfile none").userKnownHostsFiles, []);
  t.same(parse("identityfile none").identityFiles, []);
});

t.test("explicit values win", async (t) => {
  t.match(parse("user bob\nport 2222", { user: "pi", port: 22 }), { user: "pi", port: 22 });
});

t.test("what only OpenSSH itself can do", async (t) => {
  const only = (text: string) => parse(text).onlyOpenSsh;
  t.same(only("proxycommand none\npkcs11provider none\nsecuritykeyprovider internal\ngssapiauthentication yes"), []);
  t.same(only("proxycommand nc %h %p"), ["ProxyCommand nc %h %p"]);
  t.same(only("certificatefile ~/.ssh/c-cert.pub"), ["CertificateFile ~/.ssh/c-cert.pub"]);
  t.same(only("pkcs11provider /usr/lib/opensc-pkcs11.so"), ["PKCS11Provider /usr/lib/opensc-pkcs11.so"]);
  t.same(only("knownhostscommand /bin/keys %H"), ["KnownHostsCommand /bin/keys %H"]);
  t.same(only("securitykeyprovider /lib/sk.so"), ["SecurityKeyProvider /lib/sk.so"]);
  const none = "pubkeyauthentication false\npasswordauthentication no\nkbdinteractiveauthentication no";
  t.same(only(`gssapiauthentication yes\n${none}`), ["GSSAPIAuthentication alone"]);
  t.same(only("preferredauthentications gssapi-with-mic"), ["PreferredAuthentications gssapi-with-mic"]);
  t.same(only("preferredauthentications publickey,gssapi-with-mic"), []);
});

t.test("ProxyJump", async (t) => {
  t.same(parseJumps(undefined), []);
  t.same(parseJumps("none"), []);
  t.match(parseJumps("ssh://bob@h:1"), [{ host: "h", user: "bob", port: 1 }]);
  t.match(parseJumps("bob@[fe80::1]:22,fe80::2"), [{ host: "fe80::1", user: "bob", port: 22 }, { host: "fe80::2" }]);
  t.match(parseJumps("bob@corp@h"), [{ host: "h", user: "bob@corp" }]);
  t.throws(() => parseJumps("h:x"), { code: "E_SSH_CONFIG" });
});

t.test("the real ssh -G", async (t) => {
  const file = join(scratchFolder(), "config");
  writeFileSync(file, "Host pi\n  HostName 192.0.2.1\n  User bob\n  ProxyJump a,b\n  IdentityFile /k\n");
  const reader = new SshConfigReader();
  const query = { host: "pi", port: 2222, configFile: file };
  const first = reader.read(query);
  t.equal(reader.read({ ...query }), first, "one process per distinct host");
  const host = await first.catch((error: { message: string }) => error);
  if ("message" in host && /ssh client/.test(host.message)) {
    t.comment("no ssh client here");
    return;
  }
  t.match(host, { hostname: "192.0.2.1", port: 2222, user: "bob", proxyJump: [{ host: "a" }, { host: "b" }] });

  writeFileSync(file, "Nonsense yes\n");
  await t.rejects(new SshConfigReader().read(query), { code: "E_SSH_CONFIG", exitCode: 2 });
  await t.rejects(new SshConfigReader().read({ host: "-oProxyCommand=x" }), { code: "E_HOST_NAME" });
});
