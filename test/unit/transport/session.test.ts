import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { type AddressInfo, connect as connectTcp, createServer } from "node:net";
import { Readable } from "node:stream";
import type { ServerChannel } from "ssh2";
import t, { type Test } from "tap";
import { SpareShell, WAIT } from "../../../src/transport/spare-shell.js";
import type { Transport } from "../../../src/transport/transport.js";
import { makeBench, makeKey, runByShell, startServer } from "./ssh-server.js";

t.test("exec: code, signal, raw output, no trimming", async (t) => {
  const bytes = Buffer.from([0x20, 0xff, 0x00, 0xc3, 0x0a]);
  const server = await startServer({
    onExec: (channel, command) => {
      channel.write(bytes);
      channel.stderr.write(`${command}\n`);
      if (command === "killed") channel.exit("TERM");
      else channel.exit(3);
      channel.end();
    },
  });
  t.teardown(() => server.close());
  const transport = await makeBench().connect(server.port);
  t.equal(transport.description, `ssh pi@127.0.0.1:${server.port}`);
  t.same(await transport.exec("fails"), { code: 3, signal: null, stdout: bytes, stderr: Buffer.from("fails\n") });
  t.match(await transport.exec("killed"), { code: null, signal: "SIGTERM" });
  const chunks: Buffer[] = [];
  const streamed = await transport.exec("x", { onStdout: (chunk) => chunks.push(chunk) });
  t.equal(streamed.stdout.length, 0, "what is handed on is not collected");
  t.same(Buffer.concat(chunks), bytes);
  t.equal(transport.stats.execs, 3);
  t.ok(transport.stats.bytesUp > 500 && transport.stats.bytesDown > 500);
  await transport.close();
  await t.rejects(transport.exec("x"), { code: "E_CONNECTION_LOST" });
});

t.test("stdin of several megabytes, as a buffer and as a stream", async (t) => {
  const server = await startServer({
    onExec: (channel, command) => {
      let size = 0;
      let sum = 0;
      if (command === "ignore") {
        channel.exit(0);
        channel.end();
        return;
      }
      channel.on("data", (chunk: Buffer) => {
        size += chunk.length;
        for (const byte of chunk) sum = (sum + byte) % 65536;
      });
      channel.on("end", () => {
        channel.write(`${size} ${sum}`);
        channel.exit(0);
        channel.end();
      });
    },
  });
  t.teardown(() => server.close());
  const transport = await makeBench().connect(server.port);
  const payload = Buffer.alloc(6_000_001, 7);
  const expected = `${payload.length} ${(payload.length * 7) % 65536}`;
  t.equal(String((await transport.exec("count", { stdin: payload })).stdout), expected);
  let made = 0;
  const stream = new Readable({
    read() {
      made += 1;
      this.push(made > 60 ? null : Buffer.alloc(100_000, 1));
    },
  });
  t.equal(String((await transport.exec("count", { stdin: stream })).stdout), `6000000 ${6_000_000 % 65536}`);
  t.equal(String((await transport.exec("count", { stdin: new Uint8Array() })).stdout), "0 0");
  const endless = new Readable({ read: () => {} });
  t.match(await transport.exec("ignore", { stdin: endless }), { code: 0 });
  t.ok(endless.destroyed, "input that nobody reads is let go");
  const broken = new Readable({
    read() {
      this.destroy(new Error("disk is gone"));
    },
  });
  await t.rejects(transport.exec("count", { stdin: broken }), { message: "disk is gone" });
  await transport.close();
});

t.test("the link drops in the middle of a command", async (t) => {
  const server = await startServer({
    onExec: (channel, command, client) => {
      channel.write("begun");
      if (command === "drop")
        setTimeout(() => (client as unknown as { _sock: { destroy(): void } })._sock.destroy(), 10);
      if (command === "cut") setTimeout(() => channel.close(), 10);
    },
  });
  t.teardown(() => server.close());
  const bench = makeBench();
  const transport = await bench.connect(server.port);
  await t.rejects(transport.exec("cut"), { code: "E_CONNECTION_LOST", message: /closes the channel/ });
  await Promise.all([
    t.rejects(transport.exec("drop"), { code: "E_CONNECTION_LOST", exitCode: 3 }),
    t.rejects(transport.exec("wait"), { code: "E_CONNECTION_LOST" }),
  ]);
  await t.rejects(transport.exec("again"), { code: "E_CONNECTION_LOST" });
  await transport.close();
  const again = await bench.connect(server.port);
  await again.close();
});

