import { createServer, type Server, type Socket } from "node:net";
import t, { type Test } from "tap";
import { decodeAmf, encodeAmf } from "../../../src/edge/amf0.js";
import { CheckList } from "../../../src/edge/check-list.js";
import { systemClock } from "../../../src/edge/clock.js";
import { dial } from "../../../src/edge/dial.js";
import { checkHls } from "../../../src/edge/hls-check.js";
import { createHttpGet } from "../../../src/edge/http-get.js";
import { encodeMessage, messageType } from "../../../src/edge/rtmp-chunks.js";
import { tryPlay } from "../../../src/edge/rtmp-play.js";
import { publish } from "../../../src/edge/rtmp-publisher.js";
import { loadTestPattern } from "../../../src/edge/verify.js";
import type { EdgeTarget, VerifyContext } from "../../../src/edge/verify-context.js";
import { mediaChecks } from "../../../src/edge/verify-media.js";
import { checkMetrics, checkStatusJson } from "../../../src/edge/verify-metrics.js";
import { checkPlayer } from "../../../src/edge/verify-player.js";
import { checkStatus } from "../../../src/edge/verify-web.js";
import { Secret } from "../../../src/util/secret.js";
import { growthOf } from "./hostile-host.js";

const MB = 1 << 20;
const OK = "HTTP/1.1 200 OK\r\n";

/** A port where everybody who connects is treated so. */
async function portOf(t: Test, behave: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    behave(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as { port: number }).port;
}

function endless(head: string, chunk: string | Buffer): (socket: Socket) => void {
  return (socket) => {
    socket.once("data", () => {
      const more = (error?: Error | null) => {
        if (!error && !socket.destroyed) socket.write(chunk, (failure) => setImmediate(more, failure));
      };
      socket.write(head, more);
    });
  };
}

function once(answer: string | Buffer): (socket: Socket) => void {
  return (socket) => socket.once("data", () => socket.end(answer));
}

function body(text: string | Buffer, type = "text/html"): Buffer {
  const head = `${OK}Content-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(text)}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), Buffer.from(text)]);
}

t.test("answers without end", async (t) => {
  const cases: Record<string, (socket: Socket) => void> = {
    headers: endless(OK, "X-Header: x\r\n"),
    "one header": endless(`${OK}X: `, Buffer.alloc(65_536, "x")),
    body: endless(`${OK}\r\n`, Buffer.alloc(65_536)),
    "a length that is a lie": endless(`${OK}Content-Length: 99999999999999\r\n\r\n`, Buffer.alloc(65_536)),
    chunks: endless(`${OK}Transfer-Encoding: chunked\r\n\r\n`, `10000\r\n${"x".repeat(65_536)}\r\n`),
    "chunk of a negative size": once(`${OK}Transfer-Encoding: chunked\r\n\r\n-1\r\nx\r\n`),
    "no HTTP": endless("", Buffer.alloc(65_536, "z")),
  };
  for (const [name, behave] of Object.entries(cases)) {
    const port = await portOf(t, behave);
    const growth = await growthOf(() =>
      t.rejects(createHttpGet(() => dial("127.0.0.1", port))(new URL(`http://127.0.0.1:${port}/`)), Error, name),
    );
    t.ok(growth < 80 * MB, `${name}: grew by ${growth >> 20} MB`);
  }
});

t.test("answers that never come are given up, whatever hangs", async (t) => {
  const port = await portOf(t, (socket) => socket.resume());
  const signal = AbortSignal.timeout(300);
  const get = createHttpGet(() => dial("127.0.0.1", port));
  const stuck = createHttpGet(() => new Promise(() => {}));
  await Promise.all([
    t.rejects(get(new URL(`http://127.0.0.1:${port}/`), { signal }), "no answer"),
    t.rejects(get(new URL(`https://127.0.0.1:${port}/`), { signal }), "no TLS"),
    t.rejects(stuck(new URL("http://127.0.0.1/"), { signal }), "no connection through the host"),
  ]);
});

t.test("nothing is unpacked", async (t) => {
  const packed = Buffer.alloc(1000, 7);
  const head = `${OK}Content-Encoding: gzip\r\nContent-Length: ${packed.length}\r\n\r\n`;
  const port = await portOf(t, once(Buffer.concat([Buffer.from(head), packed])));
  const answer = await createHttpGet(() => dial("127.0.0.1", port))(new URL(`http://127.0.0.1:${port}/`));
  t.same(answer.body, packed);
});

