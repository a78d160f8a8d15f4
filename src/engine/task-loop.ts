import type { TaskNode, Templated, Value, Vars } from "../playbook/types.js";
import { EdgeError, InputError } from "../util/errors.js";
import { decideAll } from "./compile-task.js";
import type { TaskLanguage } from "./language.js";
import type { RegisterShapes } from "./shell-condition.js";

/** The items of a task's loop; undefined without one. */
export function loopItems(
  node: TaskNode,
  language: TaskLanguage,
  shapes: RegisterShapes,
): readonly Value[] | undefined {
  if (node.loop === undefined) return undefined;
  const value = lazily(node, language, shapes, () => language.render(node.loop as Templated));
  // A task that is skipped anyway need not have a list.
  if (value === undefined) return [];
  if (!Array.isArray(value)) {
    throw new InputError("E_LOOP", "loop is no list.", { position: node.loop.position });
  }
  return value as readonly Value[];
}

/** The variables of one turn of a loop. */
export function loopVars(node: TaskNode, items: readonly Value[], index: number): Vars {
  return { [node.loopVar]: items[index] ?? null, ansible_loop_var: node.loopVar };
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
