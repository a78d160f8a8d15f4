import type { Clash } from "./combinations.js";
import { formatDuration } from "./docs-page.js";
import type { SettingValues } from "./parse.js";

/** Streams are looked at once a second, and their newest segment changes no faster than this. */
const LEAST_SNAPSHOT_INTERVAL_MS = 2000;

/** Loopback ports by which the targets of push are reached, in their order (derived.yml, edge_push_port). */
const FIRST_HOP = 19400;

/** Of pictures and recordings, and of streams to and from elsewhere. */
export function mediaClashes(values: SettingValues): Clash[] {
  return [...snapshotClashes(values), ...pushClashes(values), ...pullClashes(values)];
}

function pushClashes({ push, rtmp_server_port: rtmp, http_server_port: http }: SettingValues): Clash[] {
  const ports = [
    ["rtmp_server_port", rtmp],
    ["http_server_port", http],
  ] as const;
  return ports
    .filter(([, port]) => port >= FIRST_HOP && port < FIRST_HOP + push.length)
    .map(([name, port]) => ({
      names: [name, "push"],
      message: `${name} ${port} is a port that push uses on the loopback address`,
      hint: `choose a port outside of ${FIRST_HOP} to ${FIRST_HOP + 63}`,
    }));
}

function pullClashes({ pull, rtmp_stream_keys: keys }: SettingValues): Clash[] {
  return pull
    .filter(({ name }) => keys[name] !== undefined)
    .map(({ name }) => ({
      names: ["pull", "rtmp_stream_keys"],
      message: `${name} is fetched by pull, and has a key in rtmp_stream_keys for another publisher`,
      hint: "remove one of them",
    }));
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
