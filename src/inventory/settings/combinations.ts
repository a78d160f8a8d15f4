import { formatDuration, formatSize } from "./docs-page.js";
import { flvClashes } from "./flv.js";
import { httpsClashes } from "./https-clashes.js";
import type { SettingName } from "./index.js";
import { mediaClashes } from "./media-clashes.js";
import { packagesClashes } from "./packages-clashes.js";
import type { SettingValues } from "./parse.js";
import { playerClashes } from "./player-combinations.js";
import { requiredTmpfsBytes } from "./tmpfs.js";
import { transcodingClashes } from "./transcoding-clashes.js";

/** A problem between settings, shown at the first of `names` that the inventory gives. */
export interface Clash {
  readonly names: readonly SettingName[];
  readonly message: string;
  readonly hint: string;
}

/** Ports of the edge's own loopback services, and the one we come in by. */
const RESERVED_PORTS: ReadonlyMap<number, string> = new Map([
  [22, "SSH"],
  [1982, "the edge's internal RTMP application"],
  [1980, "the edge's own authorisation service"],
  [1981, "the edge's own counters"],
  [1983, "the edge's way from RTMPS to RTMP"],
]);

const MIN_FRAGMENTS = 3;
const MIN_DVR_FRAGMENTS = 10;
const MAX_TMPFS = 1024 ** 4;

/** Values that are each right and cannot work together. */
export function findClashes(values: SettingValues): Clash[] {
  return [
    ...portClashes(values),
    ...windowClashes(values),
    ...namingClashes(values),
    ...memoryClashes(values),
    ...httpClashes(values),
    ...versionClashes(values),
    ...packagesClashes(values),
    ...idleClashes(values),
    ...accessClashes(values),
    ...dvrClashes(values),
    ...mediaClashes(values),
    ...transcodingClashes(values),
    ...flvClashes(values),
    ...playerClashes(values),
    ...httpsClashes(values),
  ];
}

function versionClashes({ nginx_sources, nginx_version, njs_version }: SettingValues): Clash[] {
  const given = { nginx_version, njs_version };
  if (nginx_sources === "upstream") return [];
  return (["nginx_version", "njs_version"] as const)
    .filter((name) => given[name] !== undefined)
    .map((name) => ({
      names: [name, "nginx_sources"],
      message: `${name} has no effect with nginx_sources ${nginx_sources}, whose versions are Debian's`,
      hint: `remove ${name}, or write nginx_sources: upstream`,
    }));
}

function portClashes(values: SettingValues): Clash[] {
  const ports: [SettingName, number][] = [
    ["http_server_port", values.http_server_port],
    ["rtmp_server_port", values.rtmp_server_port],
  ];
  if (values.rtmps) ports.push(["rtmps_server_port", values.rtmps_server_port]);
  if (values.https) ports.push(["https_server_port", values.https_server_port]);
  const clashes: Clash[] = [];
  for (const [index, [name, port]] of ports.entries()) {
    const owner = RESERVED_PORTS.get(port);
    if (owner !== undefined)
      clashes.push({
        names: [name],
        message: `${name} is ${port}, which is the port of ${owner}`,
        hint: "choose another port",
      });
    const other = ports.slice(0, index).find(([, taken]) => taken === port);
    if (other !== undefined)
      clashes.push({
        names: [name, other[0]],
        message: `${name} and ${other[0]} are both ${port}`,
        hint: "choose two ports",
      });
  }
  return clashes;
}

function windowClashes(values: SettingValues): Clash[] {
  const { hls_fragment: fragment, hls_playlist_length: window } = values;
  if (window >= MIN_FRAGMENTS * fragment) return [];
  return [
    {
      names: ["hls_playlist_length", "hls_fragment"],
      message: `hls_playlist_length ${formatDuration(window)} is less than ${MIN_FRAGMENTS} fragments of ${formatDuration(fragment)}: players would stall`,
      hint: `write at least ${formatDuration(MIN_FRAGMENTS * fragment)}`,
    },
  ];
}

function namingClashes(values: SettingValues): Clash[] {
  const { hls_fragment: fragment, hls_fragment_naming: naming, hls_fragment_naming_granularity: granularity } = values;
  // The name is a count, ms, or 1/90000 s, rounded down. Segments may come out a little shorter than asked for, so up to
  // half a fragment is sure to keep neighbours apart.
  const limit = Math.floor((naming === "system" ? fragment : naming === "timestamp" ? fragment * 90 : 1) / 2);
  if (granularity <= 1 || granularity <= limit) return [];
  return [
    {
      names: ["hls_fragment_naming_granularity", "hls_fragment_naming"],
      message: `hls_fragment_naming_granularity ${granularity} can give neighbouring segments the same ${naming} name`,
      hint: limit === 0 ? "sequential names are not rounded: remove it" : `write at most ${limit}`,
    },
  ];
}

