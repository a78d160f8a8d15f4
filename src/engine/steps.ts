import { handlerIndex } from "../playbook/handlers.js";
import { misfit } from "../playbook/play-checks.js";
import { isPossiblyTemplate } from "../playbook/template-parser.js";
import {
  type BlockNode,
  type HandlerNode,
  type IncludeNode,
  includesLate,
  type Play,
  type PlayNode,
  partsOf,
  type TaskNode,
  taskOf,
} from "../playbook/types.js";
import type { TaskRef } from "../report/events.js";
import { InputError } from "../util/errors.js";
import { withoutRepeats } from "./role-repeats.js";

export interface TaskStep {
  readonly kind: "task";
  readonly ref: TaskRef;
  readonly node: TaskNode;
  /** Its place among all tasks of the play, on which hosts that meet at it agree; included ones come between two numbers. */
  readonly order: number;
  /** No task that comes later has a lower place. */
  readonly before: number;
}

/** `include_tasks`: what comes behind it is known when its turn has come. */
export interface IncludeStep {
  readonly kind: "include";
  readonly ref: TaskRef;
  readonly node: IncludeNode;
  readonly order: number;
  /** What it includes comes before this. */
  readonly before: number;
}

/** One block with `rescue` or `always`. */
export interface Block {
  /** Its `always` are the handlers of a play with `force_handlers`. */
  readonly forced?: true;
}

/** Where the part of a block begins, or the block ends. */
export interface MarkStep {
  readonly kind: "open" | "rescue" | "always" | "close";
  readonly block: Block;
}

/** Notified handlers run here. */
export interface FlushStep {
  readonly kind: "flush";
}

export type Step = TaskStep | IncludeStep | MarkStep | FlushStep;

/** Behind what an include among handlers comes to: it has run. */
export interface LeaveStep {
  readonly kind: "leave";
  readonly name: string;
}

/** An include has its number, and what it includes the next one, which is that of its `leave`. */
export type HandlerStep = TaskStep | IncludeStep | LeaveStep;

/** A play as the engine runs it: steps in order, and its handlers, both after the tag filter. */
export interface PlaySteps {
  readonly steps: readonly Step[];
  readonly handlers: readonly HandlerStep[];
  /** Names and `listen` topics to handler positions. */
  readonly handlerIndex: ReadonlyMap<string, readonly number[]>;
  /** What a `rescue` knows of the failed task's result is asked for. */
  readonly asksFailure: boolean;
  /** The steps of a file that is included, the same for all hosts. @param key tells one inclusion from all others */
  readonly included: (include: IncludeStep, key: string, nodes: () => readonly PlayNode[]) => readonly Step[];
  /** Takes the handlers of a role that an include turned out to name, behind those that there are. */
  readonly learn: (handlers: readonly HandlerNode[]) => void;
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

/** Makes steps of nodes, and numbers them. */
class StepMaker {
  #id = 0;
  readonly #included = new Map<string, readonly Step[]>();
  /** More handlers may come. */
  readonly #open: boolean;
  readonly #play: Play;
  readonly handlers: HandlerStep[] = [];
  /** What handlers are notified by. */
  readonly known = new Map<string, readonly number[]>();

  constructor(
    readonly filter: TagFilter,
    play: Play,
  ) {
    const { preTasks, tasks, postTasks, handlers } = play;
    this.#play = play;
    this.#open = [preTasks, tasks, postTasks].some(includesLate);
    this.#index(handlers);
  }

  #checkNotify(step: TaskStep): void {
    if (!this.#open) checkNotify(step, this.known);
  }

  #index(handlers: readonly HandlerNode[]): void {
    const places = handlers.flatMap((node) => (node.kind === "include" ? [node.task, undefined] : [node]));
    for (const [name, at] of handlerIndex(places)) this.known.set(name, at);
  }

