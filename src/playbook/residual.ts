/**
 * Partial evaluation: computes now what inventory, vars and facts decide, and leaves what only the host's answers do.
 * The rest of an expression means the same as the whole, wherever the whole does not fail.
 */
import { EdgeError } from "../util/errors.js";
import { evaluateCondition } from "./conditions.js";
import { compute } from "./evaluate.js";
import { type IsRuntime, namesOfExpr, runtimeNamesOf } from "./names-used.js";
import {
  isDict,
  isList,
  NativeText,
  Opaque,
  PyFloat,
  type Rt,
  Tuple,
  truthy,
  Undefined,
  View,
} from "./python-values.js";
import type { Scope } from "./scope.js";
import type { Condition, Expr, Value } from "./types.js";

export type Literal = Extract<Expr, { kind: "literal" }>;

/** Is nothing left to be decided at run time? */
export function isLiteral(expr: Expr): expr is Literal {
  return expr.kind === "literal";
}

/** Can a literal hold the value without a loss? */
function holds(value: Rt): boolean {
  if (value instanceof Undefined || value instanceof View || value instanceof NativeText || value instanceof PyFloat)
    return false;
  if (value instanceof Tuple || value instanceof Opaque) return false;
  if (isList(value)) return value.every(holds);
  return !isDict(value) || Object.values(value).every(holds);
}

function toLiteral(value: Rt): Literal | undefined {
  if (value instanceof PyFloat) return { kind: "literal", value: value.value, float: true };
  return holds(value) ? { kind: "literal", value: value as Value } : undefined;
}

function literalTruth(expr: Expr): boolean | undefined {
  return isLiteral(expr) ? truthy(expr.value as Rt) : undefined;
}

const literal = (value: boolean): Literal => ({ kind: "literal", value });

class Folder {
  constructor(
    readonly scope: Scope,
    readonly isRuntime: IsRuntime,
  ) {}

  dependsOnRuntime(expr: Expr): boolean {
    return runtimeNamesOf(namesOfExpr(expr), this.scope, this.isRuntime).size > 0;
  }

