import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { cliReference } from "../src/cli/reference.js";
import { generatedFiles } from "../src/inventory/settings/generated.js";
import { modulesPage } from "../src/modules/docs-page.js";
import { keysPage } from "../src/ui/keymap.js";
import { conformancePage } from "./conformance-page.js";

/** `npm run docs`: writes every file that is generated from a table in code. */
const root = join(import.meta.dirname, "..");

const files = [
  ...generatedFiles,
  { path: "docs/cli.md", render: cliReference },
  { path: "docs/keys.md", render: keysPage },
  { path: "docs/conformance.md", render: conformancePage },
  { path: "docs/modules.md", render: modulesPage },
];

for (const { path, render } of files) {
  const file = join(root, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, render());
  console.log(path);
}
