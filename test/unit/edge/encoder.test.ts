import { spawnSync } from "node:child_process";
import t from "tap";

const skip = spawnSync("python3", ["--version"]).status === 0 ? false : "no python3";

/**
 * What edge-encoder chooses on a host with two processors, as `ENCODER PRESET`, or what it refuses with.
 * @param cores by x264's preset, what the ladder takes of one at real time; or why another encoder fails
 */
function choose(cores: Readonly<Record<string, number>>, wanted: object = {}, devices: readonly string[] = []): string {
  const program = `
import importlib.machinery, importlib.util, json, os, sys
sys.path.insert(0, "assets/bin")
loader = importlib.machinery.SourceFileLoader("e", "assets/bin/edge-encoder")
e = importlib.util.module_from_spec(importlib.util.spec_from_loader("e", loader))
loader.exec_module(e)
given = json.load(sys.stdin)
e.os.cpu_count = lambda: 2
e.os.path.exists = lambda path: path in given["devices"]
def measure(clip, folder, rungs, encoder, preset, version):
    took = given["cores"].get(preset or encoder)
    if took is None:
        raise e.Failed("does not work")
    return 1 / took, took
e.measure = measure
profiles = [{"name": "%dp" % h, "height": h, "video_bitrate": h} for h in (240, 360, 480, 720)] + [{"name": "native"}]
wanted = dict({"encoder": "auto", "preset": "auto", "streams": 1, "cpu": 75, "profiles": profiles}, **given["wanted"])
source = {"video": "h264", "width": 1920, "height": 1080, "rate": 30}
rungs = [rung for rung in e.ladder.plan(source, profiles)[0] if not rung["copy"]]
print("%(encoder)s %(preset)s" % e.choose(wanted, (7, 1), "clip", "folder", rungs))
`;
  const input = JSON.stringify({ cores, wanted, devices });
  const done = spawnSync("python3", ["-c", program], { input, encoding: "utf8" });
  return (done.status === 0 ? done.stdout : done.stderr).trim();
}

t.test("the fastest preset, and a better one where it costs little", { skip }, async (t) => {
  t.equal(choose({ ultrafast: 0.3, superfast: 0.4 }), "libx264 ultrafast");
  t.equal(choose({ ultrafast: 0.05, superfast: 0.1, veryfast: 0.14, faster: 0.2 }), "libx264 veryfast");
  t.equal(choose({ fast: 0.6 }, { preset: "fast" }), "libx264 fast", "the one that is asked for, where it holds");
});

t.test("hardware goes first where it works", { skip }, async (t) => {
  const render = ["/dev/dri/renderD128"];
  t.equal(choose({ vaapi: 0.1, ultrafast: 0.3, superfast: 0.4 }, {}, render), "vaapi -");
  t.equal(choose({ ultrafast: 0.3, superfast: 0.4 }, {}, render), "libx264 ultrafast", "and not where it does not");
  t.match(choose({ ultrafast: 0.3 }, { encoder: "vaapi" }), /transcoding_encoder vaapi does not work .*no \/dev\/dri/);
  // 720p + 480p + 360p + 240p are 198,000 macroblocks a second.
  const pi = ["/dev/video11"];
  t.equal(choose({ v4l2m2m: 0.1, ultrafast: 0.9 }, {}, pi), "v4l2m2m -");
  t.match(choose({ v4l2m2m: 0.1 }, { encoder: "v4l2m2m", streams: 2 }, pi), /above its 245760/);
});

t.test("what the host does not hold is refused, and the largest that fits is offered", { skip }, async (t) => {
  const refusal = choose({ ultrafast: 1.8 });
  t.match(refusal, /does not hold the ladder 240p, 360p, 480p, 720p: 1 at once with x264's ultrafast need 2\.70 cores/);
  t.match(refusal, /may take 1\.50 \(transcoding_cpu 75 % of 2\)/);
  t.match(refusal, /Write transcoding_profiles: \[240p, 360p, native\]\.$/);
  t.match(choose({ ultrafast: 99 }), /Write transcoding: false\.$/);
  t.match(choose({ ultrafast: 0.6 }, { streams: 2 }), /, or fewer transcoding_streams\.$/);
});
