import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { fromDisk } from "../src/cli/playbook-file.js";
import { loadPlaybook } from "../src/playbook/load-playbook.js";
import { EdgeError, formatPosition, InputErrors } from "../src/util/errors.js";
import { reasonOf } from "./read-reasons.js";

// `npm run read -- [--each N] [--markdown] DIR...`: loads every playbook below folders of other people's, and ranks what stops them.
//   --each N     at most N playbooks of each folder below DIR (each repository), spread over it
//   --tasks      task files of roles instead: each as the tasks of a play, whose handlers may be anywhere
//   --markdown   the tables of docs/conformance.md alone

const EXAMPLES = 2;
const ROWS = 40;

const HEAD = `## The map for widening

\`npm run read -- DIR...\` loads every playbook below folders of public repositories, which are no part of this one, and says what stops
them. Within reach is a playbook of which all modules are in the subset, and all files and roles are there (most roles of others come
from Ansible Galaxy).`;
/** What stands at the beginning of a line of a playbook, and of no other YAML file of Ansible's. */
const PLAY = /^\s*-?\s*(hosts|import_playbook|ansible\.builtin\.import_playbook)\s*:/m;

/** A play that is made for a file of tasks. */
const PLAY_OF_TASKS = "/play-of-tasks.yml";

interface Problem {
  readonly reason: string;
  readonly text: string;
}

interface Reading {
  readonly file: string;
  readonly problems: readonly Problem[];
}

const args = process.argv.slice(2);
const markdown = args.includes("--markdown");
const tasks = args.includes("--tasks");
const each = args.includes("--each") ? Number(args[args.indexOf("--each") + 1]) : Number.POSITIVE_INFINITY;
const folders = args
  .filter((word, index) => !word.startsWith("--") && args[index - 1] !== "--each")
  .map((f) => resolve(f));

const files = folders.flatMap((folder) =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return spread(entry.isDirectory() ? playbooksBelow(path) : [path].filter(isPlaybook));
  }),
);
const readings = files.map(read);
const stopped = readings.filter(({ problems }) => problems.length > 0).map(({ file }) => file);
const invalid = tasks ? new Set<string>() : refusedByAnsible(stopped);
report(readings.filter(({ file }) => !invalid.has(file)));

function playbooksBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !path.includes("/.git/") && isPlaybook(path))
    .sort();
}

