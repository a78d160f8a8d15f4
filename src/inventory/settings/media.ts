import type { Setting } from "./types.js";

const MIB = 1024 * 1024;

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
  {
    name: "record",
    type: { kind: "bool" },
    default: false,
    directive: "edge-record@STREAM.service, location /recordings/",
    doc: "Streams are recorded as published, in MP4 files that play whenever recording ends. List and download: /recordings/, with the login of /status.",
    status: { kind: "new" },
  },
  {
    name: "record_streams",
    type: { kind: "streams" },
    default: [],
    directive: "media.json",
    doc: "Streams that are recorded. Empty: all. Needs record.",
    status: { kind: "new" },
  },
  {
    name: "record_segment",
    type: { kind: "duration", minMs: 10_000, maxMs: 86_400_000 },
    default: "1h",
    directive: "segment_time of FFmpeg",
    doc: "Length of one file of a recording; it is cut at the first key frame after this time. Needs record.",
    status: { kind: "new" },
    helper: true,
  },
  {
    name: "record_max_age",
    type: { kind: "duration", minMs: 60_000, maxMs: 10 * 365 * 86_400_000 },
    default: "720h",
    directive: "janitor.json",
    doc: "Recordings that were finished longer ago are removed. Needs record.",
    status: { kind: "new" },
    helper: true,
  },
  {
    name: "record_max_size",
    type: { kind: "size", min: MIB, max: 1024 * 1024 * MIB },
    default: "50g",
    directive: "janitor.json",
    doc: "Room that all recordings may take: beyond it the oldest are removed. Needs record.",
    status: { kind: "new" },
    helper: true,
  },
  {
    name: "record_min_free",
    type: { kind: "size", min: MIB, max: 1024 * 1024 * MIB },
    default: "2g",
    directive: "media.json, janitor.json",
    doc: "Free space that recording leaves on its disk: below a quarter more the oldest recordings are removed, below this recording stops; the streams go on. Needs record.",
    status: { kind: "new" },
    helper: true,
  },
] as const satisfies readonly Setting[];
