import { chmod, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import t, { type Test } from "tap";
import { loadFleet } from "../../../src/cli/fleet.js";
import { revealedVars } from "../../../src/inventory/host-value.js";
import { maskedTexts } from "../../../src/inventory/masked-texts.js";
import { encrypt } from "../../../src/inventory/vault/format.js";
import { runCommand } from "./run-command.js";

const LAB = "password-of-the-lab";
const SECRETS = "group_vars/all/edge-secrets.yml";

/** A value as `ansible-vault encrypt_string` prints it, below a key at `indent` spaces. */
async function vaulted(plain: string, { password = LAB, label = "lab", indent = 8 } = {}): Promise<string> {
  const lines = (await encrypt(plain, password, label)).trimEnd().split("\n");
  return ["!vault |", ...lines.map((line) => `${" ".repeat(indent + 2)}${line}`)].join("\n");
}

/** An inventory of one host that keeps secrets in every way there is. */
async function desk(t: Test) {
  const folder = t.testdir({
    "edges.yml": [
      "edges:",
      "  vars:",
      "    rtmp_publish_token: '{{ vault_token }}'",
      "    push: [{ name: tube, stream: church, url: 'rtmp://tube.example/live' }]",
      "  hosts:",
      "    pi:",
      "      ansible_host: 192.0.2.7",
      `      ansible_password: ${await vaulted("ssh {{ password }}")}`,
      `      ansible_become_password: ${await vaulted("become-password")}`,
      "      push_keys:",
      `        tube: ${await vaulted("key-of-the-tube", { indent: 10 })}`,
      "",
    ].join("\n"),
    group_vars: {
      all: { "vault.yml": await encrypt("vault_token: token-of-the-vault\nhls_fragment: 2s\n", LAB, "lab") },
      edges: {
        "keys.yml": `rtmp_stream_keys:\n  church: ${await vaulted("key-of-the-church", { indent: 4 })}\nhttp_status_password: "{{ lookup('file', inventory_dir ~ '/status') }}"\n`,
      },
    },
    status: "password-of-status\n",
    "lab.pw": `${LAB}\n`,
    "other.pw": "another-password\n",
  });
  const flags = { inventory: join(folder, "edges.yml"), "vault-id": [`lab@${join(folder, "lab.pw")}`] };
  return { folder, flags };
}

const passwords = { ssh: undefined, become: undefined };
const settled = { saveSecrets: false, passwords };

t.test("secrets in vaults, files and other variables are values like any other, and hidden", async (t) => {
  const { flags } = await desk(t);
  const fleet = await loadFleet(flags, settled);
  const [one] = fleet.hosts;
  if (one === undefined) return t.fail("no host");
  const { values } = one.settings;
  t.equal(values.rtmp_publish_token?.reveal(), "token-of-the-vault");
  t.equal(values.http_status_password?.reveal(), "password-of-status");
  t.equal(values.rtmp_stream_keys.church?.reveal(), "key-of-the-church");
  t.equal(values.push_keys.tube?.reveal(), "key-of-the-tube");
  t.equal(values.hls_fragment, 2000);
  t.equal(one.access.address.password?.reveal(), "ssh {{ password }}", "and no template");
  t.equal(one.access.becomePassword?.reveal(), "become-password");
  t.strictSame(fleet.secrets.created, [], "nothing has to be generated");
  const texts = JSON.stringify(fleet);
  const masked = maskedTexts(one.host, one.settings);
  for (const secret of [
    ...["token-of-the-vault", "password-of-status", "key-of-the-church", "key-of-the-tube"],
    ...["ssh {{ password }}", "become-password"],
  ]) {
    t.notOk(texts.includes(secret));
    t.ok(masked.includes(secret), `${secret} is masked`);
  }
  t.ok(masked.includes(Buffer.from("admin:password-of-status").toString("base64")), "so is the login as it is sent");
});

t.test("settings shows where they are, and not what", async (t) => {
  const { folder, flags } = await desk(t);
  const { code, out, err } = await runCommand(t, "settings", [
    "-i",
    flags.inventory,
    "--vault-id",
    flags["vault-id"][0] ?? "",
  ]);
  t.equal(code, 0, err);
  const lines = out
    .replaceAll(folder, "")
    .split("\n")
    .map((line) => line.trim().split(/ {2,}/).join(" | "));
  t.ok(lines.includes("rtmp_publish_token | *** | /edges.yml:3:25"), out);
  t.ok(lines.includes('push_keys | {"tube":"***"} | /edges.yml:23:9'), out);
  t.notMatch(out, /token-of-the-vault|key-of-the-tube/);
});

t.test("without the right password nothing is done, and exit is 2", async (t) => {
  const { folder, flags } = await desk(t);
  const run = async (...words: string[]) => {
    const { code, err } = await runCommand(t, "plan", ["-i", flags.inventory, "--no-input", ...words]);
    t.equal(code, 2);
    return err.replaceAll(`${folder}/`, "");
  };
  t.match(
    await run(),
    "group_vars/all/vault.yml:1:1: the file is encrypted under the vault id lab, and no vault password is given (E_VAULT)\n  give its password: --vault-password-file FILE,",
  );
  t.match(
    await run("--vault-password-file", join(folder, "other.pw")),
    "vault.yml:1:1: the file is encrypted under the vault id lab, for which no password is given; of default none opens it (E_VAULT)\n  --vault-id lab@FILE",
  );
  t.match(
    await run("--vault-id", `lab@${folder}/other.pw`),
    "vault.yml:1:1: the file is encrypted under the vault id lab, and the vault password does not open it",
  );
  t.match(await run("--ask-vault-pass"), "--ask-vault-pass needs a terminal to ask on (E_NO_INPUT)");
  t.match(
    await run("--vault-password-file", join(folder, "none")),
    "--vault-password-file: none cannot be read: there is no such file",
  );
});

t.test("a value is wrong where it stands, each at its own place", async (t) => {
  const folder = t.testdir({
    "edges.yml": [
      "edges:",
      "  hosts:",
      "    one:",
      `      rtmp_publish_token: ${await vaulted("a-token-of-one", { password: "unknown" })}`,
      "      ansible_become_password: !vault |",
      "        $ANSIBLE_VAULT;1.1;AES256",
      "        6162",
      "      http_server_port: no-port",
      "    two: { hls_fragment: 2s }",
      "",
    ].join("\n"),
    pw: LAB,
  });
  const run = async (...words: string[]) => {
    const { code, err } = await runCommand(t, "plan", [
      "-i",
      join(folder, "edges.yml"),
      "--vault-password-file",
      join(folder, "pw"),
      "--no-input",
      ...words,
    ]);
    return { code, err: err.replaceAll(`${folder}/`, "") };
  };
  const { code, err } = await run();
  t.equal(code, 2);
  t.match(err, /edges\.yml:4:\d+: rtmp_publish_token is encrypted under the vault id lab/);
  t.match(err, /edges\.yml:11:\d+: ansible_become_password cannot be decrypted: it is damaged/);
  t.match(err, /edges\.yml:14:\d+: http_server_port is "no-port"/, "and what else is wrong");
  const other = await loadFleet({ inventory: join(folder, "edges.yml"), limit: "two" }, settled);
  t.equal(other.hosts.length, 1, "hosts that are not asked for need no password");
});

t.test("an encrypted file of secrets stays one", async (t) => {
  const { folder, flags } = await desk(t);
  const file = join(folder, SECRETS);
  const fill = async (text: string) => {
    await writeFile(file, text);
    await chmod(file, 0o600);
  };
  await writeFile(join(folder, "edges.yml"), "edges:\n  hosts:\n    pi:\n    other:\n");
  await writeFile(join(folder, "group_vars/edges/keys.yml"), "");
  await fill(
    await encrypt('edge_secrets:\n  pi: # mine\n    rtmp_publish_token: "token-that-was-there"\n', LAB, "lab"),
  );
  const fleet = await loadFleet(flags, { ...settled, saveSecrets: true });
  t.strictSame(fleet.secrets.created, ["pi", "other"]);
  const text = await readFile(file, "utf8");
  t.match(text, /^\$ANSIBLE_VAULT;1\.2;AES256;lab\n[0-9a-f\n]+$/, "under the same label");
  t.equal((await stat(file)).mode & 0o777, 0o600);
  await chmod(file, 0o644);
  const again = await loadFleet(flags, { ...settled, saveSecrets: true });
  t.strictSame(again.secrets.created, []);
  t.strictSame(again.secrets.warnings, [], "others may read what is encrypted, as in a repository");
  t.equal(await readFile(file, "utf8"), text);
  t.equal(again.hosts[0]?.settings.values.rtmp_publish_token?.reveal(), "token-that-was-there");

  await fill(`edge_secrets:\n  pi:\n    rtmp_publish_token: ${await vaulted("token-in-the-file", { indent: 4 })}\n`);
  const inside = await loadFleet(flags, { ...settled, saveSecrets: true });
  t.equal(inside.hosts[0]?.settings.values.rtmp_publish_token?.reveal(), "token-in-the-file");
  t.match(
    await readFile(file, "utf8"),
    /rtmp_publish_token: !vault \|\n +\$ANSIBLE_VAULT;1\.2;AES256;lab\n/,
    "and what is encrypted in it stays so",
  );
  t.notMatch(await readFile(file, "utf8"), "token-in-the-file");
});

t.test("so do files of extra variables", async (t) => {
  const { folder, flags } = await desk(t);
  await writeFile(join(folder, "more.yml"), `rtmp_publish_token: ${await vaulted("token-of-more", { indent: 0 })}\n`);
  await writeFile(join(folder, "whole.yml"), await encrypt("http_status_password: password-of-whole\n", LAB, "lab"));
  const files = ["more.yml", "whole.yml"].map((name) => `@${join(folder, name)}`);
  const fleet = await loadFleet({ ...flags, "extra-vars": files }, settled);
  const { values } = fleet.hosts[0]?.settings ?? {};
  t.equal(values?.rtmp_publish_token?.reveal(), "token-of-more");
  t.equal(values?.http_status_password?.reveal(), "password-of-whole");
  t.strictSame(revealedVars(fleet.extraVars.vars), {
    rtmp_publish_token: "token-of-more",
    http_status_password: "password-of-whole",
  });
  t.notMatch(JSON.stringify(fleet), /token-of-more|password-of-whole/);
});
