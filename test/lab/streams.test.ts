import { setTimeout as sleep } from "node:timers/promises";
import t, { type Test } from "tap";
import { dial } from "../../src/edge/dial.js";
import type { FlvClip } from "../../src/edge/flv.js";
import { tryPlay } from "../../src/edge/rtmp-play.js";
import { publish, publishBurst } from "../../src/edge/rtmp-publisher.js";
import { loadTestPattern } from "../../src/edge/verify.js";
import { bootEdge, type LabEdge } from "./support/edge.js";
import { labImpossible, runProgram, ssh, waitUntil } from "./support/lab.js";
import { startPublisher } from "./support/publisher.js";
import {
  changeSettings,
  type EdgeSecrets,
  fromInside,
  getFrom,
  goLive,
  outside,
  playlistOf,
  readSecrets,
  until,
  watchAsViewer,
  watchSegments,
} from "./support/streams.js";

t.setTimeout(900_000);
const skip = labImpossible();

/** Milliseconds that the authorisation takes in the test of a slow one. */
const SLOW_MS = 3000;

t.test("a provisioned edge", { skip }, async (t) => {
  const edge = await bootEdge(t);
  const { host, desk } = edge;
  const clip = await loadTestPattern();
  const secrets = await readSecrets(desk);

  await t.test("nothing of a publisher with a wrong token is ever written", async (t) => {
    const watch = await watchSegments(host);
    t.teardown(() => watch.stop());
    const burst = async (stream: string, token: string) =>
      publishBurst({ ...(await outside(host, clip, stream, token)), mediaMs: 60_000 });

    const quick = await burst("intruder", "wrong");
    t.equal(quick.outcome.status, "refused");

    await host.exec("mv /etc/edge/live/streams.json /root/streams.json");
    t.equal((await burst("unasked", secrets.token)).outcome.status, "refused", "nor when nobody can be asked");
    await host.exec("mv /root/streams.json /etc/edge/live/streams.json");

    await answerSlowly(edge);
    const begin = Date.now();
    const slow = await burst("patient", "wrong");
    t.equal(slow.outcome.status, "refused");
    t.ok(Date.now() - begin >= SLOW_MS, "the answer was slow");
    t.ok(slow.sentBytes > 500_000, `${slow.sentBytes} bytes came before it`);
    const gone = await publishBurst({
      ...(await outside(host, clip, "hasty", "wrong")),
      mediaMs: 60_000,
      signal: AbortSignal.timeout(1000),
    });
    t.equal(gone.outcome.status, "refused", "who hangs up before the answer is no publisher either");
    await sleep(SLOW_MS);
    t.same(await watch.seen(), [], "the kernel saw no file");
    t.same(await fileNames(edge), []);

    const accepted = await burst("friend", secrets.token);
    t.equal(accepted.outcome.status, "accepted");
    const first = (await watch.seen())[0];
    if (first !== undefined) t.ok(first.at >= begin + 2 * SLOW_MS, "nor one of a right token before the answer");
    await answerQuickly(edge);
    const live = await goLive(edge, clip, "seen", secrets.token);
    await until("a segment", async () => (await watch.seen()).some(({ name }) => name.startsWith("seen-")));
    await live.stop();
    t.pass("and the watcher does see");
  });

  await t.test("ffmpeg publishes, ffprobe plays H.264 and AAC", async (t) => {
    const ffmpeg = startPublisher(`rtmp://${host.address}/hls/cam?token=${secrets.token}`);
    t.teardown(() => ffmpeg.stop());
    const begin = Date.now();
    const reading = await until("two segments", async () => {
      const seen = await playlistOf(host, "cam");
      return (seen?.playlist.segments.length ?? 0) >= 2 && seen;
    });
    t.comment(`two segments after ${Date.now() - begin} ms`);
    const url = reading.url.href;
    const probe = await runProgram(["ffprobe", "-v", "error", "-show_streams", "-of", "json", url]);
    const streams: { codec_name: string; width?: number }[] = JSON.parse(probe.stdout).streams;
    t.same(streams.map((stream) => stream.codec_name).sort(), ["aac", "h264"]);
    t.equal(streams.find((stream) => stream.codec_name === "h264")?.width, 320);
    t.equal(probe.stderr, "");
    const decode = await runProgram(["ffmpeg", "-v", "error", "-xerror", "-i", url, "-t", "3", "-f", "null", "-"]);
    t.same(decode, { code: 0, stdout: "", stderr: "" }, "every frame decodes");

    const get = getFrom(host);
    t.match(reading.response.headers, {
      "content-type": "application/vnd.apple.mpegurl",
      "cache-control": "public, max-age=1",
      "access-control-allow-origin": "*",
      "x-content-type-options": "nosniff",
    });
    const segment = reading.playlist.segments.at(-1)?.uri ?? "";
    const range = await get(new URL(segment, url), { headers: { Range: "bytes=0-187" } });
    t.equal(range.status, 206);
    t.equal(range.body.length, 188);
    t.match(range.headers, {
      "content-type": "video/mp2t",
      "cache-control": "public, max-age=3600, immutable",
      "access-control-allow-origin": "*",
    });
    const preflight = (await runProgram(["curl", "-s", "-i", "-X", "OPTIONS", url])).stdout;
    for (const line of [/^HTTP\/1\.1 204 /, /Allow-Origin: \*/, /Allow-Methods: GET, HEAD/, /Allow-Headers: Range/])
      t.match(preflight, line);
    const missing = await get(new URL("/hls/nobody.m3u8", url));
    t.equal(missing.status, 404);
    t.match(missing.headers, { "cache-control": "no-store", "access-control-allow-origin": "*" });
    for (const path of ["/hls/", "/hls", "/hls/cam.m3u8.bak", "/hls/..%2f..%2fetc%2fpasswd", "/status"])
      t.not((await get(new URL(path, url))).status, 200, path);
    t.equal(ffmpeg.exitCode(), null, "the publisher goes on");
  });

  await t.test("a running stream survives apply, restarts of the web server and rollback", async (t) => {
    const live = await goLive(edge, clip, "long", secrets.token);
    let ended: string | undefined;
    live.ended.then((end) => {
      ended = `${end.reason}: ${end.detail}`;
    });
    await until("a segment", async () => ((await playlistOf(host, "long"))?.playlist.segments.length ?? 0) > 0);
    const viewer = watchAsViewer(host, "long");
    const apply = async (what: string) => {
      const begin = Date.now();
      const result = await desk.run("apply", "--no-input", "--yes", "--no-verify");
      t.equal(result.code, 0, `${what}: ${result.code === 0 ? "" : result.stdout + result.stderr}`);
      t.equal(ended, undefined, `${what}: the publisher is not disconnected`);
      t.comment(`${what}: ${Date.now() - begin} ms`);
    };
    const rtmpWorkers = async () => (await host.exec("pgrep -u edge -c -P $(cat /run/edge-rtmp/nginx.pid)")).stdout;

    await changeSettings(desk, { http_access_control_allow_origin: "https://one.example" });
    await apply("apply of another origin");
    const answer = (await playlistOf(host, "long"))?.response;
    t.equal(answer?.headers["access-control-allow-origin"], "https://one.example");
    t.match(answer?.headers.vary, /origin/i);

    const before = await rtmpWorkers();
    await changeSettings(desk, { hls_fragment: "1s" });
    await apply("apply of another fragment length");
    t.not(await rtmpWorkers(), before, "the old worker keeps its stream, a new one takes the next");
    const second = await publish(await outside(host, clip, "long", secrets.token));
    t.match(second, { status: "refused" }, "the name is still taken");
    const next = await goLive(edge, clip, "next", secrets.token);
    await until("short segments", async () => {
      const playlist = (await playlistOf(host, "next"))?.playlist;
      return playlist?.targetDuration === 1 && playlist.segments.length > 0;
    });
    await next.stop();

    t.equal((await host.exec("systemctl restart edge-http")).code, 0);
    await moves(edge, "long");
    const rollback = await host.exec("/opt/edge/bin/edge-release rollback");
    t.equal(rollback.code, 0, rollback.stdout + rollback.stderr);
    await moves(edge, "long");
    await apply("apply after rollback");
    t.match((await desk.run("plan", "--no-input", "--exit-code")).code, 0, "and then nothing is left to do");

    const viewing = await viewer.stop();
    t.equal(ended, undefined, "the publisher was never disconnected");
    t.same(viewing.problems, []);
    t.ok(viewing.segments >= 5, `${viewing.segments} segments`);
    t.ok(viewing.longestWaitMs < 4500, `at most ${viewing.longestWaitMs} ms without a new segment, which are 2 s long`);
    await live.stop();
    const again = await goLive(edge, clip, "long", secrets.token);
    await again.stop();
  });

  await t.test("names, tokens and ways in that are refused", (t) => refusals(t, edge, clip, secrets));

  await t.test("all comes back after a reboot", async (t) => {
    // By SSH: a process that enters the namespaces of a host going down is stopped with it, and holds it up.
    const boot = async () => (await ssh(host, "cut -d' ' -f22 /proc/1/stat")).stdout;
    const before = await boot();
    await ssh(host, "sudo systemctl reboot");
    const begin = Date.now();
    await until("the host", async () => !["", before].includes(await boot()), 60_000);
    await until(
      "its units",
      async () => (await host.exec("systemctl is-active edge-rtmp edge-http")).code === 0,
      60_000,
    );
    t.comment(`up after ${Date.now() - begin} ms`);
    const times = await host.exec(
      "for u in run-edge-hls.mount edge-rtmp edge-http; do systemctl show -p ActiveEnterTimestampMonotonic --value $u; done",
    );
    const [mounted = 0, rtmp = 0, http = 0] = times.stdout.trim().split("\n").map(Number);
    t.ok(mounted > 0 && mounted < rtmp && mounted < http, `mounted first: ${mounted}, ${rtmp}, ${http}`);
    t.equal((await host.exec("stat -f -c %T /run/edge/hls")).stdout, "tmpfs\n");
    t.equal((await host.exec("systemctl --failed --no-legend")).stdout, "");
    const verify = await desk.run("verify", "--no-input");
    t.equal(verify.code, 0, verify.code === 0 ? "verify passes" : verify.stdout + verify.stderr);
  });
});