function isPlaybook(path: string): boolean {
  if (!/\.ya?ml$/.test(path)) return false;
  if (tasks) return /\/roles\/[^/]+\/tasks\//.test(path);
  const text = readFileSync(path, "utf8");
  return PLAY.test(text) && /^(---.*\n)?(\s*(#.*)?\n)*- /.test(text) && !text.includes("\n{%");
}

/** As many as are wanted of one folder, from its whole length. */
function spread(paths: readonly string[]): readonly string[] {
  if (paths.length <= each) return paths;
  return Array.from({ length: each }, (_, index) => paths[Math.floor((index * paths.length) / each)] ?? "");
}

function read(file: string): Reading {
  const play = `- hosts: all\n  tasks:\n    - import_tasks: ${JSON.stringify(file)}\n`;
  const readFile = tasks ? (path: string) => (path === PLAY_OF_TASKS ? play : textOf(path)) : textOf;
  try {
    loadPlaybook(tasks ? PLAY_OF_TASKS : file, { ...fromDisk, readFile });
    return { file, problems: [] };
  } catch (error) {
    if (!(error instanceof EdgeError)) throw error;
    const errors = error instanceof InputErrors ? error.errors : [error];
    const problems = errors
      .filter(({ message }) => !tasks || reasonOf(message) !== "a handler that is not there")
      .map((one) => ({
        reason: reasonOf(one.message),
        text: `${one.position === undefined ? file : formatPosition(one.position)}: ${one.message}`,
      }));
    return { file, problems };
  }
}

function textOf(path: string): string | undefined {
  try {
    return existsSync(path) ? readFileSync(path, "utf8") : undefined;
  } catch {
    return undefined;
  }
}

/** Files that ansible-core's own loader refuses, without regard to roles and collections that are not here. */
function refusedByAnsible(paths: readonly string[]): ReadonlySet<string> {
  const found = spawnSync("sh", ["-c", "command -v ansible-playbook"], { encoding: "utf8" }).stdout.trim();
  if (found === "") return new Set();
  // The Python that has Ansible.
  const [, python = "python3"] = /^#!\s*(\S+)/.exec(readFileSync(found, "utf8")) ?? [];
  const program = join(import.meta.dirname, "ansible-syntax.py");
  const { status, stdout, stderr } = spawnSync(python, [program], {
    input: paths.join("\n"),
    encoding: "utf8",
    maxBuffer: 1e8,
  });
  if (status !== 0) throw new Error(stderr);
  return new Set(stdout.split("\n").filter((line) => line !== ""));
}

function report(valid: readonly Reading[]): void {
  const loading = valid.filter(({ problems }) => problems.length === 0);
  const within = valid.filter(({ problems }) => problems.every(({ reason }) => !isBeyond(reason)));
  const said = summary(valid, loading, within);
  if (markdown) {
    const nearer = table(rank(within), ROWS);
    console.log([HEAD, said, "Within reach:", nearer, "All:", table(rank(valid), ROWS)].join("\n\n"));
    return;
  }
  console.log(said);
  for (const [title, ranks] of [
    ["Within reach", rank(within)],
    ["All", rank(valid)],
  ] as const) {
    console.log(`\n${title}:`);
    for (const { reason, playbooks, alone, examples } of ranks) {
      console.log(`${String(playbooks).padStart(5)} (${alone} by it alone)  ${reason}`);
      for (const example of examples) console.log(`         ${relative(process.cwd(), example)}`);
    }
  }
}

function table(ranks: readonly Rank[], rows: number): string {
  const lines = ranks.slice(0, rows).map(({ reason, playbooks, alone }) => `| ${reason} | ${playbooks} | ${alone} |`);
  return ["| what stops playbooks | playbooks | the only thing |", "| --- | --- | --- |", ...lines].join("\n");
}

function summary(valid: readonly Reading[], loading: readonly Reading[], within: readonly Reading[]): string {
  const share = (part: number, of: number) => `${part} (${of === 0 ? 0 : Math.round((100 * part) / of)} %)`;
  const repositories = new Set(files.map((file) => folders.map((f) => relative(f, file).split("/")[0]).join())).size;
  return [
    `${files.length} playbooks of ${repositories} repositories; ${invalid.size} of them ansible-core refuses, too.`,
    `${valid.length} are left: ${share(loading.length, valid.length)} load.`,
    `${within.length} are within reach (no module that the subset does not have, all files and roles there): ` +
      `${share(loading.length, within.length)} of these load.`,
  ].join("\n");
}

/** Reasons for which a playbook is none of the subset, whatever the loader can. */
function isBeyond(reason: string): boolean {
  return reason.startsWith("module ") || /^a (file|role) that is not there$/.test(reason);
}

interface Rank {
  readonly reason: string;
  readonly playbooks: number;
  /** Playbooks that nothing else stops. */
  readonly alone: number;
  readonly examples: readonly string[];
}

function rank(valid: readonly Reading[]): Rank[] {
  const found = new Map<string, Rank>();
  for (const { problems } of valid) {
    const reasons = new Set(problems.map(({ reason }) => reason));
    for (const reason of reasons) {
      const { playbooks = 0, alone = 0, examples = [] } = found.get(reason) ?? {};
      const example = problems.find((problem) => problem.reason === reason)?.text ?? "";
      found.set(reason, {
        reason,
        playbooks: playbooks + 1,
        alone: alone + (reasons.size === 1 ? 1 : 0),
        examples: examples.length < EXAMPLES && !examples.includes(example) ? [...examples, example] : examples,
      });
    }
  }
  return [...found.values()].sort((a, b) => b.playbooks - a.playbooks || b.alone - a.alone);
}
