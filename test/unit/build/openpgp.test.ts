import { readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import t from "tap";
import { OpenPgpError, parseKeyring, verifyDetached } from "../../../src/build/openpgp.js";
import { loadLock } from "../../../src/build/sources.js";
import { packageRoot } from "../../../src/util/package-root.js";

/** Made by GnuPG, see make.sh there. */
const fixtures = join(dirname(fileURLToPath(import.meta.url)), "fixtures/openpgp");
const release = join(fixtures, "release.txt");
const textOf = (name: string) => readFile(join(fixtures, name), "utf8");

const keys = parseKeyring(await readFile(join(fixtures, "keys.gpg")));
const [signer, , ended] = keys;
const mayOf = [signer, ended].flatMap((key) => key ?? []);

t.test("a keyring: whose keys, and when they end", async (t) => {
  t.same(
    keys.map(({ user, created, ends }) => [user, created, ends]),
    [
      ["signer <signer@example.org>", 1577836800, undefined],
      ["stranger <stranger@example.org>", 1577836800, undefined],
      // Its newest certification of itself says so, not its first.
      ["ended <ended@example.org>", 1577836800, 1609459200],
    ],
  );
});

t.test("what gpg signed is good, by either hash, also by a key that has ended since", async (t) => {
  for (const [name, by] of [
    ["good", signer],
    ["sha512", signer],
    ["in-time", ended],
  ] as const) {
    t.match(await verifyDetached(release, await textOf(`${name}.asc`), mayOf), { status: "good", by }, name);
  }
});

t.test("what is no good signature of a file by a key that may", async (t) => {
  for (const [name, reason] of [
    ["stranger", /^it was made by the key 0656BF921DB6144B0B533D3B94F78ED102C47A3A, which may not sign this file$/],
    ["late", /^the key 5CBE\w+ \(ended <ended@example\.org>\) had ended on 2021-01-01, before it was made$/],
    ["early", /older than the key/],
    ["text", /of type 1, not a signature over a file/],
  ] as const) {
    t.match(await verifyDetached(release, await textOf(`${name}.asc`), mayOf), { status: "refused", reason }, name);
  }
});

t.test("kinds of signatures that are not accepted", async (t) => {
  for (const [name, reason] of [
    ["sha1", /its hash is number 2, only SHA-2/],
    ["modern", /its algorithm is number 22, only RSA/],
    ["expiring", /it has an end/],
  ] as const) {
    t.match(await verifyDetached(release, await textOf(`${name}.asc`), keys), { status: "refused", reason }, name);
  }
  const good = await textOf("good.asc");
  const body = good.split("\n\n")[1] ?? "";
  for (const [text, reason] of [
    ["<html>please log in</html>", /not an armored/],
    [good.replace(body.slice(0, 40), "#".repeat(40)), /armor is damaged/],
    [good.replace(body, `${Buffer.from("hello").toString("base64")}\n-----END PGP SIGNATURE-----`), /not OpenPGP/],
    [good.replace(body.slice(80, 200), ""), /ends too early/],
  ] as const) {
    t.match(await verifyDetached(release, text, mayOf), { status: "malformed", reason }, String(reason));
  }
});

t.test("one changed bit of the file or of the signature", async (t) => {
  const good = await textOf("good.asc");
  const changed = join(t.testdir({}), "changed");
  await writeFile(changed, "What is Released.\n");
  t.match(await verifyDetached(changed, good, mayOf), {
    status: "refused",
    reason: /not that of the key .* over this/,
  });
  const bytes = Buffer.from((good.split("\n\n")[1] ?? "").replace(/\n[=-][\s\S]*/, ""), "base64");
  // After the packet's head of 3 bytes: 6 bytes, the hashed parts, and at the end the 256 bytes of the RSA value.
  const hashed = 3 + 6 + bytes.readUInt16BE(3 + 4);
  const places = [...bytes.keys()].filter((at) => (at > 2 && at < hashed) || at >= bytes.length - 256);
  for (const at of places) {
    const wrong = Buffer.from(bytes);
    wrong[at] = (wrong[at] ?? 0) ^ 1;
    const text = `-----BEGIN PGP SIGNATURE-----\n\n${wrong.toString("base64")}\n-----END PGP SIGNATURE-----\n`;
    const { status } = await verifyDetached(release, text, mayOf);
    if (status === "good") t.fail(`with byte ${at} changed it is good still`);
  }
});

t.test("keys that are not accepted", async (t) => {
  for (const [bytes, message] of [
    [await readFile(join(fixtures, "short.gpg")), /less than 2048 bits/],
    [await readFile(join(fixtures, "modern.gpg")), /not for RSA/],
    [Buffer.alloc(0), /no public key/],
    [Buffer.from("-----BEGIN PGP PUBLIC KEY BLOCK-----"), /not OpenPGP/],
    [(await readFile(join(fixtures, "keys.gpg"))).subarray(0, 300), /does not certify itself|too early/],
  ] as const) {
    t.throws(() => parseKeyring(bytes), { message, constructor: OpenPgpError });
  }
});

t.test("the bundle that ships has exactly the signers of the lock, as its README says", async (t) => {
  const folder = join(packageRoot(), "nginx-build");
  const shipped = parseKeyring(await readFile(join(folder, "keys/nginx.gpg")));
  const lock = await loadLock(join(folder, "sources.lock.json"));
  const signers = new Set(lock.entries.flatMap((entry) => entry.signature?.signers ?? []));
  t.same(new Set(shipped.map((key) => key.fingerprint)), signers);
  const readme = await readFile(join(folder, "keys/README.md"), "utf8");
  for (const { fingerprint, user } of shipped) {
    t.match(readme, `\`${fingerprint}\` | ${user.replace(/ <.*/, "")} |`);
  }
});
