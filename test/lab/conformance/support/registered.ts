import { findModule } from "../../../../src/modules/registry.js";

/** Fields that differ from run to run and host to host: only their types are compared. */
const VOLATILE = new Set([
  ...["start", "end", "delta", "elapsed", "mtime", "atime", "ctime", "inode", "dev", "pid", "date"],
  ...["backup_file", "backup", "cache_update_time", "started", "finished", "ansible_job_id", "results_file"],
]);
/** What every result has; absent is false. */
const ALWAYS = ["changed", "failed", "skipped"];
/** What results have where their task asks for it. */
const SOMETIMES = ["attempts", "ansible_loop_var", "item"];

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
type Dict = { readonly [key: string]: Json };

interface FieldDifference {
  readonly path: string;
  readonly ours: string;
  readonly theirs: string;
}

/** Compares the fields that the subset promises of a module's result. */
export function compareResult(module: string, ours: Json | undefined, theirs: Json | undefined): FieldDifference[] {
  if (!isDict(ours) || !isDict(theirs)) return compareField("", ours, theirs);
  if (Array.isArray(ours.results) && Array.isArray(theirs.results) && isLoop(theirs.results)) {
    const [ourItems, theirItems]: [readonly Json[], readonly Json[]] = [ours.results, theirs.results];
    const count = compareField("results.length", ourItems.length, theirItems.length);
    const items = theirItems.flatMap((item, index) =>
      compareResult(module, ourItems[index], item).map((one) => ({ ...one, path: `results.${index}.${one.path}` })),
    );
    return [...fieldsOf(["changed", "failed", "skipped", "msg"], ours, theirs), ...count, ...items];
  }
  if (module === "debug") return fieldsOf([...new Set([...Object.keys(theirs), ...Object.keys(ours)])], ours, theirs);
  return fieldsOf(promised(module), ours, theirs);
}

function isLoop(results: readonly Json[]): boolean {
  return results.every((item) => isDict(item) && "ansible_loop_var" in item);
}

/** Of modules that the controller decides; `debug` promises all that Ansible's gives. */
const DECIDED: Readonly<Record<string, readonly string[]>> = {
  set_fact: ["ansible_facts"],
  group_by: ["add_group", "parent_groups"],
};

/** Dotted paths of what a module's result holds. */
export function promised(module: string): string[] {
  const returns = Object.keys(findModule(module)?.returns ?? {});
  if (returns.length === 0) returns.push(...(DECIDED[module] ?? ["msg"]));
  const lines = returns.filter((name) => name === "stdout" || name === "stderr").map((name) => `${name}_lines`);
  return [...new Set([...ALWAYS, ...returns, ...lines, ...SOMETIMES])];
}

function fieldsOf(paths: readonly string[], ours: Dict, theirs: Dict): FieldDifference[] {
  return paths.flatMap((path) => {
    const otherwise = ALWAYS.includes(path) ? false : undefined;
    return compareField(path, at(ours, path) ?? otherwise, at(theirs, path) ?? otherwise);
  });
}

function compareField(path: string, ours: Json | undefined, theirs: Json | undefined): FieldDifference[] {
  const name = path.split(".").at(-1) ?? "";
  const shown = (value: Json | undefined) => (VOLATILE.has(name) ? typeOf(value) : text(value));
  return shown(ours) === shown(theirs) ? [] : [{ path, ours: text(ours), theirs: text(theirs) }];
}

function at(dict: Dict, path: string): Json | undefined {
  let value: Json | undefined = dict;
  for (const key of path.split(".")) value = isDict(value) ? value[key] : undefined;
  return value;
}

function isDict(value: Json | undefined): value is Dict {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function typeOf(value: Json | undefined): string {
  if (value === undefined || value === null) return "absent";
  return Array.isArray(value) ? "list" : typeof value;
}

/** What files differ in from host to host. */
const OF_FILES = new Set(["inode", "dev", "atime", "ctime", "mtime"]);

/** As JSON with sorted keys, so that their order does not count; nor does that of files, which is the file system's. */
function text(value: Json | undefined): string {
  if (value === undefined) return "absent";
  return JSON.stringify(value, (key, part: Json) => {
    if (OF_FILES.has(key)) return typeOf(part);
    if (Array.isArray(part) && part.every((one) => isDict(one) && "path" in one)) return part.toSorted(byPath);
    return isDict(part) ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1))) : part;
  });
}

function byPath(a: Json, b: Json): number {
  return String(at(a as Dict, "path")) < String(at(b as Dict, "path")) ? -1 : 1;
}
