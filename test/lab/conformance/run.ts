import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { runProgram } from "../support/lab.js";
import { onlyCase, readCaseFile } from "./support/case-file.js";
import type { Difference } from "./support/compare.js";
import { type Conformed, conform } from "./support/conform.js";
import { conformFacts } from "./support/conform-facts.js";
import { conformPlay } from "./support/conform-play.js";
import { bootPair, deskFor, keptPair, type Pair, writeKept } from "./support/hosts.js";
import { readPlayFile } from "./support/play-file.js";
import { readWanted, withoutWanted } from "./support/wanted.js";

// One file of cases, or one case of it, by both engines, by hand:
//   node --import tsx test/lab/conformance/run.ts cases/FILE.yml [CASE] [-v]
//   node --import tsx test/lab/conformance/run.ts plays/FILE.yml [-v]
//   node --import tsx test/lab/conformance/run.ts facts
//   node --import tsx test/lab/conformance/run.ts --keep      holds two hosts until it is ended; calls meanwhile use them

const KEPT = join(
  tmpdir(),
  `conformance-${createHash("sha256")
    .update(import.meta.dirname)
    .digest("hex")
    .slice(0, 8)}.json`,
);
const USAGE =
  "usage: run.ts cases/FILE.yml [CASE] [-v], or run.ts plays/FILE.yml [-v], or run.ts facts, or run.ts --keep";

const words = process.argv.slice(2);
const flags = words.filter((word) => word.startsWith("-"));
const [path, id] = words.filter((word) => !word.startsWith("-"));
const say = (line: string) => console.error(line);

if (flags.includes("--keep")) await keep();
else if (path === "facts") await facts();
else if (path === undefined) {
  say(USAGE);
  process.exitCode = 2;
} else {
  // What runs is the built program: it has to be that of the sources as they are.
  const built = await runProgram(["npm", "run", "--silent", "build"], { cwd: join(import.meta.dirname, "../../..") });
  if (built.code !== 0) throw new Error(built.stderr);
  const isPlay = basename(dirname(resolve(path))) === "plays";
  const conformed = isPlay ? await conformPlay(readPlayFile(path)) : await runCases(path);
  const { left } = withoutWanted(conformed.differences, readWanted());
  print({ ...conformed, differences: left });
  if (left.length > 0) process.exitCode = 1;
}

/** Holds two hosts for the calls to come. */
async function keep(): Promise<void> {
  const pair = await bootPair(say);
  await writeKept(KEPT, pair);
  say(`two hosts are up (${pair.ours.address}, ${pair.theirs.address}) until this process, ${process.pid}, ends`);
  // Signals alone keep no process alive.
  const alive = setInterval(() => {}, 60_000);
  await new Promise((resolve) => process.once("SIGTERM", resolve).once("SIGINT", resolve));
  clearInterval(alive);
  await rm(KEPT, { force: true });
  await pair.stop();
}

async function facts(): Promise<void> {
  const pair: Pair = keptPair(KEPT) ?? (await bootPair(say));
  const desk = await deskFor(pair.theirs);
  try {
    const { compared, differences } = await conformFacts(desk);
    console.log([...differences, `${differences.length} differences in ${compared} facts`].join("\n"));
    if (differences.length > 0) process.exitCode = 1;
  } finally {
    await Promise.all([desk.remove(), pair.stop()]);
  }
}

async function runCases(file: string): Promise<Conformed> {
  const whole = readCaseFile(file);
  const cases = id === undefined ? whole : onlyCase(whole, id);
  const pair: Pair = keptPair(KEPT) ?? (await bootPair(say));
  const desks = { ours: await deskFor(pair.ours), theirs: await deskFor(pair.theirs) };
  try {
    return await conform(cases, pair, desks);
  } finally {
    await Promise.all([desks.ours.remove(), desks.theirs.remove(), pair.stop()]);
  }
}

function print({ differences, compared, took, outputs }: Conformed): void {
  if (flags.includes("-v"))
    for (const { run: name, ours, theirs } of outputs)
      console.log(`=== ${name}: edge-setup\n${ours}\n=== ${name}: ansible-playbook\n${theirs}`);
  for (const { about, runs, what, ours, theirs } of folded(differences))
    console.log(
      `${about}: ${what}, in ${runs.join(", ")}\n  edge-setup: ${indented(ours)}\n  ansible:    ${indented(theirs)}`,
    );
  const seconds = (milliseconds: number) => `${(milliseconds / 1000).toFixed(1)} s`;
  console.log(
    `${differences.length} differences in ${compared} results; ansible-playbook ${seconds(took.theirs)}, edge-setup ${seconds(took.ours)}`,
  );
}

/** What is the same in several runs is said once. */
function folded(differences: readonly Difference[]): (Omit<Difference, "run"> & { readonly runs: string[] })[] {
  const found = new Map<string, Omit<Difference, "run"> & { readonly runs: string[] }>();
  for (const { run: name, ...rest } of differences) {
    const key = JSON.stringify(rest);
    const known = found.get(key);
    if (known === undefined) found.set(key, { ...rest, runs: [name] });
    else known.runs.push(name);
  }
  return [...found.values()];
}

function indented(text: string): string {
  return text.trimEnd().split("\n").join("\n    ");
}
