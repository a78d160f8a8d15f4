import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folders: string[] = [];
process.once("exit", () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A folder for this process alone, gone when it ends. */
export function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "edge-test-"));
  folders.push(folder);
  return folder;
}
