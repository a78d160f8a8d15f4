import { readFileSync } from "node:fs";
import { chmod, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { decrypt, encrypt, isVaultText, parseEnvelope } from "../../../src/inventory/vault/format.js";
import { type PasswordFlags, passwordSources, readPassword } from "../../../src/inventory/vault/passwords.js";
import { noVault, Vault } from "../../../src/inventory/vault/vault.js";
import { Secret } from "../../../src/util/secret.js";
import { errorsOf, lines } from "./fixtures/helpers.js";

/** Made by ansible-vault of ansible-core 2.14: `ansible-vault encrypt --vault-id LABEL@FILE`. */
const cases: readonly {
  readonly what: string;
  readonly password: string;
  readonly label: string | null;
  readonly plain: string;
  readonly text: string;
}[] = JSON.parse(readFileSync(join(import.meta.dirname, "fixtures/vault/cases.json"), "utf8"));
const [first, labelled] = cases;
if (first === undefined || labelled === undefined) throw new Error("there are no cases");

const at = { file: "group_vars/all/main.yml", line: 3, column: 14 };
const vaultOf = (...known: readonly (readonly [label: string, password: string])[]) =>
  new Vault(() => Promise.resolve(known.map(([label, password]) => ({ label, password: new Secret(password) }))));

t.test("what ansible-vault has encrypted", async (t) => {
  for (const { what, password, label, plain, text } of cases) {
    t.ok(isVaultText(text));
    const envelope = parseEnvelope(text);
    if (typeof envelope === "string") return t.fail(envelope);
    t.equal(envelope.label ?? null, label, what);
    t.equal((await decrypt(envelope, password))?.toString(), plain, what);
    t.equal(await decrypt(envelope, `${password} `), undefined, "another password");
    const again = parseEnvelope(await encrypt(plain, password, label ?? undefined));
    if (typeof again === "string") return t.fail(again);
    t.equal((await decrypt(again, password))?.toString(), plain, "and encrypted here");
  }
});

t.test("is written in the form that ansible-vault writes", async (t) => {
  t.match(await encrypt("x".repeat(100), "p"), /^\$ANSIBLE_VAULT;1\.1;AES256\n([0-9a-f]{80}\n)+[0-9a-f]{1,80}\n$/);
  t.match(await encrypt("x", "p", "lab"), /^\$ANSIBLE_VAULT;1\.2;AES256;lab\n/);
  t.not(await encrypt("x", "p"), await encrypt("x", "p"), "each time with a salt of its own");
});

t.test("opening says what, where, why and what next", async (t) => {
  const body = first.text.slice(first.text.indexOf("\n") + 1);
  const give =
    "give its password: --vault-password-file FILE, --vault-id LABEL@FILE, ANSIBLE_VAULT_PASSWORD_FILE, or --ask-vault-pass";
  const again = "encrypt it again with ansible-vault";
  const [right, wrong] = [first.password, "not-the-password"];
  const problems: readonly (readonly [what: string, text: string, vault: Vault, message: string])[] = [
    ["no password", first.text, noVault, `x is encrypted, and no vault password is given (${give})`],
    [
      "no password, with a label",
      labelled.text,
      noVault,
      `x is encrypted under the vault id lab, and no vault password is given (${give})`,
    ],
    [
      "another password",
      first.text,
      vaultOf(["default", wrong]),
      `x is encrypted, and the vault password does not open it: it is another one, or the text was changed (${give})`,
    ],
    [
      "two others",
      first.text,
      vaultOf(["a", wrong], ["b", "p"]),
      `x is encrypted, and none of the vault passwords opens it: it is another one, or the text was changed (${give})`,
    ],
    [
      "another label",
      labelled.text,
      vaultOf(["prod", wrong]),
      "x is encrypted under the vault id lab, for which no password is given; of prod none opens it (--vault-id lab@FILE)",
    ],
    [
      "a digit that was changed",
      `${first.text.slice(0, -3)}${first.text.at(-3) === "1" ? "2" : "1"}\n`,
      vaultOf(["default", right]),
      `x cannot be decrypted: it is damaged: its lines are not those of a vault text (${again})`,
    ],
    [
      "a line that is missing",
      first.text.split("\n").slice(0, -2).join("\n"),
      vaultOf(["default", right]),
      `x cannot be decrypted: it is damaged: a part of it is missing (${again})`,
    ],
    [
      "nothing behind its head",
      "$ANSIBLE_VAULT;1.1;AES256\n",
      vaultOf(["default", right]),
      `x cannot be decrypted: it is damaged: its lines are not those of a vault text (${again})`,
    ],
    [
      "another cipher",
      `$ANSIBLE_VAULT;1.1;AES\n${body}`,
      vaultOf(["default", right]),
      `x cannot be decrypted: its cipher is "AES", and AES256 is read (${again})`,
    ],
    [
      "another format",
      `$ANSIBLE_VAULT;9.9;AES256\n${body}`,
      vaultOf(["default", right]),
      `x cannot be decrypted: its format is "9.9", and 1.1 and 1.2 are read (${again})`,
    ],
    [
      "no head",
      body,
      vaultOf(["default", right]),
      `x cannot be decrypted: it does not begin with $ANSIBLE_VAULT;1.1;AES256 (${again})`,
    ],
  ];
  for (const [what, text, vault, message] of problems)
    t.strictSame(
      lines(await errorsOf(() => vault.open(text, "x", at))),
      [`group_vars/all/main.yml:3:14: ${message}`],
      what,
    );
});

t.test("a label says which password is tried first, and no more, as in Ansible", async (t) => {
  const open = (vault: Vault, text: string) => vault.open(text, "x", at);
  const { text, password, plain } = labelled;
  t.equal((await open(vaultOf(["other", password]), text)).text, plain);
  t.equal((await open(vaultOf(["a", "1"], ["lab", "2"], ["lab", password]), text)).text, plain);
  const { seal } = await open(vaultOf(["other", password]), text);
  const sealed = await seal("new");
  t.match(sealed, /^\$ANSIBLE_VAULT;1\.2;AES256;lab\n/, "what is written again keeps its label");
  t.equal((await open(vaultOf(["lab", password]), sealed)).text, "new", "and its password");
});

t.test("where passwords come from", async (t) => {
  const sourcesOf = (flags: PasswordFlags, environment = {}) =>
    passwordSources(flags, environment).map(({ label, from, flag }) =>
      [label, from.kind === "file" ? from.path : from.kind, flag].join(" | "),
    );
  t.strictSame(sourcesOf({}), []);
  t.strictSame(
    sourcesOf(
      {
        "vault-id": ["lab@/l", "/d", "x@prompt", "@/e"],
        "vault-password-file": ["/f", "~/g"],
        "ask-vault-pass": true,
      },
      { ANSIBLE_VAULT_PASSWORD_FILE: "/env" },
    ),
    [
      "lab | /l | --vault-id lab@/l",
      "default | /d | --vault-id /d",
      "x | prompt | --vault-id x@prompt",
      "default | /e | --vault-id @/e",
      "default | /f | --vault-password-file",
      `default | ${homedir()}/g | --vault-password-file`,
      "default | /env | ANSIBLE_VAULT_PASSWORD_FILE",
      "default | prompt | --ask-vault-pass",
    ],
  );
});

t.test("passwords are read, computed, or asked for", async (t) => {
  const folder = t.testdir({ plain: " a password \n", empty: "\n" });
  await program(folder, "script", 'echo "by a script $#"');
  await program(folder, "keys-client.sh", 'echo "for $1 $2"');
  await program(folder, "bad", "exit 3");
  await program(folder, "unknown-client", "exit 2");
  await writeFile(join(folder, "data"), "no program", { mode: 0o755 });
  const ask = (question: string) => Promise.resolve(new Secret(`answer to ${question}`));
  const read = async (id: string, asker: Parameters<typeof readPassword>[1] = ask) => {
    const [source] = passwordSources(
      { "vault-id": [id.replace("@", `@${folder}/`).replace(`${folder}/prompt`, "prompt")] },
      {},
    );
    if (source === undefined) throw new Error("no source");
    return (await readPassword(source, asker)).password.reveal();
  };
  t.equal(await read("lab@plain"), "a password");
  t.equal(await read("lab@script"), "by a script 0");
  t.equal(await read("lab@keys-client.sh"), "for --vault-id lab");
  t.equal(await read("lab@prompt"), "answer to Vault password (lab)");
  t.equal(await read("default@prompt"), "answer to Vault password");
  const problem = async (id: string) => {
    const nobody = () => Promise.resolve(undefined);
    return lines(await errorsOf(() => read(id, nobody))).map((line) => line.replaceAll(`${folder}/`, ""));
  };
  t.strictSame(await problem("lab@prompt"), [
    "--vault-id lab@prompt needs a terminal to ask on (In scripts, use --vault-password-file FILE, or ANSIBLE_VAULT_PASSWORD_FILE.)",
  ]);
  t.strictSame(await problem("lab@none"), ["--vault-id lab@none: none cannot be read: there is no such file"]);
  t.strictSame(await problem("lab@empty"), ["--vault-id lab@empty: the vault password is empty"]);
  t.strictSame(await problem("lab@bad"), ["--vault-id lab@bad: bad gives no password: its exit code is 3"]);
  t.strictSame(await problem("lab@unknown-client"), [
    "--vault-id lab@unknown-client: unknown-client gives no password: it knows no vault id lab",
  ]);
  t.strictSame(await problem("lab@data"), [
    "--vault-id lab@data: data is executable, and is no program (chmod -x data)",
  ]);
});

async function program(folder: string, name: string, body: string): Promise<void> {
  await writeFile(join(folder, name), `#!/bin/sh\n${body}\n`);
  await chmod(join(folder, name), 0o755);
}