t.test("abort", async (t) => {
  const server = await startServer({ onExec: () => {} });
  t.teardown(() => server.close());
  const transport = await makeBench().connect(server.port);
  const abort = new AbortController();
  const running = transport.exec("forever", { signal: abort.signal });
  setTimeout(() => abort.abort(), 10);
  await t.rejects(running, { code: "E_INTERRUPTED", exitCode: 130 });
  await t.rejects(transport.exec("x", { signal: abort.signal }), { code: "E_INTERRUPTED" });
  await transport.close();
  await t.rejects(makeBench().connect(server.port, {}, { signal: abort.signal }), { code: "E_INTERRUPTED" });
});

t.test("never more than five commands at once", async (t) => {
  const open: ServerChannel[] = [];
  let most = 0;
  const server = await startServer({
    onExec: (channel) => {
      open.push(channel);
      most = Math.max(most, open.length);
      // Five end together, once there was time for a sixth to come.
      if (open.length % 5 !== 0) return;
      setTimeout(() => {
        for (const one of open.splice(0)) {
          one.exit(0);
          one.end();
        }
      }, 20);
    },
  });
  t.teardown(() => server.close());
  const transport = await makeBench().connect(server.port);
  await Promise.all(Array.from({ length: 20 }, () => transport.exec("x")));
  t.equal(most, 5);
  await transport.close();
});

/** A host that notes what it is asked to run, and a connection to it. */
async function shellHost(t: Test, run: (channel: ServerChannel, command: string) => void = runByShell, sessions = 10) {
  const commands: string[] = [];
  let said = (): void => {};
  const server = await startServer({
    maxSessions: sessions,
    onExec: (channel, command) => {
      if (command === "true") return runByShell(channel, command);
      commands.push(command);
      const write = channel.write.bind(channel);
      channel.write = (chunk: Buffer) => {
        if (chunk.includes("edge-setup-waits")) said();
        return write(chunk);
      };
      run(channel, command);
    },
  });
  t.teardown(() => server.close());
  const transport = await makeBench().connect(server.port);
  t.teardown(() => transport.close());
  /** Has a shell wait, and lets what it says come here; where none says anything it need not be there. */
  const openAhead = async ({ says = true } = {}) => {
    const saying = new Promise<void>((resolve) => {
      said = resolve;
    });
    transport.openAhead?.();
    await (says ? saying : new Promise((resolve) => setTimeout(resolve, 400)));
    await transport.exec("true");
  };
  return { transport, commands, openAhead };
}

const WAITS = /^sh -c 'echo edge-setup-waits; /;

t.test("a shell that waits has the next plain command: nothing is opened for it", async (t) => {
  const { transport, commands, openAhead } = await shellHost(t);
  await transport.exec("echo other");
  await openAhead();
  transport.openAhead?.();
  t.match(commands, ["echo other", WAITS], "one at most");
  t.equal(String((await transport.exec("echo $0 again")).stdout), "sh again\n", "which others do not get");
  const input = Buffer.concat([Buffer.from([0, 10, 255]), Buffer.alloc(100_000, "x\n")]);
  const words = "sh -c 'printf \"%s|\" \"$@\"; cat; echo \"it'\\''s\" >&2; exit 3' - 'a  b' '$HOME\\' ''";
  const result = await transport.exec(words, { stdin: input, plain: true });
  t.match(result, { code: 3, signal: null, stderr: Buffer.from("it's\n") });
  t.ok(result.stdout.equals(Buffer.concat([Buffer.from("a  b|$HOME\\||"), input])), "all of its input, and no more");
  t.equal(commands.length, 3);
  t.equal(transport.stats.execs, 4);
  t.match(await transport.exec("sh -c 'exit 4'", { plain: true }), { code: 4 });
  t.equal(commands.length, 4, "it has one command, and is gone");
});

t.test(
  "a shell that waits: streams, signals, no input, several lines, an abort, a connection that ends without its use",
  async (t) => {
    const { transport, commands, openAhead } = await shellHost(t);
    await openAhead();
    const stream = await transport.exec("cat", { stdin: Readable.from(["one ", "two"]), plain: true });
    t.equal(String(stream.stdout), "one two");
    await openAhead();
    t.match(await transport.exec("sh -c 'kill -TERM $$'", { plain: true }), { code: 143 });
    await openAhead();
    t.match(await transport.exec("cat", { plain: true }), { code: 0, stdout: Buffer.alloc(0) });
    await openAhead();
    t.match(await transport.exec("echo one\necho two", { plain: true }), { stdout: Buffer.from("one\ntwo\n") });
    t.match(commands.slice(-2), [WAITS, "echo one\necho two"]);
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 20);
    const forever = transport.exec("cat", {
      stdin: new Readable({ read: () => {} }),
      plain: true,
      signal: abort.signal,
    });
    await t.rejects(forever, { code: "E_INTERRUPTED" });
    await openAhead();
  },
);

