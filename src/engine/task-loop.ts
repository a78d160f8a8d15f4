import { UndefinedVariableError } from "../playbook/scope.js";
import type { FileLoop, TaskNode, Templated, Value, Vars } from "../playbook/types.js";
import { EdgeError, InputError } from "../util/errors.js";
import { decideAll } from "./compile-task.js";
import type { TaskLanguage } from "./language.js";
import type { RegisterShapes } from "./shell-condition.js";
import { itemsOf } from "./with-loops.js";

/** The items of a task's loop; undefined without one. */
export function loopItems(
  node: TaskNode,
  language: TaskLanguage,
  shapes: RegisterShapes,
): readonly Value[] | undefined {
  const { loop } = node;
  if (loop === undefined) return undefined;
  const { loopWith } = node;
  if (loopWith === "fileglob" || loopWith === "first_found")
    return lazily(node, language, shapes, () => filesOf(loopWith, node, loop, language)) ?? [];
  const value = lazily(node, language, shapes, () => language.render(loop));
  // A task that is skipped anyway need not have a list.
  if (value === undefined) return [];
  if (loopWith !== undefined) return itemsOf(loopWith, value, loop.position);
  if (!Array.isArray(value)) {
    throw new InputError("E_LOOP", "loop is no list.", { position: loop.position });
  }
  return value as readonly Value[];
}

/** Where first_found looks by the task's module, as in Ansible. */
const FOLDERS: readonly (readonly [string, string])[] = [
  ["template", "templates"],
  ["var", "vars"],
];

function filesOf(kind: FileLoop, { module }: TaskNode, loop: Templated, language: TaskLanguage): readonly Value[] {
  const folder = FOLDERS.find(([word]) => module.includes(word))?.[1] ?? "files";
  const rendered = kind === "fileglob" ? language.render(loop) : definedOf(loop, language);
  return language.files(kind, Array.isArray(rendered) ? rendered : [rendered], folder, loop.position);
}

/** What first_found looks for: a term that needs what is undefined is passed over. */
function definedOf(loop: Templated, language: TaskLanguage): Value {
  const { value } = loop;
  if (!Array.isArray(value)) return language.render(loop);
  return value.flatMap((one: Value, index): readonly Value[] => {
    const positionOf = (path: string) => loop.positionOf(path === "" ? String(index) : `${index}/${path}`);
    try {
      return [language.render({ value: one, position: positionOf(""), positionOf })];
    } catch (error) {
      if (!(error instanceof UndefinedVariableError)) throw error;
      return [];
    }
  });
}

/** The variables of one turn of a loop. */
export function loopVars(node: TaskNode, items: readonly Value[], index: number): Vars {
  return {
    [node.loopVar]: items[index] ?? null,
    ansible_loop_var: node.loopVar,
    ...(node.loopIndex === undefined ? {} : { [node.loopIndex]: index, ansible_index_var: node.loopIndex }),
    ...(node.loopExtended === undefined ? {} : { ansible_loop: extended(node, items, index) }),
  };
}

function extended({ loopExtended }: TaskNode, items: readonly Value[], index: number): Value {
  const { length } = items;
  const next = items[index + 1];
  const previous = items[index - 1];
  return {
    ...(loopExtended === "with items" ? { allitems: items } : {}),
    ...{ index: index + 1, index0: index, first: index === 0, last: index + 1 === length, length },
    ...{ revindex: length - index, revindex0: length - index - 1 },
    ...(next === undefined ? {} : { nextitem: next }),
    ...(previous === undefined ? {} : { previtem: previous }),
  };
}

/** Runs `render`; a failure is forgiven when the task is skipped for sure. */
function lazily<T>(node: TaskNode, language: TaskLanguage, shapes: RegisterShapes, render: () => T): T | undefined {
  try {
    return render();
  } catch (error) {
    if (!(error instanceof EdgeError)) throw error;
    let skipped = false;
    try {
      const gate = decideAll(node.when, language, shapes);
      skipped = gate.kind === "known" && !gate.value;
    } catch {
      // the first error says more
    }
    if (skipped) return undefined;
    throw error;
  }
}

/** How an item is called in results: by its place where it must not be seen. */
export function itemLabel(
  node: TaskNode,
  item: Value,
  place: string,
  language: TaskLanguage,
  shapes: RegisterShapes,
): string {
  if (node.noLog) return place;
  const label =
    node.loopLabel === undefined
      ? item
      : lazily(node, language, shapes, () => language.render(node.loopLabel as Templated));
  return typeof label === "string" ? label : JSON.stringify(label ?? item);
}
