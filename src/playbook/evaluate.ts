/** Computes expressions, with Python's semantics. */
import type { Position } from "../util/errors.js";
import { arithmetic } from "./arithmetic.js";
import { argument, getItem, needInt } from "./filter-helpers.js";
import { callLookup } from "./lookups.js";
import { callMethod, isMethod, madeHere } from "./methods.js";
import { filterSpec, testSpec } from "./names.js";
import { exprPosition } from "./parser.js";
import type { Call, CallSignature, Plugins } from "./plugin.js";
import {
  asText,
  codePoints,
  compare,
  contains,
  equal,
  isDict,
  isList,
  LazyDict,
  makeDict,
  NativeText,
  Opaque,
  PyFloat,
  type Rt,
  str,
  Tuple,
  truthy,
  typeName,
  Undefined,
  UndefinedProblem,
  ValueProblem,
  View,
} from "./python-values.js";
import { resolveName } from "./render.js";
import { EvaluationError, type LookupReader, type Scope, UndefinedVariableError, undefinedHint } from "./scope.js";
import { Joiner, Namespace } from "./template-objects.js";
import type { TemplateOptions } from "./template-parser.js";
import type { Expr } from "./types.js";

/** Names that a template sets itself: loop targets and {% set %}. */
export interface Locals {
  readonly names: Map<string, Rt>;
  readonly outer?: Locals | undefined;
}

export interface Env {
  readonly scope: Scope;
  readonly locals?: Locals | undefined;
  /** The template that runs; a bare expression has none. */
  readonly template?: RunningTemplate | undefined;
}

export interface RunningTemplate {
  /** Text that reads as a list, dict or bool becomes one, as in the values of a playbook. */
  readonly converts: boolean;
  /** How it was parsed, for what it includes. */
  readonly options: TemplateOptions;
  /** Templates that include each other down to this one. */
  readonly depth: number;
}

/** Ansible's `omit`: an argument with this value is left out. */
export const OMIT = "__omit_place_holder__5d6f7acd9f0c4c7fb1c8f5c9c1f0a8e2";

const MAX_RANGE = 1_000_000;

/** Turns a problem with a value into an error with a place. */
export function locateProblem(error: unknown, position: Position | undefined, scope: Scope): unknown {
  if (error instanceof UndefinedProblem) {
    const { message, name, position: used } = error.undefinedValue;
    return new UndefinedVariableError(
      message,
      name,
      used ?? position,
      name === undefined ? undefined : undefinedHint(name, scope),
    );
  }
  if (error instanceof ValueProblem) return new EvaluationError(error.message, { hint: error.hint, position });
  return error;
}

/** The value of an expression; Undefined is a value here, and a NativeText keeps its mark. */
export function compute(expr: Expr, env: Env): Rt {
  try {
    return computeNode(expr, env);
  } catch (error) {
    throw locateProblem(error, exprPosition(expr), env.scope);
  }
}

/** The value for use in an operation: without the mark of NativeText. */
function operand(expr: Expr, env: Env): Rt {
  const value = compute(expr, env);
  return value instanceof NativeText ? value.text : value;
}

