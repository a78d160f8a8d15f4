/** `when` and its like: bare expressions whose truth decides. */
import { InputError, type Position } from "../util/errors.js";
import { compute, locateProblem } from "./evaluate.js";
import { exprPosition, parseCondition as parse } from "./parser.js";
import { truthy } from "./python-values.js";
import { type Scope, UndefinedVariableError } from "./scope.js";
import { isPossiblyTemplate } from "./template-parser.js";
import { type Locate, toLocate } from "./template-source.js";
import type { Condition } from "./types.js";

const DEFINED = /(hostvars\[.+\]|\w+)\s+(not\s+is|is|is\s+not)\s+(defined|undefined)/g;

/**
 * Parses a condition.
 * @throws InputError for a syntax mistake, and for {{ }}, which Ansible warns about and evaluates twice
 */
export function parseCondition(source: string, place: Position | Locate): Condition {
  const locate = toLocate(source, place);
  if (isPossiblyTemplate(source)) {
    throw new InputError("E_CONDITION", "a condition is a bare expression, without {{ }} and {% %}", {
      position: locate(0),
      hint: 'Leave out the braces: `when: x`, not `when: "{{ x }}"`.',
    });
  }
  return { source, expr: parse(source, locate), position: locate(0) };
}

/**
 * Is the condition true? As Ansible, a condition that fails on an undefined variable is decided by an
 * `x is defined` of that variable anywhere in it.
 * @throws InputError for an undefined variable or a failing operation
 */
export function evaluateCondition(condition: Condition, scope: Scope): boolean {
  try {
    return truthy(compute(condition.expr, { scope }));
  } catch (error) {
    const located = locateProblem(error, exprPosition(condition.expr) ?? condition.position, scope);
    if (located instanceof UndefinedVariableError && located.variable !== undefined) {
      for (const [, name, logic = "", state] of condition.source.matchAll(DEFINED)) {
        if (name === located.variable) return logic.includes("not") === (state === "defined");
      }
    }
    throw located;
  }
}

/** Are all of them true? They are read in order, and the first that is false decides. */
export function evaluateConditions(conditions: readonly Condition[], scope: Scope): boolean {
  return conditions.every((condition) => evaluateCondition(condition, scope));
}
