/**
 * `npm run bench -- transcode`: cores for one live 720p30 stream with smaller renditions, the edge's ladder beside the command line
 * of restreamer-edge, both reading at the speed of life, in one run on this machine. Needs ffmpeg and python3, no lab host.
 */
import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const SECONDS = 20;
const root = resolve(import.meta.dirname, "..");

/** Pictures that move. The second is harder: motion everywhere, and noise as of a camera. */
const PICTURES: Readonly<Record<string, string>> = {
  "test pattern": "testsrc2=size=1280x720:rate=30",
  "motion and noise":
    "mandelbrot=size=1280x720:rate=30:start_scale=0.3:end_scale=0.001:end_pts=600,noise=alls=6:allf=t",
};

/** restreamer-edge's profiles: lines, kbit/s of picture and of sound. */
const PREDECESSOR = [
  [240, 256, 64],
  [360, 512, 128],
  [480, 819, 128],
  [720, 2048, 192],
] as const;

/** As restreamer-edge wrote it, x264's preset being the default one, medium. */
function predecessor(clip: string, folder: string): string[] {
  const outputs = PREDECESSOR.flatMap(([height, video, sound]) => [
    ...["-c:v", "libx264", "-profile:v", "baseline", "-g", "35", "-vf", `scale=-2:${height}`, "-tune", "zerolatency"],
    ...[
      "-b:v",
      `${video}k`,
      "-bufsize",
      "500k",
      "-c:a",
      "aac",
      "-b:a",
      `${sound}k`,
      "-f",
      "flv",
      join(folder, `${height}.flv`),
    ],
  ]);
  return ["ffmpeg", "-nostdin", "-v", "error", "-y", "-re", "-i", clip, ...outputs];
}

/** The very words of edge-transcode, but for the input. */
function ladder(clip: string, folder: string, preset: string): string[] {
  const program = `
import importlib.machinery, importlib.util, json, subprocess, sys
sys.path.insert(0, "assets/bin")
loader = importlib.machinery.SourceFileLoader("t", "assets/bin/edge-transcode")
t = importlib.util.module_from_spec(importlib.util.spec_from_loader("t", loader))
loader.exec_module(t)
clip, folder, preset = sys.argv[1:]
profiles = [{"name": "native"}] + [
    {"name": "%dp" % h, "height": h, "video_bitrate": b} for h, b in ((240, 256), (360, 512), (480, 819))
]
rungs, _ = t.ladder.plan({"width": 1280, "height": 720, "rate": 30, "video": "h264", "audio": "aac"}, profiles)
version = t.ladder.version_of(subprocess.run(["ffmpeg", "-version"], stdout=subprocess.PIPE, text=True).stdout)
outputs = t.tee(rungs, [2] * len(rungs), folder, 1, 2.0, "aac")
print(json.dumps(t.ladder.ladder_argv(["-re", "-i", clip], rungs, "libx264", preset, version, "aac", outputs)))
`;
  return JSON.parse(execFileSync("python3", ["-c", program, clip, folder, preset], { cwd: root, encoding: "utf8" }));
}

/** CPU seconds of a program and its threads. */
function cpuSeconds(argv: readonly string[]): number {
  const program =
    "import resource, subprocess, sys; subprocess.run(sys.argv[1:], stderr=subprocess.DEVNULL, check=True);" +
    "used = resource.getrusage(resource.RUSAGE_CHILDREN); print(used.ru_utime + used.ru_stime)";
  return Number(execFileSync("python3", ["-c", program, ...argv], { encoding: "utf8" }));
}

export async function benchTranscode(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "edge-bench-"));
  try {
    console.log("| picture | restreamer-edge, 240p to 720p | native + 3, ultrafast | native + 3, superfast | ratios |");
    console.log("|---|---|---|---|---|");
    for (const [name, picture] of Object.entries(PICTURES)) {
      const clip = join(folder, "clip.flv");
      console.error(`measuring ${name} (${4 * SECONDS} s)`);
      execFileSync("ffmpeg", [
        ...["-v", "error", "-y", "-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", "sine=sample_rate=48000"],
        ...["-t", String(SECONDS), "-c:v", "libx264", "-preset", "veryfast", "-b:v", "2500k", "-maxrate", "2500k"],
        ...["-bufsize", "5000k", "-g", "60", "-pix_fmt", "yuv420p", "-c:a", "aac", "-b:a", "128k", clip],
      ]);
      const cores = (argv: readonly string[]) => cpuSeconds(argv) / SECONDS;
      const before = cores(predecessor(clip, folder));
      const [fastest, better] = ["ultrafast", "superfast"].map((preset) => cores(ladder(clip, folder, preset)));
      const ratios = [fastest, better].map((now) => (before / (now ?? Number.NaN)).toFixed(1)).join(" and ");
      console.log(`| ${name} | ${shown(before)} | ${shown(fastest)} | ${shown(better)} | ${ratios} |`);
    }
    console.log("cores; the bar of the design is 0.35 where restreamer-edge takes 2.1, a ratio of 6.0");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function shown(cores: number | undefined): string {
  return (cores ?? Number.NaN).toFixed(3);
}
