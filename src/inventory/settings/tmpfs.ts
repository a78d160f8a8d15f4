import type { SettingValues } from "./parse.js";
import { builtInProfiles } from "./transcoding.js";

const MIB = 1024 * 1024;
/** Segments live up to four windows: nginx removes at twice the window and looks every other window. */
const WINDOWS_KEPT = 4;

/** Sound, container, and peaks of a rung beside its video, kbit/s. */
const BESIDE_VIDEO = 200;

/** What the need for memory follows from. */
export type MemorySettings = Pick<
  SettingValues,
  | "hls_bitrate"
  | "hls_playlist_length"
  | "hls_streams"
  | "transcoding"
  | "transcoding_streams"
  | "transcoding_profiles"
  | "transcoding_custom_profiles"
>;

/**
 * Bytes of memory that the segments of all streams need, in whole MiB. `edge_hls_tmpfs_required_bytes` of
 * playbooks/vars/settings.yml calculates the same on both engines; a test holds them together.
 */
export function requiredTmpfsBytes(values: MemorySettings): number {
  const kbit = values.hls_bitrate * values.hls_streams + ladderKbit(values) * values.transcoding_streams;
  const bytes = Math.floor((kbit * 125 * WINDOWS_KEPT * values.hls_playlist_length) / 1000);
  return Math.ceil(bytes / MIB) * MIB;
}

/** All rungs of a ladder together, the copied one among them, in kbit/s. 0 without transcoding. */
export function ladderKbit(values: MemorySettings): number {
  if (!values.transcoding) return 0;
  const known = { ...builtInProfiles, ...values.transcoding_custom_profiles };
  const rungs = values.transcoding_profiles.map((name) => known[name]).filter((profile) => profile !== undefined);
  return rungs.reduce((sum, { video_bitrate }) => sum + video_bitrate + BESIDE_VIDEO, values.hls_bitrate);
}
