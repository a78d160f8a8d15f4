import type { CheckRef } from "../report/events.js";
import type { Secret } from "../util/secret.js";
import type { EdgeCertificate } from "./certificate.js";
import type { CheckList } from "./check-list.js";
import type { Clock } from "./clock.js";
import type { NoRoute, OpenTcp, Route } from "./dial.js";
import type { FlvClip } from "./flv.js";
import type { HlsReader } from "./hls-check.js";
import type { DeliveryPromise } from "./hls-rules.js";
import type { HttpGet } from "./http-get.js";
import type { PublishOptions } from "./rtmp-publisher.js";
import { APP, type EdgeEndpoint, hlsUrl, rtmpAppUrl } from "./urls.js";
import type { HlsPromise } from "./verify-hls.js";
import type { MediaPromise } from "./verify-media.js";

/** An edge to be proven, as its viewers see it, with what it promises. */
export interface EdgeTarget extends EdgeEndpoint, DeliveryPromise {
  /** Inventory name, for reports. */
  readonly name: string;
  readonly token: Secret;
  readonly statusUser: string;
  readonly statusPassword: Secret;
  /** http_metrics; undefined where they are off. `open`: http_metrics_allow names some who need no login. */
  readonly metrics: { readonly open: boolean } | undefined;
  /** http_flv: streams are there as HTTP-FLV too. */
  readonly httpFlv: boolean;
  /** Everybody may ask what is live (setting player_stream_list). */
  readonly streamList?: boolean;
  /** hls_fragment in milliseconds: what waiting times are derived from. */
  readonly fragmentMs: number;
  readonly media?: MediaPromise;
  /** https: what the edge notes of its certificate, undefined where it could not be read. `redirects`: https_redirect. */
  readonly tls?: {
    readonly certificate: EdgeCertificate | undefined;
    readonly redirects: boolean;
    /** https_hsts in milliseconds. */
    readonly hstsMs: number;
  };
  readonly hls?: HlsPromise;
  /** rtmp_play: streams may be watched over RTMP. */
  readonly rtmpPlay: boolean;
  /** Streams with a key of their own. */
  readonly keyedStreams: readonly string[];
  /** What only some addresses may do, which need not have ours among them: then the host itself does it. */
  readonly limited: { readonly rtmp: boolean; readonly web: boolean };
}

/** What all checks share. */
export interface VerifyContext {
  readonly target: EdgeTarget;
  readonly checks: CheckList;
  readonly rtmp: Route;
  /** Opens ports as the host itself sees them. */
  readonly openTcp?: OpenTcp | undefined;
  readonly httpGet: HttpGet;
  /** To another port of the edge than those of `rtmp` and `httpGet`. */
  readonly routeTo: (port: number) => Promise<Route | NoRoute>;
  readonly clip: FlvClip;
  /** The stream that is published for the proof; nobody else's. */
  readonly stream: string;
  readonly clock: Clock;
  readonly signal: AbortSignal | undefined;
}

/** All checks in the order they are made: stable ids, and titles that reporters print. */
export const checkRefs = {
  rtmpPort: { id: "rtmp-port", title: "RTMP port is reachable" },
  httpPort: { id: "http-port", title: "web port is reachable" },
  wrongToken: { id: "publish-wrong-token", title: "publishing with a wrong token is refused and leaves no file" },
  absent: { id: "playlist-absent", title: "no playlist before publishing" },
  publish: { id: "publish", title: "publishing with the token is accepted" },
  firstSegment: { id: "first-segment", title: "first segment appears" },
  second: { id: "second-publisher", title: "a second publisher of a live stream is refused" },
  play: { id: "rtmp-play", title: "playing over RTMP is refused, or works with rtmp_play" },
  player: { id: "player", title: "player page answers" },
  status: { id: "status", title: "status page asks for a login" },
  statusJson: { id: "status-json", title: "status as JSON asks for a login and has the stream" },
  metrics: { id: "metrics", title: "metrics ask for a login, are valid and have the stream" },
  playlist: { id: "playlist", title: "playlist is valid" },
  playlistHeaders: { id: "playlist-headers", title: "playlist headers are as promised" },
  segments: { id: "segments", title: "segments hold H.264 and AAC" },
  segmentHeaders: { id: "segment-headers", title: "segment headers are as promised" },
  advance: { id: "playlist-advances", title: "playlist moves on" },
  unpublish: { id: "unpublish", title: "stream ends when its publisher leaves" },
} as const satisfies Record<string, CheckRef>;

export function readerOf(context: VerifyContext, stream = context.stream): HlsReader {
  const { httpGet, clock, signal, target } = context;
  return { httpGet, clock, signal, url: hlsUrl(target, stream) };
}

/** Options of one publishing attempt over a new connection. */
export async function publishOptions(
  context: VerifyContext,
  streamName: string,
  token: Secret | undefined,
): Promise<PublishOptions> {
  const { clip, clock, signal, target, rtmp } = context;
  return { socket: await rtmp.open(), tcUrl: rtmpAppUrl(target), app: APP, streamName, token, clip, clock, signal };
}
