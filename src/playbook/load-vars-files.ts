/** `vars_files` of a play: read at once where no host has a say in which file it is. */
import { posix } from "node:path";
import { InputErrors } from "../util/errors.js";
import { IDENTIFIER, LoadContext } from "./load-context.js";
import { namesOfValue, runtimeNamesOf } from "./names-used.js";
import { renderValue } from "./render.js";
import { Scope } from "./scope.js";
import { isPossiblyTemplate } from "./template-parser.js";
import type { Templated, TemplatedVars, Value, VarsFile } from "./types.js";
import type { YamlNode } from "./yaml-nodes.js";

interface Around {
  readonly context: LoadContext;
  /** Of the play. */
  readonly vars: TemplatedVars;
  /** Variables with what is stronger than they are. */
  readonly knownBy: (vars: Scope) => Scope;
}

/** @param file of the playbook, beside which the paths are */
export function readVarsFiles(node: YamlNode, file: string, { context, vars, knownBy }: Around): VarsFile[] {
  if (node.kind === "scalar" && node.value === null) return [];
  let before = new Scope().withVars(vars);
  return (node.kind === "list" ? node.items : [node]).flatMap((entry): VarsFile[] => {
    const paths = readPaths(entry, context);
    const scope = knownBy(before);
    const names = paths.flatMap(({ value }) => [...namesOfValue(value)]);
    if (runtimeNamesOf(names, scope, (name) => scope.lookup(name) === undefined).size > 0) {
      const { position } = entry;
      return [{ position, paths, read: (path) => readLate(path, file, context) }];
    }
    const found = paths.map((path) => context.attempt(() => String(renderValue(path, scope))));
    if (found.includes(undefined)) return [];
    const candidates = found.flatMap((path) => path ?? []);
    for (const path of candidates) {
      const own = readVars(path, file, context);
      if (own === undefined) continue;
      before = before.withVars(own);
      return [{ vars: own }];
    }
    if (paths.length > 0) context.problem(entry.position, missing(candidates, file));
    return [];
  });
}

/** The path of an entry, or those of which the first that is there is meant. */
function readPaths(entry: YamlNode, context: LoadContext): Templated[] {
  return (entry.kind === "list" ? entry.items : [entry]).flatMap((item) => {
    if (item.kind === "scalar" && typeof item.value === "string") return [context.templated(item)];
    context.problem(item.position, "an entry of vars_files must be a path, or a list of paths");
    return [];
  });
}

/** What is said where none of the files is there. */
export function missing(paths: readonly string[], file?: string): string {
  const where = file === undefined ? paths : paths.map((path) => placesOf(path, file).at(-1) ?? path);
  return where.length === 1 ? `the file ${where[0]} does not exist` : `none of the files ${where.join(", ")} exists`;
}

/** As Ansible: in `vars` beside the playbook, then beside it. */
function placesOf(path: string, file: string): string[] {
  if (path.startsWith("/")) return [posix.normalize(path)];
  const base = posix.dirname(file);
  const beside = posix.join(base, path);
  return path.startsWith("vars/") ? [beside] : [posix.join(base, "vars", path), beside];
}

function readVars(path: string, file: string, context: LoadContext): TemplatedVars | undefined {
  for (const place of placesOf(path, file)) {
    const text = context.options.readFile(place);
    if (text === undefined) continue;
    const plain = plainJson(place, text);
    if (plain !== undefined) return plain;
    const content = context.yaml(place, text);
    return content === undefined ? {} : context.vars(content, `the file ${place}`);
  }
  return undefined;
}

function readLate(path: string, file: string, { options }: LoadContext): TemplatedVars | undefined {
  const late = new LoadContext(options);
  const vars = readVars(path, file, late);
  if (late.problems.length > 0) throw new InputErrors(late.problems);
  return vars;
}

/**
 * Variables of a JSON file without templates, by the engine's own parser as Ansible does it: ten times as fast as YAML's.
 * undefined for everything else, which YAML reads and complains about.
 */
function plainJson(file: string, text: string): Record<string, Templated> | undefined {
  if (!file.endsWith(".json") || isPossiblyTemplate(text)) return undefined;
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof content !== "object" || content === null || Array.isArray(content)) return undefined;
  if (!Object.keys(content).every((name) => IDENTIFIER.test(name))) return undefined;
  const position = { file, line: 1, column: 1 };
  return Object.fromEntries(
    Object.entries(content as Record<string, Value>).map(([name, value]) => [
      name,
      { value, position, positionOf: () => position },
    ]),
  );
}