function memoryClashes(values: SettingValues): Clash[] {
  const { hls_bitrate: bitrate, hls_playlist_length: window, hls_streams: streams, hls_tmpfs_size: size } = values;
  const required = requiredTmpfsBytes(values);
  const ladders = values.transcoding ? ` and ${values.transcoding_streams} x the rungs of transcoding_profiles` : "";
  const need = `${streams} streams of ${bitrate} kbit/s${ladders} with a window of ${formatDuration(window)} need ${formatSize(required)}`;
  const hint = "shorten hls_playlist_length, or lower hls_streams or hls_bitrate";
  if (required > MAX_TMPFS)
    return [{ names: ["hls_playlist_length", "hls_streams", "hls_bitrate"], message: `${need} of memory`, hint }];
  if (size === undefined || size >= required) return [];
  return [
    {
      names: ["hls_tmpfs_size"],
      message: `hls_tmpfs_size ${formatSize(size)} is too small: ${need}`,
      hint: `write at least ${formatSize(required)}, remove the line to have it calculated, or ${hint}`,
    },
  ];
}

function httpClashes(values: SettingValues): Clash[] {
  const clashes: Clash[] = [];
  if (
    values.rtmp_publish_token !== undefined &&
    values.rtmp_publish_token.reveal() === values.http_status_password?.reveal()
  )
    clashes.push({
      names: ["rtmp_publish_token", "http_status_password"],
      message:
        "rtmp_publish_token and http_status_password are the same: who may publish could read the statistics, and the reverse",
      hint: "remove one of them to have it generated",
    });
  return clashes;
}

/** Settings that have an effect only with another one. */
const NEEDS: readonly { readonly name: SettingName; readonly idle: unknown; readonly needs: SettingName }[] = [
  { name: "ban_window", idle: "600000", needs: "ban_attempts" },
  { name: "ban_time", idle: "600000", needs: "ban_attempts" },
  { name: "firewall_allow", idle: "[]", needs: "firewall" },
  { name: "rtmp_connections_per_address", idle: "200", needs: "firewall" },
  { name: "rtmps_server_port", idle: "1936", needs: "rtmps" },
  { name: "rtmp_play_allow", idle: "[]", needs: "rtmp_play" },
  { name: "rtmp_idle_streams", idle: "false", needs: "rtmp_play" },
  { name: "http_metrics_allow", idle: "[]", needs: "http_metrics" },
  { name: "hls_signing_key", idle: undefined, needs: "hls_signed" },
  { name: "hls_fragments_per_key", idle: "0", needs: "hls_keys" },
  {
    name: "transcoding_profiles",
    idle: JSON.stringify(["240p", "360p", "480p", "720p", "native"]),
    needs: "transcoding",
  },
  { name: "transcoding_custom_profiles", idle: "{}", needs: "transcoding" },
  { name: "transcoding_encoder", idle: '"auto"', needs: "transcoding" },
  { name: "transcoding_preset", idle: '"auto"', needs: "transcoding" },
  { name: "transcoding_streams", idle: "1", needs: "transcoding" },
  { name: "transcoding_cpu", idle: "75", needs: "transcoding" },
  { name: "hls_dvr_fragment", idle: "6000", needs: "hls_dvr" },
  { name: "hls_dvr_size", idle: undefined, needs: "hls_dvr" },
  { name: "record_streams", idle: "[]", needs: "record" },
];

function idleClashes(values: SettingValues): Clash[] {
  return NEEDS.filter(({ name, idle, needs }) => JSON.stringify(values[name]) !== idle && isOff(values[needs])).map(
    ({ name, needs }) => ({
      names: [name, needs],
      message: `${name} has no effect without ${needs}`,
      hint: values[needs] === 0 ? `give ${needs}, or remove ${name}` : `write ${needs}: true, or remove ${name}`,
    }),
  );
}

function isOff(value: SettingValues[SettingName]): boolean {
  return value === false || value === 0;
}

/** The window on the disk against the one in memory, as in playbooks/tasks/preflight-dvr.yml. */
function dvrClashes({
  hls_dvr: window,
  hls_dvr_fragment: fragment,
  hls_playlist_length: memory,
}: SettingValues): Clash[] {
  const least = Math.max(memory + 1, MIN_DVR_FRAGMENTS * fragment);
  if (window === 0 || window >= least) return [];
  const [short, than] =
    window <= memory
      ? ([
          "hls_playlist_length",
          `not more than hls_playlist_length ${formatDuration(memory)}, which is in memory already`,
        ] as const)
      : (["hls_dvr_fragment", `less than ${MIN_DVR_FRAGMENTS} fragments of ${formatDuration(fragment)}`] as const);
  return [
    {
      names: ["hls_dvr", short],
      message: `hls_dvr ${formatDuration(window)} is ${than}`,
      hint: "write a longer time, such as 30m or 5h, or 0 for no window on the disk",
    },
  ];
}

function accessClashes(values: SettingValues): Clash[] {
  const clashes: Clash[] = [];
  if (values.rtmp_play && values.hls_signed)
    clashes.push({
      names: ["rtmp_play", "hls_signed"],
      message: "rtmp_play lets everybody watch over RTMP what hls_signed keeps for those with a signed address",
      hint: "remove one of them",
    });
  const shared = Object.entries(values.rtmp_stream_keys).find(
    ([, key]) => key.reveal() === values.rtmp_publish_token?.reveal(),
  );
  if (shared !== undefined)
    clashes.push({
      names: ["rtmp_stream_keys", "rtmp_publish_token"],
      message: `the key of ${shared[0]} is rtmp_publish_token: who has it could publish every other stream too`,
      hint: "give it a key of its own (`edge-setup streams add` makes one)",
    });
  return clashes;
}
