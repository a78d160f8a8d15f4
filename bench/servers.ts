import { readFile } from "node:fs/promises";
import type { LabHost } from "../src/lab/index.js";

/** A web server in the lab host that serves the very files of the edge. */
export interface Server {
  readonly name: string;
  readonly port: number;
  /** Shell command that prints the process id of its one worker. */
  readonly pid: string;
  /** Where the live stream is, for a server that makes its own copy of it. */
  readonly publishTo?: string;
}

export const EDGE_HTTP: Server = { name: "edge", port: 80, pid: workerOf("/run/edge-http/nginx.pid") };

const STOCK: Server = { name: "Debian's nginx", port: 8081, pid: workerOf("/run/nginx.pid") };
const STOCK_QUIET: Server = { name: "the same, no access log", port: 8082, pid: workerOf("/run/nginx-quiet.pid") };
const LIGHTTPD: Server = { name: "Debian's lighttpd", port: 8083, pid: "cat /run/lighttpd.pid" };
const SRS: Server = {
  name: "SRS",
  port: 8084,
  pid: "cat /root/srs/srs.pid",
  publishTo: "rtmp://127.0.0.1:19350/hls/bench",
};

function workerOf(pidFile: string): string {
  return `ps -o pid=,args= --ppid $(cat ${pidFile}) | awk '/worker process$/ { print $1; exit }'`;
}

/** Runs a script as root. @throws Error with its output when it fails */
export async function runInside(host: LabHost, script: string): Promise<string> {
  const { code, stdout, stderr } = await host.exec("sh -eu", { input: script });
  if (code !== 0) throw new Error(`code ${code} of:\n${script}\n${stdout}${stderr}`);
  return stdout;
}

/**
 * Debian's nginx as its package configures it, but for one worker, a root, and connections for all viewers (its 768 are too few for a
 * thousand); once more without the access log that Debian has on, and lighttpd.
 */
export async function installPeers(host: LabHost): Promise<Server[]> {
  await runInside(
    host,
    `
export DEBIAN_FRONTEND=noninteractive
ulimit -n 8192
# The units would want port 80, which is the edge's.
ln -sf /dev/null /etc/systemd/system/nginx.service
ln -sf /dev/null /etc/systemd/system/lighttpd.service
apt-get update -q
apt-get install -qy --no-install-recommends nginx wrk lighttpd procps >/dev/null
usermod -aG edge www-data
sed -i 's/^worker_processes auto/worker_processes 1/; s/^worker_cpu_affinity/#&/; s/worker_connections 768/worker_connections 4096/' /etc/nginx/nginx.conf
rm /etc/nginx/sites-enabled/default
cat >/etc/nginx/conf.d/bench.conf <<X
server { listen ${STOCK.port} default_server backlog=4096; root /run/edge; }
X
nginx
sed 's|/run/nginx.pid|/run/nginx-quiet.pid|; s|access_log .*|access_log off;|; s|/etc/nginx/conf.d/|/root/quiet/|' /etc/nginx/nginx.conf >/etc/nginx/quiet.conf
mkdir -p /root/quiet
sed 's/${STOCK.port}/${STOCK_QUIET.port}/' /etc/nginx/conf.d/bench.conf >/root/quiet/bench.conf
nginx -c /etc/nginx/quiet.conf
sed -i 's|^server.port .*|server.port = ${LIGHTTPD.port}|; s|^server.document-root .*|server.document-root = "/run/edge"|' /etc/lighttpd/lighttpd.conf
lighttpd -f /etc/lighttpd/lighttpd.conf
`,
  );
  return [STOCK, STOCK_QUIET, LIGHTTPD];
}

/** SRS from a program that was built elsewhere: takes RTMP in, serves the HLS that it writes to a tmpfs. */
export async function installSrs(host: LabHost, program: string): Promise<Server> {
  await runInside(host, "mkdir -p /root/srs /dev/shm/srs/hls");
  await host.exec("base64 -d >/root/srs/srs", { input: await readFile(program, "base64") });
  await runInside(
    host,
    `
chmod 755 /root/srs/srs
cat >/root/srs/srs.conf <<X
listen 19350;
max_connections 4000;
daemon on;
pid /root/srs/srs.pid;
srs_log_tank file;
srs_log_level error;
srs_log_file /root/srs/srs.log;
http_server { enabled on; listen ${SRS.port}; dir /dev/shm/srs; }
vhost __defaultVhost__ {
    hls { enabled on; hls_path /dev/shm/srs; hls_fragment 2; hls_window 60; hls_ctx off; hls_ts_ctx off; }
}
X
cd /root/srs
./srs -c srs.conf >/root/srs/start.log 2>&1
`,
  );
  return SRS;
}
