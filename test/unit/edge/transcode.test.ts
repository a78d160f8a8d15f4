import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { parsePlaylist } from "../../../src/edge/m3u8.js";
import { builtInProfiles } from "../../../src/inventory/settings/transcoding.js";

const program = "assets/bin/edge-transcode";
const skip = spawnSync("python3", ["--version"]).status === 0 ? false : "no python3";

const profiles = (...names: string[]) =>
  names.map((name) => (name === "native" ? { name } : { name, ...builtInProfiles[name] }));
const all = profiles("native", "720p", "240p", "480p", "360p");

interface Planned {
  readonly source: { readonly rate: number | null; readonly audio: string | null };
  readonly rungs: readonly { readonly name: string; readonly width: number; readonly height: number }[];
  readonly notes: readonly string[];
}

function plan(streams: readonly object[], more: object = {}): Planned {
  const input = JSON.stringify({ probe: { streams }, profiles: all, ...more });
  return JSON.parse(execFileSync("python3", [program, "plan"], { input, encoding: "utf8" }));
}

const video = (width: number, height: number, rate = "30/1", codec_name = "h264") => ({
  ...{ codec_type: "video", codec_name, width, height, avg_frame_rate: rate, r_frame_rate: rate },
});
const audio = { codec_type: "audio", codec_name: "aac" };
const sizes = ({ rungs }: Planned) => rungs.map(({ name, width, height }) => `${name} ${width}x${height}`);

const cases: [string, Parameters<typeof plan>, string[], string?][] = [
  [
    "1080p gets all",
    [[video(1920, 1080), audio]],
    ["240p 426x240", "360p 640x360", "480p 854x480", "720p 1280x720", "native 1920x1080"],
  ],
  [
    "720p is not made again",
    [[video(1280, 720), audio]],
    ["240p 426x240", "360p 640x360", "480p 854x480", "native 1280x720"],
    "no 720p: the source has 720 lines",
  ],
  ["nothing is scaled up", [[video(320, 180)]], ["native 320x180"], "no 240p: the source has 180 lines"],
  ["odd sizes become even", [[video(853, 479)]], ["240p 428x240", "360p 642x360", "native 853x479"]],
  [
    "a portrait is measured by its short side",
    [[video(720, 1280)]],
    ["240p 240x426", "360p 360x640", "480p 480x854", "native 720x1280"],
  ],
  [
    "without native there is none",
    [[video(1920, 1080)], { profiles: profiles("240p", "720p") }],
    ["240p 426x240", "720p 1280x720"],
  ],
  [
    "but instead of one that is as large",
    [[video(1280, 720)], { profiles: profiles("240p", "720p") }],
    ["240p 426x240", "native 1280x720"],
  ],
  [
    "the largest go first where the encoder is too slow",
    [[video(1280, 720, "60/1")], { budget: 100_000 }],
    ["240p 426x240", "360p 640x360", "native 1280x720"],
    "no 480p: at 60 frames a second it is more than this host encodes",
  ],
  [
    "and where it does not take the size",
    [
      [video(3840, 2160)],
      { profiles: [...all, { name: "1440p", height: 1440, video_bitrate: 6000 }], largest: [1920, 1088] },
    ],
    ["240p 426x240", "360p 640x360", "480p 854x480", "720p 1280x720", "native 3840x2160"],
    "no 1440p: 2560x1440 is above what the encoder takes",
  ],
  ["sound alone has no ladder", [[audio]], [], "no ladder: the video is missing, not H.264"],
  ["nor has another codec", [[video(1280, 720, "30/1", "hevc")]], [], "no ladder: the video is hevc, not H.264"],
];
for (const [name, words, expected, note] of cases)
  t.test(name, { skip }, async (t) => {
    const planned = plan(...words);
    t.same(sizes(planned), expected);
    if (note !== undefined) t.ok(planned.notes.includes(note), planned.notes.join("; "));
  });

t.test("frame rates", { skip }, async (t) => {
  const rate = (text: string) => plan([video(1280, 720, text)]).source.rate;
  t.equal(rate("50/1"), 50);
  t.equal(rate("60000/1001")?.toFixed(3), "59.940");
  t.equal(rate("0/0"), null);
  t.equal(rate("1000/1"), null, "the clock of FLV is no frame rate");
});

/** Runs statements after `import`ing the program as `t`; what they print is JSON. */
function python(statements: string): unknown {
  const load = [
    "import importlib.machinery, importlib.util, json, os, sys, time",
    "sys.path.insert(0, 'assets/bin')",
    `loader = importlib.machinery.SourceFileLoader('t', '${program}')`,
    "t = importlib.util.module_from_spec(importlib.util.spec_from_loader('t', loader))",
    "loader.exec_module(t)",
  ];
  const text = [...load, statements].join("\n");
  return JSON.parse(execFileSync("python3", ["-"], { input: text, encoding: "utf8" }));
}

