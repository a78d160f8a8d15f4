import { spawn } from "node:child_process";
import { once } from "node:events";

const H264 = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "40"];
const AUDIO = ["-f", "lavfi", "-i", "sine=frequency=440"];

export interface Publisher {
  stop(): Promise<void>;
  /** null while it publishes. */
  exitCode(): number | null;
}

export interface Picture {
  /** Of the test picture, at 20/s; undefined for a tone alone. */
  readonly size: "320x180" | "640x360" | undefined;
}

/** A camera: a real FFmpeg that publishes H.264 and AAC, a test picture with a tone, until it is stopped. */
export function startPublisher(url: string, { size }: Picture = { size: "320x180" }): Publisher {
  const picture = size === undefined ? [] : ["-f", "lavfi", "-i", `testsrc2=size=${size}:rate=20`, ...H264];
  return run(["-re", ...AUDIO, ...picture, "-c:a", "aac", "-f", "flv", url]);
}

/** A player, which is a real FFmpeg too. */
export function startPlayer(url: string): Publisher {
  return run(["-i", url, "-c", "copy", "-f", "null", "-"]);
}

function run(words: readonly string[]): Publisher {
  const child = spawn("ffmpeg", ["-v", "error", ...words], { stdio: "ignore" });
  const exited = once(child, "exit");
  return {
    exitCode: () => child.exitCode,
    async stop() {
      child.kill("SIGINT");
      await exited;
    },
  };
}
