import { readdirSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { readCaseFile } from "./conformance/support/case-file.js";
import { type Conformed, conform, type Desks, RUNS } from "./conformance/support/conform.js";
import { conformFacts } from "./conformance/support/conform-facts.js";
import { conformPlay } from "./conformance/support/conform-play.js";
import { bootPair, type Desk, deskFor, type Pair } from "./conformance/support/hosts.js";
import { readPlayFile } from "./conformance/support/play-file.js";
import { readWanted, withoutWanted } from "./conformance/support/wanted.js";
import { labImpossible, runProgram } from "./support/lab.js";

// The same tasks by ansible-playbook on one host and by edge-setup on another (docs/conformance.md). A file by hand:
// node --import tsx test/lab/conformance/run.ts FILE [CASE]

const folder = join(import.meta.dirname, "conformance");

/** EDGE_CONFORMANCE=full also checks again after the second apply, which Ansible takes its time for and which rarely tells more. */
const runs = process.env.EDGE_CONFORMANCE === "full" ? RUNS : RUNS.slice(0, 3);

/** Files that are worked on at once, each worker's on hosts of its own: Ansible waits for one process at a time. */
const WORKERS = 2;

interface Job {
  readonly name: string;
  /** Rough work: tasks and runs. */
  readonly size: number;
  /** What its wanted differences are filed under. */
  readonly ids: readonly string[];
  /** A wanted difference may be one of the run that is left out. */
  readonly sees: "all" | "some";
  readonly run: (hosts: Hosts) => Promise<Conformed>;
}

interface Hosts {
  readonly pair: Pair;
  readonly desks: Desks;
}

function jobs(): Job[] {
  const filesOf = (kind: string) => readdirSync(join(folder, kind)).filter((name) => name.endsWith(".yml"));
  const cases = filesOf("cases").map((name): Job => {
    const file = readCaseFile(join(folder, "cases", name));
    const ids = [file.area, ...file.cases.map(({ id }) => id)];
    const run = ({ pair, desks }: Hosts) => conform(file, pair, desks, runs);
    const sees = runs.length === RUNS.length ? "all" : "some";
    return { name: `cases/${name}`, size: file.tasks.length * runs.length, ids, sees, run };
  });
  const plays = filesOf("plays").map((name): Job => {
    const file = readPlayFile(join(folder, "plays", name));
    const about = { name: `plays/${name}`, size: 10 * file.runs.length, ids: [file.name], sees: "all" as const };
    return { ...about, run: () => conformPlay(file) };
  });
  return [...cases, ...plays].sort((a, b) => b.size - a.size);
}

async function boot(t: Test): Promise<Hosts> {
  const pair = await bootPair((line) => t.comment(line));
  t.teardown(() => pair.stop());
  const desks = { ours: await deskFor(pair.ours), theirs: await deskFor(pair.theirs) };
  t.teardown(() => Promise.all([desks.ours.remove(), desks.theirs.remove()]));
  return { pair, desks };
}

function report(t: Test, { differences, compared, took }: Conformed, { ids, sees }: Job): void {
  const { left, unseen } = withoutWanted(
    differences,
    readWanted().filter((one) => ids.includes(one.case)),
  );
  t.strictSame(left, [], `${compared} results are the same`);
  if (sees === "all") t.strictSame(unseen, [], "wanted differences are there");
  t.comment(`ansible-playbook ${Math.round(took.theirs)} ms, edge-setup ${Math.round(took.ours)} ms`);
}

async function impossible(): Promise<string | false> {
  const lab = labImpossible();
  if (lab !== false) return lab;
  const { code } = await runProgram(["sh", "-c", "command -v ansible-playbook"]);
  return code === 0 ? false : "needs ansible-playbook";
}

t.test("both engines", { skip: await impossible(), timeout: 900_000 }, async (t) => {
  const queue = jobs();
  const done: [Job, Conformed][] = [];
  const work = async (hosts: Hosts) => {
    for (let job = queue.shift(); job !== undefined; job = queue.shift()) done.push([job, await job.run(hosts)]);
  };
  const hosts = await Promise.all(Array.from({ length: WORKERS }, () => boot(t)));
  await Promise.all(hosts.map(work));
  await t.test("facts", async (t) => {
    const { compared, differences } = await conformFacts(hosts[0]?.desks.theirs as Desk);
    t.strictSame(differences, [], `${compared} facts are the same`);
  });
  for (const [job, conformed] of done) await t.test(job.name, async (t) => report(t, conformed, job));
});
