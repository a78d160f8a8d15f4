import type { Setting } from "./types.js";

export const workerSettings = [
  {
    name: "worker_processes",
    type: { kind: "count", min: 1, max: 64 },
    default: "auto",
    predecessor: { name: "WORKER_PROCESSES", later: "WORKER_PROCESSES", default: "1" },
    directive: "worker_processes (HTTP unit)",
    doc: "Worker processes of the web server; `auto` is one a core. The RTMP unit always runs one.",
    status: {
      kind: "corrected",
      why: "more than one worker broke playback, because RTMP keeps its streams per process; RTMP now has its own single-worker unit",
    },
  },
  {
    name: "worker_connections",
    type: { kind: "int", min: 64, max: 32768 },
    default: 4096,
    predecessor: { name: "WORKER_CONNECTIONS", later: "WORKER_CONNECTIONS", default: "1024" },
    directive: "worker_connections, worker_rlimit_nofile (twice as many)",
    doc: "Connections that one worker holds at once. A publisher costs two, a viewer one or two.",
    status: { kind: "taken" },
  },
] as const satisfies readonly Setting[];