/** What the checks are given when the edge answers every request alike. */
async function contextOf(t: Test, answer: Buffer): Promise<VerifyContext> {
  const port = await portOf(t, once(answer));
  const target: EdgeTarget = {
    ...{ name: "edge", host: "127.0.0.1", rtmpPort: port, httpPort: port, https: false, httpsPort: 443 },
    ...{ corsOrigin: "*", immutableSegments: true, httpFlv: false, fragmentMs: 300, player: {} as never },
    ...{ token: new Secret("token"), statusUser: "admin", statusPassword: new Secret("password") },
    ...{ metrics: { open: true }, rtmpPlay: false, keyedStreams: [], limited: { rtmp: false, web: false } },
    media: { recorded: true, pushes: true, pulled: ["x"], pictureWidth: 640 },
  };
  const open = () => dial("127.0.0.1", port);
  return {
    target,
    checks: new CheckList("edge", () => {}, undefined),
    rtmp: { kind: "direct", obstacle: undefined, open },
    httpGet: createHttpGet(open),
    routeTo: async () => ({ kind: "none", obstacle: "not asked for" }),
    clip: await loadTestPattern(),
    stream: "proof",
    clock: systemClock,
    signal: AbortSignal.timeout(20_000),
  };
}

t.test("whatever an edge answers is a failed check, soon, and no crash", async (t) => {
  const redirect = (to: string) => Buffer.from(`HTTP/1.1 302 Found\r\nLocation: ${to}\r\nContent-Length: 0\r\n\r\n`);
  const answers: Record<string, Buffer> = {
    "JSON null": body("null", "application/json"),
    "JSON of other kinds": body('{"streams":[null,7,{"push":7}]}', "application/json"),
    "deep JSON": body("[".repeat(1_000_000), "application/json"),
    "scripts without end": body("<script ".repeat(30_000)),
    "links without end": body("<link stylesheet href=".repeat(11_000)),
    "imports without end": body(`<script src="/a.js"></script>\n${"import ".repeat(10)}`, "text/html, javascript"),
    "a script of imports": body(`<script src=/x>\n${"import\n".repeat(30_000)}`, "text/html javascript"),
    "an address that is none": body('<script src="http://[:::/x">'),
    "a page of 4 MB": body("x".repeat(4 * MB - 1000)),
    "redirects in a circle": redirect("/"),
    "redirects nowhere": redirect("http://[::bad/"),
    "redirects elsewhere": redirect("http://198.51.100.1/"),
  };
  for (const [name, answer] of Object.entries(answers)) {
    const context = await contextOf(t, answer);
    const begun = performance.now();
    const { checks } = context;
    const ref = { id: "x", title: "x" };
    await checks.run(ref, () => checkPlayer(context));
    await checks.run(ref, () => checkStatus(context));
    await checks.run(ref, () => checkStatusJson(context, true));
    await checks.run(ref, () => checkMetrics(context, true));
    for (const { ref, run } of mediaChecks(context.target))
      if (ref.id !== "ladder") await checks.run(ref, () => run(context));
    const ms = performance.now() - begun;
    t.ok(ms < 6000, `${name}: ${Math.round(ms)} ms`);
    t.ok(checks.checks.filter(({ status }) => status === "fail").length >= 5, name);
  }
});

t.test("playlists", async (t) => {
  const lists: Record<string, string> = {
    "lines without end": `#EXTM3U\n${"a\n".repeat(2 * MB - 10)}`,
    "empty lines without end": `#EXTM3U\n${"\n".repeat(4 * MB - 2000)}`,
    "too large": `#EXTM3U\n${"#x".repeat(3 * MB)}`,
    "an address that is none":
      "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://[::bad\n#EXTINF:1,\nhttp://[::bad2\n#EXTINF:1,\nx\n",
    "a variant that is none": "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nhttp://[::bad\n",
    "itself as its variant": "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nx.m3u8\n",
    "numbers without end": `#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:${"9".repeat(100_000)},\na\n#EXTINF:1,\nb\n`,
    attributes: `#EXTM3U\n#EXT-X-STREAM-INF:${"A=1,".repeat(500_000)}\nx\n`,
  };
  for (const [name, text] of Object.entries(lists)) {
    const port = await portOf(t, once(body(text, "application/vnd.apple.mpegurl")));
    const reader = {
      httpGet: createHttpGet(() => dial("127.0.0.1", port)),
      url: new URL(`http://127.0.0.1:${port}/hls/x.m3u8`),
    };
    const begun = performance.now();
    const growth = await growthOf(() =>
      checkHls(reader, { corsOrigin: "*", immutableSegments: true }, 300).catch((error: unknown) => {
        t.ok(error instanceof Error && !(error instanceof TypeError), `${name}: ${String(error).slice(0, 100)}`);
      }),
    );
    t.ok(performance.now() - begun < 6000, name);
    t.ok(growth < 300 * MB, `${name}: grew by ${growth >> 20} MB`);
  }
});