function computeNode(expr: Expr, env: Env): Rt {
  switch (expr.kind) {
    case "literal":
      return expr.float === true ? new PyFloat(expr.value as number) : (expr.value as Rt);
    case "name":
      return computeName(expr, env);
    case "attr":
      return attribute(operand(expr.object, env), expr.name, expr);
    case "index":
      return item(operand(expr.object, env), operand(expr.index, env), expr);
    case "slice":
      return slice(expr, env);
    case "list": {
      const items = expr.items.map((part) => compute(part, env));
      return expr.tuple === true ? Tuple.of2(items) : madeHere(items);
    }
    case "dict":
      return madeHere(makeDict(expr.entries.map(([key, value]) => [keyOf(key, env), compute(value, env)])));
    case "not":
      return !truthy(operand(expr.operand, env));
    case "neg":
      return arithmetic("-", 0, operand(expr.operand, env), true);
    case "and": {
      const left = compute(expr.left, env);
      return truthy(left) ? compute(expr.right, env) : left;
    }
    case "or": {
      const left = compute(expr.left, env);
      return truthy(left) ? left : compute(expr.right, env);
    }
    case "compare":
      return comparison(expr.op, operand(expr.left, env), operand(expr.right, env));
    case "binary":
      return arithmetic(expr.op, operand(expr.left, env), operand(expr.right, env));
    case "cond":
      if (truthy(operand(expr.test, env))) return compute(expr.then, env);
      if (expr.otherwise !== undefined) return compute(expr.otherwise, env);
      return new Undefined("the condition is false, and there is no else", undefined, exprPosition(expr), true);
    case "filter": {
      const subject = compute(expr.subject, env);
      const spec = filterSpec(expr.name);
      // `default` and its like hand values through, mark and all.
      const read = spec?.keepUndefined === true ? compute : operand;
      const args = expr.args.map((arg) => read(arg, env));
      const keywords = mapValues(expr.kwargs, (arg) => read(arg, env));
      const keeps = spec?.keepUndefined === true || spec?.keepMark === true;
      const plain = !keeps && subject instanceof NativeText ? subject.text : subject;
      return new ScopedPlugins(env.scope).filter(expr.name, plain, args, keywords);
    }
    case "test":
      return new ScopedPlugins(env.scope).test(
        expr.name,
        operand(expr.subject, env),
        expr.args.map((arg) => operand(arg, env)),
        mapValues(expr.kwargs ?? {}, (arg) => operand(arg, env)),
      );
    case "call":
      return call(expr, env);
  }
}

function keyOf(expr: Expr, env: Env): string {
  const name = operand(expr, env);
  if (name instanceof Undefined) throw new UndefinedProblem(name);
  const text = asText(name);
  if (text === undefined) throw new ValueProblem(`a key of a dict is a string here, not ${typeName(name)}`);
  return text;
}

function mapValues(record: Readonly<Record<string, Expr>>, change: (expr: Expr) => Rt): Record<string, Rt> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
}

/** What a template has set under a name itself. */
export function localValue(name: string, env: Env): Rt | undefined {
  for (let locals = env.locals; locals !== undefined; locals = locals.outer) {
    const value = locals.names.get(name);
    if (value !== undefined) return value;
  }
  return undefined;
}

function computeName(expr: Extract<Expr, { kind: "name" }>, env: Env): Rt {
  const own = localValue(expr.name, env);
  if (own !== undefined) return own;
  const value = resolveName(expr.name, env.scope);
  if (value === undefined) {
    if (expr.name === "omit") return OMIT;
    return new Undefined(`'${expr.name}' is undefined`, expr.name, exprPosition(expr));
  }
  if (value instanceof Undefined && value.position === undefined)
    return new Undefined(value.message, value.name, exprPosition(expr));
  return value;
}

function placed(value: Rt, expr: Expr): Rt {
  if (!(value instanceof Undefined) || value.position !== undefined) return value;
  return new Undefined(value.message, value.name, exprPosition(expr));
}

function attribute(object: Rt, name: string, expr: Expr): Rt {
  if (object instanceof Undefined) return below(object);
  if (object instanceof Opaque) return placed(getItem(object, name), expr);
  if (isMethod(object, name)) {
    throw new ValueProblem(
      `".${name}" is a method of ${typeName(object)}`,
      `Write ['${name}'] for the key, or .${name}() to call it.`,
    );
  }
  return placed(getItem(object, name), expr);
}

/** What is below an undefined value is undefined, too, but for that of an \`if\` without else. */
function below(object: Undefined): Undefined {
  if (object.lenient) throw new UndefinedProblem(object);
  return object;
}

function item(object: Rt, index: Rt, expr: Expr): Rt {
  if (object instanceof Undefined) return below(object);
  const value = getItem(object, index);
  const name = asText(index);
  if (value instanceof Undefined && name !== undefined && isMethod(object, name)) {
    throw new ValueProblem(`there is no key "${name}", and Ansible would take the method of that name`);
  }
  return placed(value, expr);
}

