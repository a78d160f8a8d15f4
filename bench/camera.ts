import { type ChildProcess, spawn } from "node:child_process";
import { blankFrame, FRAME, stamp } from "./time-code.js";

/** A publisher whose pictures say when they were made. Encoded as OBS does by default for live streams: a key frame every 2 s. */
export interface Camera {
  stop(): Promise<void>;
}

const KEY_FRAME_SECONDS = 2;

export function startCamera(url: string): Camera {
  const { width, height, perSecond } = FRAME;
  const keyFrame = String(KEY_FRAME_SECONDS * perSecond);
  const ffmpeg: ChildProcess = spawn(
    "ffmpeg",
    [
      ...["-v", "error", "-probesize", "32", "-analyzeduration", "0"],
      ...[
        "-f",
        "rawvideo",
        "-pix_fmt",
        "yuv420p",
        "-s",
        `${width}x${height}`,
        "-framerate",
        String(perSecond),
        "-i",
        "-",
      ],
      ...["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=44100"],
      ...["-c:v", "libx264", "-preset", "veryfast", "-tune", "zerolatency", "-b:v", "1500k", "-maxrate", "1500k"],
      ...["-bufsize", "1500k", "-g", keyFrame, "-keyint_min", keyFrame, "-sc_threshold", "0", "-pix_fmt", "yuv420p"],
      ...["-c:a", "aac", "-b:a", "96k", "-flush_packets", "1", "-f", "flv", url],
    ],
    { stdio: ["pipe", "ignore", "inherit"] },
  );
  const exited = new Promise<void>((resolve) => ffmpeg.once("exit", () => resolve()));
  const { stdin } = ffmpeg;
  stdin?.on("error", () => {}); // it ended by itself, which its stderr tells
  const frame = blankFrame();
  const began = performance.now();
  let made = 0;
  const timer = setInterval(
    () => {
      // As many as are due, so that a late timer does not slow the stream.
      for (; made < ((performance.now() - began) / 1000) * perSecond; made++)
        stdin?.write(Buffer.from(stamp(frame, Date.now())));
    },
    1000 / perSecond / 4,
  );
  return {
    async stop() {
      clearInterval(timer);
      stdin?.end();
      const kill = setTimeout(() => ffmpeg.kill("SIGKILL"), 3000);
      await exited;
      clearTimeout(kill);
    },
  };
}
