import { readFileSync } from "node:fs";
import { basename, resolve } from "node:path";
import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, type YAMLMap } from "yaml";

/** One case: some tasks of a file, whose names begin with its id. */
export interface Case {
  readonly id: string;
  /** What its first task says after the id. */
  readonly title: string;
  /** Modules of its tasks, each once. */
  readonly modules: readonly string[];
}

export interface CaseFile {
  readonly path: string;
  /** File name without its ending. */
  readonly area: string;
  readonly cases: readonly Case[];
  /** Registered names and the modules whose results they hold. */
  readonly registers: ReadonlyMap<string, string>;
  /** Whether the case has tasks that the file's text holds, for a playbook of some cases. */
  readonly text: string;
  readonly tasks: readonly CaseTask[];
}

interface CaseTask {
  readonly id: string;
  readonly title: string;
  readonly from: number;
  readonly to: number;
  readonly modules: readonly string[];
  readonly registers: ReadonlyMap<string, string>;
}

const NAME = /^([a-z0-9][a-z0-9-]*): (.+)/s;
/** Keys of a task that are no module. */
const KEYWORDS = new Set([
  ...["name", "when", "tags", "vars", "environment", "become", "become_user", "ignore_errors", "no_log", "check_mode"],
  ...["diff", "delegate_to", "delegate_facts", "run_once", "args", "register", "notify", "listen", "changed_when"],
  ...["failed_when", "loop", "loop_control", "until", "retries", "delay", "async", "poll", "any_errors_fatal"],
  ...["ignore_unreachable", "timeout", "throttle", "block", "rescue", "always"],
]);

/**
 * Reads a file of cases: one play whose tasks are named `CASE: what it does`.
 * @throws Error for a task that belongs to no case
 */
export function readCaseFile(file: string): CaseFile {
  const path = resolve(file);
  const text = readFileSync(path, "utf8");
  const lines = new LineCounter();
  const document = parseDocument(text, { version: "1.1", lineCounter: lines });
  const refuse = (why: string, node?: Node | null): never => {
    const { line, col } = lines.linePos(node?.range?.[0] ?? 0);
    throw new Error(`${path}:${line}:${col}: ${why}`);
  };
  const [problem] = document.errors;
  if (problem !== undefined) throw new Error(`${path}: ${problem.message}`);
  const plays = document.contents;
  if (!isSeq(plays) || plays.items.length !== 1) throw refuse("a file of cases is one play");
  const play = plays.items[0];
  const tasks = isMap(play) ? play.get("tasks") : undefined;
  if (!isSeq(tasks)) throw refuse("the play has no tasks");
  const found = tasks.items.map((node): CaseTask => {
    if (!isMap(node) || node.range === null || node.range === undefined) throw refuse("a task is a mapping");
    const [, id, title] = NAME.exec(nameOf(node) ?? "") ?? [];
    if (id === undefined || title === undefined) throw refuse("the task's name is not `CASE: what it does`", node);
    const inner = leaves(node);
    return {
      ...{ id, title: title.trim(), from: node.range[0], to: node.range[1] },
      modules: inner.map(moduleOf),
      registers: new Map(
        inner.flatMap((task) => {
          const name = task.get("register");
          return typeof name === "string" ? [[name, moduleOf(task)] as const] : [];
        }),
      ),
    };
  });
  return { path, area: basename(path, ".yml"), ...summary(found), text, tasks: found };
}

function summary(tasks: readonly CaseTask[]): Pick<CaseFile, "cases" | "registers"> {
  const ids = [...new Set(tasks.map(({ id }) => id))];
  const cases = ids.map((id): Case => {
    const own = tasks.filter((task) => task.id === id);
    const modules = [...new Set(own.flatMap((task) => task.modules))];
    return { id, title: own[0]?.title ?? "", modules };
  });
  return { cases, registers: new Map(tasks.flatMap((task) => [...task.registers])) };
}

/** The file with the tasks of one case alone. @throws Error when it has no such case */
export function onlyCase(file: CaseFile, id: string): CaseFile {
  const tasks = file.tasks.filter((task) => task.id === id);
  if (tasks.length === 0)
    throw new Error(`${file.path} has no case ${id}: it has ${file.cases.map((one) => one.id).join(", ")}`);
  return { ...file, ...summary(tasks), tasks };
}

/**
 * The playbook that both engines run: the chosen tasks as they are written, and one that writes what was registered.
 * @param results path on the host for that
 */
export function playbookOf(file: CaseFile, results: string): string {
  const [first] = file.tasks;
  if (first === undefined) throw new Error(`${file.path} has no tasks`);
  const column = first.from - (file.text.lastIndexOf("\n", first.from - 1) + 1);
  const dash = file.text.lastIndexOf("-", first.from - 1);
  const indent = " ".repeat(column - (first.from - dash));
  const whole = readCaseFile(file.path).tasks;
  const last = whole.at(-1);
  const kept = file.tasks.map(({ from, to }) => `${indent}- ${file.text.slice(from, to).trimEnd()}`);
  const names = [...file.registers.keys()].map((name) => `'${name}': ${name} | default('not registered')`);
  const record = [
    `${indent}- name: ${RECORD}`,
    `${indent}  ansible.builtin.copy:`,
    `${indent}    content: ${JSON.stringify(`{{ {${names.join(", ")}} | to_nice_json }}\n`)}`,
    `${indent}    dest: ${results}`,
    `${indent}  check_mode: false`,
    `${indent}  diff: false`,
  ];
  const head = file.text.slice(0, file.text.lastIndexOf("\n", (whole[0]?.from ?? 0) - 1) + 1);
  const tail = file.text.slice(last?.to);
  return [head.trimEnd(), ...kept, ...(names.length === 0 ? [] : record), tail].join("\n");
}

/** Name of the task that the harness adds. */
export const RECORD = "what was registered";

function nameOf(node: YAMLMap): string | undefined {
  const name = node.get("name");
  if (typeof name === "string") return name;
  const block = node.get("block");
  const first = isSeq(block) ? block.items[0] : undefined;
  return isMap(first) ? nameOf(first) : undefined;
}

/** The tasks of a block, or the task itself. */
function leaves(node: YAMLMap): YAMLMap[] {
  const parts = ["block", "rescue", "always"].map((key) => node.get(key)).filter((part) => isSeq(part));
  if (parts.length === 0) return [node];
  return parts.flatMap((part) => part.items.flatMap((item) => (isMap(item) ? leaves(item) : [])));
}

/** Short name of a task's module. */
function moduleOf(node: YAMLMap): string {
  const keys = node.items.map(({ key }) => (isScalar(key) ? String(key.value) : ""));
  const found = keys.find((key) => !KEYWORDS.has(key) && !key.startsWith("with_"));
  return (found ?? "unknown").replace(/^(ansible\.(builtin|legacy|posix)|community\.general)\./, "");
}
