import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { runAnsible } from "./ansible.js";
import { type CaseFile, playbookOf, RECORD } from "./case-file.js";
import { compareTold, type Difference } from "./compare.js";
import { runEdgeSetup } from "./edge-setup.js";
import { type Desk, type KnownHost, onHost, type Pair } from "./hosts.js";
import { compareResult } from "./registered.js";
import { compareStates, stateOf } from "./state.js";
import type { Outcome } from "./told.js";

const ROOT = "/srv/cases";
const RESULTS = `${ROOT}/.results/registered.json`;

/** Check, apply, and both again: a second apply changes nothing, and a check after it sees nothing to do. */
export const RUNS = [
  { name: "check", check: true },
  { name: "apply", check: false },
  { name: "apply again", check: false },
  { name: "check again", check: true },
] as const;

export interface Desks {
  readonly ours: Desk;
  readonly theirs: Desk;
}

export interface Conformed {
  readonly differences: readonly Difference[];
  /** Results of tasks and items that were compared, all runs together. */
  readonly compared: number;
  /** Milliseconds by engine, all runs together. */
  readonly took: { readonly ours: number; readonly theirs: number };
  /** What the engines printed, by run. */
  readonly outputs: readonly { readonly run: string; readonly ours: string; readonly theirs: string }[];
}

/** Runs a file of cases by both engines, and compares. */
export async function conform(
  file: CaseFile,
  pair: Pair,
  desks: Desks,
  runs: readonly (typeof RUNS)[number][] = RUNS,
): Promise<Conformed> {
  const folder = await playbookFolder(file);
  const playbook = join(folder, `${file.area}.yml`);
  const differences: Difference[] = [];
  const outputs: Conformed["outputs"][number][] = [];
  const took = { ours: 0, theirs: 0 };
  let compared = 0;
  try {
    await both(pair, (host) => onHost(host, prepared(file)));
    for (const { name, check } of runs) {
      const timed = async (engine: "ours" | "theirs", run: typeof runAnsible) => {
        const began = performance.now();
        const { inventory, sshConfig } = desks[engine];
        const outcome = await run({ playbook, inventory, sshConfig, check });
        took[engine] += performance.now() - began;
        return { ...outcome, told: outcome.told.filter(({ task }) => task !== RECORD) };
      };
      const [ours, theirs] = await Promise.all([timed("ours", runEdgeSetup), timed("theirs", runAnsible)]);
      compared += theirs.told.length;
      outputs.push({ run: name, ours: ours.output, theirs: theirs.output });
      differences.push(...(await compareRun(file, pair, name, ours, theirs)));
      if (ours.verdict === "refused" || theirs.verdict === "refused") break;
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return { differences, compared, took, outputs };
}

async function compareRun(
  file: CaseFile,
  pair: Pair,
  run: string,
  ours: Outcome,
  theirs: Outcome,
): Promise<Difference[]> {
  const here = { run, about: file.area };
  const verdict = (one: Outcome) => (one.verdict === "refused" ? `refused\n${one.output}` : one.verdict);
  const runs = { ...here, what: "the run", ours: verdict(ours), theirs: verdict(theirs) };
  if (ours.verdict === "refused" || theirs.verdict === "refused") return [runs];
  const ended = ours.verdict === theirs.verdict ? [] : [runs];
  const [ourResults, theirResults] = await both(pair, readResults);
  const registered = [...file.registers].flatMap(([name, module]) =>
    compareResult(module, ourResults[name], theirResults[name]).map(({ path, ...rest }) => ({
      ...{ ...rest, run, about: caseOfRegister(file, name) },
      what: `result ${name}${path === "" ? "" : `.${path}`}`,
    })),
  );
  const [ourState, theirState] = await both(pair, stateOf);
  const states = compareStates(ourState, theirState).map((one) => ({
    ...one,
    run,
    about: caseOfState(file, one.what),
  }));
  const told = compareTold(ours, theirs).map(({ task, ...rest }) => ({ ...rest, run, about: caseOfTask(file, task) }));
  return [...ended, ...told, ...registered, ...states];
}

async function both<T>({ ours, theirs }: Pair, ask: (host: KnownHost) => Promise<T>): Promise<[T, T]> {
  return Promise.all([ask(ours), ask(theirs)]);
}

/** The playbook in a folder where it finds the cases' `files` and `templates`. */
async function playbookFolder(file: CaseFile): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "cases-"));
  for (const name of ["files", "templates"]) await symlink(join(dirname(file.path), name), join(folder, name));
  await writeFile(join(folder, `${file.area}.yml`), playbookOf(file, RESULTS));
  return folder;
}

/** A folder for each case, and nothing of an earlier run. */
function prepared(file: CaseFile): string {
  const folders = file.cases.map(({ id }) => `${ROOT}/${id}`).join(" ");
  return `rm -rf ${ROOT} && mkdir -p ${ROOT}/.results ${folders}`;
}

async function readResults(host: KnownHost): Promise<Record<string, never>> {
  const text = await onHost(host, `cat ${RESULTS} 2>/dev/null && rm ${RESULTS} || echo '{}'`);
  return JSON.parse(text) as Record<string, never>;
}

function caseOfTask(file: CaseFile, task: string | undefined): string {
  return file.cases.find(({ id }) => task?.startsWith(`${id}:`))?.id ?? file.area;
}

function caseOfRegister(file: CaseFile, name: string): string {
  return file.tasks.find(({ registers }) => registers.has(name))?.id ?? file.area;
}

function caseOfState(file: CaseFile, what: string): string {
  return (
    file.cases.find(({ id }) => what === `file ${ROOT}/${id}` || what.startsWith(`file ${ROOT}/${id}/`))?.id ??
    file.area
  );
}
