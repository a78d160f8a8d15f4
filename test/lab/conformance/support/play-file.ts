import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";

/** A playbook about the language, run by both engines on this machine for several inventory names. */
export interface PlayFile {
  readonly path: string;
  readonly name: string;
  /** The first line's comment: what it shows. */
  readonly title: string;
  readonly inventory: string;
  /** Flags of each run: a line `# run: --tags a` is one; one run without flags unless there are such lines. */
  readonly runs: readonly (readonly string[])[];
}

/** @throws Error for a playbook whose first line does not say what it shows */
export function readPlayFile(file: string): PlayFile {
  const path = resolve(file);
  const text = readFileSync(path, "utf8");
  const [, title] = /^# (.+)/.exec(text) ?? [];
  if (title === undefined) throw new Error(`${path}:1: the first line is a comment that says what the play shows`);
  const runs = [...text.matchAll(/^# run:(.*)$/gm)].map(([, flags = ""]) => wordsOf(flags));
  const name = basename(path, ".yml");
  const own = join(dirname(path), "inventories", `${name}.yml`);
  const inventory = existsSync(own) ? own : join(dirname(path), "inventories", "default.yml");
  return { path, name, title, inventory, runs: runs.length === 0 ? [[]] : runs };
}

/** Words of a line, of which some are in single quotes. */
function wordsOf(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? "");
}
