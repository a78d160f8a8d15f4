import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { cliReference } from "../src/cli/reference.js";
import { generatedFiles } from "../src/inventory/settings/generated.js";

/** `npm run docs`: writes every file that is generated from a table in code. */
const root = join(import.meta.dirname, "..");

const files = [...generatedFiles, { path: "docs/cli.md", render: cliReference }];

for (const { path, render } of files) {
  const file = join(root, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, render());
  console.log(path);
}
