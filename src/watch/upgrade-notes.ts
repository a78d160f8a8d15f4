import { formatDuration } from "../report/format.js";
import type { RawSample } from "./raw-sample.js";

/** For how many seconds it is told that an upgrade ended streams. */
const TOLD_SECONDS = 600;

/** What an upgrade has left to do on a host, and what it ended of late, in words. */
export function upgradeNotes({ onOldBuild, pending, ended, now }: RawSample): string[] {
  const seconds = ended === undefined ? Number.POSITIVE_INFINITY : Math.max(0, now - ended.at);
  return [
    ...pending.map(({ unit, why }) => `${unit} restarts once nobody publishes: ${why}`),
    ...(onOldBuild.length === 0
      ? []
      : [`with the build from before the upgrade until they end: ${onOldBuild.join(", ")}`]),
    ...(ended === undefined || seconds > TOLD_SECONDS
      ? []
      : [`ended ${formatDuration(seconds * 1000)} ago for an upgrade: ${ended.names.join(", ")}`]),
  ];
}
