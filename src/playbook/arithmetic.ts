import { percentFormat } from "./python-format.js";
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

/** Python's `%`: of the sign of the divisor. */
function modulo(left: number, right: number): number {
  const rest = left % right;
  if (rest === 0) return right < 0 ? -0 : 0;
  return rest < 0 === right < 0 ? rest : rest + right;
}

/** Python's `//`, which goes by the rest that is left. */
function floorDivide(left: number, right: number): number {
  const quotient = (left - modulo(left, right)) / right;
  if (quotient === 0) return left < 0 === right < 0 ? 0 : -0;
  return Math.round(quotient);
}

/**
 * Python's `**`, which rounds once. The powers of JavaScript are off in the last digit now and then.
 * @throws ValueProblem for a power that is not computed exactly
 */
export function power(base: number, exponent: number): number {
  if (base === 0 && exponent < 0) throw new ValueProblem("division by zero");
  if (exponent === 0.5 && base >= 0) return Math.sqrt(base);
  let mantissa = base;
  let shift = 0;
  for (; !Number.isInteger(mantissa); mantissa *= 2) shift++;
  const steps = Math.abs(exponent);
  if (!Number.isInteger(exponent) || steps * Math.max(shift, 1) > MAX_EXPONENT)
    throw new ValueProblem("only powers with a small whole exponent, or 0.5, are computed");
  const digits = BigInt(mantissa) ** BigInt(steps);
  if (exponent >= 0) return Number(digits) / 2 ** (shift * steps);
  if (!Number.isSafeInteger(Number(digits))) throw new ValueProblem("the power is too small to be computed exactly");
  return 2 ** (shift * steps) / Number(digits);
}

/** Two to the power of it is a number yet. */
const MAX_EXPONENT = 1000;

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
      return result(op === "%" ? modulo(left, right) : floorDivide(left, right));
    case "**":
      return float || right < 0 ? makeFloat(power(left, right)) : makeInt(power(left, right));
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
  const format = op === "%" ? asText(left) : undefined;
  if (format !== undefined) return percentFormat(format, right);
  if (negation) throw new ValueProblem(`a ${typeName(right)} cannot be negated`);
  throw new ValueProblem(
    `"${op}" does not work on ${typeName(left)} and ${typeName(right)}`,
    "Convert with | int or | string.",
  );
}
