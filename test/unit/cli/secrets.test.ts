import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import t, { type Test } from "tap";
import { loadFleet } from "../../../src/cli/fleet.js";
import { planRotation } from "../../../src/cli/rotation.js";
import { revealed } from "../../../src/inventory/host-value.js";
import { encrypt } from "../../../src/inventory/vault/format.js";
import { runCommand } from "./run-command.js";

const ALL = ["rtmp_publish_token", "http_status_password", "hls_signing_key"] as const;

/** Two hosts whose secrets are generated but for some, and one that was set up from elsewhere. */
async function desk(t: Test) {
  const sealed = (await encrypt("key-of-the-choir-1", "p")).trimEnd().replaceAll("\n", "\n          ");
  const folder = t.testdir({
    "edges.yml": [
      "edges:",
      "  hosts:",
      "    made: { ansible_host: 192.0.2.7, hls_signed: true }",
      "    own: { rtmp_publish_token: a-token-of-the-operators-own, rtmp_stream_keys: { tower: key-of-the-tower-1 } }",
      "    elsewhere: {}",
      "",
    ].join("\n"),
    group_vars: {
      all: {
        "edge-secrets.yml": [
          "edge_secrets:",
          "  made:",
          '    rtmp_publish_token: "token-of-made-1"',
          '    http_status_password: "password-of-made-1"',
          '    hls_signing_key: "signing-key-of-made-1"',
          "    rtmp_stream_keys:",
          '      church: "key-of-the-church-1"',
          `      choir: !vault |\n          ${sealed}`,
          "  own:",
          '    http_status_password: "password-of-own-1"',
          "",
        ].join("\n"),
      },
    },
    pw: "p",
  });
  const flags = { inventory: join(folder, "edges.yml"), "vault-password-file": [join(folder, "pw")] };
  return {
    secrets: join(folder, "group_vars/all/edge-secrets.yml"),
    fleet: (limit: string) => loadFleet({ ...flags, limit }, { saveSecrets: false, passwords: {} }),
    async run(...words: string[]) {
      const all = [...words, "-i", flags.inventory, "--vault-password-file", join(folder, "pw")];
      const { code, out, err } = await runCommand(t, "secrets", all);
      return { code, out: out.replaceAll(`${folder}/`, ""), err: err.replaceAll(`${folder}/`, "") };
    },
  };
}

t.test("show", async (t) => {
  const { run } = await desk(t);
  const { code, out, err } = await run("show", "made", "own");
  t.equal(code, 0, err);
  t.equal(
    out,
    [
      "made",
      "  rtmp_publish_token    token-of-made-1        generated, in group_vars/all/edge-secrets.yml",
      "  key of church         key-of-the-church-1    generated, in group_vars/all/edge-secrets.yml",
      "  key of choir          key-of-the-choir-1     generated, in group_vars/all/edge-secrets.yml",
      "  http_status_password  password-of-made-1     generated, in group_vars/all/edge-secrets.yml",
      "  hls_signing_key       signing-key-of-made-1  generated, in group_vars/all/edge-secrets.yml",
      "own",
      "  rtmp_publish_token    a-token-of-the-operators-own  edges.yml:4:32",
      "  key of tower          key-of-the-tower-1            edges.yml:4:80",
      "  http_status_password  password-of-own-1             generated, in group_vars/all/edge-secrets.yml",
      "",
    ].join("\n"),
  );
  const [first = ""] = (await run("-l", "made", "--json")).out.split("\n");
  t.strictSame(JSON.parse(first), {
    host: "made",
    name: "rtmp_publish_token",
    value: "token-of-made-1",
    origin: "generated, in group_vars/all/edge-secrets.yml",
    use: "encoders: server rtmp://192.0.2.7/hls, stream key mystream?token=token-of-made-1",
  });
  t.match(await run("show", "elsewhere"), { code: 2, err: /the secrets of elsewhere are not in .*edge-secrets\.yml/ });
});

