import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, connect } from "node:net";
import t from "tap";
import { verifyEdge } from "../../../src/edge/verify.js";
import type { EdgeTarget } from "../../../src/edge/verify-context.js";
import type { RunEvent } from "../../../src/report/events.js";
import { Secret } from "../../../src/util/secret.js";
import { until } from "../../support/until.js";
import { FakeRtmpServer } from "./fake-rtmp-server.js";

// Each verification waits for its stream most of the time.
t.jobs = 20;

const segments = [0, 1].map((index) => readFileSync(`test/unit/edge/fixtures/nginx-rtmp-${index}.mpegts`));
const token = "right-token";
const password = "status-password";
const cors = { "access-control-allow-origin": "*" };

/** What a fake edge does differently from a good one. */
interface Faults {
  readonly acceptsAnyToken?: boolean;
  readonly leaksRefused?: boolean;
  readonly acceptsSecond?: boolean;
  readonly openStatus?: boolean;
  readonly openMetrics?: boolean;
  readonly brokenMetrics?: boolean;
  readonly forgetsStream?: boolean;
  readonly reflects?: boolean;
  readonly external?: boolean;
  readonly lacksPart?: boolean;
  readonly brokenSettings?: boolean;
  readonly noFrames?: boolean;
  readonly laxPolicy?: boolean;
  readonly noPlayer?: boolean;
  /** What /streams.json answers. */
  readonly list?: string;
  readonly renamesSegments?: boolean;
  readonly noCors?: boolean;
  readonly cached?: boolean;
  readonly stuck?: boolean;
  readonly neverStops?: boolean;
  /** With a signing key: what is wrong with its signatures. */
  readonly signatures?: "ignored" | "endless" | "of any stream";
  /** What it sends as HTTP-FLV; nothing has it without. */
  readonly flv?: Buffer;
  readonly flvOfNobody?: boolean;
}

const SIGNING = { key: new Secret("signing-key-of-the-edge"), expires: Math.floor(Date.now() / 1000) + 600 };

/** An edge of one process: a segment of one second appears every 300 ms while its stream is published. */
class FakeEdge {
  readonly requests: string[] = [];
  #live: { name: string; since: number; until: number } | undefined;
  #publishers = 0;
  constructor(
    readonly faults: Faults,
    readonly signed = false,
  ) {}

