import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { LabHost } from "../src/lab/index.js";
import { findChromium, openPage, type Page } from "../test/lab/support/chromium.js";
import { bootBare, bootEdge, type LabEdge } from "../test/lab/support/edge.js";
import { changeSettings, playlistOf, readSecrets, until } from "../test/lab/support/streams.js";
import { startCamera } from "./camera.js";
import { median } from "./measure.js";
import type { BenchOptions, BenchScope } from "./scope.js";
import { age, FRAME, PAGE_PROBE } from "./time-code.js";

const STREAM = "clock";
const DEFAULT_FRAGMENTS = "1s,2s,4s";
/** Players need a while to settle at their distance. */
const SETTLE_SECONDS = 20;
const WATCH_SECONDS = 60;
/** Segments behind the end of the playlist, tried with hls.js alone beside the edge's own page. */
const SYNC_COUNTS = [1.5, 2, 3];

interface Player {
  readonly name: string;
  readonly page: Page;
}

interface Seen {
  readonly ages: { readonly ms: number; readonly at: number }[];
  readonly events: { readonly type: string; readonly at: number }[];
}

/**
 * `npm run bench -- latency [--fragments 1s,2s,4s] [--build upstream]`: from a picture's making to its showing in headless Chromium, on
 * the edge's own player page and with hls.js alone at several distances from the live edge, by a time code in the picture. `--build
 * upstream` has HTTP-FLV as well, as ffmpeg reads it, and needs the sources of that.
 */
export async function benchLatency(scope: BenchScope, options: BenchOptions): Promise<void> {
  const chromium = findChromium();
  if (chromium === undefined) throw new Error("the latency is measured in Chromium, which is not here");
  const withFlv = options.build === "upstream";
  const { host, desk } = await (withFlv ? bootWithFlv(scope, options) : bootEdge(scope));
  await putSyncPage(host);
  const { token } = await readSecrets(desk);
  console.log(
    `| hls_fragment | player | latency median s | p95 s | stalls in ${WATCH_SECONDS} s | starts after s |\n|---|---|---|---|---|---|`,
  );
  for (const fragment of (options.fragments ?? DEFAULT_FRAGMENTS).split(",")) {
    await changeSettings(desk, { hls_fragment: fragment });
    await applyTo(desk, options);
    const camera = startCamera(`rtmp://${host.address}/hls/${STREAM}?token=${token}`);
    try {
      await until(
        "a playlist",
        async () => ((await playlistOf(host, STREAM))?.playlist.segments.length ?? 0) >= 3,
        40_000,
      );
      const flv = withFlv ? [watchFlv(host)] : [];
      const rows = [...(await watchPlayers(scope, host, chromium)), ...(await Promise.all(flv))];
      for (const row of rows) console.log(`| ${fragment} | ${row} |`);
    } finally {
      await camera.stop();
    }
    // So that the next players find nothing of this stream.
    await host.exec(`rm -f /run/edge/hls/${STREAM}*`);
  }
}

async function bootWithFlv(scope: BenchScope, options: BenchOptions): Promise<LabEdge> {
  const flv = { nginx_sources: "upstream", rtmp_module: "http-flv", http_flv: true };
  const edge = await bootBare(scope, flv);
  scope.comment("compiling");
  await applyTo(edge.desk, options);
  return edge;
}

async function applyTo(desk: LabEdge["desk"], options: BenchOptions): Promise<void> {
  const sources = options["source-dir"] === undefined ? [] : ["--source-dir", options["source-dir"]];
  const extra = (options["extra-vars"] ?? []).flatMap((pair) => ["-e", pair]);
  const apply = await desk.run("apply", "--no-input", "--yes", "--no-verify", ...sources, ...extra);
  if (apply.code !== 0) throw new Error(`apply ends with code ${apply.code}:\n${apply.stdout}${apply.stderr}`);
}

