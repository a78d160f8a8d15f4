import { readdirSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { readCaseFile } from "./conformance/support/case-file.js";
import { type Conformed, conform } from "./conformance/support/conform.js";
import { conformPlay } from "./conformance/support/conform-play.js";
import { bootPair, deskFor } from "./conformance/support/hosts.js";
import { readPlayFile } from "./conformance/support/play-file.js";
import { readWanted, withoutWanted } from "./conformance/support/wanted.js";
import { labImpossible, runProgram } from "./support/lab.js";

// The same tasks by ansible-playbook on one host and by edge-setup on another (docs/conformance.md). A file by hand:
// node --import tsx test/lab/conformance/run.ts FILE [CASE]

const folder = join(import.meta.dirname, "conformance");

function filesOf(kind: "cases" | "plays"): string[] {
  return readdirSync(join(folder, kind))
    .filter((name) => name.endsWith(".yml"))
    .sort();
}

function report(t: Test, { differences, compared, took }: Conformed, ids: readonly string[]): void {
  const { left, unseen } = withoutWanted(
    differences,
    readWanted().filter((one) => ids.includes(one.case)),
  );
  t.strictSame(left, [], `${compared} results are the same`);
  t.strictSame(unseen, [], "wanted differences are there");
  t.comment(`ansible-playbook ${Math.round(took.theirs)} ms, edge-setup ${Math.round(took.ours)} ms`);
}

async function impossible(): Promise<string | false> {
  const lab = labImpossible();
  if (lab !== false) return lab;
  const { code } = await runProgram(["sh", "-c", "command -v ansible-playbook"]);
  return code === 0 ? false : "needs ansible-playbook";
}

t.test("plays", { skip: await impossible(), timeout: 600_000 }, async (t) => {
  for (const name of filesOf("plays")) {
    await t.test(name, async (t) => {
      const file = readPlayFile(join(folder, "plays", name));
      report(t, await conformPlay(file), [file.name]);
    });
  }
});

t.test("cases", { skip: await impossible(), timeout: 600_000 }, async (t) => {
  const pair = await bootPair((line) => t.comment(line));
  t.teardown(() => pair.stop());
  const desks = { ours: await deskFor(pair.ours), theirs: await deskFor(pair.theirs) };
  t.teardown(() => Promise.all([desks.ours.remove(), desks.theirs.remove()]));
  for (const name of filesOf("cases")) {
    await t.test(name, async (t) => {
      const file = readCaseFile(join(folder, "cases", name));
      report(t, await conform(file, pair, desks), [file.area, ...file.cases.map(({ id }) => id)]);
    });
  }
});