async function refusals(t: Test, edge: LabEdge, clip: FlvClip, { token }: EdgeSecrets): Promise<void> {
  const { host } = edge;
  const since = (await host.exec("date +%s")).stdout.trim();
  const before = await fileNames(edge);
  const keys: readonly (readonly [what: string, key: string])[] = [
    ["no token", "cam"],
    ["an empty token", "cam?token="],
    ["half a token", `cam?token=${token.slice(0, -1)}`],
    ["more than the token", `cam?token=${token}x`],
    ["the token in capitals", `cam?token=${token.toUpperCase()}${token}`],
    ["a way up", `../cam?token=${token}`],
    ["a way up, encoded", `..%2fcam?token=${token}`],
    ["an absolute path", `/etc/edge/cam?token=${token}`],
    ["a space", `my cam?token=${token}`],
    ["quotes", `"cam'?token=${token}`],
    ["a dollar sign", `$(id)?token=${token}`],
    ["a line break", `cam\nx?token=${token}`],
    ["a zero byte", `cam\0/../x?token=${token}`],
    ["an empty name", `?token=${token}`],
    ["a letter of another alphabet", `кам?token=${token}`],
    ["65 characters", `${"a".repeat(65)}?token=${token}`],
    ["10,000 characters", `${"a".repeat(10_000)}?token=${token}`],
    ["10,000 characters before the token", `cam?x=${"a".repeat(10_000)}&token=${token}`],
    ["the token twice", `cam?token=${token}&token=${token}`],
    ["a wrong token, then the right one", `cam?token=wrong&token=${token}`],
    ["a list of tokens", `cam?token[]=${token}`],
    ["a table of tokens", `cam?token[0]=${token}&token[toString]=x`],
    ["a second name", `cam?token=${token}&name=other`],
    ["a second application", `cam?token=${token}&app=out`],
    ["a second call", `cam?token=${token}&call=connect`],
    ["a second client", `cam?token=${token}&clientid=1%200`],
  ];
  const watch = await watchSegments(host);
  for (const [what, key] of keys) {
    const answer = await publish(await outside(host, clip, key, undefined));
    t.equal(answer.status, "refused", what);
    if (answer.status === "live") await answer.stop();
  }
  await sleep(500);
  t.same(await watch.seen(), [], "nothing is written");
  await watch.stop();
  t.same(await fileNames(edge), before);

  const live = await goLive(edge, clip, "first", token);
  const app = { app: "out", tcUrl: "rtmp://127.0.0.1:1982/out/guessed", streamName: "cam", clip };
  await t.rejects(outsideInner(edge), /refused/, "the inner application is closed to the outside");
  const inner = await publish({ ...app, socket: fromInside(host, 1982) });
  t.equal(inner.status, "refused", "and refuses publishers from inside");
  t.match(await tryPlay({ ...app, streamName: "first", socket: fromInside(host, 1982) }), { status: "refused" });
  const play = await tryPlay({ ...(await outside(host, clip, "first", undefined)), waitMs: 15_000 });
  t.match(play, { status: "refused" }, "nobody plays over RTMP");
  const second = await publish(await outside(host, clip, "first", token));
  t.match(second, { status: "refused" }, "a second publisher");
  await until("a segment of the first", async () => (await playlistOf(host, "first"))?.playlist.segments.length);
  t.equal((await live.stop()).reason, "stopped", "the first goes on until it stops");
  const begin = Date.now();
  await until("its return", async () => {
    const answer = await publish(await outside(host, clip, "first", token));
    return answer.status === "live" && (await answer.stop());
  });
  t.comment(`and comes back after ${Date.now() - begin} ms`);

  const crowd = await Promise.all(
    Array.from({ length: 5 }, async () => publish(await outside(host, clip, "crowd", token))),
  );
  const winners = crowd.flatMap((answer) => (answer.status === "live" ? [answer] : []));
  t.equal(winners.length, 1, "of five who come at once, one publishes");
  // One worker, which has the streams, and the manager of its cache.
  await host.exec("pkill -KILL -f -P $(cat /run/edge-rtmp/nginx.pid) 'worker process'");
  t.equal((await winners[0]?.ended)?.reason, "closed", "its worker dies");
  const died = Date.now();
  await until("the next worker", async () => {
    const socket = await outside(host, clip, "crowd", token).catch(() => undefined);
    const answer = socket === undefined ? undefined : await publish(socket);
    return answer?.status === "live" && (await answer.stop());
  });
  t.comment(`and the name is free after ${Date.now() - died} ms`);

  const journal = (await host.exec(`journalctl --since @${since} -o cat`)).stdout;
  t.notOk(journal.includes(token), "the journal does not hold the token");
  t.notOk(journal.includes(token.slice(0, 12)), "nor its beginning");
}

