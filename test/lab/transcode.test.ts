import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import t from "tap";
import { isLadder, masterProblems, rungName } from "../../src/edge/ladder-rules.js";
import { type HlsVariant, type MasterPlaylist, type MediaPlaylist, parsePlaylist } from "../../src/edge/m3u8.js";
import { findChromium, openPage } from "./support/chromium.js";
import { bootEdge, type LabEdge } from "./support/edge.js";
import { labImpossible, runProgram } from "./support/lab.js";
import { changeSettings, getFrom, readSecrets, until } from "./support/streams.js";

t.setTimeout(900_000);
const skip = labImpossible();

/** systemd-analyze's exposure; 1.1 with systemd 257. */
const MOST_EXPOSED = 2;
/** Milliseconds until a ladder has to be there: probing, key frames, two segments, on a busy machine that encodes it. */
const PATIENCE = 120_000;
const CYCLES = 5;

interface Publisher {
  stop(): Promise<void>;
}

t.test("an edge that transcodes", { skip }, async (t) => {
  const edge = await bootEdge(t);
  const { host, desk } = edge;
  const folder = await mkdtemp(join(tmpdir(), "edge-clips-"));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const [large, small] = await Promise.all([makeClip(folder, "1280x720", true), makeClip(folder, "640x360", false)]);

  await changeSettings(desk, { transcoding: true, transcoding_streams: 2 });
  const first = await desk.run("apply", "--yes", "--no-input");
  t.equal(first.code, 0, first.stdout + first.stderr);
  t.match(first.stderr, /pass +renditions are valid and cut alike +240p, 360p, 480p, 720p, native/);
  const { token } = await readSecrets(desk);
  const publisher = (clip: string, stream: string) =>
    publish(clip, `rtmp://${host.address}/hls/${stream}?token=${token}`);

  await t.test("a second apply finds all as it is, and encodes nothing", async (t) => {
    const before = await host.exec("stat -c %Y.%i /var/lib/edge/encoder.json");
    const again = await desk.run("apply", "--yes", "--no-input", "--no-verify");
    t.match(again.stdout, /changed=0 failed=0/);
    t.match(await host.exec("stat -c %Y.%i /var/lib/edge/encoder.json"), { stdout: before.stdout });
    const chosen = JSON.parse((await host.exec("cat /var/lib/edge/encoder.json")).stdout);
    t.equal(chosen.encoder, "libx264", "the lab has no other");
    t.match(JSON.stringify(chosen.tried), /"encoder": ?"vaapi"/, "the others were looked for");
    t.comment(JSON.stringify(chosen.tried.filter((one: { speed?: number }) => one.speed !== undefined)));
  });

  let cam = await publisher(large, "cam");
  t.teardown(() => cam.stop());
  await t.test("before the ladder there is a master playlist of the stream as published", async (t) => {
    const master = await until("a playlist", () => masterOf(edge, "cam"));
    t.same(
      master.variants.map(({ uri }) => uri),
      ["cam.live.m3u8"],
    );
    t.ok((await mediaOf(edge, "cam.live.m3u8")).segments.length > 0);
  });
  const master = await until("the ladder", () => ladderOf(edge, "cam"), PATIENCE);

  await t.test("the ladder is what the source and the profiles say", async (t) => {
    t.same(masterProblems(master, ["240p", "360p", "480p", "native"]), []);
    const seen = master.variants.map((variant) => [rungName(variant), variant.attributes.get("RESOLUTION")]);
    t.same(seen, [
      ["240p", "426x240"],
      ["360p", "640x360"],
      ["480p", "854x480"],
      ["native", "1280x720"],
    ]);
    for (const { attributes } of master.variants) t.equal(attributes.get("FRAME-RATE"), "30.000");
    for (const variant of master.variants) {
      const name = rungName(variant);
      const url = `http://${host.address}/hls/${variant.uri}`;
      const words = ["-v", "error", "-show_entries", "stream=codec_name,profile,level,width,height", "-of", "json"];
      const probe = await runProgram(["ffprobe", ...words, url]);
      const video = JSON.parse(probe.stdout).streams.find((s: { codec_name: string }) => s.codec_name === "h264");
      t.equal(`${video.width}x${video.height}`, variant.attributes.get("RESOLUTION"), `${name} has its size`);
      const codecs = variant.attributes.get("CODECS") ?? "";
      t.equal(Number.parseInt(codecs.slice(9, 11), 16), video.level, `${name}: the level of CODECS is the stream's`);
      t.match(codecs, video.profile === "High" ? /^avc1\.64/ : /^avc1\.(42|4d)/, `${name}: so is the profile`);
      const decode = await runProgram(["ffmpeg", "-v", "error", "-xerror", "-i", url, "-t", "3", "-f", "null", "-"]);
      t.same(decode, { code: 0, stdout: "", stderr: "" }, `every picture of ${name} decodes`);
    }
  });

  await t.test("all rungs have their key frames at the same times, and no more bits than they say", async (t) => {
    // The encoder's first segment and one later: of each the key frames in all rungs.
    const now = await until("the ladder", () => ladderOf(edge, "cam"));
    for (const { uri } of now.variants)
      await until("three segments", async () => (await mediaOf(edge, uri)).segments.length >= 3);
    const times = new Map<number, Set<string>>();
    const rates: { readonly name: string; readonly rate: number }[] = [];
    for (const variant of now.variants) {
      const playlist = await mediaOf(edge, variant.uri);
      for (const { uri, sequence, duration } of playlist.segments.slice(-3)) {
        const { status, body, headers } = await getFrom(host)(
          new URL(uri, `http://${host.address}/hls/${variant.uri}`),
        );
        t.equal(status, 200);
        t.equal(headers["cache-control"], "public, max-age=3600, immutable");
        rates.push({ name: rungName(variant), rate: (body.length * 8) / duration });
        const seen = times.get(sequence) ?? new Set();
        times.set(sequence, seen.add(await keyFrames(folder, body)));
      }
    }
    // BANDWIDTH rises with the peak, so the playlist that counts is of after them.
    const after = await until("the ladder", () => ladderOf(edge, "cam"));
    for (const { name, rate } of rates) {
      const bandwidth = after.variants.find((variant) => rungName(variant) === name)?.bandwidth ?? 0;
      t.ok(rate <= bandwidth * 1.01, `${name}: ${Math.round(rate)} is below BANDWIDTH ${bandwidth}`);
    }
    const whole = [...times].filter(([sequence]) => sequence < Math.max(...times.keys()));
    t.ok(whole.length >= 2);
    for (const [sequence, seen] of whole) t.equal(seen.size, 1, `segment ${sequence}: ${[...seen].join(" / ")}`);
  });

  await t.test("limits and rights of the unit", async (t) => {
    const unit = "edge-transcode@cam.service";
    const show = await host.exec(
      `systemctl show ${unit} -p MemoryMax -p CPUQuotaPerSecUSec -p TasksMax -p User -p Slice`,
    );
    t.match(show.stdout, /^MemoryMax=[0-9]{8,9}$/m);
    t.match(show.stdout, /^CPUQuotaPerSecUSec=[0-9.]+m?s$/m);
    t.match(show.stdout, /^TasksMax=128$/m);
    t.match(show.stdout, /^User=edge$/m);
    t.match(show.stdout, /^Slice=edge-media-streams\.slice$/m);
    const analysis = await host.exec(`systemd-analyze security ${unit} --no-pager | tail -1`);
    const exposure = Number(/: ([0-9.]+)/.exec(analysis.stdout)?.[1]);
    t.ok(exposure <= MOST_EXPOSED, analysis.stdout.trim());
    const words = await host.exec("ps -o args= -C ffmpeg,edge-transcode,ffprobe");
    t.notMatch(words.stdout, token, "no token in any command line");
    t.equal((await ffmpegs(edge)).length, 1, "one FFmpeg");
  });

  await t.test("nothing is scaled up, and sound is no condition", async (t) => {
    const publication = await publisher(small, "small");
    const other = await until("its ladder", () => ladderOf(edge, "small"), PATIENCE);
    t.same(
      other.variants.map(({ attributes }) => attributes.get("RESOLUTION")),
      ["426x240", "640x360"],
    );
    for (const { attributes } of other.variants) t.notMatch(attributes.get("CODECS"), "mp4a");
    const third = await publisher(small, "third");
    await until("it", () => masterOf(edge, "third"));
    await sleep(3000);
    t.notOk(await ladderOf(edge, "third"), "transcoding_streams have theirs, and no more");
    await third.stop();
    await publication.stop();
    await until("its end", async () => (await filesOf(edge, "small")) === "");
  });

  await t.test("a dead encoder takes nothing off the air, and comes back", async (t) => {
    const before = await mediaOf(edge, "cam/360p.m3u8");
    await host.exec("pkill -KILL -x ffmpeg");
    const meanwhile = await until("the stream as published", async () => {
      const seen = await masterOf(edge, "cam");
      return seen !== undefined && !isLadder(seen) && seen;
    });
    t.same(
      meanwhile.variants.map(({ uri }) => uri),
      ["cam.live.m3u8"],
    );
    t.equal((await getFrom(host)(new URL(`http://${host.address}/hls/cam.live.m3u8`))).status, 200);
    await until("the ladder again", () => ladderOf(edge, "cam"), PATIENCE);
    const after = await mediaOf(edge, "cam/360p.m3u8");
    t.ok(after.mediaSequence >= before.mediaSequence, "numbers go on");
    t.ok(
      after.segments.some(({ discontinuity }) => discontinuity),
      "with a discontinuity",
    );
  });

  await t.test("a hung encoder is ended", async (t) => {
    const [hung] = await ffmpegs(edge);
    await host.exec(`kill -STOP ${hung}`);
    await until("another encoder", async () => (await ffmpegs(edge)).some((pid) => pid !== hung), PATIENCE);
    await until("the ladder", () => ladderOf(edge, "cam"), PATIENCE);
    t.notOk((await ffmpegs(edge)).includes(hung ?? ""));
  });

  await t.test("a killed supervisor leaves no ladder that nobody fills", async (t) => {
    await host.exec("systemctl kill --kill-whom=main -s KILL edge-transcode@cam.service");
    await until("no ladder", async () => !(await ladderOf(edge, "cam")));
    await until("the ladder", () => ladderOf(edge, "cam"), PATIENCE);
    t.equal((await ffmpegs(edge)).length, 1);
  });

  await t.test("a reload of RTMP leaves the ladder alone", async (t) => {
    const [before] = await ffmpegs(edge);
    await host.exec("systemctl reload edge-rtmp");
    const last = async () => (await mediaOf(edge, "cam/240p.m3u8")).segments.at(-1)?.sequence ?? 0;
    const then = await last();
    await until("two more segments", async () => (await last()) >= then + 2);
    t.same(await ffmpegs(edge), [before]);
  });

  const chromium = findChromium();
  await t.test("the player climbs the ladder", { skip: chromium ? false : "no chromium" }, async (t) => {
    const page = await openPage(chromium ?? "", `http://${host.address}/index.html?stream=cam`);
    t.teardown(() => page.close());
    const video = (what: string) => page.evaluate(`document.querySelector("video")?.${what} ?? 0`);
    const widths = new Set<number>();
    await until(
      "the native rung",
      async () => {
        widths.add(Number(await video("videoWidth")));
        return widths.has(1280);
      },
      PATIENCE,
    );
    t.comment(`widths: ${[...widths].join(", ")}`);
    const from = Number(await video("currentTime"));
    await until("time to go on", async () => Number(await video("currentTime")) >= from + 1);
  });

  await t.test("a ladder that the host does not hold is refused, with numbers, and the old one goes on", async (t) => {
    await changeSettings(desk, { transcoding_preset: "medium", transcoding_cpu: 10 });
    const refused = await desk.run("apply", "--yes", "--no-input", "--no-verify");
    t.equal(refused.code, 1);
    const said = refused.stdout + refused.stderr;
    t.match(said, /does not hold the ladder 240p, 360p, 480p, 720p: 2 at once with x264's medium need \d+\.\d\d cores/);
    t.match(said, /may take 0\.\d\d \(transcoding_cpu 10 % of \d+\)/);
    t.match(said, /Write transcoding(_profiles: \[.*native\]|: false)/);
    t.ok(await ladderOf(edge, "cam"));
    await changeSettings(desk, { transcoding_preset: "auto", transcoding_cpu: 75 });
    const agreed = await desk.run("apply", "--yes", "--no-input", "--no-verify");
    t.equal(agreed.code, 0, agreed.stdout + agreed.stderr);
  });

  await t.test("off again, the publisher stays", async (t) => {
    await changeSettings(desk, { transcoding: false, transcoding_streams: 1 });
    const off = await desk.run("apply", "--yes", "--no-input", "--no-verify");
    t.equal(off.code, 0, off.stdout + off.stderr);
    await until("no unit", async () => (await units(edge)) === "");
    t.equal(await filesOf(edge, "cam"), "");
    t.same(await ffmpegs(edge), []);
    const files = await host.exec(
      "ls -d /etc/systemd/system/edge-transcode* /opt/edge/bin/edge?transcode /opt/edge/bin/edge?encoder /opt/edge/bin/edge_ladder.py; true",
    );
    t.equal(files.stdout, "");
    t.ok((await mediaOf(edge, "cam.m3u8")).segments.length > 0, "its playlist is nginx's own");
    t.match((await desk.run("apply", "--yes", "--no-input", "--no-verify")).stdout, /changed=0 failed=0/);
    await changeSettings(desk, { transcoding: true });
    const on = await desk.run("apply", "--yes", "--no-input", "--no-verify");
    t.equal(on.code, 0, on.stdout + on.stderr);
    t.ok(await masterOf(edge, "cam"), "it is on the air without a ladder");
    // Its connection is the old worker's, of which nobody can ask for a stream any more.
    await cam.stop();
    cam = await publisher(large, "cam");
    await until("the ladder", () => ladderOf(edge, "cam"), PATIENCE);
  });

  await t.test("who leaves leaves nothing", async (t) => {
    await cam.stop();
    for (let cycle = 0; cycle < CYCLES; cycle++) {
      const brief = await publisher(large, "brief");
      // Some leave while the encoder is looked for, some with a ladder.
      if (cycle === 0) await until("the ladder", () => ladderOf(edge, "brief"), PATIENCE);
      else await sleep(500 + 1000 * cycle);
      await brief.stop();
    }
    await until("no unit", async () => (await units(edge)) === "");
    for (const stream of ["cam", "brief"]) t.equal(await filesOf(edge, stream), "");
    t.same(await ffmpegs(edge), []);
    t.equal((await host.exec("pgrep -c -x 'edge-transcode|ffprobe'; true")).stdout.trim(), "0");
    t.equal((await host.exec("systemctl list-units --failed --plain --no-legend 'edge*'")).stdout, "");
  });
});

/** Ten seconds of motion with a key frame every two, pictures that refer to later ones, and perhaps a tone. */
async function makeClip(folder: string, size: string, sound: boolean): Promise<string> {
  const file = join(folder, `${size}.flv`);
  const picture = ["-f", "lavfi", "-i", `testsrc2=size=${size}:rate=30`];
  const tone = sound ? ["-f", "lavfi", "-i", "sine=sample_rate=44100", "-c:a", "aac"] : [];
  const video = [
    "-c:v",
    "libx264",
    "-preset",
    "veryfast",
    "-bf",
    "2",
    "-pix_fmt",
    "yuv420p",
    "-g",
    "60",
    "-sc_threshold",
    "0",
  ];
  const made = await runProgram(["ffmpeg", "-v", "error", ...picture, ...tone, ...video, "-t", "10", file]);
  if (made.code !== 0) throw new Error(made.stderr);
  return file;
}

async function publish(clip: string, url: string): Promise<Publisher> {
  const words = ["-v", "error", "-re", "-stream_loop", "-1", "-i", clip, "-c", "copy", "-f", "flv", url];
  const child = spawn("ffmpeg", words, { stdio: "ignore" });
  const exited = once(child, "exit");
  return {
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
      await exited;
    },
  };
}

