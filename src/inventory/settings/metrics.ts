import type { Setting } from "./types.js";

/** What monitoring may read. */
export const metricsSettings = [
  {
    name: "http_metrics",
    type: { kind: "bool" },
    default: true,
    directive: "location = /metrics",
    doc: "Whether the edge has `/metrics` for Prometheus, behind the login of /status (docs/monitoring.md).",
    status: { kind: "new" },
  },
  {
    name: "http_metrics_allow",
    type: { kind: "networks" },
    default: [],
    directive: "satisfy any, allow (/metrics, /status/streams.json, /status/format)",
    doc: "Addresses and networks that read metrics without a login: those of a Prometheus. Needs http_metrics.",
    status: { kind: "new" },
  },
] as const satisfies readonly Setting[];
