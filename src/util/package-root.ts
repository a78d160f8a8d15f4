import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * The folder that holds playbooks/, assets/, nginx-build/ and systemd/, wherever the code was bundled to.
 * @throws Error when the package is incomplete, which is a packaging bug
 */
export function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "playbooks"))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error("the package is incomplete: no playbooks folder above the program");
    folder = parent;
  }
  return folder;
}
