import type { Profile, Setting } from "./types.js";

/** Names that mean something else in an address of a stream. */
export const RESERVED_PROFILES: readonly string[] = ["native", "index", "live", "master"];

/** Profiles that need no definition, after restreamer-edge's. `native` is the stream as published and has none. */
export const builtInProfiles: Readonly<Record<string, Profile>> = {
  "240p": { height: 240, video_bitrate: 256 },
  "360p": { height: 360, video_bitrate: 512 },
  "480p": { height: 480, video_bitrate: 819 },
  "720p": { height: 720, video_bitrate: 2048 },
};

export const transcodingSettings = [
  {
    name: "transcoding",
    type: { kind: "bool" },
    default: false,
    predecessor: { name: "RTMP_SERVER_HLS_TRANSCODING", later: "RTMP_SRV_APP_HLS_TRANSCODING", default: "false" },
    directive: "edge-transcode@STREAM.service, allow play, locations of rungs",
    doc: "A ladder of smaller renditions for each live stream, and a master playlist at its address (docs/transcoding.md).",
    status: {
      kind: "corrected",
      why: "its internal application let anyone publish, and took 2.1 cores for one 720p stream",
    },
  },
  {
    name: "transcoding_profiles",
    type: { kind: "profile-names" },
    default: ["240p", "360p", "480p", "720p", "native"],
    predecessor: {
      name: "RTMP_SERVER_HLS_TRANSCODING_PROFILES",
      later: "RTMP_SRV_APP_HLS_TRANSCODING_PROFILES",
      default: "240p,360p,480p,720p,native",
    },
    directive: "transcode.json",
    doc: "Renditions of a ladder, in any order; `native` is the stream as published, copied. Those that are not smaller than the source are left out.",
    status: {
      kind: "corrected",
      why: "labels were wrong unless the list was ascending, and small sources were blown up",
    },
  },
  {
    name: "transcoding_custom_profiles",
    type: { kind: "profiles", minHeight: 64, maxHeight: 2160, minBitrate: 32, maxBitrate: 50_000 },
    default: {},
    directive: "transcode.json",
    doc: "Renditions of your own, to be named in transcoding_profiles: `height` is the short side of the picture in pixels, `video_bitrate` is in kbit/s. One with the name of a built-in profile replaces it.",
    status: { kind: "new" },
  },
  {
    name: "transcoding_encoder",
    type: { kind: "enum", values: ["auto", "nvenc", "qsv", "vaapi", "v4l2m2m", "libx264"] },
    default: "auto",
    directive: "transcode.json, encoder.json",
    doc: "`auto` takes the first that encodes the ladder on this very host.",
    status: { kind: "new" },
  },
  {
    name: "transcoding_preset",
    type: {
      kind: "enum",
      values: ["auto", "ultrafast", "superfast", "veryfast", "faster", "fast", "medium"],
    },
    default: "auto",
    directive: "transcode.json, encoder.json",
    doc: "How much work libx264 puts into a picture. `auto` measures: a better one than the fastest is taken when it costs at most 0.15 of a core.",
    status: { kind: "new" },
  },
  {
    name: "transcoding_streams",
    type: { kind: "int", min: 1, max: 64 },
    default: 1,
    directive: "transcode.json, size of run-edge-hls.mount, CPUQuota",
    doc: "Streams that have a ladder at once; CPU and memory are reserved for this many. Further ones are served as published.",
    status: { kind: "new" },
  },
  {
    name: "transcoding_cpu",
    type: { kind: "int", min: 10, max: 100 },
    default: 75,
    directive: "transcode.json, CPUQuota",
    doc: "Share of all cores that transcoding may take, in percent. A ladder that needs more is refused by apply.",
    status: { kind: "new" },
  },
] as const satisfies readonly Setting[];