t.test("a playlist slides, keeps its numbers over a restart, and files go later", { skip }, async (t) => {
  const folder = t.testdir({ rung: {} });
  for (let number = 0; number < 12; number++)
    copyFileSync("test/unit/edge/fixtures/nginx-rtmp-0.mpegts", join(folder, `240p-${number}.ts`));
  const seen = python(`
clock = [1000.0]
t.time.monotonic = lambda: clock[0]
rung = t.Rung({"name": "240p", "width": 426, "height": 240, "kbit": 256, "copy": False}, ${JSON.stringify(folder)}, 6.0, 2.0, 500)
texts = []
def add(number, start, end):
    rung.add("240p-%d.ts" % number, start, end)
    clock[0] += 2
    texts.append(rung.text())
rung.begin(500)
for number in range(5):
    add(number, number * 2.0, number * 2.0 + 2)
rung.begin(rung.next)
for number in range(5, 12):
    add(number, (number - 5) * 2.0, (number - 5) * 2.0 + 2)
print(json.dumps({"texts": texts, "codecs": rung.codecs, "bandwidth": rung.bandwidth(), "peak": rung.peak}))
`) as { texts: string[]; codecs: string; bandwidth: number; peak: number };
  const playlists = seen.texts.map((text) => {
    const playlist = parsePlaylist(text);
    if (playlist.kind !== "media") throw new Error("no media playlist");
    return playlist;
  });
  for (const [index, playlist] of playlists.entries()) {
    const last = playlist.segments.at(-1);
    t.equal(last?.sequence, 500 + index, "numbers go on");
    t.equal(last?.uri, `240p-${index}.ts`);
  }
  t.equal(playlists.at(-1)?.segments.length, 3, "a window of 6 s");
  const broken = playlists.at(6)?.segments.filter((segment) => segment.discontinuity);
  t.same(
    broken?.map((segment) => segment.uri),
    ["240p-5.ts"],
    "the first of the second encoder",
  );
  const discontinuities = seen.texts.map((text) => Number(/DISCONTINUITY-SEQUENCE:(\d+)/.exec(text)?.[1]));
  t.same([discontinuities[0], discontinuities.at(-1)], [500, 502], "counted when they leave");
  t.match(
    seen.texts[0],
    /#EXT-X-PROGRAM-DATE-TIME:\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\n#EXTINF:2\.000,\n240p-0\.ts\n$/,
  );
  const left = readdirSync(folder).filter((name) => name.endsWith(".ts"));
  t.notOk(left.includes("240p-0.ts"), "the oldest is gone");
  t.ok(left.includes("240p-7.ts"), "who has just read the playlist still gets what it lists");
  t.match(seen.codecs, /^avc1\.[0-9a-f]{6},mp4a\.40\.2$/);
  t.equal(seen.bandwidth, Math.max(seen.peak, (256 + 128) * 1000));
  t.equal(seen.peak, readFileSync(join(folder, "240p-11.ts")).length * 4);
});

t.test("one that lags behind begins anew, so that numbers mean the same in all rungs", { skip }, async (t) => {
  const folder = t.testdir({ "a.ts": "x".repeat(188), "b.ts": "x".repeat(188) });
  t.same(
    python(`
rung = t.Rung({"name": "a", "width": 4, "height": 2, "kbit": None, "copy": True}, ${JSON.stringify(folder)}, 6.0, 2.0, 10)
rung.begin(10)
rung.add("a.ts", 0.0, 2.0)
rung.begin(12)
rung.add("b.ts", 0.0, 2.0)
print(json.dumps([[s["name"], s["sequence"]] for s in rung.segments]))
`),
    [["b.ts", 12]],
  );
});

t.test("places for ladders are as many as the host holds", { skip }, async (t) => {
  const root = t.testdir({});
  t.same(
    python(`
t.ROOT = ${JSON.stringify(root)}
first, second, third = t.take_place(2), t.take_place(2), t.take_place(2)
first.close()
print(json.dumps([second is not None, third is None, t.take_place(2) is not None]))
`),
    [true, true, true],
  );
});

t.test("names that are none are refused", { skip }, async (t) => {
  for (const name of ["../etc", "a b", "", "a.b", "x".repeat(65)])
    t.equal(spawnSync("python3", [program, "clean", name]).status, 1, name);
});
