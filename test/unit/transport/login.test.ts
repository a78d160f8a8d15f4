import { chmodSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { join } from "node:path";
import type { AuthContext } from "ssh2";
import t from "tap";
import { Secret } from "../../../src/util/secret.js";
import { acceptKey, type Bench, makeBench, makeKey, startServer } from "./ssh-server.js";

function keyFile(bench: Bench, name: string, text: string): string {
  const path = join(bench.folder, name);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

const PASSWORD = "hunter2";

function passwordOnly(context: AuthContext): void {
  if (context.method === "password" && context.password === PASSWORD) context.accept();
  else context.reject(["password"]);
}

t.test("a key, without the try with none", async (t) => {
  const key = makeKey();
  const server = await startServer({ authenticate: (context) => acceptKey(context, key.public) });
  t.teardown(() => server.close());
  const bench = makeBench();
  await (await bench.connect(server.port, { identityFile: keyFile(bench, "key", key.private) })).close();
  t.same(server.tries, ["publickey"], "signed at once");
});

t.test("a key at hand signs without waiting for the service, where servers are known to take that", async (t) => {
  const [key, locked] = [makeKey(), makeKey("ed25519", "open sesame")];
  const asksAtOnce = async (software: string, pair: typeof key, patienceMs: number) => {
    const server = await startServer({ software, authenticate: (context) => acceptKey(context, pair.public) });
    const proxy = await withholdingProxy(server.port, patienceMs);
    t.teardown(async () => {
      proxy.close();
      await server.close();
    });
    const bench = makeBench({ secrets: ["open sesame"] });
    await (await bench.connect(proxy.port, { identityFile: keyFile(bench, "key", pair.private) })).close();
    return proxy.spoke();
  };
  t.ok(await asksAtOnce("OpenSSH_9.9", key, 20_000));
  t.notOk(await asksAtOnce("other_1", key, 500));
  t.notOk(await asksAtOnce("OpenSSH_9.9", locked, 500), "a passphrase is only asked for where the key is taken");
});

/** SSH_MSG_NEWKEYS as it travels: a length of 12, ten bytes of padding. */
const NEWKEYS = Buffer.from("0000000c0a15", "hex");
const NEWKEYS_BYTES = 16;
/** More than the request for the service has, and less than one with a key. */
const LOGIN_BYTES = 150;

/** Keeps what the server says once the client asks for the service until the client has asked to log in, or until its patience ends. */
async function withholdingProxy(port: number, patienceMs: number) {
  let spoke = false;
  const server = createServer((near) => {
    const far = connect(port, "127.0.0.1");
    let since = -1;
    near.on("data", (chunk: Buffer) => {
      const at = chunk.indexOf(NEWKEYS);
      const before = since;
      if (since >= 0) since += chunk.length;
      else if (at >= 0) since = chunk.length - at - NEWKEYS_BYTES;
      if (before <= 0 && since > 0) {
        far.pause();
        setTimeout(() => far.resume(), patienceMs).unref();
      }
      if (far.isPaused() && since > LOGIN_BYTES) {
        spoke = true;
        far.resume();
      }
      far.write(chunk);
    });
    far.on("data", (chunk) => near.write(chunk));
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const)
      one.on("error", () => other.destroy()).on("close", () => other.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { port: (server.address() as AddressInfo).port, spoke: () => spoke, close: () => server.close() };
}

t.test("an encrypted key asks once for all hosts, and only when the host would take it", async (t) => {
  const key = makeKey("ed25519", "open sesame");
  const server = await startServer({ authenticate: (context) => acceptKey(context, key.public) });
  const stranger = await startServer({ authenticate: (context) => acceptKey(context, makeKey().public) });
  t.teardown(() => Promise.all([server.close(), stranger.close()]));
  const bench = makeBench({ secrets: ["wrong", "open sesame"] });
  const identityFile = keyFile(bench, "key", key.private);
  await t.rejects(bench.connect(stranger.port, { identityFile }), { code: "E_AUTH" });
  t.same(bench.asked.secrets, []);
  const all = await Promise.all([1, 2, 3].map(() => bench.connect(server.port, { identityFile })));
  for (const one of all) await one.close();
  t.same(bench.asked.secrets, [
    `Passphrase of ${identityFile}`,
    `Passphrase of ${identityFile} (the last one is wrong)`,
  ]);
});

t.test("passphrase wrong or not given", async (t) => {
  const key = makeKey("ed25519", "open sesame");
  const server = await startServer({ authenticate: (context) => acceptKey(context, key.public) });
  t.teardown(() => server.close());
  const wrong = makeBench({ secrets: ["a", "b", "c", "d"] });
  await t.rejects(wrong.connect(server.port, { identityFile: keyFile(wrong, "key", key.private) }), {
    code: "E_PASSPHRASE",
    message: /is wrong/,
  });
  t.equal(wrong.asked.secrets.length, 3);
  const silent = makeBench();
  await t.rejects(silent.connect(server.port, { identityFile: keyFile(silent, "key", key.private) }), {
    code: "E_PASSPHRASE",
    message: /nobody gives/,
    hint: /ssh-add/,
  });
});

t.test("key files that cannot be used are told apart", async (t) => {
  const server = await startServer({ authenticate: passwordOnly });
  t.teardown(() => server.close());
  const bench = makeBench();
  const attempt = (identityFile: string) => bench.connect(server.port, { identityFile });
  await t.rejects(attempt("/nonexistent/key"), { code: "E_KEY_FILE", message: /does not exist/ });
  await t.rejects(attempt(keyFile(bench, "junk", "junk")), { code: "E_KEY_FILE", message: /not a usable private key/ });
  await t.rejects(attempt(keyFile(bench, "half", makeKey().public)), {
    code: "E_KEY_FILE",
    message: /only a public key/,
  });
  if (process.getuid?.() !== 0) {
    const locked = keyFile(bench, "noread", makeKey().private);
    chmodSync(locked, 0o000);
    await t.rejects(attempt(locked), { code: "E_KEY_FILE", message: /cannot be read/ });
  }
  t.same(server.tries, [], "nothing was tried on the host");
});

t.test("refused: what was tried, what the host takes, what was passed over", async (t) => {
  const server = await startServer({ authenticate: (context) => context.reject(["publickey"]) });
  t.teardown(() => server.close());
  const bench = makeBench({ config: "IdentityFile /nonexistent/configured" });
  const identityFile = keyFile(bench, "key", makeKey().private);
  await t.rejects(bench.connect(server.port, { identityFile }), {
    code: "E_AUTH",
    exitCode: 3,
    message: new RegExp(`refused: ${identityFile}. The host accepts: publickey. Note: /nonexistent/configured`),
    hint: /ansible_user/,
  });
});

t.test("never more than five keys", async (t) => {
  const server = await startServer({ authenticate: (context) => context.reject(["publickey"]) });
  t.teardown(() => server.close());
  const bench = makeBench();
  const files = Array.from({ length: 8 }, (_, number) => keyFile(bench, `k${number}`, makeKey().private));
  const many = makeBench({ config: files.map((file) => `IdentityFile ${file}`).join("\n") });
  await t.rejects(many.connect(server.port), { code: "E_AUTH", message: /only the first 5 of 8 keys/ });
  t.equal(server.tries.length, 5);
});

t.test("password: given, asked, wrong, none", async (t) => {
  const server = await startServer({ authenticate: passwordOnly });
  t.teardown(() => server.close());
  await (await makeBench().connect(server.port, { password: new Secret(PASSWORD) })).close();

  const asked = makeBench({ secrets: ["wrong", PASSWORD] });
  await (await asked.connect(server.port)).close();
  t.equal(asked.asked.secrets.length, 2);
  await (await asked.connect(server.port)).close();
  t.equal(asked.asked.secrets.length, 2, "remembered for the run");

  await t.rejects(makeBench().connect(server.port), { code: "E_AUTH", hint: /--ask-pass/ });
  const before = server.tries.length;
  await t.rejects(makeBench({ secrets: Array(20).fill("no") }).connect(server.port), { code: "E_AUTH" });
  t.ok(server.tries.length - before <= 7, "tries end below the host's limit");
});

t.test("keyboard-interactive with two questions", async (t) => {
  const seen: string[][] = [];
  const server = await startServer({
    authenticate: (context) => {
      if (context.method !== "keyboard-interactive") return context.reject(["keyboard-interactive"]);
      const prompts = [
        { prompt: "Password: ", echo: false },
        { prompt: "One-time code: ", echo: true },
      ];
      context.prompt(prompts, (answers) => {
        seen.push([...answers]);
        if (answers[0] === PASSWORD && answers[1] === "123456") context.accept();
        else context.reject(["keyboard-interactive"]);
      });
    },
  });
  t.teardown(() => server.close());
  const given = makeBench({ secrets: ["123456"] });
  await (await given.connect(server.port, { password: new Secret(PASSWORD) })).close();
  t.same(given.asked.secrets, [`pi@127.0.0.1:${server.port}: One-time code:`]);
  const asked = makeBench({ secrets: [PASSWORD, "123456"] });
  await (await asked.connect(server.port)).close();
  t.same(seen, [
    [PASSWORD, "123456"],
    [PASSWORD, "123456"],
  ]);
  await t.rejects(makeBench().connect(server.port), { code: "E_AUTH", hint: /ansible_password/ });
});

t.test("a key and then a code", async (t) => {
  const key = makeKey();
  const server = await startServer({
    authenticate: (context) => {
      if (context.method === "publickey") {
        if (context.signature === undefined) return acceptKey(context, key.public);
        return context.reject(["keyboard-interactive"], true);
      }
      if (context.method !== "keyboard-interactive") return context.reject(["publickey"]);
      context.prompt([{ prompt: "Verification code: ", echo: false }], (answers) => {
        if (answers[0] === "42") context.accept();
        else context.reject();
      });
    },
  });
  t.teardown(() => server.close());
  const bench = makeBench({ secrets: ["42"] });
  await (await bench.connect(server.port, { identityFile: keyFile(bench, "key", key.private) })).close();
  t.equal(bench.asked.secrets.length, 1);
});
