import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runAnsible } from "./ansible.js";
import { compareRecap, compareTold, type Difference } from "./compare.js";
import type { Conformed } from "./conform.js";
import { runEdgeSetup } from "./edge-setup.js";
import type { PlayFile } from "./play-file.js";
import type { Outcome } from "./told.js";

/** Runs a playbook about the language by both engines on this machine, and compares. */
export async function conformPlay(file: PlayFile): Promise<Conformed> {
  const differences: Difference[] = [];
  const outputs: Conformed["outputs"][number][] = [];
  const took = { ours: 0, theirs: 0 };
  let compared = 0;
  for (const flags of file.runs) {
    const run = flags.length === 0 ? "run" : flags.join(" ");
    const one = async (engine: "ours" | "theirs", start: typeof runAnsible) => {
      const dir = await mkdtemp(join(tmpdir(), "play-"));
      const began = performance.now();
      const check = flags.includes("--check");
      const rest = [...flags.filter((flag) => flag !== "--check"), "-e", `dir=${dir}`];
      try {
        const request = { playbook: file.path, inventory: file.inventory, check, flags: rest };
        const outcome = await start(request);
        took[engine] += performance.now() - began;
        return { outcome: withoutDir(outcome, dir), files: await filesBelow(dir) };
      } finally {
        await rm(dir, { recursive: true, force: true });
      }
    };
    const [ours, theirs] = await Promise.all([one("ours", runEdgeSetup), one("theirs", runAnsible)]);
    compared += theirs.outcome.told.length;
    outputs.push({ run, ours: ours.outcome.output, theirs: theirs.outcome.output });
    differences.push(
      ...[
        ...compareVerdicts(ours.outcome, theirs.outcome),
        ...compareTold(ours.outcome, theirs.outcome),
        ...compareRecap(ours.outcome, theirs.outcome),
        ...compareFiles(ours.files, theirs.files),
      ].map(({ what, ours, theirs }) => ({ about: file.name, run, what, ours, theirs })),
    );
  }
  return { differences, compared, took, outputs };
}

type Found = Pick<Difference, "what" | "ours" | "theirs">;

function compareVerdicts(ours: Outcome, theirs: Outcome): Found[] {
  if (ours.verdict === theirs.verdict && theirs.verdict !== "refused") return [];
  const text = ({ verdict, output }: Outcome) => (verdict === "refused" ? `refused\n${output}` : verdict);
  return [{ what: "the run", ours: text(ours), theirs: text(theirs) }];
}

function compareFiles(ours: ReadonlyMap<string, string>, theirs: ReadonlyMap<string, string>): Found[] {
  return [...new Set([...ours.keys(), ...theirs.keys()])].sort().flatMap((path) => {
    const [a = "not there", b = "not there"] = [ours.get(path), theirs.get(path)];
    return a === b ? [] : [{ what: `file ${path}`, ours: a, theirs: b }];
  });
}

/** Where each engine's own scratch directory shows, both say the same. */
function withoutDir(outcome: Outcome, dir: string): Outcome {
  const without = (text: string) => text.replaceAll(dir, "{{ dir }}");
  const told = outcome.told.map((one) => ({
    ...one,
    task: without(one.task),
    ...(one.item === undefined ? {} : { item: without(one.item) }),
    ...(one.diff === undefined || one.diff === "other" ? {} : { diff: one.diff.map(without) }),
  }));
  return { ...outcome, told };
}

async function filesBelow(dir: string): Promise<Map<string, string>> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const files = entries.map(async (entry): Promise<[string, string]> => {
    const path = join(entry.parentPath, entry.name);
    const text = entry.isFile() ? (await readFile(path, "utf8")).replaceAll(dir, "{{ dir }}") : "no plain file";
    return [path.slice(dir.length + 1), text];
  });
  return new Map(await Promise.all(files));
}
