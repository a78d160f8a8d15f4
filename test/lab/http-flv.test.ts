import { existsSync, readdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import t from "tap";
import { isKeyFrame, isSequenceHeader, wholeTags } from "../../src/edge/flv.js";
import { publish, publishBurst } from "../../src/edge/rtmp-publisher.js";
import { loadTestPattern } from "../../src/edge/verify.js";
import { bootBare } from "./support/edge.js";
import { labImpossible, runProgram } from "./support/lab.js";
import { changeSettings, getFrom, outside, readSecrets, until, watchSegments } from "./support/streams.js";

t.setTimeout(600_000);

/** A folder with upstream's sources: a Debian mirror has none of them. */
const SOURCES = process.env.EDGE_LAB_SOURCES;
const needed = ["nginx-release-1.30.4", "nginx-http-flv-module-38ca192", "njs-1.0.0", "nginx-module-vts-0.2.7"];

function impossible(): string | false {
  if (SOURCES === undefined) return "EDGE_LAB_SOURCES names no folder with upstream's sources";
  const held = existsSync(SOURCES) ? readdirSync(SOURCES) : [];
  const missing = needed.map((name) => `${name}.tar.gz`).filter((file) => !held.includes(file));
  return missing.length > 0 ? `${SOURCES} lacks ${missing.join(", ")}` : labImpossible();
}

t.test("an edge with HTTP-FLV", { skip: impossible() }, async (t) => {
  const flv = { rtmp_module: "http-flv", http_flv: true };
  const versions = { nginx_sources: "upstream", nginx_version: "1.30.4-git", njs_version: "1.0.0" };
  const { host, desk } = await bootBare(t, { ...versions, ...flv });
  const apply = () => desk.run("apply", "--no-input", "--yes", "--no-verify", "--source-dir", SOURCES ?? "");
  const first = await apply();
  if (first.code !== 0) throw new Error(`apply ends with code ${first.code}:\n${first.stdout}${first.stderr}`);
  const clip = await loadTestPattern();
  const { token } = await readSecrets(desk);
  const get = getFrom(host);
  const address = (stream: string) => new URL(`http://${host.address}/live/${stream}.flv`);

  await t.test("verify proves it", async (t) => {
    const verify = await desk.events("verify", "--no-input");
    const results = verify.events.flatMap((event) => (event.type === "check.result" ? [event] : []));
    t.equal(results.find(({ check }) => check.id === "http-flv")?.status, "pass");
    t.equal(verify.code, 0, verify.code === 0 ? "all passes" : verify.stdout);
  });

  await t.test("a viewer has a key frame at once, and a player plays it", async (t) => {
    const live = await publish(await outside(host, clip, "cam", token));
    if (live.status !== "live") throw new Error(`it is refused: ${live.detail}`);
    t.teardown(() => live.stop());
    await sleep(3000);
    const hasPicture = (body: Buffer) => {
      if (body.length < 13) return false;
      return wholeTags(body).tags.some((tag) => isKeyFrame(tag) && !isSequenceHeader(tag));
    };
    const begin = Date.now();
    const answer = await get(address("cam"), { enough: hasPicture });
    t.ok(Date.now() - begin < 1000, `after ${Date.now() - begin} ms, in the middle of a group of pictures`);
    t.match(answer.headers, {
      "content-type": "video/x-flv",
      "cache-control": "no-store",
      "access-control-allow-origin": "*",
    });
    const words = ["-v", "error", "-xerror", "-t", "3", "-i", address("cam").href, "-f", "null", "-"];
    t.same(await runProgram(["ffmpeg", ...words]), { code: 0, stdout: "", stderr: "" }, "every frame decodes");
    t.equal((await get(new URL("/flv?port=1935&app=hls&stream=cam", address("cam")))).status, 404, "by its name alone");
    t.equal((await get(address("nobody"))).status, 404);
    t.equal((await host.exec("curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:1980/publish")).stdout, "403");
    const rtmp = await runProgram([
      "ffprobe",
      "-v",
      "error",
      "-rw_timeout",
      "3000000",
      `rtmp://${host.address}/hls/cam`,
    ]);
    t.not(rtmp.code, 0, "who is not on the host plays nothing over RTMP");
  });

  await t.test("nothing of a publisher with a wrong token is written or seen", async (t) => {
    const watch = await watchSegments(host);
    t.teardown(() => watch.stop());
    const seen = get(address("intruder"), { enough: (body) => body.length > 0 });
    const burst = await publishBurst({ ...(await outside(host, clip, "intruder", "wrong")), mediaMs: 60_000 });
    t.equal(burst.outcome.status, "refused");
    t.equal((await seen).status, 404);
    await host.exec("mv /etc/edge/live/streams.json /root/streams.json");
    const unasked = await publishBurst({ ...(await outside(host, clip, "intruder", token)), mediaMs: 60_000 });
    await host.exec("mv /root/streams.json /etc/edge/live/streams.json");
    t.equal(unasked.outcome.status, "refused", "nor when nobody can be asked");
    t.equal((await get(address("intruder"))).status, 404);
    t.same(await watch.seen(), [], "the kernel saw no file");
  });

  await t.test("a second publisher is refused, and the first goes on", async (t) => {
    const live = await publish(await outside(host, clip, "one", token));
    if (live.status !== "live") throw new Error(`it is refused: ${live.detail}`);
    const second = await publish(await outside(host, clip, "one", token));
    t.not(second.status, "live");
    const listed = await host.exec("curl -s http://127.0.0.1:1980/streams.json");
    t.match(JSON.parse(listed.stdout).streams, [{ name: "one", video: { codec: "H264" }, audio: { codec: "AAC" } }]);
    t.equal((await get(address("one"), { enough: (body) => body.length > 10_000 })).status, 200);
    t.equal((await live.stop()).reason, "stopped");
    await until("its end", async () => (await get(address("one"))).status === 404);
  });

  await t.test("a second apply changes nothing; off again, it is gone", async (t) => {
    t.match((await apply()).stdout, /changed=0/);
    await changeSettings(desk, { http_flv: false });
    t.equal((await apply()).code, 0);
    t.equal((await get(address("cam"))).status, 404);
    t.equal(
      (await host.exec("grep -c -e flv -e gop_cache /etc/edge/nginx/rtmp.conf /etc/edge/nginx/http.conf")).code,
      1,
    );
  });
});
