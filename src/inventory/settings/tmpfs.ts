const MIB = 1024 * 1024;
/** Segments live up to four windows: nginx removes at twice the window and looks every other window. */
const WINDOWS_KEPT = 4;

/**
 * Bytes of memory that the segments of all streams need, in whole MiB. `edge_hls_tmpfs_required_bytes` of
 * playbooks/vars/settings.yml calculates the same on both engines; a test holds them together.
 * @param bitrate kbit/s of one stream
 * @param playlistLength window in ms
 */
export function requiredTmpfsBytes(bitrate: number, playlistLength: number, streams: number): number {
  const bytesPerSecond = bitrate * 125;
  const bytes = Math.floor((bytesPerSecond * WINDOWS_KEPT * playlistLength * streams) / 1000);
  return Math.ceil(bytes / MIB) * MIB;
}