function slice(expr: Extract<Expr, { kind: "slice" }>, env: Env): Rt {
  const object = operand(expr.object, env);
  if (object instanceof Undefined) return below(object);
  const text = asText(object);
  if (text === undefined && !isList(object)) throw new ValueProblem(`a ${typeName(object)} cannot be sliced`);
  const items: readonly Rt[] = text === undefined ? (object as readonly Rt[]) : codePoints(text);
  const bound = (part: Expr | undefined): number | undefined => {
    if (part === undefined) return undefined;
    const value = operand(part, env);
    return value === null ? undefined : needInt(value, "a bound of a slice");
  };
  const step = bound(expr.step) ?? 1;
  if (step === 0) throw new ValueProblem("the step of a slice is not zero");
  const size = items.length;
  const clamp = (value: number | undefined, otherwise: number): number => {
    if (value === undefined) return otherwise;
    const low = step < 0 ? -1 : 0;
    const high = step < 0 ? size - 1 : size;
    return Math.min(Math.max(value < 0 ? value + size : value, low), high);
  };
  const start = clamp(bound(expr.start), step < 0 ? size - 1 : 0);
  const stop = clamp(bound(expr.stop), step < 0 ? -1 : size);
  const picked: Rt[] = [];
  for (let at = start; step < 0 ? at > stop : at < stop; at += step) picked.push(items[at] ?? null);
  if (text !== undefined) return picked.join("");
  return object instanceof Tuple ? Tuple.of2(picked) : picked;
}

function comparison(op: Extract<Expr, { kind: "compare" }>["op"], left: Rt, right: Rt): boolean {
  switch (op) {
    case "==":
      return equal(left, right);
    case "!=":
      return !equal(left, right);
    case "<":
      return compare(left, right) < 0;
    case "<=":
      return compare(left, right) <= 0;
    case ">":
      return compare(left, right) > 0;
    case ">=":
      return compare(left, right) >= 0;
    case "in":
      return contains(right, left);
    case "not in":
      return !contains(right, left);
  }
}

/** Puts positional and named arguments in the order of the signature. */
function bind(
  name: string,
  signature: CallSignature,
  args: readonly Rt[],
  keywords: Readonly<Record<string, Rt>>,
): Call {
  const bound: (Rt | undefined)[] = [...args];
  const rest: Record<string, Rt> = {};
  for (const [key, value] of Object.entries(keywords)) {
    const index = signature.params.indexOf(key);
    if (index >= 0) bound[index] = value;
    else if (signature.anyKeyword === true || signature.keywords?.includes(key) === true) rest[key] = value;
    else throw new ValueProblem(`"${name}" has no argument "${key}"`);
  }
  if (signature.rest !== true && bound.length > signature.params.length)
    throw new ValueProblem(`"${name}" is given too many arguments`);
  for (let index = 0; index < (signature.required ?? 0); index++) {
    if (bound[index] === undefined) throw new ValueProblem(`"${name}" needs the argument "${signature.params[index]}"`);
  }
  return { args: bound, keywords: rest };
}

function refuseUndefined(values: readonly Rt[]): void {
  for (const value of values) if (value instanceof Undefined) throw new UndefinedProblem(value);
}

type Keywords = Readonly<Record<string, Rt>>;

class ScopedPlugins implements Plugins {
  constructor(private readonly scope: Scope) {}

  get reader(): LookupReader | undefined {
    return this.scope.options.reader;
  }

  filter(name: string, subject: Rt, args: readonly Rt[], keywords: Keywords): Rt {
    const spec = filterSpec(name.replace(/^ansible\.builtin\./, ""));
    if (spec === undefined) throw new ValueProblem(`unknown filter "${name}"`);
    if (spec.refused !== undefined) throw new ValueProblem(`the filter "${name}" is not supported`, spec.refused);
    if (spec.keepUndefined !== true) refuseUndefined([subject, ...args, ...Object.values(keywords)]);
    return spec.run(subject, bind(name, spec, args, keywords), this);
  }

  test(name: string, subject: Rt, args: readonly Rt[], keywords: Keywords): boolean {
    const spec = testSpec(name.replace(/^ansible\.builtin\./, ""));
    if (spec === undefined) throw new ValueProblem(`unknown test "${name}"`);
    if (spec.refused !== undefined) throw new ValueProblem(`the test "${name}" is not supported`, spec.refused);
    if (spec.keepUndefined !== true) refuseUndefined([subject, ...args, ...Object.values(keywords)]);
    return spec.run(subject, bind(name, spec, args, keywords), this);
  }
}

