import { posix } from "node:path";
import type { LookupReader } from "../playbook/scope.js";
import type { TaskNode, Templated, Value } from "../playbook/types.js";
import { readVarsFile } from "../playbook/vars-file.js";
import { InputErrors } from "../util/errors.js";

export interface IncludeVarsArgs {
  readonly file?: Value | undefined;
  readonly dir?: Value | undefined;
  readonly name?: Value | undefined;
  readonly extensions?: readonly string[];
}

/** What was read, or why the task fails. */
export type IncludedVars =
  | { readonly vars: Readonly<Record<string, Templated>>; readonly files: readonly string[] }
  | { readonly problem: string };

/**
 * `include_vars`: variables of a file or of all files below a directory, found as Ansible does in `vars/` and beside the task.
 * @throws InputErrors for mistakes in a file
 */
export function includeVars(
  node: TaskNode,
  { file, dir, name, extensions = ["yaml", "yml", "json"] }: IncludeVarsArgs,
  searchPath: readonly string[],
  reader: LookupReader,
): IncludedVars {
  const given = file ?? dir;
  if ((file === undefined) === (dir === undefined)) return { problem: "include_vars takes either a file or a dir" };
  const asked = String(given);
  // A directory is looked for beside the task alone.
  const beside =
    dir === undefined ? searchPath.flatMap((path) => [posix.join(path, "vars"), path]) : searchPath.slice(0, 1);
  const candidates = asked.startsWith("/") ? [asked] : beside.map((path) => posix.join(path, asked));
  const found = candidates.find((path) => reader.kindOf(path, true) === (dir === undefined ? "file" : "directory"));
  if (found === undefined) return { problem: `${asked} is not found. Looked for ${candidates.join(", ")}.` };
  const files = dir === undefined ? [found] : filesBelow(found, reader, extensions);
  let vars: Record<string, Templated> = {};
  for (const path of files) {
    const read = readVarsFile(path, reader.readFile(path) ?? "");
    if ("problems" in read) throw new InputErrors(read.problems);
    vars = { ...vars, ...read.vars };
  }
  return {
    vars: name === undefined || name === null || name === "" ? vars : { [String(name)]: together(vars, node) },
    files,
  };
}

/** One dict of all variables. */
function together(vars: Readonly<Record<string, Templated>>, { position }: TaskNode): Templated {
  return {
    value: Object.fromEntries(Object.entries(vars).map(([name, part]) => [name, part.value])),
    position,
    positionOf: (path) => {
      const [head = "", ...rest] = path.split("/");
      return vars[head]?.positionOf(rest.join("/")) ?? position;
    },
  };
}

/** Files of a directory and then of those in it, by name. */
function filesBelow(directory: string, reader: LookupReader, extensions: readonly string[]): string[] {
  const names = [...(reader.list(directory) ?? [])].sort();
  const paths = names.map((name) => posix.join(directory, name));
  const isWanted = (path: string) => extensions.includes(posix.extname(path).slice(1)) && !/[~]$/.test(path);
  const files = paths.filter((path) => reader.kindOf(path, true) === "file" && isWanted(path));
  const below = paths.filter((path) => reader.kindOf(path, true) === "directory");
  return [...files, ...below.flatMap((path) => filesBelow(path, reader, extensions))];
}
