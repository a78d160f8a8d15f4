import { setTimeout as sleep } from "node:timers/promises";
import t from "tap";
import { createHttpGet, type HttpResponse } from "../../src/edge/http-get.js";
import { parsePrometheusText } from "../../src/edge/prometheus-text.js";
import { publish } from "../../src/edge/rtmp-publisher.js";
import { loadTestPattern } from "../../src/edge/verify.js";
import { bootEdge } from "./support/edge.js";
import { labImpossible, runProgram } from "./support/lab.js";
import { startPlayer, startPublisher } from "./support/publisher.js";
import { changeSettings, fromInside, getFrom, outside, playlistOf, readSecrets, until } from "./support/streams.js";

t.setTimeout(600_000);

/** Bytes of /metrics with one stream, about; a name that is asked for must not add to them. */
const MAX_BYTES = 8192;
const VIEWERS = 6;
const MANY = 2000;
/** Address of an edge that cannot be ours (RFC 5737). */
const NOBODY = "192.0.2.0/24";

t.test("metrics, status and the access log", { skip: labImpossible() }, async (t) => {
  const edge = await bootEdge(t);
  const { host, desk } = edge;
  const clip = await loadTestPattern();
  const { token, password } = await readSecrets(desk);
  const get = getFrom(host);
  const inside = createHttpGet(async () => fromInside(host, 80));
  const login = { authorization: `Basic ${Buffer.from(`admin:${password}`).toString("base64")}` };
  const metricsUrl = new URL(`http://${host.address}/metrics`);
  const jsonUrl = new URL(`http://${host.address}/status/streams.json`);
  const read = async () => {
    const answer = await get(metricsUrl, { headers: login });
    t.equal(answer.status, 200);
    const text = answer.body.toString("utf8");
    return { text, answer, samples: parsePrometheusText(text) };
  };
  const measured = async (name: string, labels: Readonly<Record<string, string>> = {}) =>
    (await read()).samples.find(
      (sample) => sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
    )?.value;
  const apply = async (settings: Readonly<Record<string, unknown>>) => {
    await changeSettings(desk, settings);
    const done = await desk.run("apply", "--no-input", "--yes", "--no-verify");
    t.equal(done.code, 0, done.code === 0 ? "apply" : done.stdout + done.stderr);
    const plan = await desk.run("plan", "--no-input", "--exit-code");
    t.equal(plan.code, 0, plan.code === 0 ? "and then nothing is left to do" : plan.stdout);
  };
  await apply({
    http_access_log: "file",
    rtmp_access_log: true,
    rtmp_play: true,
    rtmp_stream_keys: { absent: "a-key-of-its-own" },
  });
  const ffmpeg = startPublisher(`rtmp://${host.address}/hls/cam?token=${token}`);
  t.teardown(() => ffmpeg.stop());
  await until("a playlist", () => playlistOf(host, "cam"));

  await t.test("a publisher and his viewers", async (t) => {
    const viewing = new AbortController();
    const viewers = Array.from({ length: VIEWERS }, () => poll(get, playlistUrl("cam"), viewing.signal));
    const player = startPlayer(`rtmp://${host.address}/hls/cam`);
    t.teardown(() => player.stop());
    const cam = { stream: "cam" };
    await until("a player", async () => (await measured("edge_stream_rtmp_players", cam)) === 1);
    const connected = () => measured("edge_stream_publisher_connected_seconds", cam);
    await until("ten seconds", async () => Number(await connected()) > 10);
    const { samples, answer } = await read();
    const one = (name: string) => samples.find((sample) => sample.name === name && sample.labels.stream === "cam");
    t.equal(one("edge_stream_up")?.value, 1);
    t.equal(one("edge_stream_video_width_pixels")?.value, 320);
    t.equal(one("edge_stream_video_height_pixels")?.value, 180);
    t.equal(one("edge_stream_video_frames_per_second")?.value, 20);
    t.match(one("edge_stream_codec_info")?.labels, { video: "H264", audio: "AAC" });
    t.equal(one("edge_stream_rtmp_players")?.value, 1, "one plays over RTMP, and the relay is nobody");
    t.ok(Number(one("edge_stream_publisher_connected_seconds")?.value) > 10);
    t.ok(Number(one("edge_stream_received_bytes_total")?.value) > 100_000);
    t.ok(Number(one("edge_stream_playlist_age_seconds")?.value) < 10);
    t.ok(Number(await measured("edge_hls_memory_used_bytes")) > 100_000);
    t.ok(Number(await measured("edge_unit_cpu_seconds_total", { unit: "edge-rtmp.service" })) > 0);
    t.equal(await measured("edge_stream_up", { stream: "absent" }), 0, "a stream with a key of its own is expected");
    t.match(answer.headers, {
      "content-type": "text/plain; version=0.0.4; charset=utf-8",
      "cache-control": "no-store",
    });
    await until(
      "the bit rate",
      async () => Number(await measured("edge_stream_received_bytes_per_second", cam)) > 10_000,
    );

    const json = JSON.parse((await get(jsonUrl, { headers: login })).body.toString("utf8"));
    t.match(json.streams, [{ name: "cam", video: { codec: "H264", width: 320 }, rtmp_players: 1 }]);
    // Viewers that a busy machine lets ask more rarely are fewer, so that the first window of ten seconds is not the last.
    const isNear = (viewers: unknown) => Math.abs(Number(viewers) - VIEWERS) <= 1;
    await until(
      `an estimate of ${VIEWERS} viewers`,
      async () => {
        await sleep(1000);
        const { streams } = JSON.parse((await get(jsonUrl, { headers: login })).body.toString("utf8"));
        return isNear(streams[0].viewers) && isNear(await measured("edge_stream_viewers", cam));
      },
      120_000,
    );
    viewing.abort();
    await Promise.all(viewers);
    await player.stop();
  });

  await t.test("names that do not exist create nothing", async (t) => {
    const before = await read();
    const paths = Array.from({ length: MANY }, (_, index) => `/hls/nobody-${index}.m3u8`);
    const config = paths.map((path) => `url = "http://${host.address}${path}"\noutput = "/dev/null"\n`).join("");
    t.equal((await runProgram(["curl", "-s", "-K", "-"], { input: config })).code, 0);
    const after = await read();
    t.ok(Number(await measured("edge_http_requests_total")) > MANY, "they were asked for");
    const series = ({ samples }: typeof before) =>
      samples.map(({ name, labels }) => `${name}${JSON.stringify(labels)}`);
    t.same(series(after), series(before));
    t.notMatch(after.text, "nobody");
    t.ok(after.text.length < MAX_BYTES, `${after.text.length} bytes`);
    t.equal((await host.exec("ls /run/edge-http/views")).stdout, "cam\n");
  });

  await t.test("refusals are counted, and nobody's address or token is told", async (t) => {
    const attempts = [
      ["wrong_token", "other", "not-the-token"],
      ["malformed", "a name?token=x", undefined],
      ["name_taken", "cam", token],
    ] as const;
    for (const [reason, stream, key] of attempts) {
      const before = Number(await measured("edge_publish_refused_total", { reason }));
      const answer = await publish(await outside(host, clip, stream, key));
      t.equal(answer.status, "refused");
      t.equal(await measured("edge_publish_refused_total", { reason }), before + 1, reason);
    }
    const accepted = Number(await measured("edge_publish_accepted_total"));
    const live = await publish(await outside(host, clip, "guest", token));
    t.equal(await measured("edge_publish_accepted_total"), accepted + 1);
    if (live.status === "live") await live.stop();
    const { text } = await read();
    const told = text + (await get(jsonUrl, { headers: login })).body.toString("utf8");
    t.notMatch(told, token);
    t.notMatch(told, /\d+\.\d+\.\d+\.\d+|127\.0/, "no address");

    // The journal comes a moment later.
    const said = await until("the last line", async () => {
      const { stdout } = await host.exec("journalctl -u edge-rtmp --no-pager");
      return stdout.includes("has left: guest") && stdout;
    });
    const us = host.address.replace(/\d+$/, "1").replaceAll(".", "\\.");
    for (const words of [
      `${us} publishes: guest`,
      `${us} has left: guest`,
      `${us} is refused: wrong token: other`,
      `${us} is refused: the stream has a publisher: cam`,
      `${us} is refused: no right name and token in the request: a stream of no valid name`,
    ])
      t.match(said, new RegExp(words), "rtmp_access_log says who came, was refused, and left");
    t.notMatch(said, token, "and never a token");
    t.notMatch(said, "not-the-token");
  });

  await t.test("units of streams, as edge-media tells them", async (t) => {
    const unit = "edge-push@cam.service";
    const units = { [unit]: { state: "failed", restarts: 7 }, "../../x": { state: "active", restarts: 0 } };
    const held = ["edge-record", "x y"];
    const state = JSON.stringify({ format: 1, held, streams: { cam: { units }, 'a"b': { units } } });
    await host.exec("mkdir -p /run/edge-media; cat > /run/edge-media/state.json; chgrp -R edge /run/edge-media", {
      input: state,
    });
    const { samples } = await read();
    const media = samples.filter(({ name }) => name.startsWith("edge_media"));
    t.same(media, [
      { name: "edge_media_unit_up", labels: { unit, stream: "cam" }, value: 0 },
      { name: "edge_media_held", labels: { kind: "edge-record" }, value: 1 },
      { name: "edge_media_unit_restarts_total", labels: { unit, stream: "cam" }, value: 7 },
    ]);
    await host.exec("echo '{' > /run/edge-media/state.json");
    t.notMatch((await read()).text, "edge_media", "a broken file says nothing, and breaks nothing");
    await host.exec("rm -r /run/edge-media");
  });

  await t.test("the access log is rotated without a lost line or connection", async (t) => {
    const lines = async () => Number((await host.exec("cat /var/log/edge/access.log* | wc -l")).stdout);
    // What is in the workers' buffers now is written: they open their logs anew.
    await host.exec("kill -USR1 $(cat /run/edge-http/nginx.pid)");
    await sleep(500);
    const before = await lines();
    await host.exec("sed -i 's/maxsize.*/size 1k/' /etc/edge/access-log.logrotate");
    let rotating = true;
    const rotate = async () => {
      for (let turn = 0; turn < 2; turn++) {
        const done = await host.exec("systemctl start edge-access-log.service");
        t.equal(done.code, 0, done.stderr);
        await sleep(500);
      }
      rotating = false;
    };
    const statuses: number[] = [];
    const fetchAll = async () => {
      // Below what the edge takes from one address (http_requests_per_address).
      for (; rotating; await sleep(10)) statuses.push((await get(playlistUrl("cam", "?token=argument"))).status);
    };
    await Promise.all([rotate(), fetchAll(), fetchAll()]);
    t.same(
      statuses.filter((status) => status !== 200),
      [],
    );
    t.comment(`${statuses.length} requests while the log was rotated twice`);
    // As what is in their buffers is written every five seconds.
    const written = async () => Number((await host.exec("zcat -f /var/log/edge/access.log* | wc -l")).stdout);
    await until("the last lines", async () => (await written()) >= before + statuses.length);
    const rotated = (await host.exec("ls /var/log/edge; zcat -f /var/log/edge/access.log*")).stdout;
    t.match(rotated, /access\.log\n[\s\S]*access\.log\.1/);
    t.equal(await written(), before + statuses.length, "each request has its line");
    t.notMatch(rotated, /argument/, "and no line has arguments");
    t.equal((await host.exec("stat -c '%U %a' /var/log/edge/access.log")).stdout, "edge 640\n");
    t.equal(ffmpeg.exitCode(), null, "the publisher goes on");
  });

  await t.test("who may read them", async (t) => {
    const both = async (reader: typeof get, headers?: Record<string, string>) => {
      const options = headers === undefined ? {} : { headers };
      const answers: HttpResponse[] = [await reader(metricsUrl, options), await reader(jsonUrl, options)];
      return answers.map((answer) => answer.status);
    };
    t.same(await both(get), [401, 401]);
    t.same(await both(get, { authorization: login.authorization.slice(0, -4) }), [401, 401]);
    t.same(await both(get, login), [200, 200]);

    const bridge = host.address.replace(/\d+$/, "1");
    await apply({ http_metrics_allow: [bridge] });
    t.same(await both(get), [200, 200], "a scraper without a login");
    t.same(await both(inside), [401, 401]);
    t.same(await both(inside, login), [200, 200], "others have theirs");
    t.not((await get(new URL("/status", metricsUrl))).status, 200, "the pages stay behind it");

    await apply({ http_metrics_allow: ["192.0.2.7"], http_status_allow: [NOBODY] });
    t.same(await both(get), [401, 401]);
    t.same(await both(get, login), [403, 403], "a login is good from http_status_allow alone");
    t.same(await both(inside, login), [200, 200], "and from the edge itself");
    await apply({ http_metrics_allow: ["127.0.0.1"], http_status_allow: [bridge] });
    t.same(await both(get), [401, 401]);
    t.same(await both(get, login), [200, 200]);
    t.same(await both(inside), [200, 200]);
  });

  await t.test("off, nothing is left of them", async (t) => {
    await apply({
      ...{ http_metrics: false, http_metrics_allow: [], http_status_allow: [] },
      ...{ http_access_log: false, rtmp_play: false },
    });
    t.equal((await get(metricsUrl, { headers: login })).status, 404);
    t.equal((await get(jsonUrl, { headers: login })).status, 200, "the status page has its data");
    const left = await host.exec(
      "ls -d /run/edge-http/views /etc/systemd/system/*views* /etc/systemd/system/*access* /etc/systemd/system/*/*views* /etc/edge/*logrotate; systemctl list-units --all --no-legend 'edge-views*' 'edge-access*'; systemctl --failed --no-legend",
    );
    t.equal(left.stdout, "");
    t.equal(ffmpeg.exitCode(), null, "the publisher goes on");
    const verify = await desk.run("verify", "--no-input");
    t.equal(verify.code, 0, verify.code === 0 ? "verify passes" : verify.stdout + verify.stderr);
  });

  function playlistUrl(stream: string, args = ""): URL {
    return new URL(`http://${host.address}/hls/${stream}.m3u8${args}`);
  }
});

/** Asks for a playlist once a target duration, as players do. */
async function poll(get: ReturnType<typeof getFrom>, url: URL, stop: AbortSignal): Promise<void> {
  for (; !stop.aborted; await sleep(2000)) await get(url);
}
