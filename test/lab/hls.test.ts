import { setTimeout as sleep } from "node:timers/promises";
import t, { type Test } from "tap";
import { dial } from "../../src/edge/dial.js";
import type { FlvClip } from "../../src/edge/flv.js";
import { checkSegments, type PlaylistReading, readPlaylist } from "../../src/edge/hls-check.js";
import { advanceProblems, playlistHeaderProblems, playlistProblems } from "../../src/edge/hls-rules.js";
import { createHttpGet, type HttpResponse } from "../../src/edge/http-get.js";
import type { MediaPlaylist } from "../../src/edge/m3u8.js";
import { type Publication, publish } from "../../src/edge/rtmp-publisher.js";
import { loadTestPattern } from "../../src/edge/verify.js";
import { findChromium, openPage } from "./support/chromium.js";
import { bootEdge, type LabEdge } from "./support/edge.js";
import { labImpossible, runProgram } from "./support/lab.js";
import { changeSettings, outside, readSecrets, until } from "./support/streams.js";

t.setTimeout(600_000);

/** A guard against hangs. */
const FOLLOWED_MS = 120_000;

/** Short, so that windows slide and files go within seconds; two applications write them. */
const SHORT = { hls_fragment: "1s", hls_playlist_length: "4s" };
const PLAIN = {
  hls_nested: false,
  hls_keys: false,
  hls_fragments_per_key: 0,
  hls_type: "live",
  hls_fragment_naming: "system",
  hls_fragment_slicing: "plain",
};

