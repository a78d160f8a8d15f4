import type { Secret } from "../util/secret.js";
import {
  type EdgeEndpoint,
  ffmpegCommand,
  hlsUrl,
  pageRows,
  publishUrl,
  rtmpAppUrl,
  rtmpsAppUrl,
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
  const overTls = rtmpsAppUrl(card.edge);
  const rows: [string, string][] = [
    ["Publish", publishUrl(card.edge, card.stream, token)],
    ["OBS", "Settings > Stream > Service: Custom; Settings > Output > Keyframe Interval: 2 s"],
    ["  Server", rtmpAppUrl(card.edge)],
    ...(overTls === undefined ? [] : [["  or, with TLS", overTls] satisfies [string, string]]),
    ["  Stream Key", streamKey(card.stream, token)],
    ...pageRows(card.edge, card.stream),
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

/**
 * What to do with a new edge.
 * @param words of the command line that name the host, such as `-l church`; undefined where it is gone with this run
 * @param player whether the edge has a player page
 */
export function nextSteps(words: string | undefined, player = true): string[] {
  return [
    "Start OBS with the values above, or paste the command of `Try it`.",
    player ? "Open the player: the stream is there a few seconds later." : "Play the HLS address.",
    ...(words === undefined
      ? []
      : [`\`edge-setup watch ${words}\` shows stream and host; \`edge-setup verify ${words}\` proves it again.`]),
  ];
}
