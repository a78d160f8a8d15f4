import { execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect as connectTcp, createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import type { ServerChannel } from "ssh2";
import t, { type Test } from "tap";
import { typesIn } from "../../../src/transport/agent-types.js";
import { fingerprint, KnownHostsFiles } from "../../../src/transport/known-hosts.js";
import { openSshDemand } from "../../../src/transport/openssh-demand.js";
import { makeOpenSshFolder } from "../../../src/transport/openssh-folder.js";
import { OpenSshQuestions, readQuestion } from "../../../src/transport/openssh-questions.js";
import { parseSshConfig } from "../../../src/transport/ssh-config.js";
import { Secret } from "../../../src/util/secret.js";
import { scratchFolder } from "../../support/scratch-folder.js";
import { until } from "../../support/until.js";
import { localRun, oneHost } from "../engine/local-run.js";
import { honest, pour } from "../hostile/hostile-host.js";
import {
  acceptKey,
  type Bench,
  blob,
  know,
  makeBench,
  makeKey,
  plain,
  runByShell,
  type ServerOptions,
  startServer,
} from "./ssh-server.js";

process.env.XDG_RUNTIME_DIR = scratchFolder();
const folders = () => readdirSync(process.env.XDG_RUNTIME_DIR ?? tmpdir()).filter((name) => name.startsWith("es-"));

async function serve(t: Test, options: ServerOptions) {
  const server = await startServer(options);
  t.teardown(() => server.close());
  return server;
}

const openssh = { connection: "openssh" } as const;

t.test("commands, as over the other connector", async (t) => {
  const bytes = Buffer.from([0x20, 0xff, 0x00, 0xc3, 0x0a]);
  const server = await serve(t, {
    onExec: (channel, command, client) => {
      let size = 0;
      channel.on("data", (chunk: Buffer) => {
        size += chunk.length;
      });
      const end = (code: number) => {
        channel.exit(code);
        channel.end();
      };
      if (command === "count")
        channel.on("end", () => {
          channel.write(String(size));
          end(0);
        });
      else if (command === "flood") pour(channel, Buffer.alloc(65_536, "x"));
      else if (command === "drop") (client as unknown as { _sock: { destroy(): void } })._sock.destroy();
      else if (command === "255") end(255);
      else if (command !== "wait") {
        channel.write(bytes);
        channel.stderr.write(`${command}\n`);
        end(3);
      }
    },
  });
  const bench = makeBench();
  const transport = await bench.connect(server.port, openssh);
  t.equal(transport.description, `ssh pi@127.0.0.1:${server.port} by OpenSSH (edge_connection)`);
  t.equal(transport.remoteHost, "127.0.0.1");
  t.same(await transport.exec("fails"), { code: 3, signal: null, stdout: bytes, stderr: Buffer.from("fails\n") });
  const chunks: Buffer[] = [];
  t.equal((await transport.exec("x", { onStdout: (chunk) => chunks.push(chunk) })).stdout.length, 0);
  t.same(Buffer.concat(chunks), bytes);
  t.equal(String((await transport.exec("count", { stdin: Buffer.alloc(3_000_001, 7) })).stdout), "3000001");
  const stream = Readable.from(Array.from({ length: 60 }, () => Buffer.alloc(100_000, 1)));
  t.equal(String((await transport.exec("count", { stdin: stream })).stdout), "6000000");
  t.match(await transport.exec("255"), { code: 255 }, "a command may end with ssh's own code");
  t.equal(transport.stats.execs, 5);
  t.ok(transport.stats.bytesUp > 9_000_000 && transport.stats.bytesDown > 10);
  const broken = new Readable({
    read() {
      this.destroy(new Error("disk is gone"));
    },
  });
  await t.rejects(transport.exec("count", { stdin: broken }), { message: "disk is gone" });
  await t.rejects(transport.exec("flood"), { code: "E_ANSWER" });
  const abort = new AbortController();
  setTimeout(() => abort.abort(), 50);
  await t.rejects(transport.exec("wait", { signal: abort.signal }), { code: "E_INTERRUPTED", exitCode: 130 });
  t.equal((await transport.exec("still there")).code, 3, "one that is given up takes nothing with it");
  t.equal(server.tries.length, 1, "one login for all");
  await Promise.all([
    t.rejects(transport.exec("drop"), { code: "E_CONNECTION_LOST", exitCode: 3 }),
    t.rejects(transport.exec("wait"), { code: "E_CONNECTION_LOST" }),
  ]);
  await t.rejects(transport.exec("again"), { code: "E_CONNECTION_LOST" });
  await t.rejects(transport.openTcp("127.0.0.1", 1), { code: "E_CONNECTION_LOST" });
  await transport.close();
  t.same(folders(), [], "nothing is left");
  const again = await bench.connect(server.port, openssh);
  await again.close();
  await t.rejects(again.exec("x"), { code: "E_CONNECTION_LOST" });
});

t.test("a shell that waits has the next plain command, where the host allows a second session", async (t) => {
  for (const [maxSessions, others] of [
    [10, [/^sh -c 'echo edge-setup-waits; /]],
    [1, ["sh -c 'cat; exit 3'"]],
  ] as const) {
    const commands: string[] = [];
    let waits = false;
    const onExec = (channel: ServerChannel, command: string) => {
      commands.push(command);
      const write = channel.write.bind(channel);
      channel.write = (chunk: Buffer) => {
        waits ||= chunk.includes("edge-setup-waits");
        return write(chunk);
      };
      runByShell(channel, command);
    };
    const server = await serve(t, { maxSessions, onExec });
    const transport = await makeBench().connect(server.port, openssh);
    transport.openAhead?.();
    // It is opened beside a command, which goes on until it waits.
    const go = join(scratchFolder(), "go");
    const begins = transport.exec(`echo begins; until [ -e ${go} ]; do sleep 0.05; done`);
    if (maxSessions > 1) await until("the shell that waits", () => waits);
    writeFileSync(go, "");
    await begins;
    const result = await transport.exec("sh -c 'cat; exit 3'", { stdin: Buffer.from("input\0"), plain: true });
    t.match(result, { code: 3, signal: null, stdout: Buffer.from("input\0") });
    t.match(commands, [/^echo begins; /, ...others]);
    t.equal(commands.length, 2);
    transport.openAhead?.();
    await transport.exec("echo begins");
    await transport.close();
  }
});

t.test("connections as the host sees them", async (t) => {
  const echo = createServer((socket) => socket.pipe(socket));
  await new Promise<void>((resolve) => echo.listen(0, "127.0.0.1", resolve));
  t.teardown(() => echo.close());
  const server = await serve(t, {
    onTcp: (channel, port) => {
      const socket = connectTcp(port, "127.0.0.1");
      channel.pipe(socket).pipe(channel);
    },
  });
  const transport = await makeBench().connect(server.port, openssh);
  const socket = await transport.openTcp("127.0.0.1", (echo.address() as AddressInfo).port);
  socket.write("there and back");
  const [answer] = await new Promise<[Buffer]>((resolve) => socket.once("data", (data: Buffer) => resolve([data])));
  t.equal(String(answer), "there and back");
  socket.destroy();
  await transport.close();
  const closed = await serve(t, {});
  const other = await makeBench().connect(closed.port, openssh);
  await t.rejects(other.openTcp("127.0.0.1", 1), { code: "E_FORWARD", message: /cannot be reached from the host/ });
  await other.close();
});

t.test("host keys", async (t) => {
  const key = makeKey();
  const print = fingerprint(blob(key.public));
  const server = await serve(t, { hostKeys: [key.private] });
  const name = `[127.0.0.1]:${server.port}`;

  const asked = makeBench({ confirm: true });
  await (await asked.connect(server.port, openssh, { hostKeyPolicy: "ask" })).close();
  t.same(asked.asked.hostKeys, [{ host: name, keyType: "ssh-ed25519", fingerprint: print }]);
  t.match(readFileSync(asked.knownHosts, "utf8"), `${name} ${plain(key.public)}`);
  await (await asked.connect(server.port, openssh, { hostKeyPolicy: "strict" })).close();
  t.equal(asked.asked.hostKeys.length, 1, "it is remembered");

  const nobody = makeBench({ confirm: false });
  const unknown = { code: "E_HOST_KEY_UNKNOWN", exitCode: 5, hint: /--accept-new/ };
  await t.rejects(nobody.connect(server.port, openssh, { hostKeyPolicy: "ask" }), {
    ...unknown,
    message: `The key of ${name} is not known (ssh-ed25519 ${print}), and nobody was there to confirm it, or said no.`,
  });
  await t.rejects(nobody.connect(server.port, openssh, { hostKeyPolicy: "strict" }), unknown);
  t.equal(nobody.asked.hostKeys.length, 1, "strict asks nobody");
  const tries = server.tries.length;

  const changed = makeBench({ confirm: true, config: "StrictHostKeyChecking no" });
  know(changed, `${name} ${plain(makeKey().public)}`);
  for (const hostKeyPolicy of ["ask", "accept-new", "strict"] as const) {
    await t.rejects(changed.connect(server.port, openssh, { hostKeyPolicy }), {
      code: "E_HOST_KEY_CHANGED",
      exitCode: 5,
      message: new RegExp(`${print.replace(/[+/]/g, ".")}.*known_hosts:1`),
      hint: /ssh-keygen -R/,
    });
  }
  t.same(changed.asked.hostKeys, []);
  const revoked = makeBench();
  know(revoked, `@revoked * ${plain(key.public)}`);
  await t.rejects(revoked.connect(server.port, openssh), { code: "E_HOST_KEY_REVOKED", exitCode: 5 });
  t.equal(server.tries.length, tries, "no login is tried on a host that is not trusted");
  t.same(folders(), []);
});

t.test("keys, passphrases and passwords", async (t) => {
  const key = makeKey("ed25519", "open sesame");
  const server = await serve(t, { authenticate: (context) => acceptKey(context, key.public) });
  const keyFile = (bench: Bench) => {
    const path = join(bench.folder, "key");
    writeFileSync(path, key.private, { mode: 0o600 });
    writeFileSync(`${path}.pub`, key.public);
    return path;
  };
  const bench = makeBench({ secrets: ["wrong", "open sesame"] });
  const identityFile = keyFile(bench);
  await (await bench.connect(server.port, { ...openssh, identityFile })).close();
  await (await bench.connect(server.port, { ...openssh, identityFile })).close();
  t.same(bench.asked.secrets, [
    `Passphrase of ${identityFile}`,
    `Passphrase of ${identityFile} (the last one is wrong)`,
  ]);
  const silent = makeBench();
  await t.rejects(silent.connect(server.port, { ...openssh, identityFile: keyFile(silent) }), {
    code: "E_AUTH",
    exitCode: 3,
    message: /The host accepts: publickey/,
  });

  const doors = await serve(t, {
    authenticate: (context) => {
      if (context.method === "password" && context.password === "hunter2") context.accept();
      else context.reject(["password"]);
    },
  });
  await (await makeBench().connect(doors.port, { ...openssh, password: new Secret("hunter2") })).close();
  const typed = makeBench({ secrets: ["no", "hunter2"] });
  await (await typed.connect(doors.port, openssh)).close();
  await (await typed.connect(doors.port, openssh)).close();
  t.same(typed.asked.secrets, [
    `Password of pi@127.0.0.1:${doors.port}`,
    `Password of pi@127.0.0.1:${doors.port} (the last one is wrong)`,
  ]);
  await t.rejects(makeBench().connect(doors.port, { ...openssh, password: new Secret("old") }), {
    code: "E_AUTH",
    message: /refused: password/,
    hint: /--ask-pass/,
  });
  const code = await serve(t, {
    authenticate: (context) => {
      if (context.method !== "keyboard-interactive") return context.reject(["keyboard-interactive"]);
      context.prompt([{ prompt: "One-time code:\x1b[2J ", echo: true }], ([answer]) =>
        answer === "123" ? context.accept() : context.reject(),
      );
    },
  });
  const token = makeBench({ secrets: ["123"] });
  await (await token.connect(code.port, openssh)).close();
  t.equal(token.asked.secrets.length, 1);
  t.match(token.asked.secrets[0], /One-time code/);
  t.notMatch(token.asked.secrets[0], /\p{Cc}/u);
});

t.test("no secret is in an argument or in the environment of any process", async (t) => {
  const seen: string[] = [];
  const server = await serve(t, {
    authenticate: (context) => {
      if (context.method !== "password") return context.reject(["password"]);
      for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name)))
        for (const file of ["cmdline", "environ"]) {
          try {
            seen.push(readFileSync(`/proc/${pid}/${file}`, "latin1"));
          } catch {
            // It ended, or is somebody else's.
          }
        }
      context.accept();
    },
  });
  const password = "a-password-that-nobody-sees";
  await (await makeBench().connect(server.port, { ...openssh, password: new Secret(password) })).close();
  t.ok(
    seen.some((text) => text.includes("es-")),
    "our ssh was looked at",
  );
  t.notOk(seen.some((text) => text.includes(password)));
});