t.test("what is generated is made anew, what is the operator's own is named", async (t) => {
  const { fleet } = await desk(t);
  const { changes, kept } = planRotation(await fleet("made,own"), { names: ALL, streams: "all" });
  t.strictSame([...changes.keys()], ["made", "own"]);
  t.strictSame(Object.keys(changes.get("made") ?? {}), [...ALL, "rtmp_stream_keys"]);
  t.strictSame(Object.keys(changes.get("made")?.rtmp_stream_keys ?? {}), ["church"], "not what was encrypted by hand");
  t.strictSame(
    Object.keys(changes.get("own") ?? {}),
    ["http_status_password"],
    "and no signing key that nothing needs",
  );
  t.strictSame(
    kept.map(({ host, name, where }) => `${host} ${name} ${where.replace(/^.*\//, "")}`),
    [
      "made the key of choir edge-secrets.yml:8:21",
      "own rtmp_publish_token edges.yml:4:32",
      "own the key of tower edges.yml:4:80",
    ],
  );
  const texts = [...changes.values()]
    .flatMap((change) => Object.values(change))
    .map((value) => revealed(value as never));
  t.match(texts[0], /^[A-Za-z0-9]{32}$/);
  t.notMatch(JSON.stringify([...changes]), /[A-Za-z0-9]{32}/, "they are Secrets");

  const one = planRotation(await fleet("made"), { names: ["http_status_password"], streams: ["church"] });
  t.strictSame(Object.keys(one.changes.get("made") ?? {}), ["http_status_password", "rtmp_stream_keys"]);
});

t.test("what is refused, before anything is written", async (t) => {
  const { run, secrets } = await desk(t);
  const before = await readFile(secrets, "utf8");
  const cases: readonly (readonly [words: string[], says: RegExp])[] = [
    [["burn"], /secrets cannot burn.*\n.*show, rotate, encrypt, decrypt/],
    [["rotate"], /the secrets of elsewhere are not in .*edge-secrets\.yml.*\n.*Apply first/],
    [["rotate", "made", "--no-input"], /secrets rotate changes hosts, and nobody is there to ask.*\n.*--yes/],
    [
      ["rotate", "own", "--token", "--yes"],
      /there is no generated secret to rotate.*\n.*given at edges\.yml:4:32: change it there/,
    ],
    [["rotate", "own", "--signing-key", "--yes"], /there is no generated secret to rotate.*\n.*secrets show/],
    [["rotate", "made", "--streams", "tower", "--yes"], /--streams: "tower" has no key of its own on these hosts/],
    [["rotate", "none", "--yes"], /none/],
  ];
  for (const [words, says] of cases) {
    const { code, err, out } = await run(...words);
    t.equal(code, 2, words.join(" "));
    t.match(err, says);
    t.equal(out, "");
  }
  t.equal(await readFile(secrets, "utf8"), before);
});

t.test("the file of secrets is encrypted and decrypted as a whole", async (t) => {
  const { run, secrets } = await desk(t);
  const before = await readFile(secrets, "utf8");
  t.match(await run("decrypt"), { code: 2, err: /edge-secrets\.yml is not encrypted/ });
  t.match(await run("encrypt", "made"), { code: 2, err: /secrets encrypt takes no host/ });
  const { code, err, out } = await run("encrypt");
  t.equal(code, 0, err);
  t.equal(out, "");
  t.match(err, "is encrypted. Commands that need it ask for its password");
  const sealed = await readFile(secrets, "utf8");
  t.match(sealed, /^\$ANSIBLE_VAULT;1\.1;AES256\n/);
  t.equal((await stat(secrets)).mode & 0o777, 0o600);
  t.match((await run("show", "made")).out, "token-of-made-1");
  t.match(await run("encrypt"), { code: 2, err: /is encrypted already/ });
  t.equal(await readFile(secrets, "utf8"), sealed);
  t.equal((await run("decrypt")).code, 0);
  t.equal(await readFile(secrets, "utf8"), before);
  t.equal((await stat(secrets)).mode & 0o777, 0o600);

  const { code: nobody, err: needs } = await runCommand(t, "secrets", [
    "encrypt",
    "-i",
    secrets.replace(/group_vars.*/, "edges.yml"),
    "--no-input",
  ]);
  t.equal(nobody, 2);
  t.match(needs, /secrets encrypt needs a vault password, and nobody is there to ask.*\n.*--vault-password-file FILE/);
  t.equal(await readFile(secrets, "utf8"), before);
  const none = await runCommand(t, "secrets", ["encrypt", "-i", `${t.testdir({})}/edges.yml`, "--no-input"]);
  t.match(none, { code: 2, err: /there are no secrets in/ });
});
