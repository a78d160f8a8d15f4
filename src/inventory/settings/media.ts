import type { Setting } from "./types.js";

/** Pictures, recordings, and streams from and to elsewhere. */
export const mediaSettings = [
  {
    name: "snapshot_interval",
    type: { kind: "duration", minMs: 0, maxMs: 86_400_000 },
    default: "60s",
    predecessor: {
      name: "RTMP_SERVER_HLS_SNAPSHOT_INTERVAL",
      later: "RTMP_SRV_APP_HLS_SNAPSHOT_INTERVAL",
      default: "60",
    },
    directive: "edge-snapshots.service (/images/STREAM.jpg)",
    doc: "Time between two pictures of a live stream, the poster of the player; `0` takes none. A picture of a 720p stream costs 0.1 s of one core.",
    status: {
      kind: "corrected",
      why: "stream names went through a shell, pictures were written in place and stayed when the stream was over",
    },
    helper: true,
  },
  {
    name: "snapshot_width",
    type: { kind: "int", min: 64, max: 3840 },
    default: 640,
    directive: "edge-snapshots.service",
    doc: "Pixels that a picture is wide at most; a smaller stream keeps its size. Needs snapshot_interval.",
    status: { kind: "new" },
  },
] as const satisfies readonly Setting[];
