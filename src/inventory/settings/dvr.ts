import type { Setting } from "./types.js";

/** The long window on the disk, beside the short one in memory. */
export const dvrSettings = [
  {
    name: "hls_dvr",
    type: { kind: "duration", minMs: 0, maxMs: 86_400_000 },
    default: 0,
    directive: "hls_playlist_length of the application dvr, location /dvr/",
    doc: "Window on the disk that viewers can seek back in: /dvr/STREAM.m3u8, beside the short one of /hls/, which stays in memory. `0` keeps none.",
    status: { kind: "new" },
    helper: true,
  },
  {
    name: "hls_dvr_fragment",
    type: { kind: "duration", minMs: 2_000, maxMs: 30_000 },
    default: "6s",
    directive: "hls_fragment of the application dvr",
    doc: "Length of a segment of that window; longer ones keep its playlist short. Needs hls_dvr.",
    status: { kind: "new" },
    helper: true,
  },
  {
    name: "hls_dvr_size",
    type: { kind: "size", min: 64 * 1024 * 1024, max: 64 * 1024 ** 4, emptyIs: "calculated" },
    default: undefined,
    directive: "max_bytes of the janitor (edge-janitor)",
    doc: "Disk that the windows of all streams may take. Calculated unless given: hls_bitrate x hls_dvr x hls_streams and a quarter. With less, the oldest goes earlier: first of streams that are over, then of all. Needs hls_dvr.",
    status: { kind: "new" },
  },
] as const satisfies readonly Setting[];
