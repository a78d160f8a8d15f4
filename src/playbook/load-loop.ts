/** `loop`, `with_*` and `loop_control`. */
import { didYouMean } from "../util/suggest.js";
import type { LoadContext } from "./load-context.js";
import type { LoopWith, TaskNode } from "./types.js";
import type { MapEntry } from "./yaml-nodes.js";

const DEFAULT_LOOP_VAR = "item";
const LOOPS: readonly LoopWith[] = [
  "items",
  "list",
  "dict",
  "nested",
  "together",
  "sequence",
  "indexed_items",
  "subelements",
  "fileglob",
  "first_found",
];
/** Other lookups, and how their loops are written here. */
const INSTEAD: Readonly<Record<string, string>> = {
  cartesian: "Use with_nested.",
  filetree: "Write the files' names as a list.",
  flattened: 'Use loop: "{{ LIST | flatten }}".',
  file: "Use loop with the files' names, and lookup('file', item).",
  inventory_hostnames: "Use loop: \"{{ groups['NAME'] }}\".",
  lines: "Use loop: \"{{ lookup('file', 'NAME').splitlines() }}\".",
  random_choice: "What is random is not the same the next time.",
};
const CONTROL = ["loop_var", "label", "index_var", "extended", "extended_allitems", "pause"];

type Loop = Pick<TaskNode, "loop" | "loopWith" | "loopVar" | "loopLabel" | "loopIndex" | "loopExtended" | "loopPause">;

/** Whether a keyword is a loop of old. */
export function isWith(key: string): boolean {
  return key.startsWith("with_");
}

/** What a task says of its loop. */
export function readLoop(fields: ReadonlyMap<string, MapEntry>, context: LoadContext): Loop {
  const old = [...fields.values()].find(({ key }) => isWith(key));
  const loop = fields.get("loop") ?? old;
  const control = fields.get("loop_control");
  const inner = new Map(
    (control === undefined ? [] : context.map(control.value, "loop_control").entries).map((one) => [one.key, one]),
  );
  for (const { key, position } of inner.values()) {
    if (!CONTROL.includes(key)) context.unknown("key of loop_control", key, position, CONTROL);
  }
  if (old !== undefined && fields.has("loop"))
    context.problem(old.position, `the task has two loops, loop and ${old.key}`);
  if (loop?.key === "loop" && loop.value.kind === "map")
    context.problem(loop.value.position, "loop must be a list", "Use | dict2items for a mapping.");
  const flag = (key: string): boolean | undefined => {
    const entry = inner.get(key);
    return entry === undefined ? undefined : context.bool(entry.value, key);
  };
  const [loopVar, label, index, pause] = ["loop_var", "label", "index_var", "pause"].map((key) => inner.get(key));
  const kind = loop === undefined || loop.key === "loop" ? undefined : kindOf(loop, context);
  return {
    ...(loop === undefined ? {} : { loop: context.templated(loop.value) }),
    ...(kind === undefined ? {} : { loopWith: kind }),
    loopVar: loopVar === undefined ? DEFAULT_LOOP_VAR : context.name(loopVar),
    ...(label === undefined ? {} : { loopLabel: context.templated(label.value) }),
    ...(index === undefined ? {} : { loopIndex: context.name(index) }),
    ...(flag("extended") === true
      ? { loopExtended: flag("extended_allitems") === false ? ("without items" as const) : ("with items" as const) }
      : {}),
    ...(pause === undefined ? {} : { loopPause: context.templated(pause.value) }),
  };
}

function kindOf({ key, position }: MapEntry, context: LoadContext): LoopWith | undefined {
  const name = key.slice("with_".length);
  const kind = LOOPS.find((one) => one === name);
  if (kind === undefined)
    context.problem(position, `${key} is not supported`, INSTEAD[name] ?? didYouMean(name, LOOPS) ?? "Use loop.");
  return kind;
}
