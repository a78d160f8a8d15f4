import { createHash } from "node:crypto";
import type { Secret } from "../util/secret.js";
import { quoteAll } from "../util/shell.js";

/** Where an edge is reached by its viewers and publishers. */
export interface EdgeEndpoint {
  /** Name or address, IPv6 without brackets. */
  readonly host: string;
  readonly rtmpPort: number;
  /** Where publishers may come over TLS; undefined: nowhere (setting rtmps). */
  readonly rtmpsPort?: number | undefined;
  readonly httpPort: number;
  readonly https: boolean;
  readonly httpsPort: number;
  /** What the certificate is for, where that is not `host`: pages are shown, and asked for, under this name. */
  readonly webHost?: string | undefined;
  /** hls_nested: each stream has a directory. */
  readonly nested?: boolean;
  /** False: no page plays (setting player). */
  readonly player?: boolean;
  /** hls_signed: what addresses are signed with, and until when they are good, in seconds since 1970. */
  readonly signing?: { readonly key: Secret; readonly expires: number } | undefined;
}

/** The one RTMP application that takes publishers, and the folder of playlists: restreamer-edge's name for both. */
export const APP = "hls";

const DEFAULT_PORT = { rtmp: 1935, rtmps: 443, http: 80, https: 443 } as const;

/** `rtmp://host/hls`: tcUrl of the protocol, "Server" in OBS. */
export function rtmpAppUrl(edge: EdgeEndpoint): string {
  return `rtmp://${authority(edge.host, edge.rtmpPort, DEFAULT_PORT.rtmp)}/${APP}`;
}

/** The same over TLS, where the edge takes it. */
export function rtmpsAppUrl({ host, rtmpsPort }: EdgeEndpoint): string | undefined {
  return rtmpsPort === undefined ? undefined : `rtmps://${authority(host, rtmpsPort, DEFAULT_PORT.rtmps)}/${APP}`;
}

/**
 * `stream?token=...`: "Stream key" in OBS.
 * @param token the text to show: the token itself or its mask
 */
export function streamKey(stream: string, token: string): string {
  const shown = /^\*+$/.test(token) ? token : encodeURIComponent(token);
  return `${stream}?token=${shown}`;
}

/** What ffmpeg and most encoders take. */
export function publishUrl(edge: EdgeEndpoint, stream: string, token: string): string {
  return `${rtmpAppUrl(edge)}/${streamKey(stream, token)}`;
}

export function playerUrl(edge: EdgeEndpoint, stream: string): URL {
  return pageUrl(edge, "/index.html", stream);
}

/** The player for frames of other pages. */
export function embedUrl(edge: EdgeEndpoint, stream: string): URL {
  return pageUrl(edge, "/embed", stream);
}

function pageUrl(edge: EdgeEndpoint, path: string, stream: string): URL {
  const url = webUrl(edge, path);
  url.searchParams.set("stream", stream);
  if (edge.signing !== undefined) {
    url.searchParams.set("expires", String(edge.signing.expires));
    url.searchParams.set("signature", signatureOf(stream, edge.signing));
  }
  return url;
}

/** The playlist; signed where the edge wants it. */
export function hlsUrl(edge: EdgeEndpoint, stream: string): URL {
  const { signing } = edge;
  const prefix = signing === undefined ? "" : `/s/${signatureOf(stream, signing)}/${signing.expires}`;
  // A nested playlist's plain address leads to it, a signed one does not.
  const file = edge.nested === true && signing !== undefined ? "/index.m3u8" : ".m3u8";
  return webUrl(edge, `${prefix}/${APP}/${encodeURIComponent(stream)}${file}`);
}

/** The picture of a stream; signed as its playlist is. */
export function imageUrl(edge: EdgeEndpoint, stream: string): URL {
  const { signing } = edge;
  const prefix = signing === undefined ? "" : `/s/${signatureOf(stream, signing)}/${signing.expires}`;
  return webUrl(edge, `${prefix}/images/${encodeURIComponent(stream)}.jpg`);
}

/** The playlist of the window on the disk (hls_dvr). */
export function dvrUrl(edge: EdgeEndpoint, stream: string): URL {
  const url = hlsUrl({ ...edge, nested: false }, stream);
  url.pathname = url.pathname.replace(`/${APP}/`, "/dvr/");
  return url;
}

/** The stream as HTTP-FLV, where the edge has it. */
export function flvUrl(edge: EdgeEndpoint, stream: string): URL {
  return webUrl(edge, `/live/${encodeURIComponent(stream)}.flv`);
}

/** As nginx computes it: https://nginx.org/en/docs/http/ngx_http_secure_link_module.html#secure_link_md5 */
function signatureOf(stream: string, { key, expires }: NonNullable<EdgeEndpoint["signing"]>): string {
  return createHash("md5").update(`${expires} ${stream} ${key.reveal()}`).digest("base64url");
}

export function statusUrl(edge: EdgeEndpoint): URL {
  return webUrl(edge, "/status");
}

/** Any page of the edge, by https where the edge has it. */
export function webUrl(edge: EdgeEndpoint, path: string): URL {
  const [scheme, port] = edge.https ? (["https", edge.httpsPort] as const) : (["http", edge.httpPort] as const);
  const host = edge.https ? (edge.webHost ?? edge.host) : edge.host;
  return new URL(path, `${scheme}://${authority(host, port, DEFAULT_PORT[scheme])}`);
}

/** Where a stream is watched, by label; nothing where the edge has no page for it. */
export function pageRows(edge: EdgeEndpoint, stream: string): [label: string, text: string][] {
  if (edge.player === false) return [];
  return [
    ["Player", playerUrl(edge, stream).href],
    ["Embed", embedSnippet(edge, stream)],
  ];
}

/** HTML for other sites: the player in a frame, which the edge allows. */
export function embedSnippet(edge: EdgeEndpoint, stream: string): string {
  const address = embedUrl(edge, stream).href.replaceAll("&", "&amp;").replaceAll('"', "&quot;");
  return `<iframe src="${address}" width="960" height="540" style="border:0" allow="autoplay" allowfullscreen></iframe>`;
}

/** A command to paste that publishes a test pattern, with a key frame every 2 s as OBS should be set. */
export function ffmpegCommand(edge: EdgeEndpoint, stream: string, token: string): string {
  const video = ["-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=30"];
  const audio = ["-f", "lavfi", "-i", "sine=frequency=440"];
  const codecs = ["-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-g", "60", "-c:a", "aac"];
  return quoteAll(["ffmpeg", "-re", ...video, ...audio, ...codecs, "-f", "flv", publishUrl(edge, stream, token)]);
}

/**
 * Where an address in an answer of the edge leads.
 * @throws Error for one that is none
 */
export function addressIn(reference: string, base: URL): URL {
  if (!URL.canParse(reference, base.href))
    throw new Error(`${base.pathname} has ${JSON.stringify(reference)} as an address`);
  return new URL(reference, base);
}

function authority(host: string, port: number, standard: number): string {
  const name = host.includes(":") ? `[${host}]` : host;
  return port === standard ? name : `${name}:${port}`;
}
