import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { inspect } from "node:util";
import t from "tap";
import type { Clock } from "../../../src/edge/clock.js";
import { readClip } from "../../../src/edge/flv.js";
import { messageType } from "../../../src/edge/rtmp-chunks.js";
import { type PublishOptions, publish, publishBurst } from "../../../src/edge/rtmp-publisher.js";
import { Secret } from "../../../src/util/secret.js";
import { until } from "../../support/until.js";
import { FakeRtmpServer, type PublishAnswer } from "./fake-rtmp-server.js";

const clip = readClip(readFileSync("assets/verify/test-pattern.flv"));
const token = "to/k&en";

/** Time that passes at once, and remembers how much of it was waited. */
class FastClock implements Clock {
  #now = 0;
  now() {
    return this.#now;
  }
  async sleep(ms: number) {
    this.#now += ms;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function options(server: FakeRtmpServer, more: Partial<PublishOptions> = {}): PublishOptions {
  const tcUrl = "rtmp://edge/hls";
  return { socket: server.connect(), tcUrl, app: "hls", streamName: "live", token: new Secret(token), clip, ...more };
}

async function server(
  t: { teardown(done: () => Promise<void>): void },
  answer: PublishAnswer | ((name: string) => PublishAnswer),
): Promise<FakeRtmpServer> {
  const fake = await FakeRtmpServer.start(typeof answer === "string" ? () => answer : answer);
  t.teardown(() => fake.stop());
  return fake;
}

t.test("publishes the clip in real time until it is over", async (t) => {
  const fake = await server(t, (name) => (name === "live?token=to%2Fk%26en" ? "start" : "close"));
  const clock = new FastClock();
  const live = await publish({ ...options(fake, { clock }), durationMs: 9000 });
  if (live.status !== "live") return t.fail(live.detail);
  const end = await live.ended;
  t.match(end, { reason: "finished", mediaMs: 8992 });
  t.ok(clock.now() >= 8990 && clock.now() < 9000, "at the pace of its timestamps");
  await until("its end", () => fake.commands.at(-1)?.[0] === "deleteStream");
  t.same(
    fake.commands.map(([name]) => name),
    ["connect", "releaseStream", "FCPublish", "createStream", "publish", "FCUnpublish", "deleteStream"],
  );
  t.match(fake.commands[0]?.[2], { app: "hls", tcUrl: "rtmp://edge/hls" });
  const times = fake.of(messageType.video).map((message) => message.timestamp);
  t.ok(
    times.every((time, index) => index === 0 || time >= (times[index - 1] ?? 0)),
    "timestamps only grow",
  );
  t.equal(fake.of(messageType.dataAmf0)[0]?.body.includes("@setDataFrame"), true);
  t.equal(fake.of(messageType.userControl)[0]?.body.toString("hex"), "000700001234", "a ping is answered");
  t.ok(fake.of(messageType.acknowledgement).length >= 1, "received bytes are acknowledged");
  t.equal(fake.of(messageType.windowAckSize)[0]?.body.readUInt32BE(), 5_000_000, "peer bandwidth is answered");
});

t.test("stop ends the stream politely", async (t) => {
  const fake = await server(t, "start");
  const live = await publish(options(fake));
  if (live.status !== "live") return t.fail(live.detail);
  const end = await live.stop();
  t.equal(end.reason, "stopped");
  await until("its end", () => fake.commands.at(-1)?.[0] === "deleteStream");
});

const refusals: [PublishAnswer, Record<string, unknown>][] = [
  ["bad-name", { reason: "bad-name", detail: /NetStream.Publish.BadName/ }],
  ["close", { reason: "closed", detail: "the server closes the connection" }],
  ["silence", { reason: "timeout", detail: "the server sends no status" }],
];
for (const [answer, expected] of refusals) {
  t.test(`refused by ${answer}`, async (t) => {
    const fake = await server(t, answer);
    const result = await publish(options(fake, answer === "silence" ? { timeoutMs: 300 } : {}));
    t.match(result, { status: "refused", ...expected });
    t.notMatch(inspect(result, { depth: 9 }), /to\/k&en|to%2Fk%26en/, "the token is nowhere in the result");
  });
}

t.test("a server that revokes a running stream", async (t) => {
  const fake = await server(t, "revoke");
  const live = await publish(options(fake));
  if (live.status !== "live") return t.fail(live.detail);
  const end = await live.ended;
  t.match(end, { reason: "rejected", detail: "the server answers NetStream.Publish.Revoked (live?token=***)" });
});

t.test("a server that drops a running stream", async (t) => {
  const fake = await server(t, "start");
  const live = await publish(options(fake));
  if (live.status !== "live") return t.fail(live.detail);
  setTimeout(() => fake.sockets[0]?.destroy(), 50);
  t.match(await live.ended, { reason: "closed" });
});

t.test("aborting drops the connection", async (t) => {
  const fake = await server(t, "start");
  const abort = new AbortController();
  const live = await publish(options(fake, { signal: abort.signal }));
  if (live.status !== "live") return t.fail(live.detail);
  abort.abort();
  t.match(await live.ended, { reason: "stopped" });
  t.match(await publish(options(fake, { signal: abort.signal })), { status: "refused", reason: "closed" });
});

t.test("a burst does not wait for the answer", async (t) => {
  const fake = await server(t, "silence");
  const result = await publishBurst({ ...options(fake, { timeoutMs: 300 }), mediaMs: 8000 });
  t.match(result, { outcome: { status: "refused", reason: "timeout" }, mediaMs: 7982 });
  t.ok(result.sentBytes > 140_000);
  await until("media, which come before any answer", () => fake.of(messageType.video).length > 150);
});

t.test("a burst that is refused at once", async (t) => {
  const fake = await server(t, "close");
  const result = await publishBurst({ ...options(fake), mediaMs: 8000 });
  t.match(result, { outcome: { status: "refused", reason: "closed" } });
});

t.test("another service on the port", async (t) => {
  const http = createServer((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  t.teardown(() => http.close());
  const fake = await server(t, "start");
  const { port } = http.address() as import("node:net").AddressInfo;
  const socket = fake.connect().destroy();
  t.match(await publish(options(fake, { socket })), { status: "refused" });
  const { connect } = await import("node:net");
  const result = await publish(options(fake, { socket: connect(port, "127.0.0.1") }));
  t.match(result, { status: "refused", reason: "protocol", detail: /not in RTMP/ });
});
