import { networkInterfaces } from "node:os";
import { CERTIFICATE_RECORD, type EdgeCertificate, readCertificate } from "../edge/certificate.js";
import { qrLines } from "../edge/qr.js";
import { nextSteps, resultCardLines } from "../edge/result-card.js";
import { type EdgeEndpoint, playerUrl } from "../edge/urls.js";
import { type VerifyResult, verifyEdge } from "../edge/verify.js";
import type { EdgeTarget } from "../edge/verify-context.js";
import { maskedTexts } from "../inventory/masked-texts.js";
import type { EmitEvent } from "../report/events.js";
import { maskedEvents } from "../report/masked-events.js";
import type { Transport } from "../transport/transport.js";
import { boundedAnswer } from "../util/bounded-answer.js";
import type { Secret } from "../util/secret.js";
import type { FleetHost } from "./fleet.js";

/** What every example of a stream is called, as in the predecessor's documentation. */
const EXAMPLE_STREAM = "mystream";

const BLACK_ON_WHITE = "\u001b[38;5;16;48;5;231m";
const PLAIN = "\u001b[0m";

/** Both are there once ensureSecrets has run. */
function known(secret: Secret | undefined, name: string): Secret {
  if (secret === undefined) throw new Error(`${name} was neither given nor generated`);
  return secret;
}

/** How long the addresses that are shown or proven are good, in seconds: a day. */
const SHOWN_SECONDS = 86_400;

/** The part of an edge's description that settings alone decide. */
export function endpointOf({ settings: { values } }: FleetHost, host: string): EdgeEndpoint {
  const { hls_signed: signed, hls_signing_key: key } = values;
  const expires = Math.floor(Date.now() / 1000) + SHOWN_SECONDS;
  return {
    host,
    rtmpPort: values.rtmp_server_port,
    ...(values.rtmps ? { rtmpsPort: values.rtmps_server_port } : {}),
    httpPort: values.http_server_port,
    https: values.https,
    httpsPort: values.https_server_port,
    webHost: values.https ? webHost(values, host) : undefined,
    nested: values.hls_nested,
    player: values.player,
    ...(signed ? { signing: { key: known(key, "hls_signing_key"), expires } } : {}),
  };
}

/** Of the names that the certificate is for, the one that viewers know; the host itself where there is none. */
function webHost({ https_cert_domain: names, public_name: shown }: FleetHost["settings"]["values"], host: string) {
  return [shown, host].find((one) => one !== undefined && names.includes(one.toLowerCase())) ?? names[0];
}

/**
 * An edge as its viewers reach it.
 * @param transport a connection to it, which knows the name that ssh_config gave to an alias
 * @param certificate what it notes of the one that it shows
 */
export function edgeTarget(
  fleetHost: FleetHost,
  transport: Transport,
  certificate?: EdgeCertificate | undefined,
): EdgeTarget {
  const { host, settings } = fleetHost;
  const { values } = settings;
  return {
    ...endpointOf(fleetHost, transport.remoteHost ?? ownAddress()),
    name: host.name,
    corsOrigin: values.http_access_control_allow_origin,
    immutableSegments: values.hls_fragment_naming === "system",
    token: known(values.rtmp_publish_token, "rtmp_publish_token"),
    statusUser: values.http_status_username,
    statusPassword: known(values.http_status_password, "http_status_password"),
    metrics: values.http_metrics ? { open: values.http_metrics_allow.length > 0 } : undefined,
    httpFlv: values.http_flv,
    fragmentMs: values.hls_fragment,
    hls: {
      encrypted: values.hls_keys,
      eventMs: values.hls_type === "event" ? values.hls_playlist_length : undefined,
      dvrFragmentMs: values.hls_dvr > 0 ? values.hls_dvr_fragment : undefined,
    },
    media: {
      pictureWidth: values.snapshot_interval > 0 ? values.snapshot_width : undefined,
      ladder: values.transcoding ? values.transcoding_profiles : undefined,
      recorded: values.record,
      pushes: values.push.length > 0,
      pulled: values.pull.map(({ name }) => name),
    },
    rtmpPlay: values.rtmp_play,
    keyedStreams: Object.keys(values.rtmp_stream_keys),
    limited: {
      rtmp: values.rtmp_publish_allow.length > 0 || values.rtmp_play_allow.length > 0,
      web: values.http_allow.length > 0 || values.http_status_allow.length > 0,
    },
    streamList: values.player_stream_list,
    ...(values.https ? { tls: { certificate, redirects: values.https_redirect, hstsMs: values.https_hsts } } : {}),
  };
}

/** The address that others on the network reach this machine by, for `connection: local`. */
function ownAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((entries) => entries ?? []);
  return addresses.find((entry) => !entry.internal && entry.family === "IPv4")?.address ?? "127.0.0.1";
}

/** Publishes a test stream to one edge and plays it back. */
export async function prove(
  fleetHost: FleetHost,
  transport: Transport,
  emit: EmitEvent,
  signal: AbortSignal,
): Promise<VerifyResult> {
  const certificate = fleetHost.settings.values.https ? await certificateOf(transport, signal) : undefined;
  return verifyEdge({
    target: edgeTarget(fleetHost, transport, certificate),
    // Servers like to repeat what they complain about.
    emit: maskedEvents(emit, maskedTexts(fleetHost.host, fleetHost.settings)),
    signal,
    openTcp: (host, port) => transport.openTcp(host, port),
  });
}

const RECORD_BYTES = 65_536;
const RECORD_MS = 30_000;

/** What an edge notes of the certificate that it shows; undefined where it notes nothing, or what cannot be read. */
async function certificateOf(transport: Transport, signal: AbortSignal): Promise<EdgeCertificate | undefined> {
  const answer = await boundedAnswer(transport, `head -c ${RECORD_BYTES} ${CERTIFICATE_RECORD}`, {
    stdin: new Uint8Array(),
    most: RECORD_BYTES,
    timeoutMs: RECORD_MS,
    signal,
  });
  return readCertificate(answer.toString("utf8"));
}

export interface CardOptions {
  /** Shows token and password: once, when they were made. */
  readonly reveal: boolean;
  /** Columns; a QR code that is wider is left out. */
  readonly columns: number;
  /** Half blocks and colours can be drawn. */
  readonly drawings: boolean;
  /** public_name: what viewers and publishers know the edge by. */
  readonly publicName: string | undefined;
  /** Words of a command line that name this host: see nextSteps. */
  readonly words: string | undefined;
}

/** What the operator needs now: where to publish, where to watch, where to look. */
export async function resultCard(
  target: EdgeTarget,
  firstSegmentMs: number | undefined,
  { reveal, columns, drawings, publicName, words }: CardOptions,
): Promise<string> {
  const edge = publicName === undefined ? target : { ...target, host: publicName };
  const lines = resultCardLines({
    edge,
    stream: EXAMPLE_STREAM,
    token: target.token,
    statusUser: target.statusUser,
    statusPassword: target.statusPassword,
    firstSegmentMs,
    reveal,
  });
  const code = drawings && edge.player !== false ? await qrLines(playerUrl(edge, EXAMPLE_STREAM).href) : [];
  const fits = (code[0]?.length ?? 0) + 2 <= columns;
  const parts = [
    ...lines,
    ...(fits && code.length > 0
      ? ["Player on a phone", ...code.map((line) => `${BLACK_ON_WHITE}${line}${PLAIN}`)]
      : []),
    ...nextSteps(words, edge.player).map((text, index) => `${index + 1}. ${text}`),
  ];
  return `\n${target.name}\n${parts.map((line) => `  ${line}\n`).join("")}`;
}
