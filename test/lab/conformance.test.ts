import { readdirSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { readCaseFile } from "./conformance/support/case-file.js";
import { conform } from "./conformance/support/conform.js";
import { bootPair, deskFor } from "./conformance/support/hosts.js";
import { readWanted, withoutWanted } from "./conformance/support/wanted.js";
import { labImpossible, runProgram } from "./support/lab.js";

// The same tasks by ansible-playbook on one host and by edge-setup on another (docs/conformance.md). A file by hand:
// node --import tsx test/lab/conformance/run.ts FILE [CASE]

const folder = join(import.meta.dirname, "conformance");

async function impossible(): Promise<string | false> {
  const lab = labImpossible();
  if (lab !== false) return lab;
  const { code } = await runProgram(["sh", "-c", "command -v ansible-playbook"]);
  return code === 0 ? false : "needs ansible-playbook";
}

t.test("cases", { skip: await impossible(), timeout: 600_000 }, async (t) => {
  const pair = await bootPair((line) => t.comment(line));
  t.teardown(() => pair.stop());
  const desks = { ours: await deskFor(pair.ours), theirs: await deskFor(pair.theirs) };
  t.teardown(() => Promise.all([desks.ours.remove(), desks.theirs.remove()]));
  const files = readdirSync(join(folder, "cases")).filter((name) => name.endsWith(".yml"));
  for (const name of files.sort()) {
    await t.test(name, async (t) => {
      const file = readCaseFile(join(folder, "cases", name));
      const ids = [file.area, ...file.cases.map(({ id }) => id)];
      const { differences, compared, took } = await conform(file, pair, desks);
      const wanted = readWanted().filter((one) => ids.includes(one.case));
      const { left, unseen } = withoutWanted(differences, wanted);
      t.strictSame(left, [], `${compared} results of ${file.cases.length} cases are the same`);
      t.strictSame(unseen, [], "wanted differences are there");
      t.comment(`ansible-playbook ${Math.round(took.theirs)} ms, edge-setup ${Math.round(took.ours)} ms`);
    });
  }
});