/** Reads HTTP-FLV with ffmpeg, which shows each frame as it comes. */
async function watchFlv(host: LabHost): Promise<string> {
  const address = `http://${host.address}/live/${STREAM}.flv`;
  const quick = ["-v", "error", "-fflags", "nobuffer", "-flags", "low_delay", "-threads", "1"];
  const raw = ["-an", "-f", "rawvideo", "-pix_fmt", "gray", "-"];
  const ffmpeg = spawn("ffmpeg", [...quick, "-i", address, ...raw], { stdio: ["ignore", "pipe", "inherit"] });
  const began = Date.now();
  let started: number | undefined;
  const seconds: number[] = [];
  const size = FRAME.width * FRAME.height;
  let rest = Buffer.alloc(0);
  ffmpeg.stdout.on("data", (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    for (; rest.length >= size; rest = rest.subarray(size)) {
      const now = Date.now();
      started ??= now;
      const ms = age(rest, now);
      if (ms !== undefined && now - started > SETTLE_SECONDS * 1000) seconds.push(ms / 1000);
    }
  });
  await sleep((SETTLE_SECONDS + WATCH_SECONDS) * 1000);
  ffmpeg.kill("SIGKILL");
  const p95 = percentile95(seconds).toFixed(2);
  const starts = ((started ?? Number.NaN) - began) / 1000;
  return `HTTP-FLV, ffmpeg | ${median(seconds).toFixed(2)} | ${p95} | | ${starts.toFixed(1)}`;
}

function percentile95(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length * 0.95)] ?? Number.NaN;
}

async function watchPlayers(scope: BenchScope, host: LabHost, chromium: string): Promise<string[]> {
  const addresses: [string, string][] = [
    ["the edge's page", `http://${host.address}/index.html?stream=${STREAM}`],
    ...SYNC_COUNTS.map((count): [string, string] => [
      `hls.js, liveSyncDurationCount ${count}`,
      `http://${host.address}/bench/sync.html?stream=${STREAM}&count=${count}`,
    ]),
  ];
  const players: Player[] = [];
  const began = Date.now();
  try {
    for (const [name, url] of addresses) {
      const page = await openPage(chromium, url);
      players.push({ name, page });
      await until("the page", async () => (await page.evaluate("document.querySelector('video') !== null")) === true);
      await page.evaluate(PAGE_PROBE);
    }
    scope.comment(`watching for ${SETTLE_SECONDS + WATCH_SECONDS} s`);
    await sleep((SETTLE_SECONDS + WATCH_SECONDS) * 1000);
    return await Promise.all(players.map((player) => rowOf(player, began)));
  } finally {
    for (const { page } of players) await page.close();
  }
}

async function rowOf({ name, page }: Player, began: number): Promise<string> {
  const seen = JSON.parse(String(await page.evaluate("JSON.stringify({ ages, events })"))) as Seen;
  const started = seen.events.find(({ type }) => type === "playing")?.at;
  if (started === undefined) return `${name} | never played | | | `;
  const settled = started + SETTLE_SECONDS * 1000;
  const seconds = seen.ages.filter(({ at }) => at >= settled).map(({ ms }) => ms / 1000);
  const stalls = seen.events.filter(({ type, at }) => type === "waiting" && at >= settled).length;
  return `${name} | ${median(seconds).toFixed(2)} | ${percentile95(seconds).toFixed(2)} | ${stalls} | ${((started - began) / 1000).toFixed(1)}`;
}

/** A page of hls.js and nothing else, whose distance is in its address. */
async function putSyncPage(host: LabHost): Promise<void> {
  const library = resolve(import.meta.dirname, "../node_modules/hls.js/dist/hls.min.js");
  const files: [string, string][] = [
    ["hls.min.js", await readFile(library, "utf8")],
    ["sync.html", await readFile(join(import.meta.dirname, "page/sync.html"), "utf8")],
    ["sync.js", await readFile(join(import.meta.dirname, "page/sync.js"), "utf8")],
  ];
  for (const [name, text] of files)
    await host.exec(`mkdir -p /opt/edge/www/bench && cat >/opt/edge/www/bench/${name}`, { input: text });
}
