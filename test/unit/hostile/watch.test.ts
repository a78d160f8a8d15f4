import { setTimeout as sleep } from "node:timers/promises";
import t, { type Test } from "tap";
import { takePortrait } from "../../../src/discovery/portrait.js";
import type { Transport } from "../../../src/transport/transport.js";
import { hostSample } from "../../../src/watch/host-sample.js";
import { sampleLines } from "../../../src/watch/lines.js";
import { parseSample } from "../../../src/watch/raw-sample.js";
import { Sampler } from "../../../src/watch/sampler.js";
import { makeBench, startServer } from "../transport/ssh-server.js";
import { growthOf, pour } from "./hostile-host.js";

const MB = 1 << 20;
const none = { method: "none", user: "", needsPassword: false } as const;

async function connected(t: Test, onExec: Parameters<typeof startServer>[0]["onExec"]): Promise<Transport> {
  const server = await startServer(onExec === undefined ? {} : { onExec });
  t.teardown(() => server.close());
  const transport = await makeBench().connect(server.port);
  t.teardown(() => transport.close());
  return transport;
}

/** Milliseconds of processor time that the text of a sample takes to be read and shown, and the lines. */
function timed(text: string): { readonly ms: number; readonly lines: readonly string[] } {
  const begun = process.cpuUsage();
  const { sample } = hostSample("edge", Date.now(), parseSample(text.split("\n"), "nonce"), undefined);
  const lines = sampleLines(sample);
  const { user, system } = process.cpuUsage(begun);
  return { lines, ms: (user + system) / 1000 };
}

t.test("a megabyte of whatever is read at once, and shows nothing strange", async (t) => {
  const texts: Record<string, string> = {
    "one field again and again": "claim\tx\n".repeat(MB / 8),
    certificates: "cert\t1\n".repeat(MB / 7),
    units: "unit\tedge-x 0\n".repeat(MB / 14),
    files: "file\t/x 1\n".repeat(MB / 10),
    playlists: `list\t/run/edge/hls/a.m3u8${" 1".repeat(MB / 2)}`,
    "clients without end": `part\trtmp\nHTTP/1.1 200 OK\r\n\r\n<application><name>hls</name><stream>${"<client>".repeat(MB / 8)}\nnonce`,
    "streams without end": `part\trtmp\nHTTP/1.1 200 OK\r\n\r\n<application><name>hls</name>${"<stream><name>a</name><publishing/>".repeat(20_000)}\nnonce`,
    "deep JSON": `part\ttraffic\nHTTP/1.1 200 OK\r\n\r\n${"[".repeat(MB / 2)}\nnonce`,
    "no JSON of ours": `part\ttraffic\nHTTP/1.1 200 OK\r\n\r\n{"filterZones":{"playlists::*":7},"connections":null}\nnonce`,
    numbers:
      "now\t1e308\ncpu\t1e999 -1 NaN\nmem\tInfinity 1\ntemp\t1e300\ntmpfs\ttmpfs 1e200 1e200 0\nnet\t1e308 1e308",
    "escape sequences":
      "unit\tedge-\x1b[2J 1\nclaim\t\x1b]0;x\x07\npower\t\x1b[31m0xffffffff\nlist\t/run/edge/hls/\u202e.m3u8 1",
  };
  for (const [name, text] of Object.entries(texts)) {
    const { ms, lines } = timed(text);
    t.ok(ms < 1500, `${name}: ${Math.round(ms)} ms`);
    t.notMatch(lines.join("\n"), /[^\P{Cc}\n]|[\u202a-\u202e]/u, name);
    t.ok(lines.length <= 201, `${name}: ${lines.length} lines`);
  }
});

t.test("a host that talks on is not asked again", async (t) => {
  const transport = await connected(t, (channel) => pour(channel, Buffer.alloc(65_536, "x")));
  const growth = await growthOf(async () => {
    const sampler = new Sampler(transport, none, undefined);
    await t.rejects(sampler.look(30_000), { code: "E_NO_SAMPLE", message: /more than a sample can hold/ });
    await t.rejects(sampler.look(30_000), { code: "E_NO_SAMPLE" });
    sampler.close();
  });
  t.ok(growth < 60 * MB, `grew by ${growth >> 20} MB`);
});

t.test("nor one that talks unasked", async (t) => {
  const transport = await connected(t, (channel) => {
    channel.once("data", (nonce: Buffer) => {
      channel.write(`begin\t${String(nonce).trim()}\nend\t${String(nonce).trim()}\n`);
      setTimeout(() => pour(channel, Buffer.alloc(65_536, "x\n")), 20);
    });
  });
  const sampler = new Sampler(transport, none, undefined);
  await sampler.look(30_000);
  await sleep(300);
  await t.rejects(sampler.look(30_000), { code: "E_NO_SAMPLE" });
  sampler.close();
});

t.test("one byte a second is not an answer", async (t) => {
  const transport = await connected(t, (channel) => {
    channel.resume();
    const timer = setInterval(() => channel.write("x"), 20);
    channel.on("close", () => clearInterval(timer));
  });
  const sampler = new Sampler(transport, none, undefined);
  await t.rejects(sampler.look(300), { code: "E_NO_SAMPLE", message: /has not answered/ });
  sampler.close();
});

t.test("what the wizard asks for has an end", async (t) => {
  const transport = await connected(t, (channel) => pour(channel, Buffer.alloc(65_536, "model\t\x1b[2J\n")));
  await t.rejects(takePortrait(transport, Date.now), { code: "E_ANSWER", exitCode: 3 });
});

t.test("a connection that is never opened is given up, over both connectors", async (t) => {
  const server = await startServer({ ignoresTcp: true });
  t.teardown(() => server.close());
  await Promise.all(
    (["ssh2", "openssh"] as const).map(async (connection) => {
      const transport = await makeBench().connect(server.port, { connection });
      await t.rejects(transport.openTcp("127.0.0.1", 80), { code: "E_FORWARD" }, connection);
      await transport.close();
    }),
  );
});

t.test("what is collected whole is bounded", async (t) => {
  const transport = await connected(t, (channel) => {
    pour(channel, Buffer.alloc(65_536, "x"));
  });
  const growth = await growthOf(() => t.rejects(transport.exec("cat"), { code: "E_ANSWER" }));
  t.ok(growth < 120 * MB, `grew by ${growth >> 20} MB`);
});
