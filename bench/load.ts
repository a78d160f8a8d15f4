import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { LabHost } from "../src/lab/index.js";
import { runInside, type Server } from "./servers.js";

/** The load comes from one core, the server has the other. */
const LOAD_CORE = 0;
const SERVER_CORE = 1;
/** Connections of wrk: enough to keep one worker busy. */
const CONNECTIONS = 16;
/** Of the kernel's clock ticks, in which /proc/PID/stat counts. */
const TICKS_PER_SECOND = 100;

/** What one server did in one round of wrk. */
export interface Full {
  readonly requests: number;
  readonly bytes: number;
  /** Processor time of the server's worker, in seconds. */
  readonly cpu: number;
}

/** Asks for one file as fast as the server gives it, for `seconds`. */
export async function fullLoad(
  host: LabHost,
  server: Server,
  path: string,
  seconds: number,
  headers: readonly string[],
) {
  const words = headers.map((header) => `-H '${header}'`).join(" ");
  const wrk = `taskset -c ${LOAD_CORE} wrk -t1 -c${CONNECTIONS} -d${seconds}s ${words} http://127.0.0.1:${server.port}${path}`;
  const { output, cpu } = await measureWorker(host, server, wrk);
  if (output.includes("Non-2xx") || output.includes("Socket errors")) throw new Error(`${server.name}: ${output}`);
  const [, requests, size, unit] = /(\d+) requests in [^,]+, ([0-9.]+)([KMGT]?)B read/.exec(output) ?? [];
  if (requests === undefined) throw new Error(`wrk says nothing that is known: ${output}`);
  const full: Full = { requests: Number(requests), bytes: Number(size) * 1024 ** " KMGT".indexOf(unit || " "), cpu };
  return full;
}

/** Latencies in milliseconds. */
export interface Times {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** What the viewers of viewers.c saw. */
export interface Paced {
  readonly playlist: Times;
  readonly segment: Times;
  readonly bytes: number;
  readonly errors: number;
  readonly reconnects: number;
  readonly missed: number;
  /** Share of its core that the load itself took: near 1, its figures are its own and not the server's. */
  readonly busy: number;
  readonly cpu: number;
}

export async function compileViewers(host: LabHost): Promise<void> {
  const source = await readFile(join(import.meta.dirname, "viewers.c"), "utf8");
  await host.exec("cat >/root/viewers.c", { input: source });
  await runInside(host, "cc -O2 -o /root/viewers /root/viewers.c");
}

/** Viewers who ask for the playlist every 2 s and fetch each new segment. */
export async function pacedLoad(host: LabHost, server: Server, path: string, viewers: number, seconds: number) {
  const program = `taskset -c ${LOAD_CORE} /root/viewers 127.0.0.1 ${server.port} ${path} ${viewers} ${seconds}`;
  const { output, cpu } = await measureWorker(host, server, program);
  const paced: Paced = { ...JSON.parse(output.trim().split("\n").at(-1) ?? ""), cpu };
  return paced;
}

/** Runs a command and gives what it wrote, and the processor time of the server meanwhile. */
async function measureWorker(host: LabHost, server: Server, command: string): Promise<{ output: string; cpu: number }> {
  const script = `
ulimit -n 8192
pid=$(${server.pid})
taskset -pc ${SERVER_CORE} $pid >/dev/null
ticks() { awk '{ print $14 + $15 }' /proc/$pid/stat; }
before=$(ticks)
${command} 2>&1
echo "ticks $(($(ticks) - before))"
`;
  const output = await runInside(host, script);
  return {
    output: output.replace(/ticks \d+\n$/, ""),
    cpu: Number(/ticks (\d+)/.exec(output)?.[1]) / TICKS_PER_SECOND,
  };
}