async function masterOf({ host }: LabEdge, stream: string): Promise<MasterPlaylist | undefined> {
  const { status, body } = await getFrom(host)(new URL(`http://${host.address}/hls/${stream}.m3u8`));
  const playlist = status === 200 ? parsePlaylist(body.toString("utf8")) : undefined;
  return playlist?.kind === "master" ? playlist : undefined;
}

async function ladderOf(edge: LabEdge, stream: string): Promise<MasterPlaylist | false> {
  const master = await masterOf(edge, stream);
  return master !== undefined && isLadder(master) && master;
}

async function mediaOf({ host }: LabEdge, path: HlsVariant["uri"]): Promise<MediaPlaylist> {
  const { body } = await getFrom(host)(new URL(`http://${host.address}/hls/${path}`));
  const playlist = parsePlaylist(body.toString("utf8"));
  if (playlist.kind !== "media") throw new Error(`${path} is a master playlist`);
  return playlist;
}

/** Times of the key frames in a segment, as ffprobe prints them. */
async function keyFrames(folder: string, body: Buffer): Promise<string> {
  const file = join(folder, "segment.ts");
  await writeFile(file, body);
  const words = ["-v", "error", "-select_streams", "v", "-show_entries", "packet=pts,flags", "-of", "csv=p=0"];
  const { stdout } = await runProgram(["ffprobe", ...words, file]);
  const keys = stdout.split("\n").filter((line) => line.includes(",K"));
  return keys.map((line) => line.split(",")[0]).join(" ");
}

async function ffmpegs({ host }: LabEdge): Promise<string[]> {
  // Others take pictures.
  const { stdout } = await host.exec("pgrep -f '^ffmpeg .*/run/edge/hls/[.]abr/'; true");
  return stdout.split("\n").filter((line) => line !== "");
}

async function filesOf({ host }: LabEdge, stream: string): Promise<string> {
  return (await host.exec(`ls /run/edge/hls/.abr/${stream} 2>/dev/null; true`)).stdout;
}

async function units({ host }: LabEdge): Promise<string> {
  return (await host.exec("systemctl list-units --all --plain --no-legend 'edge-transcode@*'")).stdout;
}
