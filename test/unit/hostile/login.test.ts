import { type AddressInfo, createServer, type Socket } from "node:net";
import type { KeyboardAuthContext } from "ssh2";
import t, { type Test } from "tap";
import type { UnreachableError } from "../../../src/util/errors.js";
import { makeBench, startServer } from "../transport/ssh-server.js";
import { growthOf } from "./hostile-host.js";

const MB = 1 << 20;
const CONTROLS = /[^\P{Cc}\n]/u;

/** Connects to something that is no good host, and gives the error. */
async function refusal(t: Test, behave: (socket: Socket) => void, timeoutMs = 400): Promise<UnreachableError> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    behave(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  let failure: unknown;
  const growth = await growthOf(() =>
    makeBench()
      .connect(port, {}, { connectTimeoutMs: timeoutMs })
      .catch((error: unknown) => {
        failure = error;
      }),
  );
  t.ok(growth < 60 * MB, `grew by ${growth >> 20} MB`);
  t.match(failure, { exitCode: 3 });
  t.notMatch((failure as Error).message, CONTROLS);
  return failure as UnreachableError;
}

t.test("before there is an SSH connection", async (t) => {
  const endless = (chunk: string | Buffer) => (socket: Socket) => {
    const more = (error?: Error | null) => {
      if (!error && !socket.destroyed) socket.write(chunk, more);
    };
    more();
  };
  await refusal(t, endless("welcome \x1b[2J to nowhere\r\n"));
  await refusal(t, endless(Buffer.alloc(65_536, "x")));
  await refusal(t, endless(Buffer.alloc(65_536)));
  const slow = await refusal(t, (socket) => {
    const timer = setInterval(() => socket.write("S"), 30);
    socket.on("close", () => clearInterval(timer));
  });
  t.equal(slow.code, "E_TIMEOUT");
  await refusal(t, (socket) => socket.write("SSH-2.0-\x1b]0;owned\x07\r\n\x00\x00\x00\x0c\x0b\x14garbage"));
  await refusal(t, (socket) => socket.write("SSH-2.0-x\r\n\xff\xff\xff\xff"));
  await refusal(t, (socket) => socket.write("HTTP/1.1 200 OK\r\n\r\n"));
});

function ask(context: KeyboardAuthContext, prompts: { prompt: string; echo: boolean }[], then: () => void): void {
  context.prompt(prompts, "\x1b[2Jname", "\x07instructions\nedge-setup: all is well", then);
}

t.test("questions of keyboard-interactive", async (t) => {
  const login = async (
    authenticate: (context: KeyboardAuthContext) => void,
    secrets: string[] = [],
    connectTimeoutMs = 30_000,
  ) => {
    const server = await startServer({
      authenticate: (context) => {
        if (context.method === "keyboard-interactive") authenticate(context);
        else context.reject(["keyboard-interactive"]);
      },
    });
    t.teardown(() => server.close());
    const bench = makeBench({ secrets });
    const error = await bench.connect(server.port, {}, { connectTimeoutMs }).then(
      (transport) => transport.close(),
      (caught: unknown) => caught,
    );
    return { error, asked: bench.asked.secrets };
  };

  const painted = await login(
    (context) => ask(context, [{ prompt: "\x1b]52;c;eA==\x07Code\u202e\n> ", echo: true }], () => context.reject()),
    ["1"],
  );
  t.match(painted.error, { code: "E_AUTH" });
  t.equal(painted.asked.length, 1);
  t.notMatch(painted.asked[0], /[\p{Cc}\u202e]/u);

  const thousands = await login((context) =>
    ask(
      context,
      Array.from({ length: 3000 }, (_, i) => ({ prompt: `${i}`, echo: false })),
      () => context.reject(),
    ),
  );
  t.match(thousands.error, { code: "E_AUTH", message: /asks more than 10 questions/, exitCode: 3 });
  t.same(thousands.asked, []);

  const forever = await login(
    (context) => {
      const again = () => ask(context, [{ prompt: "Again", echo: false }], again);
      again();
    },
    Array.from({ length: 100 }, () => "x"),
  );
  t.match(forever.error, { code: "E_AUTH", message: /asks more than 10 questions/ });
  t.equal(forever.asked.length, 10);

  const endless = (context: KeyboardAuthContext) => {
    const again = () => ask(context, [], again);
    again();
  };
  const nothing = await login(endless, [], 1000);
  t.match(nothing.error, { code: "E_TIMEOUT" }, "ssh2 answers no questions with no answers; the deadline ends it");

  const long = await login(
    (context) => ask(context, [{ prompt: "x".repeat(20_000), echo: true }], () => context.reject()),
    ["1"],
  );
  t.ok((long.asked[0]?.length ?? 0) < 800);
});

t.test("a partial success without end", async (t) => {
  const server = await startServer({
    authenticate: (context) => {
      if (context.method === "keyboard-interactive")
        context.prompt([{ prompt: "Code", echo: true }], () => context.reject(["keyboard-interactive"], true));
      else context.reject(["keyboard-interactive"], true);
    },
  });
  t.teardown(() => server.close());
  const bench = makeBench({ secrets: Array.from({ length: 100 }, () => "1") });
  await t.rejects(bench.connect(server.port), { code: "E_AUTH" });
  t.ok(bench.asked.secrets.length <= 10);
});

t.test("methods with escape sequences", async (t) => {
  const server = await startServer({
    authenticate: (context) => context.reject(["\x1b[2J\x1b]0;x\x07none" as "none", "\u202eevil" as "none"]),
  });
  t.teardown(() => server.close());
  const error = await makeBench()
    .connect(server.port)
    .then(
      () => t.fail("connected"),
      (caught: unknown) => caught as Error,
    );
  t.notMatch((error as Error).message, /[\p{Cc}\u202e]/u);
});
