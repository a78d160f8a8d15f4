import type { Setting } from "./types.js";

/** What one address may do, and what it may not any more. */
export const limitSettings = [
  {
    name: "ban_attempts",
    type: { kind: "int", min: 0, max: 1000 },
    default: 10,
    directive: "njs, at on_publish and at failed logins",
    doc: "Different wrong keys, or passwords of /status, of one address within ban_window after which it is refused for ban_time. `0`: never. Not for the host itself, nor where rtmp_publish_allow or http_status_allow say who may come.",
    status: { kind: "new" },
  },
  {
    name: "ban_window",
    type: { kind: "duration", minMs: 1_000, maxMs: 86_400_000 },
    default: "10m",
    directive: "njs, at on_publish and at failed logins",
    doc: "Time within which wrong keys or passwords count together. Needs ban_attempts.",
    status: { kind: "new" },
    helper: true,
  },
  {
    name: "ban_time",
    type: { kind: "duration", minMs: 1_000, maxMs: 86_400_000 },
    default: "10m",
    directive: "njs, at on_publish and at failed logins",
    doc: "How long an address is refused, whatever it shows then; running streams go on. Needs ban_attempts.",
    status: { kind: "new" },
    helper: true,
  },
  {
    name: "http_connections_per_address",
    type: { kind: "int", min: 0, max: 100_000 },
    default: 500,
    directive: "limit_conn",
    doc: "Requests of one address that are answered at once; more get 429. A hundred viewers behind one address need about two hundred. `0`: any number.",
    status: { kind: "new" },
  },
  {
    name: "http_requests_per_address",
    type: { kind: "int", min: 0, max: 100_000 },
    default: 500,
    directive: "limit_req",
    doc: "Requests of one address in a second, and four times as many at once; more get 429. A hundred viewers behind one address ask about a hundred and fifty times a second. `0`: any number.",
    status: { kind: "new" },
  },
] as const satisfies readonly Setting[];
