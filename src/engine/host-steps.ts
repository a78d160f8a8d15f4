import type { HandlerNode, PlayNode, TaskNode, Templated, Vars } from "../playbook/types.js";
import type { HandlerStep, IncludeStep, PlaySteps, Step } from "./steps.js";

/** What one turn of an include came to. */
export interface Inclusion {
  readonly path: string;
  readonly nodes: readonly PlayNode[];
  readonly handlers: readonly HandlerNode[];
  /** The loop's variables. */
  readonly values: Vars;
}

/** A handler where notified ones run. */
export interface HandlerTurn {
  readonly step: HandlerStep;
  /** By which it is notified; that of what is included is the number of its `leave`. */
  readonly number: number;
  readonly isIncluded?: true;
}

/** The steps of a play as one host goes through them: what it includes is among them once that is known. */
export class HostSteps {
  readonly #list: Step[];
  readonly #included = new Set<IncludeStep | HandlerTurn>();
  /** By the place of the flush. */
  readonly #turns = new Map<number, HandlerTurn[]>();

  constructor(readonly play: PlaySteps) {
    this.#list = [...play.steps];
  }

  get list(): readonly Step[] {
    return this.#list;
  }

  /** Puts what an include came to behind it, once. */
  include(at: number, step: IncludeStep, inclusions: readonly Inclusion[]): void {
    if (this.#included.has(step)) return;
    this.#included.add(step);
    this.#list.splice(at + 1, 0, ...this.#steps(step, inclusions));
  }

  /** The handlers of a flush, with what they have included. */
  handlers(at: number): readonly HandlerTurn[] {
    const known = this.#turns.get(at);
    if (known !== undefined) return known;
    const turns = this.play.handlers.map((step, index) => ({ step, number: index + 1 }));
    this.#turns.set(at, turns);
    return turns;
  }

  /** Puts what an include among handlers came to behind it, once. */
  includeHandlers(at: number, turn: HandlerTurn, step: IncludeStep, inclusions: readonly Inclusion[]): void {
    if (this.#included.has(turn)) return;
    this.#included.add(turn);
    const number = turn.isIncluded ? turn.number : turn.number + 1;
    const turns = this.#steps(step, inclusions).flatMap((one): HandlerTurn[] =>
      one.kind === "task" || one.kind === "include" ? [{ step: one, number, isIncluded: true }] : [],
    );
    const all = this.#turns.get(at) ?? [];
    all.splice(all.indexOf(turn) + 1, 0, ...turns);
  }

  #steps(step: IncludeStep, inclusions: readonly Inclusion[]): readonly Step[] {
    const width = (step.before - step.order) / (inclusions.length + 1);
    return inclusions.flatMap(({ path, nodes, handlers, values }, index) => {
      const vars = { ...step.node.task.includeVars, ...step.node.task.vars };
      const all = { ...step.node.task.includeValues, ...values };
      const order = step.order + width * index;
      const slot = { ...step, order, before: order + width };
      const key = `${step.ref.id} ${index} ${inclusions.length} ${path} ${JSON.stringify(all)}`;
      this.play.learn(handlers);
      return this.play.included(slot, key, () => nodes.map((node) => within(node, vars, all)));
    });
  }
}

/** A node with the variables of the include that it comes by. */
function within(node: PlayNode, vars: Readonly<Record<string, Templated>>, values: Vars): PlayNode {
  const inner = (nodes: readonly PlayNode[]) => nodes.map((one) => within(one, vars, values));
  const task = (one: TaskNode): TaskNode => ({ ...one, includeVars: vars, includeValues: values });
  switch (node.kind) {
    case "task":
      return task(node);
    case "include":
      return { ...node, task: task(node.task) };
    case "block":
      return { ...node, block: inner(node.block), rescue: inner(node.rescue), always: inner(node.always) };
  }
}
