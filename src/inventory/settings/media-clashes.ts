import type { Clash } from "./combinations.js";
import { formatDuration } from "./docs-page.js";
import type { SettingValues } from "./parse.js";

/** Streams are looked at once a second, and their newest segment changes no faster than this. */
const LEAST_SNAPSHOT_INTERVAL_MS = 2000;

/** Of pictures and recordings, and of streams to and from elsewhere. */
export function mediaClashes(values: SettingValues): Clash[] {
  return [...snapshotClashes(values)];
}

function snapshotClashes({ snapshot_interval: interval, snapshot_width: width }: SettingValues): Clash[] {
  if (interval === 0 && width !== 640)
    return [
      {
        names: ["snapshot_width", "snapshot_interval"],
        message: "snapshot_width has no effect without pictures (snapshot_interval is 0)",
        hint: "remove one of them",
      },
    ];
  if (interval === 0 || interval >= LEAST_SNAPSHOT_INTERVAL_MS) return [];
  return [
    {
      names: ["snapshot_interval"],
      message: `snapshot_interval ${formatDuration(interval)} is shorter than any segment: the picture would be the same`,
      hint: `write at least ${formatDuration(LEAST_SNAPSHOT_INTERVAL_MS)}, or 0 for none`,
    },
  ];
}
