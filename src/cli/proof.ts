import { networkInterfaces } from "node:os";
import { resultCardLines } from "../edge/result-card.js";
import { type VerifyResult, verifyEdge } from "../edge/verify.js";
import type { EdgeTarget } from "../edge/verify-context.js";
import type { EmitEvent } from "../report/events.js";
import type { Transport } from "../transport/transport.js";
import type { Secret } from "../util/secret.js";
import type { FleetHost } from "./fleet.js";

/** What every example of a stream is called, as in the predecessor's documentation. */
const EXAMPLE_STREAM = "mystream";

/** Both are there once ensureSecrets has run. */
function known(secret: Secret | undefined, name: string): Secret {
  if (secret === undefined) throw new Error(`${name} was neither given nor generated`);
  return secret;
}

/**
 * An edge as its viewers reach it.
 * @param transport a connection to it, which knows the name that ssh_config gave to an alias
 */
export function edgeTarget({ host, settings: { values } }: FleetHost, transport: Transport): EdgeTarget {
  return {
    name: host.name,
    host: transport.remoteHost ?? ownAddress(),
    rtmpPort: values.rtmp_server_port,
    httpPort: values.http_server_port,
    https: values.https,
    httpsPort: values.https_server_port,
    corsOrigin: values.http_access_control_allow_origin,
    immutableSegments: values.hls_fragment_naming === "system",
    token: known(values.rtmp_publish_token, "rtmp_publish_token"),
    statusUser: values.http_status_username,
    statusPassword: known(values.http_status_password, "http_status_password"),
    fragmentMs: values.hls_fragment,
  };
}

/** The address that others on the network reach this machine by, for `connection: local`. */
function ownAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((entries) => entries ?? []);
  return addresses.find((entry) => !entry.internal && entry.family === "IPv4")?.address ?? "127.0.0.1";
}

/** Publishes a test stream to one edge and plays it back. */
export function prove(
  fleetHost: FleetHost,
  transport: Transport,
  emit: EmitEvent,
  signal: AbortSignal,
): Promise<VerifyResult> {
  return verifyEdge({
    target: edgeTarget(fleetHost, transport),
    emit,
    signal,
    openTcp: (host, port) => transport.openTcp(host, port),
  });
}

/**
 * What the operator needs now: where to publish, where to watch, where to look.
 * @param reveal shows token and password: once, when they were made
 */
export function resultCard(target: EdgeTarget, firstSegmentMs: number | undefined, reveal: boolean): string {
  const lines = resultCardLines({
    edge: target,
    stream: EXAMPLE_STREAM,
    token: target.token,
    statusUser: target.statusUser,
    statusPassword: target.statusPassword,
    firstSegmentMs,
    reveal,
  });
  return `\n${target.name}\n${lines.map((line) => `  ${line}\n`).join("")}`;
}