  /** The literal of a part that is decided; a part that fails stays, and fails at run time if it is reached. */
  #decided(expr: Expr): Expr {
    try {
      return toLiteral(compute(expr, { scope: this.scope })) ?? expr;
    } catch (error) {
      // What is no mistake of the expression says that something has to come before it.
      if (!(error instanceof EdgeError)) throw error;
      return expr;
    }
  }

  #all(exprs: Readonly<Record<string, Expr>>): Record<string, Expr> {
    return Object.fromEntries(Object.entries(exprs).map(([key, value]) => [key, this.fold(value)]));
  }

  fold(expr: Expr): Expr {
    if (!this.dependsOnRuntime(expr)) return this.#decided(expr);
    switch (expr.kind) {
      case "literal":
      case "name":
        return expr;
      case "attr":
        return { ...expr, object: this.fold(expr.object) };
      case "index":
        return { ...expr, object: this.fold(expr.object), index: this.fold(expr.index) };
      case "slice":
        return {
          ...expr,
          object: this.fold(expr.object),
          ...(expr.start === undefined ? {} : { start: this.fold(expr.start) }),
          ...(expr.stop === undefined ? {} : { stop: this.fold(expr.stop) }),
          ...(expr.step === undefined ? {} : { step: this.fold(expr.step) }),
        };
      case "list":
        return { ...expr, items: expr.items.map((item) => this.fold(item)) };
      case "dict":
        return { ...expr, entries: expr.entries.map(([key, value]) => [this.fold(key), this.fold(value)]) };
      case "not":
      case "neg":
        return { ...expr, operand: expr.kind === "not" ? this.truth(expr.operand) : this.fold(expr.operand) };
      case "and":
      case "or": {
        const left = this.fold(expr.left);
        const known = literalTruth(left);
        if (known !== undefined) return known === (expr.kind === "and") ? this.fold(expr.right) : left;
        return { ...expr, left, right: this.fold(expr.right) };
      }
      case "compare":
      case "binary":
        return { ...expr, left: this.fold(expr.left), right: this.fold(expr.right) };
      case "cond": {
        const test = this.truth(expr.test);
        const known = literalTruth(test);
        if (known === true) return this.fold(expr.then);
        if (known === false && expr.otherwise !== undefined) return this.fold(expr.otherwise);
        return {
          ...expr,
          test,
          // biome-ignore lint/suspicious/noThenProperty: the name in the tree's contract; nobody awaits an expression
          then: this.fold(expr.then),
          ...(expr.otherwise === undefined ? {} : { otherwise: this.fold(expr.otherwise) }),
        };
      }
      case "filter":
        return {
          ...expr,
          subject: this.fold(expr.subject),
          args: expr.args.map((arg) => this.fold(arg)),
          kwargs: this.#all(expr.kwargs),
        };
      case "test":
        return {
          ...expr,
          subject: this.fold(expr.subject),
          args: expr.args.map((arg) => this.fold(arg)),
          ...(expr.kwargs === undefined ? {} : { kwargs: this.#all(expr.kwargs) }),
        };
      case "call": {
        const callee: Expr =
          expr.callee.kind === "attr" ? { ...expr.callee, object: this.fold(expr.callee.object) } : expr.callee;
        return { ...expr, callee, args: expr.args.map((arg) => this.fold(arg)), kwargs: this.#all(expr.kwargs) };
      }
    }
  }

  /** As fold, where only the truth of the result matters: `x.rc == 0 and false` is false whatever x is. */
  truth(expr: Expr): Expr {
    if (expr.kind === "not") {
      const operand = this.truth(expr.operand);
      const known = literalTruth(operand);
      return known === undefined ? { ...expr, operand } : literal(!known);
    }
    if (expr.kind !== "and" && expr.kind !== "or") {
      const folded = this.fold(expr);
      const known = literalTruth(folded);
      return known === undefined ? folded : literal(known);
    }
    // The side that decides: false for `and`, true for `or`.
    const decisive = expr.kind === "or";
    const left = this.truth(expr.left);
    if (literalTruth(left) === decisive) return literal(decisive);
    const right = this.truth(expr.right);
    if (literalTruth(right) === decisive) return literal(decisive);
    if (literalTruth(left) !== undefined) return right;
    if (literalTruth(right) !== undefined) return left;
    return { ...expr, left, right };
  }
}

/**
 * What is left of an expression once everything known is computed; a literal when nothing is.
 * @throws InputError when the expression needs no run-time name and fails
 */
export function residual(expr: Expr, scope: Scope, isRuntime: IsRuntime): Expr {
  const folder = new Folder(scope, isRuntime);
  if (folder.dependsOnRuntime(expr)) return folder.fold(expr);
  return toLiteral(compute(expr, { scope })) ?? expr;
}

/**
 * What is left of several conditions that must all hold, as one expression of which only the truth counts.
 * A false one decides, whatever the host would have answered before it.
 * @throws InputError when a decided condition fails and no earlier one is false
 */
export function residualConditions(conditions: readonly Condition[], scope: Scope, isRuntime: IsRuntime): Expr {
  const folder = new Folder(scope, isRuntime);
  let rest: Expr = literal(true);
  for (const condition of conditions) {
    let part: Expr;
    if (folder.dependsOnRuntime(condition.expr)) part = folder.truth(condition.expr);
    else if (isLiteral(rest)) part = literal(evaluateCondition(condition, scope));
    else part = folder.truth(condition.expr);
    const known = literalTruth(part);
    if (known === false) return literal(false);
    if (known === true) continue;
    rest = isLiteral(rest) ? part : { kind: "and", left: rest, right: part };
  }
  return rest;
}
