import { spawn } from "node:child_process";
import { once } from "node:events";

const VIDEO = [
  ...["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=20"],
  ...["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "40"],
];
const AUDIO = ["-f", "lavfi", "-i", "sine=frequency=440"];

export interface Publisher {
  stop(): Promise<void>;
  /** null while it publishes. */
  exitCode(): number | null;
}

/** A real FFmpeg that publishes a test picture with a tone, or a tone alone. */
export function startPublisher(url: string, { picture = true } = {}): Publisher {
  const inputs = picture ? [...AUDIO, ...VIDEO] : AUDIO;
  const child = spawn("ffmpeg", ["-v", "error", "-re", ...inputs, "-c:a", "aac", "-f", "flv", url], {
    stdio: "ignore",
  });
  const exited = once(child, "exit");
  return {
    exitCode: () => child.exitCode,
    async stop() {
      child.kill("SIGINT");
      await exited;
    },
  };
}
