import { cpus } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type { LabHost } from "../src/lab/index.js";
import { bootBare, bootEdge, type LabEdge } from "../test/lab/support/edge.js";
import { changeSettings, readSecrets } from "../test/lab/support/streams.js";
import { compileViewers, type Full, fullLoad, type Paced, pacedLoad } from "./load.js";
import { median } from "./measure.js";
import type { BenchOptions, BenchScope } from "./scope.js";
import { EDGE_HTTP, installPeers, installSrs, runInside, type Server } from "./servers.js";

const DEFAULT_ROUNDS = 5;
const WRK_SECONDS = 1;
const DEFAULT_VIEWERS = 1000;
const PACED_SECONDS = 16;
const STREAM = "bench";
/** Fills a segment's bytes to the last, so that all are alike. */
const STREAM_BITS_PER_SECOND = 2_500_000;

/** One kind of request. */
interface Case {
  readonly name: string;
  readonly path: string;
  readonly headers: readonly string[];
}

const CASES: readonly Case[] = [
  { name: "500 KB segment", path: "/hls/still-1.ts", headers: [] },
  { name: "1.2 KB playlist", path: "/hls/still.m3u8", headers: [] },
  { name: "1.2 KB playlist, Accept-Encoding: gzip", path: "/hls/still.m3u8", headers: ["Accept-Encoding: gzip"] },
];

/**
 * `npm run bench -- delivery [--build upstream] [--peer-srs PATH] [--viewers N]`: the edge's HTTP unit against Debian's nginx, each with one worker
 * on a core of its own, over the loopback of one lab host. `--build upstream` has VTS, and needs its sources.
 */
export async function benchDelivery(scope: BenchScope, options: BenchOptions): Promise<void> {
  if (cpus().length < 2) throw new Error("one core is for the server and one for the load: this machine has one");
  const rounds = options.runs === undefined ? DEFAULT_ROUNDS : Number(options.runs);
  const { host, desk } = await bootOneWorker(scope, options);
  scope.comment("installing peers");
  const peers = await installPeers(host);
  if (options["peer-srs"] !== undefined) peers.push(await installSrs(host, options["peer-srs"]));
  await compileViewers(host);
  await writeStillFiles(host);
  console.log(await aboutHost(host));
  const servers: Server[] = [...peers.slice(0, 1), EDGE_HTTP, ...peers.slice(1)];
  await benchFull(scope, host, servers, rounds);
  const viewers = Number(options.viewers ?? DEFAULT_VIEWERS);
  if (viewers === 0) return;
  await startStream(host, servers, (await readSecrets(desk)).token);
  await benchPaced(scope, host, servers, viewers);
}

/** A provisioned edge whose HTTP unit has one worker. */
async function bootOneWorker(scope: BenchScope, options: BenchOptions): Promise<LabEdge> {
  const upstream = options.build === "upstream";
  const edge = await (upstream ? bootBare(scope, { nginx_sources: "upstream" }) : bootEdge(scope));
  await changeSettings(edge.desk, { worker_processes: 1 });
  const sources = options["source-dir"] === undefined ? [] : ["--source-dir", options["source-dir"]];
  const extra = (options["extra-vars"] ?? []).flatMap((pair) => ["-e", pair]);
  if (upstream) scope.comment("compiling");
  const apply = await edge.desk.run("apply", "--no-input", "--yes", "--no-verify", ...sources, ...extra);
  if (apply.code !== 0) throw new Error(`apply ends with code ${apply.code}:\n${apply.stdout}${apply.stderr}`);
  return edge;
}

async function benchFull(scope: BenchScope, host: LabHost, servers: readonly Server[], rounds: number): Promise<void> {
  const rows: string[] = [];
  for (const one of CASES) {
    const seen = new Map<Server, Full[]>(servers.map((server) => [server, []]));
    for (let round = 0; round < rounds; round++)
      for (const server of servers) {
        scope.comment(`${one.name}, round ${round + 1}: ${server.name}`);
        seen.get(server)?.push(await fullLoad(host, server, one.path, WRK_SECONDS, one.headers));
      }
    // Ratios within a round, so that what else the machine does meanwhile takes from all alike.
    const reference = seen.get(servers[0] as Server) ?? [];
    for (const [server, rounds] of seen) {
      const requests = median(rounds.map((full) => full.requests / full.cpu));
      const bytes = median(rounds.map((full) => full.bytes / full.cpu));
      const ratio = (value: (full: Full) => number) =>
        median(rounds.map((full, at) => value(full) / value(reference[at] as Full))).toFixed(2);
      rows.push(
        `| ${one.name} | ${server.name} | ${Math.round(requests)} | ${ratio((full) => full.requests / full.cpu)} | ${(bytes / 1e6).toFixed(0)} | ${ratio((full) => full.bytes / full.cpu)} |`,
      );
    }
  }
  console.log("| wrk | server | requests per CPU second | x | MB per CPU second | x |\n|---|---|---|---|---|---|");
  console.log(rows.join("\n"));
}

