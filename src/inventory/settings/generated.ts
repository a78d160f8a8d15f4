import { renderDocsPage } from "./docs-page.js";
import { renderVarsFile } from "./vars-file.js";

/** Files that the settings table is the truth of, as paths from the project's root. A test checks that they are current. */
export const generatedFiles: readonly { readonly path: string; readonly render: () => string }[] = [
  { path: "playbooks/vars/settings.yml", render: renderVarsFile },
  { path: "docs/settings.md", render: renderDocsPage },
];
