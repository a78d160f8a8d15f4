import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { bootHost, type LabHost } from "../src/lab/index.js";
import type { RunEvent } from "../src/report/events.js";
import { type Desk, makeDesk, readEvents } from "../test/lab/support/cli.js";
import { edgeLayer } from "../test/lab/support/edge.js";
import { inventoryOf } from "../test/lab/support/lab.js";
import type { BenchOptions, BenchScope } from "./scope.js";

const TWINS = 10;
const COMPILE = "NGINX with RTMP, NJS and VTS";
const VARS = { nginx_sources: "debian" };

/**
 * `npm run bench -- twins`: bare hosts of one build become edges by one apply, with no build anywhere; beside it the same for one
 * host, for what each would cost that compiles for itself.
 */
export async function benchTwins(scope: BenchScope, options: BenchOptions): Promise<void> {
  const twins = options.runs === undefined ? TWINS : Number(options.runs);
  const alone = await applied(scope, 1);
  const together = await applied(scope, twins);
  const row = (name: string, one: Applied) =>
    `| ${name} | ${one.compiles} | ${one.seconds.toFixed(0)} s | ${one.compileSeconds.toFixed(0)} s | ${mb(one.up)} up, ${mb(one.down)} down |`;
  console.log("| hosts | compiles | wall time | of it the compile | bytes |\n|---|---|---|---|---|");
  console.log(row("1", alone));
  console.log(row(String(twins), together));
  const each = (alone.compileSeconds * twins).toFixed(0);
  console.log(
    `${twins} compiles, one a host: ${each} s of a compile like the first (computed), ${together.compileSeconds.toFixed(0)} s here`,
  );
}

interface Applied {
  readonly compiles: number;
  readonly seconds: number;
  readonly compileSeconds: number;
  readonly up: number;
  readonly down: number;
}

async function applied(scope: BenchScope, count: number): Promise<Applied> {
  const layer = await edgeLayer();
  const hosts: LabHost[] = [];
  for (let number = 1; number <= count; number++) {
    hosts.push(await bootHost({ name: `twin${number}`, layer, onProgress: scope.comment }));
  }
  const folder = await mkdtemp(join(tmpdir(), "edge-twins-"));
  try {
    const desk = await deskOf(folder, hosts);
    const began = performance.now();
    const run = await desk.run("apply", "--no-input", "--yes", "--no-verify", "--forks", String(count), "--json");
    const seconds = (performance.now() - began) / 1000;
    if (run.code !== 0) throw new Error(`apply ends with code ${run.code}:\n${run.stdout.slice(-3000)}${run.stderr}`);
    return { seconds, ...figures(readEvents(run.stdout)) };
  } finally {
    await Promise.all(hosts.map((host) => host.stop()));
    await rm(folder, { recursive: true, force: true });
  }
}

/** A desk for all hosts, with sources in its cache and no builds. */
async function deskOf(folder: string, hosts: readonly LabHost[]): Promise<Desk> {
  const [first] = hosts;
  if (first === undefined) throw new Error("there are no hosts");
  const keys = await Promise.all(hosts.map((host) => readFile(host.knownHostsFile, "utf8")));
  const knownHostsFile = join(folder, "known_hosts");
  await writeFile(knownHostsFile, keys.join(""));
  await writeFile(join(folder, "edges.yml"), inventoryOf(hosts, VARS));
  const own = process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache");
  await cp(join(own, "edge-setup/sources"), join(folder, "cache/edge-setup/sources"), { recursive: true });
  // The desk's alone: file systems of hosts stay where they are.
  const before = process.env.XDG_CACHE_HOME;
  process.env.XDG_CACHE_HOME = join(folder, "cache");
  const desk = makeDesk(folder, { ...first, knownHostsFile });
  if (before === undefined) delete process.env.XDG_CACHE_HOME;
  else process.env.XDG_CACHE_HOME = before;
  return desk;
}

function figures(events: readonly RunEvent[]): Omit<Applied, "seconds"> {
  const compiled = events.flatMap((event) =>
    event.type === "task.result" && event.task.name === COMPILE && event.status === "changed" ? [event.durationMs] : [],
  );
  const traffic = events.flatMap((event) => (event.type === "run.end" ? Object.values(event.traffic ?? {}) : []));
  const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
  return {
    compiles: compiled.length,
    compileSeconds: Math.max(0, ...compiled) / 1000,
    up: sum(traffic.map((one) => one.bytesUp)),
    down: sum(traffic.map((one) => one.bytesDown)),
  };
}

const mb = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
