import type { BlockNode, Play, PlayNode, TaskNode } from "../playbook/types.js";
import type { TaskRef } from "../report/events.js";
import { InputError } from "../util/errors.js";

export interface TaskStep {
  readonly kind: "task";
  readonly ref: TaskRef;
  readonly node: TaskNode;
}

export interface BlockStep {
  readonly kind: "block";
  readonly node: BlockNode;
  readonly block: readonly Step[];
  readonly rescue: readonly Step[];
  readonly always: readonly Step[];
}

/** Notified handlers run here. */
export interface FlushStep {
  readonly kind: "flush";
}

export type Step = TaskStep | BlockStep | FlushStep;

/** A play as the engine runs it: steps in order, and its handlers, both after the tag filter. */
export interface PlaySteps {
  readonly steps: readonly Step[];
  readonly handlers: readonly TaskStep[];
  /** Names and `listen` topics to handler positions. */
  readonly handlerIndex: ReadonlyMap<string, readonly number[]>;
}

export interface TagFilter {
  /** Empty means all. */
  readonly tags: readonly string[];
  readonly skipTags: readonly string[];
}

/** Ansible's rule: `always` runs unless skipped, `never` only when a tag of the task is asked for. */
export function selected(taskTags: readonly string[], filter: TagFilter): boolean {
  const has = (names: readonly string[]) => names.some((name) => taskTags.includes(name));
  const { tags, skipTags } = filter;
  if (has(skipTags)) return false;
  if (skipTags.includes("tagged") && taskTags.length > 0) return false;
  if (skipTags.includes("untagged") && taskTags.length === 0) return false;
  const asked = tags.length === 0 ? ["all"] : tags;
  if (taskTags.includes("always") && !skipTags.includes("always")) return true;
  if (has(asked)) return true;
  if (taskTags.includes("never")) return false;
  return (
    asked.includes("all") ||
    (asked.includes("tagged") && taskTags.length > 0) ||
    (asked.includes("untagged") && taskTags.length === 0)
  );
}

/**
 * The steps of a play.
 * @throws InputError when a task notifies a handler that the play does not have.
 */
export function playSteps(play: Play, filter: TagFilter): PlaySteps {
  let id = 0;
  const ref = (node: TaskNode, handler: boolean): TaskRef => ({
    id: ++id,
    name: node.name,
    module: node.module,
    path: `${node.position.file}:${node.position.line}`,
    handler,
  });
  const walk = (nodes: readonly PlayNode[]): Step[] =>
    nodes.flatMap((node): Step[] => {
      if (node.kind === "block") {
        const block: BlockStep = {
          kind: "block",
          node,
          block: walk(node.block),
          rescue: walk(node.rescue),
          always: walk(node.always),
        };
        if (block.rescue.length === 0 && block.always.length === 0) return [...block.block];
        return [block];
      }
      const task = ref(node, false);
      if (node.module === "meta" && node.freeForm?.value === "flush_handlers") return [{ kind: "flush" }];
      if (!selected(node.tags, filter)) return [];
      return [{ kind: "task", ref: task, node }];
    });
  const flush: Step = { kind: "flush" };
  const parts = [play.preTasks, play.tasks, play.postTasks].map(walk);
  const steps = parts.flatMap((part) => (part.length === 0 ? [] : [...part, flush]));
  const handlers = play.handlers.map((node): TaskStep => ({ kind: "task", ref: ref(node, true), node }));
  const handlerIndex = new Map<string, number[]>();
  handlers.forEach((handler, index) => {
    for (const name of new Set([handler.node.name, ...handler.node.listen])) {
      handlerIndex.set(name, [...(handlerIndex.get(name) ?? []), index]);
    }
  });
  checkNotifies(steps, handlerIndex);
  for (const handler of handlers) checkNotify(handler, handlerIndex);
  return { steps, handlers, handlerIndex };
}

function checkNotifies(steps: readonly Step[], known: ReadonlyMap<string, unknown>): void {
  for (const step of steps) {
    if (step.kind === "task") checkNotify(step, known);
    else if (step.kind === "block")
      for (const part of [step.block, step.rescue, step.always]) checkNotifies(part, known);
  }
}

function checkNotify(step: TaskStep, known: ReadonlyMap<string, unknown>): void {
  for (const name of step.node.notify) {
    if (known.has(name)) continue;
    throw new InputError(
      "E_UNKNOWN_HANDLER",
      `The task notifies ${JSON.stringify(name)}, and no handler has that name.`,
      {
        position: step.node.position,
        hint: known.size === 0 ? "The play has no handlers." : `Handlers: ${[...known.keys()].join(", ")}.`,
      },
    );
  }
}

/** Number of tasks, for displays. */
export function countTasks(steps: readonly Step[]): number {
  return steps.reduce((total, step) => {
    if (step.kind === "task") return total + 1;
    if (step.kind === "flush") return total;
    return total + countTasks(step.block) + countTasks(step.rescue) + countTasks(step.always);
  }, 0);
}
