import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { LabHost } from "../src/lab/index.js";
import { bootEdges, type LabEdges } from "../test/lab/support/edge.js";
import { DelayProxy } from "./delay-proxy.js";
import { ENGINES, type Engine, OWN, type Task } from "./engines.js";
import { benchHundred } from "./hundred.js";
import { type Contender, measure, median, table } from "./measure.js";
import { type MeasuredRow, measuredTable, type OneRun, runMeasured, secondsOf } from "./measured.js";
import type { BenchOptions, BenchScope } from "./scope.js";

const root = resolve(import.meta.dirname, "..");
const program = join(root, "dist/cli/main.js");
const DEFAULT_RUNS = 7;
/** Milliseconds. */
const ROUND_TRIP_TIMES = [0, 50];
const FLEETS = [1, 10];
const PARTS = ["start", "noop", "full", "hundred"] as const;

type Part = (typeof PARTS)[number];

/**
 * `npm run bench [-- apply] [--part start|noop|full|hundred] [--runs N] [--hosts N] [--rtt MS]`: the same playbook by edge-setup, by
 * Ansible in three ways, and by hand; all ratios of one run on one machine (docs/performance.md).
 */
export async function benchApply(scope: BenchScope, options: BenchOptions): Promise<void> {
  const runs = options.runs === undefined ? DEFAULT_RUNS : Number(options.runs);
  const wrong = options.part?.find((part) => !PARTS.some((one) => one === part));
  if (wrong !== undefined) throw new Error(`there is no part "${wrong}", only ${PARTS.join(", ")}`);
  const parts = options.part === undefined ? PARTS : PARTS.filter((part) => options.part?.includes(part));
  const fleets = options.hosts === undefined ? FLEETS : [Number(options.hosts)];
  const times = options.rtt === undefined ? ROUND_TRIP_TIMES : [Number(options.rtt)];
  const is = (part: Part) => parts.includes(part);
  if (is("start")) await benchStart(runs);
  if (is("hundred")) await benchHundred(runs);
  if (!is("noop") && !is("full")) return;
  const edges = await bootEdges(scope, Math.max(...fleets));
  const first = await edges.desk.run("apply", "--yes", "--no-verify", "--forks", "10");
  if (first.code !== 0) throw new Error(`apply ends with code ${first.code}:\n${first.stdout}${first.stderr}`);
  // Ansible's apt would look for another Python that has it, which mitogen cannot follow.
  await Promise.all(edges.hosts.map((host) => host.exec(PYTHON_APT)));
  for (const count of fleets) {
    for (const time of times) {
      const field = await Field.lay(edges, count, time);
      scope.teardown(() => field.clear());
      if (is("noop")) await benchNoop(scope, field, runs);
      if (is("full")) await benchFull(scope, field, runs);
    }
  }
}

const PYTHON_APT =
  "apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends python3-apt";

async function benchStart(runs: number): Promise<void> {
  const own = [process.execPath, program];
  const contenders: Contender[] = [
    { name: "node -e 0", argv: [process.execPath, "-e", "0"], runs },
    { name: "edge-setup --version", argv: [...own, "--version"], runs },
    { name: "edge-setup --help", argv: [...own, "--help"], runs },
  ];
  const measured = [];
  for (const contender of contenders) measured.push(await measure(contender));
  console.log(`${table(measured)}\n`);
  const [bare, ...ours] = measured.map((one) => median(one.seconds));
  for (const one of ours) bar("start / node -e 0", one / (bare ?? Number.NaN), "<= 1.5");
}

/** Hosts behind proxies of one round-trip time, and a folder whose inventory and ssh_config lead there. */
class Field {
  private constructor(
    readonly folder: string,
    readonly hosts: readonly LabHost[],
    readonly proxies: readonly DelayProxy[],
    readonly roundTripTime: number,
  ) {}

  static async lay(edges: LabEdges, count: number, roundTripTime: number): Promise<Field> {
    const hosts = edges.hosts.slice(0, count);
    const proxies = await Promise.all(hosts.map((host) => DelayProxy.start(host.address, host.sshPort, roundTripTime)));
    const folder = join(edges.desk.folder, `rtt${roundTripTime}-${count}`);
    await mkdir(join(folder, "cp"), { recursive: true });
    const field = new Field(folder, hosts, proxies, roundTripTime);
    await field.#write(edges);
    return field;
  }

