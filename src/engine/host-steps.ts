import type { PlayNode, TaskNode, Templated, Vars } from "../playbook/types.js";
import type { IncludeStep, PlaySteps, Step } from "./steps.js";

/** What one turn of an include came to. */
export interface Inclusion {
  readonly path: string;
  readonly nodes: readonly PlayNode[];
  readonly handlers: readonly TaskNode[];
  /** The loop's variables. */
  readonly values: Vars;
}

/** The steps of a play as one host goes through them: what it includes is among them once that is known. */
export class HostSteps {
  readonly #list: Step[];
  readonly #included = new Set<IncludeStep>();

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
    const width = (step.before - step.order) / (inclusions.length + 1);
    const steps = inclusions.flatMap(({ path, nodes, handlers, values }, index) => {
      const vars = { ...step.node.task.includeVars, ...step.node.task.vars };
      const all = { ...step.node.task.includeValues, ...values };
      const order = step.order + width * index;
      const slot = { ...step, order, before: order + width };
      const key = `${step.ref.id} ${index} ${inclusions.length} ${path} ${JSON.stringify(all)}`;
      this.play.learn(handlers);
      return this.play.included(slot, key, () => nodes.map((node) => within(node, vars, all)));
    });
    this.#list.splice(at + 1, 0, ...steps);
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