t.test("what a shell says while the processor has other work is heard before it is given up", async (t) => {
  let ended = 0;
  const shell = new SpareShell<ChildProcessWithoutNullStreams>(
    (give) => give(spawn("sh", ["-c", WAIT], { stdio: "pipe" })),
    (child) => {
      ended += 1;
      child.kill();
    },
  );
  await new Promise((resolve) => setImmediate(resolve));
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
  const child = await shell.take();
  t.ok(child);
  t.equal(await shell.take(), undefined);
  shell.close();
  t.equal(ended, 0, "who has it ends it");
  child?.kill();
});

t.test("where no shell waits, a plain command is run as any other", async (t) => {
  const forced = (force: (channel: ServerChannel, command: string) => void) => (c: ServerChannel, command: string) =>
    (WAITS.test(command) ? force : runByShell)(c, command);
  const hosts: [name: string, run: typeof runByShell, sessions: number, commands: number][] = [
    ["a forced command that ends", forced((c) => runByShell(c, "exit 1")), 10, 3],
    ["one that reads", forced((c) => runByShell(c, "cat")), 10, 3],
    ["one that is silent", forced(() => {}), 10, 3],
    ["a channel that is cut", forced((c) => c.close()), 10, 3],
    ["a single session", runByShell, 1, 2],
    ["a login shell that greets has one that waits", (c, line) => runByShell(c, `echo hello; ${line}`), 10, 2],
  ];
  for (const [name, run, sessions, count] of hosts) {
    const { transport, commands, openAhead } = await shellHost(t, run, sessions);
    const before = transport.exec("sleep 0.1");
    if (sessions === 1) transport.openAhead?.();
    else await openAhead({ says: count === 2 });
    t.match(await before, { code: 0 }, name);
    const answer = await transport.exec("echo yes", { plain: true });
    t.match(String(answer.stdout), /^(hello\n)?yes\n$/, name);
    t.equal(commands.length, count, name);
  }
});

