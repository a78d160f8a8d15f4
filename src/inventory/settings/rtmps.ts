import type { Setting } from "./types.js";

/** RTMP over TLS. */
export const rtmpsSettings = [
  {
    name: "rtmps",
    type: { kind: "bool" },
    default: false,
    directive: "edge-rtmps.service (listen ssl)",
    doc: "Whether publishers may come over TLS, `rtmps://HOST:1936/hls`, with the edge's certificate. A renewal ends no stream. The RTMP port stays open beside it; a firewall can close it.",
    status: { kind: "new" },
  },
  {
    name: "rtmps_server_port",
    type: { kind: "port" },
    default: 1936,
    directive: "edge-rtmps.service (listen ssl)",
    doc: "TCP port of RTMPS, IPv4 and IPv6. It has no port of its own by standard; 1936 is what other servers of RTMP take. Encoders that are given none take 443. Needs rtmps.",
    status: { kind: "new" },
  },
] as const satisfies readonly Setting[];
