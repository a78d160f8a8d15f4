import type { Test } from "tap";
import t from "tap";
import { loadTestPattern } from "../../src/edge/verify.js";
import { parseFacts } from "../../src/engine/facts.js";
import { factsProgram } from "../../src/engine/facts-script.js";
import type { LabArchitecture } from "../../src/lab/index.js";
import type { RunEvent } from "../../src/report/events.js";
import { bootBare, EDGE, type LabEdge } from "../lab/support/edge.js";
import { labImpossible, runProgram, sshCommand } from "../lab/support/lab.js";
import { getFrom, goLive, playlistOf, readSecrets, until } from "../lab/support/streams.js";

const MINUTE = 60_000;

/** What an emulated host has to say of itself, and what its programs may be. */
export interface Expected {
  readonly architecture: LabArchitecture;
  readonly machine: string;
  readonly userland: string;
  readonly cpuLevel: string;
  /** What `readelf -Ah` says of NGINX. */
  readonly program: RegExp;
}

/**
 * Under qemu 7.2 systemd makes no namespaces of users, IPC and network (EINVAL, EIO). These three of the units' many limits
 * are therefore off on emulated hosts, for all services and by this file alone; the rest stays. GNU's time, where it is
 * there, has build.sh tell how much memory a compiler took.
 */
const PREPARE = `
mkdir -p /etc/systemd/system/service.d
printf '[Service]\\nPrivateUsers=no\\nPrivateIPC=no\\nPrivateNetwork=no\\n' >/etc/systemd/system/service.d/lab-emulation.conf
systemctl daemon-reload
apt-get -qq update && apt-get -qq -y install time
`;

const resultsOf = (events: readonly RunEvent[]) => events.filter((event) => event.type === "task.result");

function recapOf(events: readonly RunEvent[]) {
  return events.flatMap((event) => (event.type === "run.end" ? [event.recap[EDGE]] : [])).at(-1);
}

/** A host of another architecture from bare to a stream that is played back, over SSH, compile included. */
export function provisions(expected: Expected): void {
  const { architecture } = expected;
  t.test(
    `${architecture}: a bare host becomes an edge`,
    { skip: labImpossible(), timeout: 120 * MINUTE },
    async (t) => {
      const edge = await bootBare(t, {}, architecture);
      t.comment(`booted in ${edge.host.bootMs} ms`);
      t.equal((await edge.host.exec(PREPARE)).code, 0, "prepared");
      await t.test("it is known for what it is", (t) => isKnown(t, edge, expected));
      await t.test("apply compiles, publishes and plays back", (t) => applies(t, edge));
      await t.test("a second apply changes nothing", (t) => appliesAgain(t, edge));
      await t.test("what runs is for its CPUs", (t) => fits(t, edge, expected));
      await t.test("a stream has pictures, and status and watch see it", (t) => isWatched(t, edge));
    },
  );
}

async function isKnown(t: Test, { host }: LabEdge, expected: Expected): Promise<void> {
  const { stdout, stderr } = await runProgram([...sshCommand(host), "sh"], { input: factsProgram([]) });
  const { facts } = parseFacts(stdout, []);
  t.match(
    facts,
    {
      ...{ architecture: expected.machine, edge_userland: expected.userland, edge_cpu_level: expected.cpuLevel },
      ...{ distribution: "Debian", distribution_release: "bookworm" },
    },
    stderr,
  );
}

async function applies(t: Test, { host, desk }: LabEdge): Promise<void> {
  const { code, events, stderr } = await desk.events("apply", "--yes");
  t.equal(code, 0, "exit code", { stderr, events: events.slice(-5) });
  t.match(recapOf(events), { failed: 0, unreachable: 0, pending: 0 });
  const checks = events.filter((event) => event.type === "check.result");
  t.ok(
    checks.some(({ check, status }) => check.id === "segments" && status === "pass"),
    "played back",
  );
  for (const { check, status, reason } of checks) t.ok(["pass", "skip"].includes(status), `${check.id}: ${reason}`);
  for (const event of resultsOf(events).filter(({ durationMs }) => durationMs > 5000))
    t.comment(`${Math.round(event.durationMs / 1000)} s  ${event.task.name}`);
  const [end] = events.filter((event) => event.type === "run.end");
  t.comment(`${Math.round((end?.durationMs ?? 0) / 1000)} s  all of apply`);
  t.comment((await host.exec("cat /var/lib/edge/artifacts/*.log.json")).stdout);
}

async function appliesAgain(t: Test, { desk }: LabEdge): Promise<void> {
  const { code, events, stderr } = await desk.events("apply", "--yes", "--no-verify");
  t.equal(code, 0, "exit code", { stderr });
  t.match(recapOf(events), { changed: 0, pending: 0, failed: 0 });
}

async function fits(t: Test, { host }: LabEdge, expected: Expected): Promise<void> {
  const manifest = JSON.parse((await host.exec("cat /opt/edge/nginx/manifest.json")).stdout);
  t.match(manifest, { userland: expected.userland, system: "debian bookworm" });
  t.match((await host.exec("readelf -Ah /opt/edge/nginx/sbin/nginx")).stdout, expected.program);
}

async function isWatched(t: Test, edge: LabEdge): Promise<void> {
  const { host, desk } = edge;
  const { token } = await readSecrets(desk);
  const publication = await goLive(edge, await loadTestPattern(), "main", token);
  t.teardown(() => publication.stop());
  await until("a playlist", () => playlistOf(host, "main"), MINUTE);
  const picture = async () => (await getFrom(host)(new URL(`http://${host.address}/images/main.jpg`))).status === 200;
  t.ok(await until("a picture", picture, 3 * MINUTE), "a picture");
  const status = await desk.run("status", "--json");
  t.equal(status.code, 0, status.stderr);
  t.match(JSON.parse(status.stdout), { status: "ok", streams: [{ name: "main", videoCodec: "H264" }] });
  const { argv, env } = desk.command("watch", "--json");
  const watch = await runProgram(["timeout", "60", "sh", "-c", '"$@" | head -n 2', "sh", ...argv], {
    cwd: desk.folder,
    env,
  });
  const looks = watch.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  t.match(looks[1], { type: "host.sample", status: "ok", streams: [{ name: "main" }] });
}