async function outsideInner({ host }: LabEdge): Promise<void> {
  (await dial(host.address, 1982)).destroy();
}

async function fileNames({ host }: LabEdge): Promise<string[]> {
  return (await host.exec("ls -A /run/edge/hls")).stdout.split("\n").filter((name) => name !== "");
}

/** Waits until a playlist is longer by a segment. */
async function moves({ host }: LabEdge, stream: string): Promise<void> {
  const last = async () => {
    const reading = await playlistOf(host, stream).catch(() => undefined);
    return reading?.playlist.segments.at(-1)?.sequence ?? -1;
  };
  let before = -1;
  await until("its playlist", async () => {
    before = await last();
    return before >= 0;
  });
  await until("the next segment", async () => (await last()) > before);
}

/** Has edge-rtmp read its configuration, and waits until none of the workers from before is there. */
const RELOAD = `
    before=$(pgrep -d '|' -P "$(cat /run/edge-rtmp/nginx.pid)")
    systemctl reload edge-rtmp
    ${waitUntil('! pgrep -P "$(cat /run/edge-rtmp/nginx.pid)" | grep -qxE "$before" && pgrep -P "$(cat /run/edge-rtmp/nginx.pid)" | grep -q .')}`;

/** Puts a release live whose authorisation takes its time. */
async function answerSlowly({ host }: LabEdge): Promise<void> {
  const done = await host.exec(`
    set -e
    readlink /etc/edge/live > /root/quick
    cp -a /etc/edge/live/. /etc/edge/releases/slow
    sed -i 's|^async function publish(r) {|&\\n  await new Promise((resolve) => setTimeout(resolve, ${SLOW_MS}));|' /etc/edge/releases/slow/njs/edge.js
    ln -sfn releases/slow /etc/edge/live
    ${RELOAD}`);
  if (done.code !== 0) throw new Error(done.stderr);
}

async function answerQuickly({ host }: LabEdge): Promise<void> {
  const done = await host.exec(
    `ln -sfn "$(cat /root/quick)" /etc/edge/live; rm -r /etc/edge/releases/slow
    ${RELOAD}`,
  );
  if (done.code !== 0) throw new Error(done.stderr);
}