async function benchPaced(
  scope: BenchScope,
  host: LabHost,
  servers: readonly Server[],
  viewers: number,
): Promise<void> {
  console.log(
    `| ${viewers} viewers, ${PACED_SECONDS} s | playlist p50, p99 ms | segment p50, p99 ms | segments | CPU of the server | load | failed, missed |\n|---|---|---|---|---|---|---|`,
  );
  for (const server of servers) {
    scope.comment(`${viewers} viewers: ${server.name}`);
    const paced = await pacedLoad(host, server, `/hls/${STREAM}.m3u8`, viewers, PACED_SECONDS);
    console.log(pacedRow(server, paced));
  }
}

function pacedRow(server: Server, paced: Paced): string {
  const times = ({ p50, p99 }: Paced["playlist"]) => `${p50.toFixed(2)}, ${p99.toFixed(2)}`;
  const share = (part: number) => `${Math.round(part * 100)} %`;
  const cells = [server.name, times(paced.playlist), times(paced.segment), paced.segment.count];
  return `| ${[...cells, share(paced.cpu / PACED_SECONDS), share(paced.busy), `${paced.errors + paced.reconnects}, ${paced.missed}`].join(" | ")} |`;
}

/** Files that stay: they are of tomorrow, so that the edge's clean-up leaves them alone. SRS has copies. */
async function writeStillFiles(host: LabHost): Promise<void> {
  await runInside(
    host,
    `
cd /run/edge/hls
head -c 500000 /dev/urandom >still-1.ts
{ printf '#EXTM3U\\n#EXT-X-VERSION:3\\n#EXT-X-MEDIA-SEQUENCE:100\\n#EXT-X-TARGETDURATION:2\\n'
  for i in $(seq 10 39); do printf '#EXTINF:2.000,\\nstill-17640000%d123.ts\\n' $i; done; } >still.m3u8
chown edge:edge still*
chmod 640 still*
touch -d '+1 day' still*
[ ! -d /dev/shm/srs ] || cp still* /dev/shm/srs/hls/
`,
  );
}

async function startStream(host: LabHost, servers: readonly Server[], token: string): Promise<void> {
  const rate = STREAM_BITS_PER_SECOND;
  await runInside(
    host,
    `taskset -c 0 ffmpeg -v error -y -f lavfi -i testsrc2=size=1280x720:rate=30 -f lavfi -i sine -t 8 -c:v libx264 -preset ultrafast \
-b:v ${rate} -minrate ${rate} -maxrate ${rate} -bufsize ${rate} -x264-params nal-hrd=cbr -g 60 -keyint_min 60 -sc_threshold 0 -pix_fmt yuv420p -c:a aac -f flv /root/live.flv`,
  );
  const targets = [
    `rtmp://127.0.0.1/hls/${STREAM}?token=${token}`,
    ...servers.flatMap(({ publishTo }) => (publishTo === undefined ? [] : [publishTo])),
  ];
  for (const [at, target] of targets.entries())
    await runInside(
      host,
      `systemd-run -q --unit=bench-publisher-${at} taskset -c 0 ffmpeg -v error -re -stream_loop -1 -i /root/live.flv -c copy -f flv '${target}'`,
    );
  await runInside(
    host,
    `for pid in $(ps -o pid= --ppid $(cat /run/edge-rtmp/nginx.pid)); do taskset -pc 0 $pid >/dev/null; done`,
  );
  await sleep(15_000); // a whole window of segments
}

/** What the figures depend on, and whether TLS could be left to the kernel. */
async function aboutHost(host: LabHost): Promise<string> {
  const about = await runInside(
    host,
    `
. /etc/os-release
echo "$PRETTY_NAME, kernel $(uname -r), $(nproc) cores of $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1)"
/opt/edge/nginx/sbin/nginx -v 2>&1
/usr/sbin/nginx -v 2>&1
case " $(cat /proc/sys/net/ipv4/tcp_available_ulp 2>/dev/null) " in *" tls "*) echo "kTLS: kernel yes" ;; *) echo "kTLS: kernel no" ;; esac
openssl s_server -help 2>&1 | grep -q -- -sendfile && echo "kTLS: OpenSSL yes" || echo "kTLS: OpenSSL no"
`,
  );
  return about
    .trim()
    .split("\n")
    .map((line) => `- ${line}`)
    .join("\n");
}
