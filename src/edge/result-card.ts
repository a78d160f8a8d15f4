import type { Secret } from "../util/secret.js";
import {
  type EdgeEndpoint,
  ffmpegCommand,
  hlsUrl,
  playerUrl,
  publishUrl,
  rtmpAppUrl,
  statusUrl,
  streamKey,
} from "./urls.js";

export interface ResultCard {
  readonly edge: EdgeEndpoint;
  readonly stream: string;
  readonly token: Secret;
  readonly statusUser: string;
  readonly statusPassword: Secret;
  /** From a verification, when there was one. */
  readonly firstSegmentMs?: number | undefined;
  /** Shows token and password. Only for the operator's own terminal, never for a log. */
  readonly reveal: boolean;
}

/** What the operator needs now, as lines of text: where to publish, where to watch, where to look. */
export function resultCardLines(card: ResultCard): string[] {
  const show = (secret: Secret) => (card.reveal ? secret.reveal() : String(secret));
  const token = show(card.token);
  const rows: [string, string][] = [
    ["Publish", publishUrl(card.edge, card.stream, token)],
    ["OBS server", rtmpAppUrl(card.edge)],
    ["OBS key", `${streamKey(card.stream, token)}  (keyframe interval 2 s)`],
    ["Player", playerUrl(card.edge, card.stream).href],
    ["HLS", hlsUrl(card.edge, card.stream).href],
    ["Status", `${statusUrl(card.edge).href}  (${card.statusUser} / ${show(card.statusPassword)})`],
    ["Try it", ffmpegCommand(card.edge, card.stream, token)],
  ];
  if (card.firstSegmentMs !== undefined) {
    rows.push(["Proven", `a test stream was on screen ${(card.firstSegmentMs / 1000).toFixed(1)} s after publishing`]);
  }
  const width = Math.max(...rows.map(([label]) => label.length));
  return rows.map(([label, text]) => `${label.padEnd(width)}  ${text}`);
}