t.test("HLS as it is written", { skip: labImpossible() }, async (t) => {
  const edge = await bootEdge(t);
  const { host, desk } = edge;
  const clip = await loadTestPattern();
  const { token } = await readSecrets(desk);
  const httpGet = createHttpGet(() => dial(host.address, 80));
  const at = (path: string) => new URL(path, `http://${host.address}`);
  const files = async (folder: string) =>
    (await host.exec(`find ${folder} -type f | sort`)).stdout.split("\n").filter((name) => name !== "");

  /** Applies settings, and gives the checks by id where it is verified, which takes a quarter of a minute. */
  async function apply(
    t: Test,
    settings: Readonly<Record<string, unknown>>,
    verify: "--verify" | "--no-verify" = "--verify",
  ): Promise<Record<string, string>> {
    await changeSettings(desk, { ...SHORT, ...PLAIN, ...settings });
    const { code, events, stderr } = await desk.events("apply", "--yes", "--no-input", verify);
    const results = events.flatMap((event) => (event.type === "check.result" ? [event] : []));
    const failed = results.filter(({ status }) => status === "fail");
    t.equal(code, 0, `applied with ${JSON.stringify(settings)} ${code === 0 ? "" : stderr + JSON.stringify(failed)}`);
    return Object.fromEntries(results.map(({ check, status }) => [check.id, status]));
  }
  const live = (stream: string) => goLive(t, edge, clip, stream, token);

  /** Reads a playlist as a strict viewer until all that was read is enough, and gives it. */
  async function follow(
    t: Test,
    path: string,
    enough: (readings: readonly PlaylistReading[]) => boolean,
  ): Promise<PlaylistReading[]> {
    const readings: PlaylistReading[] = [];
    const problems = new Set<string>();
    for (const end = Date.now() + FOLLOWED_MS; Date.now() < end && !enough(readings); await sleep(250)) {
      const reading = await readPlaylist({ httpGet, url: at(path) });
      if (reading === undefined) continue;
      const before = readings.at(-1);
      const moved = before !== undefined && before.response.body.compare(reading.response.body) !== 0;
      for (const problem of playlistProblems(reading.playlist)) problems.add(problem);
      if (moved) for (const problem of advanceProblems(before.playlist, reading.playlist)) problems.add(problem);
      if (moved || before === undefined) readings.push(reading);
    }
    t.ok(readings.length >= 2, `${path} has moved on ${readings.length - 1} times`);
    t.same([...problems], [], "RFC 8216 holds in each reading and from one to the next");
    return readings;
  }
  /** Every frame of it decodes. */
  async function decodes(t: Test, path: string, ms = 3000): Promise<void> {
    const decode = [
      "ffmpeg",
      "-v",
      "error",
      "-xerror",
      "-i",
      at(path).href,
      "-t",
      String(ms / 1000),
      "-f",
      "null",
      "-",
    ];
    t.same(await runProgram(decode), { code: 0, stdout: "", stderr: "" }, `ffmpeg decodes ${path}`);
  }

  await t.test("a window that slides, a publisher who comes back, and nothing left of them", async (t) => {
    await apply(t, {}, "--no-verify");
    const first = await live("slide");
    const readings = await follow(t, "/hls/slide.m3u8", (all) => sequenceOf(all) > 2);
    const longest = Math.max(...readings.map(({ playlist }) => playlist.segments.length));
    t.equal(longest, 4, "window over fragment");
    t.ok((readings.at(-1)?.playlist.mediaSequence ?? 0) > 0, "it has slid");
    const most = (await files("/run/edge/hls")).length;
    t.ok(most <= 4 * 4 * 1.5 + 2, `${most} files while it is live: four windows at most`);
    const name = readings[0]?.playlist.segments[0]?.uri ?? "";
    t.match(name, /^slide-[0-9]{13}\.ts$/, "named by the clock");
    const newest = await httpGet(at(`/hls/${readings.at(-1)?.playlist.segments.at(-1)?.uri}`));
    t.equal(newest.headers["cache-control"], "public, max-age=3600, immutable");

    await first.stop();
    const before = (await readPlaylist({ httpGet, url: at("/hls/slide.m3u8") }))?.playlist;
    const second = await live("slide");
    const slid = (all: readonly PlaylistReading[]) =>
      breaksIn(all.at(-1)) === 0 && all.some((one) => breaksIn(one) > 0);
    const again = (await follow(t, "/hls/slide.m3u8", slid)).map(({ playlist }) => playlist);
    const breaks = again.filter(({ segments }) => segments.some(({ discontinuity }) => discontinuity));
    t.not(breaks.length, 0, "the break is marked");
    const last = again.at(-1);
    t.same(
      last?.segments.filter(({ discontinuity }) => discontinuity),
      [],
      "its segment has left",
    );
    // The first segment of all begins with one too.
    t.ok((last?.discontinuitySequence ?? 0) > (before?.discontinuitySequence ?? 0), "and is counted");
    t.ok((last?.mediaSequence ?? 0) > (before?.mediaSequence ?? 0), "sequence numbers go on");
    await second.stop();
    await until("an empty memory", async () => (await files("/run/edge/hls")).length === 0, 120_000);
  });

  for (const naming of ["sequential", "timestamp"])
    await t.test(`names that are used again: ${naming}, cut at multiples`, async (t) => {
      await apply(t, { hls_fragment_naming: naming, hls_fragment_slicing: "aligned" }, "--no-verify");
      const publication = await live(naming);
      const readings = await follow(t, `/hls/${naming}.m3u8`, hasMoved);
      const { uri = "" } = readings.at(-1)?.playlist.segments.at(-1) ?? {};
      t.match(uri, new RegExp(`^${naming}-[0-9]{1,12}\\.ts$`));
      t.equal((await httpGet(at(`/hls/${uri}`))).headers["cache-control"], "no-store", "no cache may keep it");
      await decodes(t, `/hls/${naming}.m3u8`);
      await publication.stop();
    });

  await t.test("a directory for each stream", async (t) => {
    await apply(t, { hls_nested: true });
    const publication = await live("nest");
    const readings = await follow(t, "/hls/nest/index.m3u8", hasMoved);
    t.match(readings.at(-1)?.playlist.segments.at(-1)?.uri, /^[0-9]{13}\.ts$/);
    const lead = await httpGet(at("/hls/nest.m3u8"));
    t.match(lead, { status: 302, headers: { location: "/hls/nest/index.m3u8", "access-control-allow-origin": "*" } });
    await decodes(t, "/hls/nest.m3u8");
    t.equal((await httpGet(at("/hls/nest/"))).status, 404);
    await publication.stop();
  });

  await t.test("encrypted segments play, with a key for the stream and with keys that change", async (t) => {
    const checks = await apply(t, { hls_keys: true });
    t.equal(checks["hls-keys"], "pass");
    const one = await live("vault");
    // Longer than four windows: a key that is in use is not cleaned up.
    const single = await follow(t, "/hls/vault.m3u8", (all) => sequenceOf(all) > 16);
    t.same(await keyProblems("/hls/vault.m3u8"), []);
    t.equal(keysOf(single).size, 1, "one key");
    await decodes(t, "/hls/vault.m3u8");
    await one.stop();

    t.equal((await apply(t, { hls_keys: true, hls_fragments_per_key: 2 }))["hls-keys"], "pass");
    const two = await live("vaults");
    const many = await follow(t, "/hls/vaults.m3u8", (all) => keysOf(all).size >= 3);
    t.ok(keysOf(many).size >= 3, `${keysOf(many).size} keys`);
    t.same(await keyProblems("/hls/vaults.m3u8"), []);
    await decodes(t, "/hls/vaults.m3u8");
    const last = many.at(-1)?.playlist.segments.at(-1);
    const key = await httpGet(new URL(last?.key?.uri ?? "", at("/hls/")));
    t.match(key, { status: 200, headers: { "cache-control": "no-store", "access-control-allow-origin": "*" } });
    t.equal(key.body.length, 16);
    const segment = await httpGet(at(`/hls/${last?.uri}`));
    t.notOk(isTransportStream(segment), "the segment itself is no MPEG-TS");
    await playsInChromium(t, host.address, "vaults");
    await two.stop();

    async function keyProblems(path: string): Promise<readonly string[]> {
      const reader = { httpGet, url: at(path) };
      const reading = await readPlaylist(reader);
      if (reading === undefined) return ["there is no playlist"];
      return (await checkSegments(reader, reading, { corsOrigin: "*", immutableSegments: true })).media;
    }
  });

  await t.test("an event only grows until its window is full", async (t) => {
    const checks = await apply(t, { hls_type: "event", hls_playlist_length: "12s" });
    t.equal(checks["hls-event"], "pass");
    const publication = await live("event");
    // Until it is over, and some more.
    const isOver = (all: readonly PlaylistReading[]) =>
      all.filter(({ playlist }) => playlist.type !== "EVENT").length > 2;
    const readings = (await follow(t, "/hls/event.m3u8", isOver)).map(({ playlist }) => playlist);
    const types = readings.map(({ type }) => type);
    t.equal(types[0], "EVENT");
    t.equal(types.at(-1), undefined);
    t.ok(types.indexOf(undefined) > types.lastIndexOf("EVENT"), "once it is over it stays so");
    for (const { type, mediaSequence } of readings) if (type === "EVENT" && mediaSequence > 0) t.fail("it has slid");
    await publication.stop();
    await until("an empty memory", async () => (await files("/run/edge/hls")).length === 0, 120_000);
  });

  await t.test("a long window on the disk", async (t) => {
    const dvr = { hls_dvr: "24s", hls_dvr_fragment: "2s", hls_dvr_size: "64M" };
    t.equal((await apply(t, dvr))["hls-dvr"], "pass");
    const publication = await live("past");
    const readings = await follow(t, "/dvr/past.m3u8", (all) => sequenceOf(all) > 0);
    const last = readings.at(-1);
    t.equal(last?.playlist.segments.length, 12, "window over fragment");
    t.ok((last?.playlist.mediaSequence ?? 0) > 0, "it slides");
    t.same(last && playlistHeaderProblems(last.response, { corsOrigin: "*", immutableSegments: true }), []);
    const zipped = await httpGet(at("/dvr/past.m3u8"), { headers: { "Accept-Encoding": "gzip" } });
    t.equal(zipped.headers["content-encoding"], "gzip");
    const segment = await httpGet(at(`/dvr/${last?.playlist.segments[0]?.uri}`));
    t.match(segment.headers, { "cache-control": "public, max-age=3600, immutable", "content-type": "video/mp2t" });
    await decodes(t, "/dvr/past.m3u8");
    t.equal((await host.exec("stat -f -c %T /var/lib/edge/dvr")).stdout === "tmpfs\n", false, "on the disk");
    t.equal((await host.exec("stat -c '%U %a' /var/lib/edge/dvr")).stdout, "edge 750\n");

    // Time passes for what is there: what the playlist lists stays, all else goes.
    await host.exec("touch -d '10 minutes ago' /var/lib/edge/dvr/*.ts");
    t.equal((await host.exec("systemctl start edge-janitor")).code, 0);
    const kept = (await files("/var/lib/edge/dvr")).filter((name) => name.endsWith(".ts"));
    const past = await readPlaylist({ httpGet, url: at("/dvr/past.m3u8") });
    const listed = new Set((past?.playlist as MediaPlaylist | undefined)?.segments.map(({ uri }) => uri));
    t.ok(listed.size >= 10, `${listed.size} listed`);
    t.ok(kept.length >= 12 && kept.length <= 15, `${kept.length} files`);
    t.ok(
      [...listed].every((uri) => kept.some((name) => name.endsWith(`/${uri}`))),
      "all that are listed are there",
    );
    // More than 64 MiB: a stream that is over goes, the live one stays.
    await host.exec(
      "cd /var/lib/edge/dvr && head -c 70000000 /dev/urandom > over-1.ts && echo over-1.ts > over.m3u8 && chown edge: over* && touch -d '9 minutes ago' over*",
    );
    await host.exec("systemctl start edge-janitor");
    t.same(
      (await files("/var/lib/edge/dvr")).filter((name) => name.includes("/over")),
      [],
    );
    t.match((await host.exec("journalctl -u edge-janitor -o cat")).stdout, /more than the disk may hold of them/);
    t.ok((await files("/var/lib/edge/dvr")).length >= 12, "the live one is whole");
    const words = (await host.exec("systemd-analyze security --no-pager edge-janitor | tail -1")).stdout;
    t.ok(Number(/: ([0-9.]+) /.exec(words)?.[1]) <= 2, words);

    await publication.stop();
    await host.exec("touch -d '10 minutes ago' /var/lib/edge/dvr/*");
    await apply(t, { hls_dvr: 0, hls_dvr_fragment: "6s", hls_dvr_size: undefined }, "--no-verify");
    t.same(await files("/var/lib/edge/dvr"), [], "off again, nothing of it is left");
    t.equal((await httpGet(at("/dvr/past.m3u8"))).status, 404);
    t.notMatch((await host.exec("cat /etc/edge/live/rtmp.conf /etc/edge/live/rtmp-relay.conf")).stdout, /dvr/);
    t.equal((await desk.run("plan", "--no-input", "--exit-code")).code, 0);
  });

  await t.test("a disk that cannot hold the window is told, with the number", async (t) => {
    await changeSettings(desk, { hls_dvr: "24h", hls_dvr_fragment: "30s", hls_bitrate: 100_000, hls_streams: 2 });
    const plan = await desk.run("plan", "--no-input");
    t.equal(plan.code, 1);
    t.match(
      plan.stdout + plan.stderr,
      /the disk has [0-9]+ MiB for it, and hls_dvr needs [0-9]+ MiB: [0-9]+ for 2 streams of 100000 kbit\/s over 24h/,
    );
  });
});