t.test("hosts that cannot be reached", async (t) => {
  const bench = makeBench();
  await t.rejects(bench.connect(1, openssh), { code: "E_REFUSED", exitCode: 3, message: /connection refused/ });
  await t.rejects(bench.connect(22, { ...openssh, host: "no-such-host.invalid" }), { code: "E_DNS", exitCode: 3 });
  const silent = createServer(() => {});
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
  const { port } = silent.address() as AddressInfo;
  t.teardown(() => silent.close());
  await t.rejects(bench.connect(port, openssh, { connectTimeoutMs: 400 }), { code: "E_TIMEOUT", exitCode: 3 });
  const abort = new AbortController();
  setTimeout(() => abort.abort(), 50);
  await t.rejects(bench.connect(port, openssh, { signal: abort.signal }), { code: "E_INTERRUPTED" });
  const web = createServer((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
  await new Promise<void>((resolve) => web.listen(0, "127.0.0.1", resolve));
  t.teardown(() => web.close());
  await t.rejects(bench.connect((web.address() as AddressInfo).port, openssh), { code: "E_HANDSHAKE", exitCode: 3 });
  const broken = makeBench({ config: "Nonsense yes" });
  await t.rejects(broken.connect(port, openssh), { code: "E_SSH_CONFIG", exitCode: 2 });
  t.same(folders(), []);
});

t.test("the configuration chooses", async (t) => {
  const server = await serve(t, {});
  const description = async (bench: Bench, more = {}) => {
    const transport = await bench.connect(server.port, more);
    await transport.close();
    return transport.description;
  };
  t.equal(await description(makeBench()), `ssh pi@127.0.0.1:${server.port}`);
  const command = `ProxyCommand sh -c 'exec ${process.execPath} -e "const s=net.connect(%p,\\"%h\\");process.stdin.pipe(s).pipe(process.stdout)"'`;
  t.match(await description(makeBench({ config: command })), /by OpenSSH \(ProxyCommand sh/);
  await t.rejects(makeBench({ config: command }).connect(server.port, { connection: "ssh2" }), {
    code: "E_SSH_CONFIG_UNSUPPORTED",
    message: /ProxyCommand/,
    hint: /edge_connection/,
  });
  const withAuthority = makeBench();
  know(withAuthority, `@cert-authority [127.0.0.1]:* ${plain(makeKey().public)}`);
  t.match(await description(withAuthority), /by OpenSSH \(@cert-authority in .*known_hosts:1\)/);
  t.notMatch(await description(withAuthority, { connection: "ssh2" }), /OpenSSH/);
});

t.test("who thinks about the key of a jump host does not run out of time", async (t) => {
  const target = await serve(t, {});
  const hop = await serve(t, {
    onTcp: (channel, port) => {
      const socket = connectTcp(port, "127.0.0.1");
      channel.pipe(socket).pipe(channel);
    },
  });
  const bench = makeBench({
    config: `Host edge\n  HostName 127.0.0.1\n  ProxyJump hop\nHost hop\n  HostName 127.0.0.1\n  User pi\n  Port ${hop.port}`,
  });
  const asked: string[] = [];
  const prompter = {
    confirmHostKey: async ({ host }: { host: string }) => {
      asked.push(host);
      await sleep(2600);
      return true;
    },
    askSecret: async () => undefined,
  };
  const transport = await bench.connect(
    target.port,
    { ...openssh, host: "edge" },
    { hostKeyPolicy: "ask", connectTimeoutMs: 2500, prompter },
  );
  t.same(asked, [`[127.0.0.1]:${hop.port}`, `[127.0.0.1]:${target.port}`]);
  await transport.close();
});

t.test("a circle of jump hosts is refused before ssh runs after itself", async (t) => {
  const bench = makeBench({ config: "Host a\n  ProxyJump b\nHost b\n  ProxyJump a" });
  await t.rejects(bench.connect(22, { ...openssh, host: "a" }), { code: "E_SSH_CONFIG", message: /circle/ });
});

t.test("certificates, security keys and agents are noticed", async (t) => {
  const folder = scratchFolder();
  const host = (text = "") =>
    parseSshConfig(
      `identityfile ${folder}/none\nuserknownhostsfile none\nidentityagent none\n${text}`,
      { host: "h" },
      {
        home: folder,
        user: "me",
        environment: {},
      },
    );
  const demand = (identityFile?: string, text?: string) =>
    openSshDemand(host(text), { identityFile, knownHostsFile: undefined }, new KnownHostsFiles());
  t.equal(await demand(), undefined);
  const key = join(folder, "key");
  writeFileSync(key, makeKey().private);
  t.equal(await demand(key), undefined);
  writeFileSync(`${key}-cert.pub`, "ssh-ed25519-cert-v01@openssh.com AAAA");
  t.equal(await demand(key), `the certificate ${key}-cert.pub`);
  // The public half of a FIDO key, as ssh-keygen -t ed25519-sk writes it.
  const type = "sk-ssh-ed25519@openssh.com";
  const field = (text: string | Buffer) => Buffer.concat([Buffer.of(0, 0, 0, text.length), Buffer.from(text)]);
  const sk = Buffer.concat([field(type), field(Buffer.alloc(32, 7)), field("ssh:")]);
  writeFileSync(join(folder, "id_sk.pub"), `${type} ${sk.toString("base64")} me@here\n`);
  t.equal(await demand(join(folder, "id_sk")), `the security key ${join(folder, "id_sk")}`);
  t.equal(await demand(undefined, `identityfile ${folder}/id_sk`), `the security key ${join(folder, "id_sk")}`);

  const answer = (keys: Buffer[]) =>
    Buffer.concat([Buffer.of(12, 0, 0, 0, keys.length), ...keys.flatMap((one) => [field(one), field("comment")])]);
  const certificate = field("ssh-ed25519-cert-v01@openssh.com");
  t.same(typesIn(answer([sk, certificate])), [type, "ssh-ed25519-cert-v01@openssh.com"]);
  t.same(typesIn(answer([sk]).subarray(0, 40)), []);
  const agent = createServer((socket) => socket.on("data", () => socket.write(field(answer([certificate])))));
  await new Promise<void>((resolve) => agent.listen(join(folder, "agent"), resolve));
  t.teardown(() => agent.close());
  const noticed = parseSshConfig(
    `identityfile none\nuserknownhostsfile none\nidentityagent ${folder}/agent`,
    { host: "h" },
    { home: folder, user: "me", environment: {} },
  );
  t.match(
    await openSshDemand(noticed, { identityFile: undefined, knownHostsFile: undefined }, new KnownHostsFiles()),
    /ssh-ed25519-cert-v01@openssh.com in the agent/,
  );
});

t.test("what OpenSSH asks", async (t) => {
  const question = `The authenticity of host '[10.0.0.7]:2222 ([10.0.0.7]:2222)' can't be established.
ED25519 key fingerprint is SHA256:abc+/1.
This key is not known by any other names.
Are you sure you want to continue connecting (yes/no/[fingerprint])? `;
  t.match(readQuestion(question, ""), {
    kind: "host-key",
    seen: { host: "[10.0.0.7]:2222", keyType: "ED25519", fingerprint: "SHA256:abc+/1" },
  });
  t.match(readQuestion(`(pi@edge) ${question}`, ""), { kind: "other" }, "a host cannot ask about keys");
  t.match(readQuestion("Enter passphrase for key '/home/me/.ssh/id': ", ""), {
    kind: "passphrase",
    path: "/home/me/.ssh/id",
  });
  t.match(readQuestion("pi@edge.local's password: ", ""), { kind: "password", account: "pi@edge.local" });
  t.match(readQuestion("(pi@edge) Password: ", ""), { kind: "password", account: "pi@edge" });
  t.match(readQuestion("(pi@hop) pi@edge's password: ", ""), { kind: "password", account: "pi@hop" });
  t.match(readQuestion("(pi@edge) Verification code: ", ""), { kind: "other" });
  t.match(readQuestion("Enter PIN for ED25519-SK key /home/me/.ssh/id_sk: ", ""), { kind: "other" });
  t.match(readQuestion("Confirm user presence for key ED25519-SK SHA256:x", "none"), { kind: "notice" });
});

t.test("a configuration by a relative path is the one that the flag names", async (t) => {
  const { path, config } = makeOpenSshFolder({ configFile: "my/config", knownHostsFile: undefined });
  t.teardown(() => rmSync(path, { recursive: true }));
  t.match(readFileSync(config, "utf8"), `Include "${join(process.cwd(), "my/config")}"`);
});

t.test("what ssh runs to ask: an answer, a refusal, and a key that wants to be touched", async (t) => {
  const folder = makeOpenSshFolder({ configFile: undefined, knownHostsFile: undefined });
  t.teardown(() => rmSync(folder.path, { recursive: true }));
  let refusals = 0;
  const notices: string[] = [];
  const questions = new OpenSshQuestions(
    folder.questions,
    {
      hostKey: async () => true,
      passphrase: async () => undefined,
      password: async () => new Secret("pass word"),
      other: async () => undefined,
      notice: (text) => notices.push(text),
    },
    (task) => task(),
    () => {
      refusals += 1;
    },
  );
  await questions.ready();
  t.teardown(() => questions.close());
  const ask = (text: string, kind = "") =>
    new Promise<{ code: number | null; said: string }>((resolve) => {
      const child = spawn(folder.askpass, [text], { env: { ...process.env, SSH_ASKPASS_PROMPT: kind } });
      let said = "";
      child.stdout.on("data", (chunk: Buffer) => {
        said += chunk.toString();
      });
      child.on("close", (code) => resolve({ code, said }));
      // As ssh does once the key was touched.
      if (kind === "none")
        void (async () => {
          await until("the notice", () => notices.length > 0);
          child.kill();
        })();
    });
  t.same(await ask("pi@edge's password: "), { code: 0, said: "pass word\n" });
  t.same(await ask("Enter passphrase for key '/k': "), { code: 1, said: "" });
  t.equal(refusals, 0, "ssh may have another key");
  t.same(await ask("Enter PIN for ED25519-SK key /k: "), { code: 1, said: "" });
  t.equal(refusals, 1);
  const touch = await ask("Confirm user presence for key ED25519-SK SHA256:x\x1b[2J", "none");
  t.same(notices, ["Confirm user presence for key ED25519-SK SHA256:x[2J"]);
  t.equal(touch.said, "");
});

t.test("a plan and an apply are the same over both connectors, in as many turns", async (t) => {
  const server = await serve(t, {
    onExec: (channel, command) => {
      const stdin: Buffer[] = [];
      channel.on("data", (chunk: Buffer) => stdin.push(chunk));
      channel.on("end", () => honest(channel, command, Buffer.concat(stdin)));
    },
  });
  const folder = scratchFolder();
  const play = join(folder, "play.yml");
  const seen: object[] = [];
  for (const connection of ["ssh2", "openssh"] as const) {
    const dest = join(folder, connection);
    const tasks = [
      `{ name: File, copy: { content: "hello\\n", dest: ${dest} } }`,
      "{ name: Ask, command: id -u, register: who, changed_when: false }",
      `{ name: Use, copy: { content: "{{ who.stdout }}\\n", dest: ${dest}.who } }`,
    ];
    writeFileSync(play, `- hosts: edges\n  tasks:\n${tasks.map((task) => `    - ${task}\n`).join("")}`);
    const bench = makeBench();
    for (const command of ["plan", "apply", "plan"] as const) {
      const run = await localRun(play, command, {
        inventory: oneHost({ ansible_connection: "ssh" }),
        connect: () => bench.connect(server.port, { connection }),
      });
      const end = run.events.find((event) => event.type === "run.end");
      const execs = end?.type === "run.end" ? end.traffic?.edge?.execs : undefined;
      seen.push({ command, recap: run.recap, execs, lines: run.lines.map((line) => line.replaceAll(dest, "DEST")) });
    }
  }
  t.same(seen.slice(0, 3), seen.slice(3));
  t.match(seen[1], { recap: { edge: { changed: 2 } } });
});

t.test("nothing is left when the process is killed", async (t) => {
  const server = await serve(t, {});
  const bench = makeBench();
  const script = `
    import { Connector } from ${JSON.stringify(join(process.cwd(), "src/transport/connect.ts"))};
    await new Connector().connect(
      { name: "edge", connection: "openssh", host: "127.0.0.1", port: ${server.port}, user: "pi" },
      { hostKeyPolicy: "accept-new", connectTimeoutMs: 5000, sshConfigFile: ${JSON.stringify(join(bench.folder, "config"))},
        prompter: { confirmHostKey: async () => false, askSecret: async () => undefined } });
    console.log("connected");
    setInterval(() => {}, 1000);`;
  for (const signal of ["SIGKILL", "SIGTERM"] as const) {
    const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await new Promise((resolve) => child.stdout.once("data", resolve));
    const [folder = ""] = folders();
    const control = join(process.env.XDG_RUNTIME_DIR ?? "", folder, "m");
    t.ok(existsSync(control));
    t.equal(execFileSync("stat", ["-c", "%a", dirname(control)], { encoding: "utf8" }).trim(), "700");
    child.kill(signal);
    await until("the end of its folder", () => folders().length === 0);
    t.same(folders(), [], `the folder is gone after ${signal}`);
    t.not(spawnSync("ssh", ["-F", "/dev/null", "-S", control, "-O", "check", "x"], { stdio: "ignore" }).status, 0);
  }
});
