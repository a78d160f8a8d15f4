import {
  asNumber,
  asText,
  isFloat,
  isList,
  makeFloat,
  makeInt,
  type Rt,
  str,
  Tuple,
  typeName,
  Undefined,
  UndefinedProblem,
  ValueProblem,
} from "./python-values.js";
import type { Expr } from "./types.js";

type Operator = Extract<Expr, { kind: "binary" }>["op"];

function numeric(op: Operator, left: number, right: number, float: boolean): Rt {
  const result = (value: number): Rt => (float ? makeFloat(value) : makeInt(value));
  switch (op) {
    case "+":
      return result(left + right);
    case "-":
      return result(left - right);
    case "*":
      return result(left * right);
    case "/":
    case "//":
    case "%":
      if (right === 0) throw new ValueProblem("division by zero");
      if (op === "/") return makeFloat(left / right);
      if (op === "//") return result(Math.floor(left / right));
      return result(left % right === 0 ? 0 : (left % right) + (left % right < 0 !== right < 0 ? right : 0));
    case "**":
      if (left === 0 && right < 0) throw new ValueProblem("division by zero");
      return float || right < 0 ? makeFloat(left ** right) : makeInt(left ** right);
    default:
      throw new ValueProblem(`unknown operator ${op}`);
  }
}

function repeat(value: Rt, times: number): Rt | undefined {
  const text = asText(value);
  if (text !== undefined) return text.repeat(Math.max(0, times));
  if (!isList(value)) return undefined;
  const items = Array.from({ length: Math.max(0, times) }, () => Array.from(value)).flat();
  return value instanceof Tuple ? Tuple.of2(items) : items;
}

/** Python's arithmetic on numbers, and `+`, `*` and `~` on text and lists. @throws ValueProblem */
export function arithmetic(op: Operator, left: Rt, right: Rt, negation = false): Rt {
  if (op === "~") return str(left) + str(right);
  if (left instanceof Undefined) throw new UndefinedProblem(left);
  if (right instanceof Undefined) throw new UndefinedProblem(right);
  const a = asNumber(left);
  const b = asNumber(right);
  if (a !== undefined && b !== undefined) return numeric(op, a, b, isFloat(left) || isFloat(right));
  if (op === "+") {
    const textLeft = asText(left);
    const textRight = asText(right);
    if (textLeft !== undefined && textRight !== undefined) return textLeft + textRight;
    if (isList(left) && isList(right) && left instanceof Tuple === right instanceof Tuple) {
      return left instanceof Tuple ? Tuple.of2([...left, ...right]) : [...left, ...right];
    }
  }
  if (op === "*" && a !== undefined && !isFloat(left)) {
    const repeated = repeat(right, a);
    if (repeated !== undefined) return repeated;
  }
  if (op === "*" && b !== undefined && !isFloat(right)) {
    const repeated = repeat(left, b);
    if (repeated !== undefined) return repeated;
  }
  if (op === "%" && asText(left) !== undefined)
    throw new ValueProblem("formatting with % is not supported", "Join the parts with ~.");
  if (negation) throw new ValueProblem(`a ${typeName(right)} cannot be negated`);
  throw new ValueProblem(
    `"${op}" does not work on ${typeName(left)} and ${typeName(right)}`,
    "Convert with | int or | string.",
  );
}