async function goLive(t: Test, { host }: LabEdge, clip: FlvClip, stream: string, token: string): Promise<Publication> {
  const answer = await publish(await outside(host, clip, stream, token));
  if (answer.status !== "live") throw new Error(`${stream} is refused: ${answer.detail}`);
  t.teardown(() => answer.stop());
  return answer;
}

function sequenceOf(readings: readonly PlaylistReading[]): number {
  return readings.at(-1)?.playlist.mediaSequence ?? 0;
}

/** Three times, as players read it. */
function hasMoved(readings: readonly PlaylistReading[]): boolean {
  return readings.length > 3;
}

function breaksIn(reading: PlaylistReading | undefined): number {
  return reading?.playlist.segments.filter(({ discontinuity }) => discontinuity).length ?? 0;
}

function keysOf(readings: readonly PlaylistReading[]): Set<string | undefined> {
  return new Set(readings.flatMap(({ playlist }) => playlist.segments.map(({ key }) => key?.uri)));
}

function isTransportStream({ body }: HttpResponse): boolean {
  return body[0] === 0x47 && body[188] === 0x47;
}

async function playsInChromium(t: Test, address: string, stream: string): Promise<void> {
  const chromium = findChromium();
  if (chromium === undefined) return t.comment("no chromium");
  const page = await openPage(chromium, `http://${address}/index.html?stream=${stream}`);
  t.teardown(() => page.close());
  const time = async () => Number(await page.evaluate(`document.querySelector("video")?.currentTime ?? 0`));
  const from = await until("the video", async () => (await time()) > 0 && (await time()));
  await until("time to go on", async () => (await time()) >= from + 1.5);
  t.pass("it plays in a browser");
}