  /** Takes a right signature off the path. */
  #signatureFits(url: URL): boolean {
    const [, signature, expires = "0", path = "", stream = ""] =
      /^\/s\/([^/]+)\/([0-9]+)(\/hls\/([a-z0-9-]+?)(?:\.m3u8|[^-]*\.ts)?)$/.exec(url.pathname) ?? [];
    const right = (name: string) =>
      createHash("md5").update(`${expires} ${name} ${SIGNING.key.reveal()}`).digest("base64url");
    const { signatures } = this.faults;
    const inTime = Number(expires) > Date.now() / 1000 || signatures === "endless";
    const fits = signature === right(stream) || signatures === "of any stream" || path.endsWith(".ts");
    if (signatures !== "ignored" && !(inTime && fits)) return false;
    url.pathname = path === "" ? url.pathname : path;
    return true;
  }

  publish = (key: string) => {
    const [name = "", query = ""] = key.split("?");
    if (query !== `token=${token}` && !this.faults.acceptsAnyToken) return "close" as const;
    if (this.#live !== undefined && !this.faults.acceptsSecond) return "bad-name" as const;
    this.#publishers += 1;
    this.#live ??= { name, since: Date.now(), until: Number.POSITIVE_INFINITY };
    return "start" as const;
  };

  unpublish(): void {
    this.#publishers -= 1;
    if (this.#live === undefined || this.#publishers > 0 || this.faults.neverStops) return;
    if (this.#live.name.endsWith("-refused")) this.#live = undefined;
    else this.#live.until = Date.now();
  }

  serve = (request: IncomingMessage, response: ServerResponse) => {
    const url = new URL(request.url ?? "/", "http://edge");
    this.requests.push(url.pathname);
    if (this.signed && url.pathname.includes("/hls/") && !this.#signatureFits(url))
      return response.writeHead(403).end();
    const send = (status: number, headers: Record<string, string>, body: string | Buffer = "") =>
      response.writeHead(status, headers).end(body);
    const allow = this.faults.noCors ? {} : cors;
    if (url.pathname.endsWith(".m3u8")) {
      const text = this.#playlist(url.pathname.slice("/hls/".length, -".m3u8".length));
      const cache = this.faults.cached ? "max-age=60" : "public, max-age=1";
      const headers = { ...allow, "content-type": "application/vnd.apple.mpegurl", "cache-control": cache };
      return text === undefined ? send(404, {}) : send(200, headers, text);
    }
    if (url.pathname.endsWith(".ts")) {
      const index = Number(/(\d)\.ts$/.exec(url.pathname)?.[1]) % 2;
      const headers = { ...allow, "content-type": "video/mp2t", "cache-control": "max-age=3600, immutable" };
      return send(200, headers, segments[index]);
    }
    if (url.pathname === "/status") {
      const login = `Basic ${Buffer.from(`admin:${password}`).toString("base64")}`;
      return send(this.faults.openStatus || request.headers.authorization === login ? 200 : 401, {});
    }
    if (url.pathname === "/status/streams.json" || url.pathname === "/metrics") {
      const login = `Basic ${Buffer.from(`admin:${password}`).toString("base64")}`;
      if (!this.faults.openMetrics && request.headers.authorization !== login) return send(401, {});
      const names = this.#live === undefined || this.faults.forgetsStream ? [] : [this.#live.name];
      if (url.pathname !== "/metrics")
        return send(200, {}, JSON.stringify({ v: 1, streams: names.map((name) => ({ name })) }));
      const lines = names.map((name) => `edge_stream_up{stream="${name}"} 1\n`).join("");
      const help = this.faults.brokenMetrics ? "" : "# HELP edge_stream_up Is it there?\n";
      return send(
        200,
        { "content-type": "text/plain; version=0.0.4; charset=utf-8" },
        `${help}# TYPE edge_stream_up gauge\n${lines}`,
      );
    }
    if (url.pathname.startsWith("/live/")) {
      const name = url.pathname.slice("/live/".length, -".flv".length);
      if (this.faults.flv === undefined || (name !== this.#live?.name && !this.faults.flvOfNobody))
        return send(404, {});
      // It goes on for as long as the stream does.
      return response.writeHead(200, { "content-type": "video/x-flv" }).write(this.faults.flv);
    }
    if (url.pathname === "/player.js")
      return send(200, { "content-type": "text/javascript" }, 'import { a } from "./part.js";');
    if (url.pathname === "/part.js")
      return send(this.faults.lacksPart ? 404 : 200, { "content-type": "text/javascript" });
    if (url.pathname === "/player.json") return send(200, {}, this.faults.brokenSettings ? '{"a": ' : "{}");
    if (url.pathname === "/streams.json" && this.faults.list !== undefined) return send(200, {}, this.faults.list);
    if (url.pathname === "/streams.json") return send(404, {});
    if (url.pathname === "/" && this.faults.noPlayer) return send(404, {});
    const stream = this.faults.reflects ? (url.searchParams.get("stream") ?? "") : "";
    const script = this.faults.external ? "https://cdn.example/hls.js" : "player.js";
    const frames = this.faults.noFrames ? "'none'" : "*";
    const policy = `script-src ${this.faults.laxPolicy ? "'unsafe-inline'" : "'self'"}; frame-ancestors ${frames}`;
    const headers = { "content-type": "text/html", "content-security-policy": policy };
    return send(200, headers, `<title>${stream}</title><script src="${script}"></script>`);
  };

  #playlist(name: string): string | undefined {
    const live = this.#live;
    if (this.faults.leaksRefused && name.endsWith("-refused")) return this.#lines(0, 1);
    if (live === undefined || live.name !== name) return undefined;
    const age = Math.min(Date.now(), live.until) - live.since;
    return this.#lines(0, this.faults.stuck ? Math.min(2, age / 300) : age / 300);
  }

  #lines(first: number, count: number): string {
    const lines = ["#EXTM3U", "#EXT-X-VERSION:3", `#EXT-X-MEDIA-SEQUENCE:${first}`, "#EXT-X-TARGETDURATION:1"];
    const suffix = this.faults.renamesSegments ? `${Math.floor(count)}-` : "";
    for (let index = 0; index < Math.floor(count); index++) {
      lines.push("#EXT-X-DISCONTINUITY", "#EXTINF:1.0,", `s${suffix}${index}.ts`);
    }
    return lines.join("\n");
  }
}

async function verify(
  t: { teardown(done: () => Promise<void>): void },
  faults: Faults,
  more: Partial<EdgeTarget> = {},
) {
  const edge = new FakeEdge(faults, more.signing !== undefined);
  const rtmp = await FakeRtmpServer.start(edge.publish);
  rtmp.onDelete = () => edge.unpublish();
  const web = createServer(edge.serve);
  await new Promise<void>((resolve) => web.listen(0, "127.0.0.1", resolve));
  t.teardown(async () => {
    await rtmp.stop();
    await new Promise((resolve) => web.close(resolve));
  });
  const ports = { rtmpPort: rtmp.port, httpPort: (web.address() as AddressInfo).port };
  const target: EdgeTarget = {
    ...{ name: "edge", host: "127.0.0.1", ...ports, https: false, httpsPort: 443 },
    ...{ corsOrigin: "*", immutableSegments: true, httpFlv: false, fragmentMs: 300 },
    ...{ rtmpPlay: false, keyedStreams: [], limited: { rtmp: false, web: false } },
    ...{ token: new Secret(token), statusUser: "admin", statusPassword: new Secret(password) },
    metrics: { open: false },
    ...more,
  };
  const events: RunEvent[] = [];
  const openTcp = async (_host: string, port: number) => connect(port, "127.0.0.1");
  const result = await verifyEdge({ target, emit: (event) => events.push(event), openTcp });
  const not = (status: string) => result.checks.filter((check) => check.status === status).map((check) => check.id);
  return { result, events, edge, failed: not("fail"), warned: not("warn"), skipped: not("skip") };
}

t.test("a good edge passes, and no secret is told", { buffered: true }, async (t) => {
  const { result, events, failed, skipped } = await verify(t, {});
  t.same(failed, []);
  t.same(skipped, ["rtmp-play"], "our own host may play");
  t.ok(result.ok);
  t.ok((result.firstSegmentMs ?? 0) >= 250, "the first segment's time is measured");
  t.notMatch(JSON.stringify([events, result]), new RegExp(`${token}|${password}`));
  const told = events.flatMap((event) => (event.type === "check.result" ? [event.check.id] : []));
  t.same(
    told,
    result.checks.map((check) => check.id),
  );
  t.equal(new Set(told).size, 18);
  t.ok(result.checks.every((check) => check.reason !== ""));
});

const broken: [string, Faults, string[]][] = [
  ["takes any token", { acceptsAnyToken: true }, ["publish-wrong-token"]],
  ["writes before it asks for the token", { leaksRefused: true }, ["publish-wrong-token"]],
  ["takes a second publisher", { acceptsSecond: true }, ["second-publisher"]],
  ["shows its status to everybody", { openStatus: true }, ["status"]],
  ["shows its metrics to everybody", { openMetrics: true }, ["status-json", "metrics"]],
  ["writes metrics that nobody can read", { brokenMetrics: true }, ["metrics"]],
  ["does not count its streams", { forgetsStream: true }, ["status-json", "metrics"]],
  ["repeats a hostile stream name", { reflects: true }, ["player"]],
  ["loads its player from elsewhere", { external: true }, ["player"]],
  ["lacks a part of its player", { lacksPart: true }, ["player"]],
  ["has broken settings of its player", { brokenSettings: true }, ["player"]],
  ["lets scripts of others into its player", { laxPolicy: true }, ["player"]],
  ["lets no other site have its player", { noFrames: true }, ["player"]],
  ["tells what is live though it should not", { list: '{"streams": []}' }, ["player"]],
  ["has two writers of one playlist", { renamesSegments: true }, ["playlist-advances"]],
  ["sends no CORS header", { noCors: true }, ["playlist-headers", "segment-headers"]],
  ["lets playlists be cached", { cached: true }, ["playlist-headers"]],
  ["goes on after the publisher left", { neverStops: true }, ["unpublish"]],
];
for (const [name, faults, expected] of broken) {
  t.test(`an edge that ${name}`, { buffered: true }, async (t) => {
    const { result, failed } = await verify(t, faults);
    t.same(failed, expected);
    t.notOk(result.ok);
  });
}

t.test("metrics that some may read without a login, and none at all", { buffered: true }, async (t) => {
  const allowed = await verify(t, { openMetrics: true }, { metrics: { open: true } });
  t.same(allowed.failed, []);
  const off = await verify(t, {}, { metrics: undefined });
  t.same(off.failed, ["metrics"], "they were to be off");
});

t.test("HTTP-FLV", { buffered: true }, async (t) => {
  const flv = readFileSync("assets/verify/test-pattern.flv");
  const of = (faults: Faults) => verify(t, faults, { httpFlv: true });
  const [good, absent, ofNobody] = await Promise.all([of({ flv }), of({}), of({ flv, flvOfNobody: true })]);
  t.same(good.failed, []);
  t.match(good.result.checks.find((check) => check.id === "http-flv")?.reason, /a key frame after \d+ ms/);
  t.same(absent.failed, ["http-flv"], "it is not there");
  t.same(ofNobody.failed, ["http-flv"], "streams that nobody publishes are there too");
});

t.test("a list of streams is names alone", { buffered: true }, async (t) => {
  const lists: [list: string, failed: string[]][] = [
    ['{"streams": ["church"]}', []],
    ['{"streams": [{"name": "church"}]}', ["player"]],
    ['{"streams": ["church"], "addresses": []}', ["player"]],
    ['{"streams": ["<b>"]}', ["player"]],
  ];
  const one = async (list: string) => (await verify(t, { list }, { streamList: true })).failed;
  t.same(
    await Promise.all(lists.map(([list]) => one(list))),
    lists.map(([, failed]) => failed),
  );
});

t.test("an edge without a player page", { buffered: true }, async (t) => {
  t.same((await verify(t, { noPlayer: true }, { player: false })).failed, []);
  t.same((await verify(t, {}, { player: false })).failed, ["player"]);
});

t.test("a wrong token in the inventory", { buffered: true }, async (t) => {
  const { result, failed } = await verify(t, {}, { token: new Secret("old") });
  t.same(failed, ["publish"]);
  t.match(result.checks.find((check) => check.id === "publish")?.hint, /token in the inventory/);
  t.equal(result.firstSegmentMs, undefined);
});

t.test("ports that only the host itself sees are tunnelled, with a warning", { buffered: true }, async (t) => {
  const { result, warned, failed } = await verify(t, {}, { host: "edge.invalid" });
  t.same(failed, []);
  t.same(warned, ["rtmp-port", "http-port"]);
  t.ok(result.ok);
});

t.test("an interrupted verification ends its stream", { buffered: true }, async (t) => {
  const edge = new FakeEdge({ stuck: true });
  const rtmp = await FakeRtmpServer.start(edge.publish);
  t.teardown(() => rtmp.stop());
  const web = createServer(edge.serve);
  await new Promise<void>((resolve) => web.listen(0, "127.0.0.1", resolve));
  t.teardown(() => web.close());
  const abort = new AbortController();
  const target: EdgeTarget = {
    ...{ name: "edge", host: "127.0.0.1", rtmpPort: rtmp.port, httpPort: (web.address() as AddressInfo).port },
    ...{ https: false, httpsPort: 443, corsOrigin: "*", immutableSegments: true, httpFlv: false, fragmentMs: 300 },
    ...{ rtmpPlay: false, keyedStreams: [], limited: { rtmp: false, web: false } },
    ...{ token: new Secret(token), statusUser: "admin", statusPassword: new Secret(password) },
    metrics: undefined,
  };
  const emit = (event: RunEvent) => {
    if (event.type === "check.start" && event.check.id === "playlist-advances") setTimeout(() => abort.abort(), 100);
  };
  await t.rejects(verifyEdge({ target, emit, signal: abort.signal }), { name: "InterruptedError" });
  await until("the end of its connections", () => rtmp.sockets.every((one) => one.destroyed || one.readableEnded));
});

t.test("signed addresses", { buffered: true }, async (t) => {
  const good = verify(t, {}, { signing: SIGNING });
  const faults = {
    ignored: /200 without a signature/,
    endless: /200 after its time/,
    "of any stream": /of another stream/,
  };
  const bad = Object.entries(faults).map(async ([signatures, says]) => {
    const { failed, result } = await verify(t, { signatures: signatures as "ignored" }, { signing: SIGNING });
    t.same(failed, ["signed-address"], signatures);
    t.match(result.checks.find(({ id }) => id === "signed-address")?.reason, says);
  });
  await Promise.all(bad);
  const { failed, result } = await good;
  t.same(failed, []);
  t.equal(result.checks.find(({ id }) => id === "signed-address")?.status, "pass");
});

t.test("streams with keys of their own", { buffered: true }, async (t) => {
  const open = await verify(t, {}, { keyedStreams: ["church"] });
  t.same(open.failed, [], "the name of the proof is live, so the fake refuses all");
  const taken = await verify(t, { acceptsSecond: true }, { keyedStreams: ["church", "tower"] });
  t.match(taken.failed, ["second-publisher", "stream-keys"]);
  t.match(taken.result.checks.find(({ id }) => id === "stream-keys")?.reason, /publishes church.*publishes tower/);
});

t.test("what only some addresses may do is done from the host itself", { buffered: true }, async (t) => {
  const { result, failed, warned } = await verify(t, {}, { limited: { rtmp: true, web: true } });
  t.same([failed, warned], [[], []]);
  t.match(result.checks[0]?.reason, /the host itself does the rest/);
});

t.test("rtmp_play that does not play", { buffered: true }, async (t) => {
  const { failed } = await verify(t, {}, { rtmpPlay: true });
  t.same(failed, ["rtmp-play"]);
});