  #ref(node: TaskNode, handler: boolean): TaskRef {
    return {
      id: ++this.#id,
      name: node.role === undefined ? node.name : `${node.role.name} : ${node.name}`,
      module: node.module,
      path: `${node.position.file}:${node.position.line}`,
      handler,
    };
  }

  /** @param orderOf the order of the next task, and of what comes behind it */
  walk(nodes: readonly PlayNode[], orderOf: (id: number) => readonly [number, number]): Step[] {
    return nodes.flatMap((node): Step[] => {
      const problem = misfit(this.#play, node);
      if (problem !== undefined) throw problem;
      if (node.kind === "block") return this.#block(node, orderOf);
      const task = taskOf(node);
      const ref = this.#ref(task, false);
      if (task.module === "meta" && task.freeForm?.value === "flush_handlers") return [{ kind: "flush" }];
      if (task.module === "meta" && task.freeForm?.value === "noop") return [];
      if (!selected(task.tags, this.filter)) return [];
      const [order, before] = orderOf(ref.id);
      if (node.kind === "include") return [{ kind: "include", ref, node, order, before }];
      const step: TaskStep = { kind: "task", ref, node, order, before };
      this.#checkNotify(step);
      return [step];
    });
  }

  #block(node: BlockNode, orderOf: (id: number) => readonly [number, number]): Step[] {
    const block: Block = {};
    const inner = this.walk(node.block, orderOf);
    const rescue = this.walk(node.rescue, orderOf);
    const always = this.walk(node.always, orderOf);
    if (rescue.length === 0 && always.length === 0) return inner;
    return [
      { kind: "open", block },
      ...inner,
      ...(rescue.length === 0 ? [] : [{ kind: "rescue", block } as const, ...rescue]),
      ...(always.length === 0 ? [] : [{ kind: "always", block } as const, ...always]),
      { kind: "close", block },
    ];
  }

  /** Adds handlers, but for those that are there. */
  learn(nodes: readonly HandlerNode[]): void {
    const present = this.handlers.flatMap((step) => (step.kind === "leave" ? [] : [step.node]));
    const known = new Set(present.map(handlerKey));
    const news = nodes.filter((node) => !known.has(handlerKey(node)));
    if (news.length === 0) return;
    this.#index([...present, ...news]);
    for (const step of this.#handlerSteps(news)) {
      this.handlers.push(step);
      if (step.kind === "include") this.handlers.push({ kind: "leave", name: `what ${step.ref.name} includes` });
    }
  }

  /** No tag is looked at. */
  #handlerSteps(nodes: readonly PlayNode[]): (TaskStep | IncludeStep)[] {
    return nodes.flatMap((node): (TaskStep | IncludeStep)[] => {
      if (node.kind === "block") return [];
      const common = { ref: this.#ref(taskOf(node), true), order: 0, before: 0 };
      if (node.kind === "include") return [{ ...common, kind: "include", node }];
      const step: TaskStep = { ...common, kind: "task", node };
      this.#checkNotify(step);
      return [step];
    });
  }

  included(include: IncludeStep, key: string, make: () => readonly PlayNode[]): readonly Step[] {
    const found = this.#included.get(key);
    if (found !== undefined) return found;
    const nodes = make();
    if (include.ref.handler) {
      const handlers = this.#handlerSteps(nodes);
      this.#included.set(key, handlers);
      return handlers;
    }
    const total = countNodes(nodes) + 1;
    const step = (include.before - include.order) / (total + 1);
    let place = 0;
    const steps = this.walk(nodes, () => {
      const order = include.order + step * ++place;
      return [order, order + step];
    });
    this.#included.set(key, steps);
    return steps;
  }
}

/** Tells a handler from all others: a role's may be there with several parameters. */
function handlerKey(node: HandlerNode): string {
  const { position, role } = taskOf(node);
  const params = Object.entries(role?.params ?? {}).map(([name, { value }]) => [name, value]);
  return JSON.stringify([position, role?.parents ?? [], params]);
}

function countNodes(nodes: readonly PlayNode[]): number {
  return nodes.reduce((total, node) => total + (node.kind === "block" ? countNodes(partsOf(node)) : 1), 0);
}

/**
 * The steps of a play.
 * @throws InputError when a task notifies a handler that the play does not have.
 */
export function playSteps(play: Play, filter: TagFilter): PlaySteps {
  const maker = new StepMaker(filter, play);
  const flush: Step = { kind: "flush" };
  const parts = [play.preTasks, play.tasks, play.postTasks].map((nodes) => maker.walk(nodes, (id) => [id, id + 1]));
  const flushed = (part: readonly Step[]): Step[] => {
    const block: Block = { forced: true };
    const mark = (kind: MarkStep["kind"]): MarkStep => ({ kind, block });
    if (play.forceHandlers === true) return [mark("open"), ...part, mark("always"), flush, mark("close")];
    return [...part, flush];
  };
  // Only a handler that notifies others leaves something to be done behind a part without tasks.
  const always = play.handlers.some(notifies);
  const steps = parts.map(withoutRepeats).flatMap((part) => (part.length === 0 && !always ? [] : flushed(part)));
  maker.learn(play.handlers);
  return {
    steps,
    handlers: maker.handlers,
    handlerIndex: maker.known,
    asksFailure: steps.some(({ kind }) => kind === "open") && mayAskFailure(steps),
    included: (include, key, make) => maker.included(include, key, make),
    learn: (handlers) => maker.learn(handlers),
  };
}

function notifies(node: PlayNode): boolean {
  if (node.kind === "include") return node.known?.some(notifies) ?? true;
  return node.kind === "task" && node.notify.length > 0;
}

function mayAskFailure(steps: readonly Step[]): boolean {
  return steps.some(
    (step) =>
      step.kind === "include" || (step.kind === "task" && JSON.stringify(step.node).includes("ansible_failed_result")),
  );
}

function checkNotify(step: TaskStep, known: ReadonlyMap<string, unknown>): void {
  for (const name of step.node.notify) {
    if (known.has(name) || isPossiblyTemplate(name)) continue;
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
  return steps.filter((step) => step.kind === "task" || step.kind === "include").length;
}
