import { accessSettings } from "./access.js";
import { buildSettings } from "./build.js";
import { dvrSettings } from "./dvr.js";
import { flvSettings } from "./flv.js";
import { hlsSettings } from "./hls.js";
import { httpSettings } from "./http.js";
import { httpsSettings } from "./https.js";
import { limitSettings } from "./limits.js";
import { mediaSettings } from "./media.js";
import { metricsSettings } from "./metrics.js";
import { playerSettings } from "./player.js";
import { rtmpSettings } from "./rtmp.js";
import { rtmpsSettings } from "./rtmps.js";
import { transcodingSettings } from "./transcoding.js";
import type { Setting, SettingSection } from "./types.js";
import { workerSettings } from "./workers.js";

/** The settings table, in the order of the documentation. */
const table = [
  ...rtmpSettings,
  ...rtmpsSettings,
  ...accessSettings,
  ...limitSettings,
  ...hlsSettings,
  ...dvrSettings,
  ...mediaSettings,
  ...transcodingSettings,
  ...httpSettings,
  ...flvSettings,
  ...metricsSettings,
  ...playerSettings,
  ...httpsSettings,
  ...workerSettings,
  ...buildSettings,
] as const;

/** One row with its literal types, for types derived from the table. */
export type SettingRow = (typeof table)[number];
export type SettingName = SettingRow["name"];

export const settings: readonly Setting[] = table;

export const settingsByName: ReadonlyMap<string, Setting> = new Map(settings.map((s) => [s.name, s]));

/** restreamer-edge's variable names, of both its generations, to their rows. */
export const settingsByPredecessor: ReadonlyMap<string, Setting> = new Map(
  settings.flatMap((s) => predecessorNames(s).map((name) => [name, s] as const)),
);

/** What restreamer-edge called a setting: first in its v0.1.0-rc.2, then from v0.1.0 on. */
export function predecessorNames({ predecessor }: Setting): readonly string[] {
  const names = [predecessor?.name, predecessor?.later].filter((name) => name !== undefined);
  return [...new Set(names)];
}

export const settingSections: Readonly<Record<SettingSection, { title: string; settings: readonly Setting[] }>> = {
  rtmp: { title: "RTMP ingest", settings: [...rtmpSettings, ...rtmpsSettings] },
  access: { title: "Who may publish and watch", settings: accessSettings },
  limits: { title: "Limits and bans", settings: limitSettings },
  hls: { title: "HLS", settings: [...hlsSettings, ...dvrSettings] },
  media: { title: "Pictures and recordings, streams to and from elsewhere", settings: mediaSettings },
  transcoding: { title: "Live transcoding", settings: transcodingSettings },
  http: { title: "HTTP delivery", settings: [...httpSettings, ...flvSettings] },
  metrics: { title: "Metrics", settings: metricsSettings },
  player: { title: "Player", settings: playerSettings },
  https: { title: "HTTPS", settings: httpsSettings },
  workers: { title: "Workers", settings: workerSettings },
  build: { title: "Build", settings: buildSettings },
};