  async #write({ desk, vars }: LabEdges): Promise<void> {
    const { folder, hosts, proxies } = this;
    const port = (index: number) => proxies[index]?.port ?? 0;
    const known = join(folder, "known_hosts");
    const keys = hosts.map(async (host, index) => {
      const line = (await readFile(host.knownHostsFile, "utf8"))
        .split("\n")
        .find((one) => one.startsWith(host.address));
      return `[127.0.0.1]:${port(index)} ${line?.split(" ").slice(1).join(" ")}\n`;
    });
    await writeFile(known, (await Promise.all(keys)).join(""));
    const sections = hosts.map(
      (host, index) =>
        `Host ${host.name}\n  HostName 127.0.0.1\n  Port ${port(index)}\n  User ${host.user}\n  IdentityFile ${host.identityFile}\n`,
    );
    const common = `Host *\n  UserKnownHostsFile ${known}\n  GlobalKnownHostsFile /dev/null\n  IdentitiesOnly yes\n  BatchMode yes\n`;
    await writeFile(join(folder, "ssh_config"), sections.join("") + common);
    const entries = hosts.map((host, index) => [
      host.name,
      {
        ansible_host: "127.0.0.1",
        ansible_port: port(index),
        ansible_user: host.user,
        ansible_ssh_private_key_file: host.identityFile,
      },
    ]);
    await writeFile(join(folder, "edges.yml"), JSON.stringify({ edges: { vars, hosts: Object.fromEntries(entries) } }));
    const secrets = await readFile(join(desk.folder, "group_vars/all/edge-secrets.yml"), "utf8");
    await mkdir(join(folder, "group_vars/all"), { recursive: true });
    await writeFile(join(folder, "group_vars/all/edge-secrets.yml"), secrets, { mode: 0o600 });
  }

  get title(): string {
    return `${this.hosts.length === 1 ? "1 host" : `${this.hosts.length} hosts`}, ${this.roundTripTime} ms`;
  }

  /** One run of an engine, with what its hosts and proxies saw. */
  async run(engine: Engine, task: Task): Promise<OneRun> {
    for (const proxy of this.proxies) proxy.take();
    const before = await this.#hostCpu();
    const measured = await runMeasured(engine.command(task));
    const hostCpu = (await this.#hostCpu()) - before;
    const passed = this.proxies.map((proxy) => proxy.take());
    const each = (field: "up" | "down" | "turns") =>
      passed.reduce((sum, one) => sum + one[field], 0) / this.hosts.length;
    return { ...measured, hostCpu, up: each("up"), down: each("down"), turns: each("turns") };
  }

  /** Processor seconds that all hosts have used since they booted. */
  async #hostCpu(): Promise<number> {
    const read = this.hosts.map(async (host) => (await host.exec("cat /sys/fs/cgroup/cpu.stat")).stdout);
    const used = (await Promise.all(read)).map((text) => Number(/^usage_usec (\d+)/m.exec(text)?.[1] ?? Number.NaN));
    return used.reduce((sum, one) => sum + one, 0) / 1e6;
  }

  async clear(): Promise<void> {
    for (const proxy of this.proxies) proxy.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** Measures each engine: once to warm up, then `runs` times; of Ansible's, which take minutes, once and at once. */
async function contest(
  scope: BenchScope,
  field: Field,
  task: Task,
  runs: number,
  before: () => Promise<unknown> = async () => {},
): Promise<MeasuredRow[]> {
  const rows: MeasuredRow[] = [];
  for (const engine of ENGINES) {
    scope.comment(`${field.title}: ${engine.name}`);
    const count = engine.slow ? 1 : runs;
    try {
      const measured: OneRun[] = [];
      for (let run = engine.slow ? 0 : -1; run < count; run++) {
        await before();
        const one = await field.run(engine, task);
        if (run >= 0) measured.push(one);
      }
      rows.push({ name: engine.name, runs: measured });
    } catch (error) {
      rows.push({ name: engine.name, runs: [], problem: error instanceof Error ? error.message : String(error) });
    }
  }
  return rows;
}

/** What by hand tells whether an edge is as it was. */
const LOOK = `cd / && {
  echo "sha256sum -c --quiet <<'END' || exit 1"
  find etc/edge/nginx opt/edge/www opt/edge/bin -type f -exec sha256sum {} +
  echo END
  echo 'stat -c "%a %U %G" /etc/edge /var/lib/edge /opt/edge >/dev/null'
  echo 'dpkg-query -W curl ffmpeg certbot python3 >/dev/null'
  echo 'systemctl is-active -q edge-rtmp edge-http run-edge-hls.mount'
}`;

async function benchNoop(scope: BenchScope, field: Field, runs: number): Promise<void> {
  for (const host of field.hosts) {
    await writeFile(join(field.folder, `${host.name}.sh`), `cd /\n${(await host.exec(LOOK)).stdout}`);
  }
  const rows = await contest(
    scope,
    field,
    {
      folder: field.folder,
      hosts: field.hosts.map((host) => host.name),
      playbook: join(root, "playbooks/edge.yml"),
      words: ["apply", "--yes", "--no-verify", "--forks", "10"],
      script: (host) => `${host}.sh`,
    },
    runs,
  );
  console.log(`${measuredTable(`edge.yml, nothing to do: ${field.title}`, rows, OWN)}\n`);
  const time = (name: string) => secondsOf(rows.find((row) => row.name === name));
  const own = time(OWN);
  const up = rows.find((row) => row.name === OWN)?.runs[0]?.up ?? Number.NaN;
  if (field.roundTripTime > 0) return bar(`no-op at ${field.roundTripTime} ms, seconds`, own, "<= 1.0 for one host");
  bar("no-op / ssh host true", own / time("ssh host true"), "<= 3 for one host");
  bar("ansible / no-op", time("ansible") / own, ">= 40");
  bar("mitogen / no-op", time("ansible + mitogen") / own, ">= 15");
  bar("KB up of a host", up / 1000, "<= 10");
}

async function benchFull(scope: BenchScope, field: Field, runs: number): Promise<void> {
  const general = join(import.meta.dirname, "general");
  const undo = await readFile(join(general, "undo.sh"), "utf8");
  const rows = await contest(
    scope,
    field,
    {
      folder: field.folder,
      hosts: field.hosts.map((host) => host.name),
      playbook: join(general, "site.yml"),
      words: ["play", join(general, "site.yml"), "--forks", "10"],
      script: () => join(general, "apply.sh"),
    },
    runs,
    () => Promise.all(field.hosts.map((host) => host.exec(undo))),
  );
  console.log(`${measuredTable(`general/site.yml, all to do: ${field.title}`, rows, OWN)}\n`);
}

function bar(name: string, value: number, wanted: string): void {
  console.log(`${name}: ${value.toFixed(2)} (bar ${wanted})\n`);
}
