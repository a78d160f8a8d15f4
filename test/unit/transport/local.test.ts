import { type AddressInfo, createServer } from "node:net";
import { Readable } from "node:stream";
import t from "tap";
import { connect } from "../../../src/transport/connect.js";

const transport = await connect(
  { name: "here", connection: "local", host: "here" },
  {
    hostKeyPolicy: "strict",
    connectTimeoutMs: 1000,
    prompter: { confirmHostKey: async () => false, askSecret: async () => undefined },
  },
);

t.test("exec", async (t) => {
  t.equal(transport.description, "local");
  t.match(await transport.exec("printf ' a\\n'; echo b >&2; exit 3"), {
    code: 3,
    signal: null,
    stdout: Buffer.from(" a\n"),
    stderr: Buffer.from("b\n"),
  });
  t.match(await transport.exec("kill -TERM $$"), { code: null, signal: "SIGTERM" });
  const payload = Buffer.alloc(3_000_000, 65);
  t.equal(String((await transport.exec("wc -c", { stdin: payload })).stdout).trim(), "3000000");
  const stdin = Readable.from([Buffer.from("one "), Buffer.from("two")]);
  t.equal(String((await transport.exec("cat", { stdin })).stdout), "one two");
  t.match(await transport.exec("true", { stdin: payload }), { code: 0 }, "input that is not read is no error");
  t.equal(transport.stats.execs, 5);
  t.ok(transport.stats.bytesUp > 6_000_000);
});

t.test("abort ends the command and what it started", async (t) => {
  const abort = new AbortController();
  const running = transport.exec("sleep 3600 & sleep 3600; wait", { signal: abort.signal });
  setTimeout(() => abort.abort(), 20);
  await t.rejects(running, { code: "E_INTERRUPTED" });
});

t.test("openTcp", async (t) => {
  const server = createServer((socket) => socket.end("hello"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  let text = "";
  for await (const chunk of await transport.openTcp("127.0.0.1", port)) text += chunk;
  t.equal(text, "hello");
  await new Promise((resolve) => server.close(resolve));
  await t.rejects(transport.openTcp("127.0.0.1", 1), { code: "E_FORWARD" });
});