function range(args: readonly Rt[]): View {
  const numbers = args.map((arg) => needInt(arg, "range()'s argument"));
  if (numbers.length < 1 || numbers.length > 3) throw new ValueProblem("range() takes one to three numbers");
  const [start, stop] = numbers.length === 1 ? [0, numbers[0] ?? 0] : [numbers[0] ?? 0, numbers[1] ?? 0];
  const step = numbers[2] ?? 1;
  if (step === 0) throw new ValueProblem("range()'s step is not zero");
  const size = Math.max(0, Math.ceil((stop - start) / step));
  if (size > MAX_RANGE) throw new ValueProblem(`range() gives at most ${MAX_RANGE} numbers`);
  return new View(
    Array.from({ length: size }, (_, index) => start + index * step),
    true,
  );
}

function call(expr: Extract<Expr, { kind: "call" }>, env: Env): Rt {
  const { callee } = expr;
  const target =
    callee.kind === "attr"
      ? operand(callee.object, env)
      : callee.kind === "name"
        ? localValue(callee.name, env)
        : undefined;
  if (target instanceof Opaque) {
    // A macro takes values with their marks.
    const args = expr.args.map((arg) => compute(arg, env));
    const named = mapValues(expr.kwargs, (arg) => compute(arg, env));
    return callee.kind === "attr" ? callAttribute(target, callee.name, args, named) : target.call(args, named);
  }
  const args = expr.args.map((arg) => operand(arg, env));
  const keywords = mapValues(expr.kwargs, (arg) => operand(arg, env));
  if (callee.kind === "attr") {
    const object = target ?? null;
    if (object instanceof Undefined) throw new UndefinedProblem(object);
    return callMethod(object, callee.name, args, keywords);
  }
  if (target instanceof Undefined) throw new UndefinedProblem(target);
  return callFunction(callee.kind === "name" ? callee.name : "", args, keywords, env);
}

const DICT_METHODS: ReadonlySet<string> = new Set(["get", "keys", "values", "items"]);

function callAttribute(object: Opaque, name: string, args: readonly Rt[], named: Readonly<Record<string, Rt>>): Rt {
  if (object instanceof LazyDict && DICT_METHODS.has(name)) {
    if (name === "get") {
      const key = asText(args[0] ?? null);
      return (key === undefined ? undefined : object.attribute(key)) ?? args[1] ?? null;
    }
    return callMethod(
      name === "keys" ? makeDict(object.keys().map((key) => [key, null])) : object.whole(),
      name,
      args,
      named,
    );
  }
  const found = object.attribute(name);
  if (found instanceof Undefined) throw new UndefinedProblem(found);
  if (!(found instanceof Opaque))
    throw new ValueProblem(`the ${object.typeName} has nothing to call that is named "${name}"`);
  return found.call(args, named);
}

function callFunction(name: string, args: readonly Rt[], keywords: Readonly<Record<string, Rt>>, env: Env): Rt {
  switch (name) {
    case "range":
      return range(args);
    case "dict": {
      const base = argument({ args, keywords }, 0, {});
      if (!isDict(base) || args.length > 1) throw new ValueProblem("dict() takes a dict and named arguments");
      return makeDict([...Object.entries(base), ...Object.entries(keywords)]);
    }
    case "namespace":
      return new Namespace(args, keywords);
    case "joiner":
      return new Joiner(argument({ args, keywords }, 0, keywords.sep ?? ", "));
    case "undef":
      return new Undefined(
        str(argument({ args, keywords }, 0, keywords.hint ?? "a mandatory variable is not overridden")),
      );
    case "lookup":
    case "query":
    case "q":
      refuseUndefined([...args, ...Object.values(keywords)]);
      return callLookup(args, keywords, name !== "lookup", env.scope);
    default:
      throw new ValueProblem(`"${name}" cannot be called here`);
  }
}

function refuseUndefinedParts(value: Rt): void {
  if (value instanceof Undefined) throw new UndefinedProblem(value);
  if (isList(value)) for (const part of value) refuseUndefinedParts(part);
  else if (isDict(value)) for (const part of Object.values(value)) refuseUndefinedParts(part);
}

/** The text that {{ }} puts out: None is nothing, a view a list. */
export function outputOf(value: Rt): Rt {
  if (!(value instanceof Undefined && value.lenient)) refuseUndefinedParts(value);
  if (value === null || value instanceof Undefined) return "";
  if (value instanceof View) return Array.from(value.items);
  return value instanceof LazyDict ? value.whole() : value;
}
