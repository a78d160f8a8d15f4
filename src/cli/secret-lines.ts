import { publishUrl, rtmpAppUrl, statusUrl } from "../edge/urls.js";
import type { GeneratedName, Origin } from "../inventory/settings/resolve.js";
import { formatPosition } from "../util/errors.js";
import type { Secret } from "../util/secret.js";
import type { Fleet, FleetHost } from "./fleet.js";
import { endpointOf } from "./proof.js";

/** A secret of a host in the clear: for those who ask for it. */
export interface SecretRow {
  readonly host: string;
  readonly name: string;
  /** Of a key of a stream. */
  readonly stream?: string;
  readonly value: string;
  readonly origin: string;
  /** Where it is used, and so has to be changed when it is another one. */
  readonly use: string;
}

/** The secrets of a host that open it. Keys of other services are theirs, and are not told. */
export function secretRows(fleet: Fleet, one: FleetHost): SecretRow[] {
  const { host, settings, access } = one;
  const { values, origins } = settings;
  const edge = endpointOf(one, values.public_name ?? access.address.host);
  const row = (name: GeneratedName, secret: Secret | undefined, use: string): SecretRow[] =>
    secret === undefined
      ? []
      : [{ host: host.name, name, value: secret.reveal(), origin: originText(fleet, origins[name]), use }];
  const token = values.rtmp_publish_token?.reveal() ?? "";
  const keys = Object.entries(values.rtmp_stream_keys).map(([stream, key]): SecretRow => {
    const generated = Object.hasOwn((host.vars.rtmp_stream_keys as object | undefined) ?? {}, stream) === false;
    return {
      host: host.name,
      name: "rtmp_stream_keys",
      stream,
      value: key.reveal(),
      origin: originText(fleet, generated ? "generated" : origins.rtmp_stream_keys),
      use: `its encoder: ${publishUrl(edge, stream, key.reveal())}`,
    };
  });
  return [
    ...row(
      "rtmp_publish_token",
      values.rtmp_publish_token,
      `encoders: server ${rtmpAppUrl(edge)}, stream key mystream?token=${token}`,
    ),
    ...keys,
    ...row(
      "http_status_password",
      values.http_status_password,
      `${values.http_status_username} at ${statusUrl(edge).href}: bookmarks, Prometheus`,
    ),
    ...row("hls_signing_key", values.hls_signing_key, "signed addresses: `edge-setup streams sign` makes them"),
  ];
}

function originText({ secrets }: Fleet, origin: Origin): string {
  if (origin === "default" || origin === "generated") return `generated, in ${secrets.file}`;
  return formatPosition(origin);
}

/** As a block of text, below the host's name. */
export function secretLines(host: string, rows: readonly SecretRow[], column: "origin" | "use"): string {
  const names = rows.map(({ name, stream }) => (stream === undefined ? name : `key of ${stream}`));
  const width = Math.max(0, ...names.map((name) => name.length));
  const values = Math.max(0, ...rows.map(({ value }) => value.length));
  const lines = rows.map(
    (row, index) => `  ${(names[index] ?? "").padEnd(width)}  ${row.value.padEnd(values)}  ${row[column]}\n`,
  );
  return `${host}\n${lines.join("")}`;
}