t.test("input that comes with the command line", async (t) => {
  const { transport, commands } = await shellHost(t);
  const stdin = Buffer.from([0, 255, 10, 39, 34, 92]);
  const result = await transport.exec("sh -c 'cat; exit 5'", { stdin, inlined: true });
  t.match(result, { code: 5, stdout: stdin });
  const long = Buffer.alloc(4097, "x");
  t.match(await transport.exec("cat", { stdin: long, inlined: true }), { code: 0, stdout: long });
  t.match(commands, [/^sh -c 'echo AP8KJyJc \| base64 -d \| sh -c /, "cat"]);
});

t.test("before its login is wanted a host is called, and no more", async (t) => {
  const server = await startServer({});
  t.teardown(() => server.close());
  for (const wanted of [true, false]) {
    server.tries.length = 0;
    const bench = makeBench({ confirm: true });
    let decide = () => {};
    const login = new Promise<void>((resolve, reject) => {
      decide = wanted ? resolve : () => reject(new Error("the files are wrong"));
    });
    let connecting: Promise<unknown> = Promise.resolve();
    const answered = new Promise<void>((resolve) => {
      // It does not run out of time meanwhile.
      const options = { login, onAnswer: resolve, connectTimeoutMs: 600, hostKeyPolicy: "ask" as const };
      connecting = bench.connect(server.port, {}, options);
    });
    connecting.catch(() => {});
    await answered;
    await new Promise((resolve) => setTimeout(resolve, 700));
    t.strictSame([server.tries, bench.asked.hostKeys], [[], []]);
    decide();
    if (wanted) await ((await connecting) as Transport).close();
    else await t.rejects(connecting, { message: "the files are wrong" });
    t.equal(server.tries.length > 0, wanted);
    t.equal(bench.asked.hostKeys.length, wanted ? 1 : 0);
  }
});

t.test("openTcp", async (t) => {
  const server = await startServer({ onTcp: (channel, port) => channel.end(`port ${port}`) });
  const closed = await startServer({});
  t.teardown(() => Promise.all([server.close(), closed.close()]));
  const transport = await makeBench().connect(server.port);
  const stream = await transport.openTcp("127.0.0.1", 8080);
  let text = "";
  for await (const chunk of stream) text += chunk;
  t.equal(text, "port 8080");
  await transport.close();
  const refused = await makeBench().connect(closed.port);
  await t.rejects(refused.openTcp("127.0.0.1", 8080), { code: "E_FORWARD" });
  await refused.close();
});

t.test("hosts that are none", async (t) => {
  const listen = async (onConnection: (socket: import("node:net").Socket) => void) => {
    const server = createServer(onConnection);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    t.teardown(() => server.close());
    return (server.address() as AddressInfo).port;
  };
  const bench = makeBench();
  const mute = await listen((socket) => t.teardown(() => socket.destroy()));
  await t.rejects(bench.connect(mute, {}, { connectTimeoutMs: 200 }), {
    code: "E_TIMEOUT",
    message: /no SSH greeting/,
  });
  const rude = await listen((socket) => socket.destroy());
  await t.rejects(bench.connect(rude), { code: /E_HANDSHAKE|E_CONNECTION_LOST/, hint: /MaxStartups/ });
  const web = await listen((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
  await t.rejects(bench.connect(web), { code: "E_HANDSHAKE" });
  // A label of 64 characters is no name to any resolver: none is asked, and none can be slow.
  const gone = await listen(() => {});
  await t.rejects(bench.connect(gone, { host: `${"a".repeat(64)}.invalid` }), { code: "E_DNS", exitCode: 3 });
  await t.rejects(bench.connect(1), { code: "E_REFUSED", hint: /sshd/ });
});

t.test("no common algorithm", async (t) => {
  const { default: ssh2 } = await import("ssh2");
  const server = new ssh2.Server(
    { hostKeys: [makeKey().private], algorithms: { kex: ["diffie-hellman-group14-sha1"] } },
    (client) => client.on("error", () => {}),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  await t.rejects(makeBench().connect(port), { code: "E_HANDSHAKE", message: /key exchange/ });
});

t.test("through two jump hosts, shared, each key checked", async (t) => {
  const pass = (onLogin: () => void) =>
    startServer({
      authenticate: (context) => {
        onLogin();
        context.accept();
      },
      onTcp: (channel, port) => {
        const socket = connectTcp(port, "127.0.0.1");
        channel.pipe(socket).pipe(channel);
        socket.on("error", () => channel.close());
        channel.on("close", () => socket.destroy());
      },
    });
  const logins = { outer: 0, inner: 0 };
  const outer = await pass(() => (logins.outer += 1));
  const inner = await pass(() => (logins.inner += 1));
  const target = await startServer({
    onExec: (channel) => {
      channel.write("here");
      channel.exit(0);
      channel.end();
    },
  });
  t.teardown(() => Promise.all([outer.close(), inner.close(), target.close()]));
  const config = `Host edge-1\n  HostName 127.0.0.1\n  ProxyJump 127.0.0.1:${outer.port},127.0.0.1:${inner.port}`;
  const bench = makeBench({ config });
  const all = await Promise.all([1, 2, 3].map(() => bench.connect(target.port, { host: "edge-1" })));
  t.same(logins, { outer: 1, inner: 1 });
  for (const one of all) {
    t.equal(String((await one.exec("where")).stdout), "here");
    t.ok(one.stats.bytesUp > 500 && one.stats.bytesDown > 500);
    await one.close();
  }
  const again = await bench.connect(target.port, { host: "edge-1" });
  t.same(logins, { outer: 2, inner: 2 }, "closed with the last host behind them, and opened anew");
  await again.close();

  const strict = makeBench({ config });
  await t.rejects(strict.connect(target.port, { host: "edge-1" }, { hostKeyPolicy: "strict" }), {
    code: "E_HOST_KEY_UNKNOWN",
    message: new RegExp(`\\[127.0.0.1\\]:${outer.port}`),
  });
  const deaf = await startServer({});
  t.teardown(() => deaf.close());
  const closed = makeBench({ config: `Host edge-1\n  HostName 127.0.0.1\n  ProxyJump 127.0.0.1:${deaf.port}` });
  await t.rejects(closed.connect(target.port, { host: "edge-1" }), {
    exitCode: 3,
    message: /through .*jump host of edge-1/,
  });
});

t.test("a jump host that jumps to itself is reached directly; a circle is named", async (t) => {
  const bench = makeBench({ config: "Host a\n  ProxyJump b\nHost b\n  ProxyJump a\n" });
  await t.rejects(bench.connect(22, { host: "a" }), { code: "E_SSH_CONFIG", message: /circle/ });
});
