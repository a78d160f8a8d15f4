import type { Condition, Expr, RoleScope } from "../playbook/types.js";
import type { IncludeStep, Step, TaskStep } from "./steps.js";

/**
 * A role that is named twice with the same parameters runs once, as in Ansible: tasks of a later place go where an earlier
 * one runs for sure, and are skipped where an earlier one turns out to have run.
 */
export function withoutRepeats(steps: readonly Step[]): readonly Step[] {
  const places = new Map<string, Map<number, readonly Condition[]>>();
  return steps.flatMap((step): Step[] => {
    const use = roleOf(step)?.use;
    if (use === undefined) return [step];
    const known = places.get(use.key) ?? new Map<number, readonly Condition[]>();
    places.set(use.key, known.set(use.number, use.when));
    const earlier = [...known].filter(([number]) => number < use.number).map(([, when]) => when);
    const sources = new Set(use.when.map(({ source }) => source));
    if (earlier.some((when) => when.every(({ source }) => sources.has(source)))) return [];
    return [withConditions(step, earlier.map(notAll))];
  });
}

function roleOf(step: Step): RoleScope | undefined {
  if (step.kind === "task") return step.node.role;
  return step.kind === "include" ? step.node.task.role : undefined;
}

function withConditions(step: Step, more: readonly Condition[]): Step {
  if (more.length === 0) return step;
  if (step.kind === "task") {
    const { node } = step;
    return { ...step, node: { ...node, when: [...more, ...node.when] } } satisfies TaskStep;
  }
  if (step.kind !== "include") return step;
  const { task } = step.node;
  return { ...step, node: { ...step.node, task: { ...task, when: [...more, ...task.when] } } } satisfies IncludeStep;
}

function notAll(conditions: readonly Condition[]): Condition {
  const [first, ...rest] = conditions;
  if (first === undefined) throw new Error("nothing to negate");
  const all = rest.reduce<Expr>((left, { expr }) => ({ kind: "and", left, right: expr }), first.expr);
  return {
    source: `not (${conditions.map(({ source }) => source).join(" and ")})`,
    expr: { kind: "not", operand: all },
    position: first.position,
  };
}