/** A server of RTMP up to where it is told to do otherwise. */
function rtmp(after: (socket: Socket, say: (values: Parameters<typeof encodeAmf>[0]) => void) => void) {
  return (socket: Socket) => {
    let seen = 0;
    socket.on("data", (bytes: Buffer) => {
      const before = seen;
      seen += bytes.length;
      if (before < 1537 && seen >= 1537) {
        socket.write(Buffer.concat([Buffer.of(3), Buffer.alloc(3072)]));
        const say = (values: Parameters<typeof encodeAmf>[0]) => {
          const message = { type: messageType.commandAmf0, streamId: 0, timestamp: 0, body: encodeAmf(values) };
          socket.write(encodeMessage(message, 3, 128));
        };
        setTimeout(() => after(socket, say), 50);
      }
    });
  };
}

function keepWriting(socket: Socket, chunk: Buffer): void {
  const more = (error?: Error | null) => {
    if (!error && !socket.destroyed) socket.write(chunk, (failure) => setImmediate(more, failure));
  };
  more();
}

t.test("RTMP", async (t) => {
  const clip = await loadTestPattern();
  const message = (type: number, bytes: Buffer, stream = 3) =>
    encodeMessage({ type, streamId: 0, timestamp: 0, body: bytes }, stream, 128);
  const status = encodeAmf(["onStatus", 0, null, { level: "status", code: "Wait\x1b[2J", description: "" }]);
  const cases: Record<string, (socket: Socket) => void> = {
    "no RTMP": (socket) => keepWriting(socket, Buffer.alloc(65_536, "x")),
    "a handshake without end": (socket) => keepWriting(socket, Buffer.of(3)),
    "statuses without end": rtmp((socket, say) => {
      say(["_result", 1, null]);
      say(["_result", 4, null, 1]);
      keepWriting(socket, Buffer.concat(Array.from({ length: 100 }, () => message(messageType.commandAmf0, status))));
    }),
    "chunk streams without end": rtmp((socket) => {
      for (let id = 3; id < 63; id++)
        socket.write(Buffer.concat([Buffer.of(id, 0, 0, 0, 0x3f, 0xff, 0xff, 20, 0, 0, 0, 0), Buffer.alloc(128)]));
    }),
    "a message of 16 MB": rtmp((socket) => socket.write(Buffer.of(3, 0, 0, 0, 0xff, 0xff, 0xff, 20, 0, 0, 0, 0))),
    "pings that want answers, which nobody reads": rtmp((socket) => {
      socket.pause();
      keepWriting(
        socket,
        Buffer.concat(
          Array.from({ length: 2000 }, () => message(messageType.userControl, Buffer.from("000600001234", "hex"), 2)),
        ),
      );
    }),
    "a message that is cut short": rtmp((socket) => socket.write(message(messageType.userControl, Buffer.of(0), 2))),
    "a stream's number that is none": rtmp((_, say) => {
      say(["_result", 1, null]);
      say(["_result", 4, null, -1e300]);
      say(["onStatus", 0, null, { level: "status", code: "NetStream.Publish.Start" }]);
    }),
    "deep values": rtmp((socket) =>
      socket.write(
        message(messageType.commandAmf0, Buffer.concat(Array.from({ length: 100 }, () => Buffer.of(10, 0, 0, 0, 1)))),
      ),
    ),
  };
  for (const [name, behave] of Object.entries(cases)) {
    const port = await portOf(t, behave);
    const url = { tcUrl: `rtmp://127.0.0.1:${port}/hls`, app: "hls", streamName: "x", clip };
    const growth = await growthOf(async () => {
      const answer = await publish({ ...url, socket: await dial("127.0.0.1", port), timeoutMs: 1500, durationMs: 100 });
      if (answer.status === "live") await answer.ended;
      await tryPlay({ ...url, socket: await dial("127.0.0.1", port), waitMs: 500 });
    });
    t.ok(growth < 100 * MB, `${name}: grew by ${growth >> 20} MB`);
  }
  t.throws(() => decodeAmf(Buffer.concat(Array.from({ length: 100 }, () => Buffer.of(10, 0, 0, 0, 1)))));
});
