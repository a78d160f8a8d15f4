/** Renders templates and templated values as Ansible's Templar does with jinja2_native off. */
import type { Position } from "../util/errors.js";
import { compute, type Env, type Locals, locateProblem, outputOf } from "./evaluate.js";
import { exprPosition } from "./parser.js";
import { fromRendered } from "./python-literal.js";
import {
  isDict,
  isList,
  iterate,
  makeDict,
  NativeText,
  type Rt,
  str,
  Tuple,
  toValue,
  truthy,
  Undefined,
  UndefinedProblem,
  ValueProblem,
  View,
} from "./python-values.js";
import { type Binding, describeBinding, EvaluationError, type Scope, UndefinedVariableError } from "./scope.js";
import { isPossiblyTemplate, parseTemplate, type Target, type Template, type TemplateNode } from "./template-parser.js";
import type { Locate } from "./template-source.js";
import type { Expr, Templated, Value } from "./types.js";

const UNKNOWN: Position = { file: "<value>", line: 1, column: 1 };
const SINGLE_VARIABLE = /^\{\{\s*([\p{L}\p{N}_]*)\s*\}\}\n?$/u;
const MAX_CACHED = 5000;
const parsed = new Map<string, Template>();

/** A string of a playbook as a template. Parsed once; `locate` makes the places within it exact. */
function valueTemplate(source: string, position: Position, locate?: Locate): Template {
  const key = `${position.file}:${position.line}:${position.column}:${source}`;
  const known = parsed.get(key);
  if (known !== undefined) return known;
  if (parsed.size >= MAX_CACHED) parsed.clear();
  const template = parseTemplate(source, locate ?? position, { escapes: "literal" });
  parsed.set(key, template);
  return template;
}

/** Checks the syntax of a playbook's string at load time, and remembers where its parts stand. @throws InputError */
export function checkTemplate(source: string, position: Position, locate: Locate): void {
  if (isPossiblyTemplate(source)) valueTemplate(source, position, locate);
}

function assign(target: Target, value: Rt, names: Map<string, Rt>): void {
  const [only] = target.names;
  if (!target.unpack && only !== undefined) {
    names.set(only, value);
    return;
  }
  const items = iterate(value);
  if (items.length !== target.names.length) {
    throw new ValueProblem(`${items.length} values do not fit ${target.names.length} names`);
  }
  for (const [index, name] of target.names.entries()) names.set(name, items[index] ?? null);
}

function runFor(node: Extract<TemplateNode, { kind: "for" }>, env: Env, out: Rt[]): void {
  const inner = (names: Map<string, Rt>): Env => ({ scope: env.scope, locals: { names, outer: env.locals } });
  let items = iterate(compute(node.items, env));
  const { filter } = node;
  if (filter !== undefined) {
    items = items.filter((item) => {
      const names = new Map<string, Rt>();
      assign(node.targets, item, names);
      return truthy(compute(filter, inner(names)));
    });
  }
  if (items.length === 0) {
    run(node.otherwise, inner(new Map()), out);
    return;
  }
  const missing = new Undefined("there is no such item beside this one");
  for (const [index, item] of items.entries()) {
    const loop: Rt = {
      index: index + 1,
      index0: index,
      revindex: items.length - index,
      revindex0: items.length - index - 1,
      first: index === 0,
      last: index === items.length - 1,
      length: items.length,
      previtem: items[index - 1] ?? missing,
      nextitem: items[index + 1] ?? missing,
    };
    const names = new Map<string, Rt>([["loop", loop]]);
    assign(node.targets, item, names);
    run(node.body, inner(names), out);
  }
}

function runNode(node: TemplateNode, env: Env, out: Rt[]): void {
  switch (node.kind) {
    case "text":
      out.push(node.text);
      return;
    case "output":
      out.push(outputOf(compute(node.expr, env)));
      return;
    case "if": {
      const branch = node.branches.find(({ test }) => truthy(compute(test, env)));
      run(branch?.body ?? node.otherwise, env, out);
      return;
    }
    case "for":
      runFor(node, env, out);
      return;
    case "set":
      assign(node.targets, compute(node.value, env), env.locals?.names ?? new Map());
  }
}

function exprOf(node: TemplateNode): Expr | undefined {
  switch (node.kind) {
    case "output":
      return node.expr;
    case "if":
      return node.branches[0]?.test;
    case "for":
      return node.items;
    case "set":
      return node.value;
    case "text":
      return undefined;
  }
}

function run(nodes: readonly TemplateNode[], env: Env, out: Rt[]): void {
  for (const node of nodes) {
    try {
      runNode(node, env, out);
    } catch (error) {
      const expr = exprOf(node);
      throw locateProblem(error, expr === undefined ? undefined : exprPosition(expr), env.scope);
    }
  }
}

function runTemplate(template: Template, scope: Scope): Rt[] {
  const locals: Locals = { names: new Map() };
  const out: Rt[] = [];
  run(template.nodes, { scope, locals }, out);
  return out;
}

function keepNewlines(text: string, wanted: number): string {
  const present = /\n*$/.exec(text)?.[0].length ?? 0;
  return present < wanted ? text + "\n".repeat(wanted - present) : text;
}

/**
 * The text of a template: what the template module writes to a file.
 * @throws InputError for an undefined variable or a failing operation, at its place
 */
export function renderTemplate(template: Template, scope: Scope): string {
  return keepNewlines(runTemplate(template, scope).map(str).join(""), template.trailingNewlines);
}

/** Would a list or dict be the same after it was printed and read again? */
function isPlain(value: Rt): boolean {
  if (value instanceof NativeText || value instanceof View || value instanceof Undefined) return false;
  if (isList(value)) return value.every(isPlain);
  return !isDict(value) || Object.values(value).every(isPlain);
}

/** A template as a value: text that reads as a list, dict or bool becomes one. */
function renderToValue(template: Template, scope: Scope): Rt {
  const out = runTemplate(template, scope);
  const [only] = out;
  let result: Rt;
  if (out.length === 1 && only instanceof NativeText) result = only;
  else if (
    out.length === 1 &&
    only !== undefined &&
    !(only instanceof Tuple) &&
    (isList(only) || isDict(only) || typeof only === "boolean") &&
    isPlain(only)
  )
    result = only;
  else result = fromRendered(out.map(str).join(""));
  if (template.trailingNewlines === 0) return result;
  if (typeof result === "string") return keepNewlines(result, template.trailingNewlines);
  return result instanceof NativeText ? keepNewlines(result.text, template.trailingNewlines) : result;
}

/** The `template` lookup: a file, rendered to a value. */
export function renderFileTemplate(text: string, position: Position, scope: Scope): Rt {
  const template = parseTemplate(text, position);
  return renderToValue(template, scope.withValues({ ansible_managed: "Ansible managed" }));
}

/** A string of a playbook, rendered. */
function renderString(source: string, scope: Scope, position: Position): Rt {
  if (!isPossiblyTemplate(source)) return source;
  const single = SINGLE_VARIABLE.exec(source)?.[1];
  const raw = single === undefined ? undefined : scope.lookup(single);
  if (raw !== undefined && (raw.value === null || typeof raw.value === "boolean" || typeof raw.value === "number"))
    return raw.value;
  return renderToValue(valueTemplate(source, position), scope);
}

function renderDeep(value: Value, scope: Scope, positionOf: (path: string) => Position, path: string): Rt {
  if (typeof value === "string") return renderString(value, scope, positionOf(path));
  if (Array.isArray(value)) {
    return (value as readonly Value[]).map((item, index) =>
      renderDeep(item, scope, positionOf, path === "" ? `${index}` : `${path}/${index}`),
    );
  }
  if (typeof value === "object" && value !== null) {
    return makeDict(
      Object.entries(value as Readonly<Record<string, Value>>).map(([key, item]) => [
        key,
        renderDeep(item, scope, positionOf, path === "" ? key : `${path}/${key}`),
      ]),
    );
  }
  return value as Rt;
}

/** The value of a variable: computed when first asked for, kept for the scope's life. Undefined parts become Undefined. */
export function resolveName(name: string, scope: Scope): Rt | undefined {
  const binding = scope.lookup(name);
  if (binding === undefined) return undefined;
  if (!binding.templated) return binding.value as Rt;
  const known = scope.resolved.get(name);
  if (known !== undefined) return known;
  if (scope.resolving.has(name)) {
    const circle = [...scope.resolving, name].slice([...scope.resolving].indexOf(name)).join(" -> ");
    throw new EvaluationError(`the variable ${describeBinding(name, binding)} refers to itself: ${circle}`, {
      position: binding.position,
    });
  }
  scope.resolving.add(name);
  try {
    const value = renderBinding(binding, scope);
    scope.resolved.set(name, value);
    return value;
  } catch (error) {
    // As Ansible: such a variable counts as undefined itself, so that `default` may still help.
    if (error instanceof UndefinedVariableError)
      return new Undefined(`${describeBinding(name, binding)}: ${error.message}`, error.variable);
    throw error;
  } finally {
    scope.resolving.delete(name);
  }
}

function renderBinding(binding: Binding, scope: Scope): Rt {
  const position = binding.position ?? UNKNOWN;
  return renderDeep(binding.value, scope, binding.positionOf ?? (() => position), "");
}

/**
 * A YAML value with every template in it rendered, typed as Ansible types it: `"{{ x }}"` keeps a list, dict, bool or
 * a variable's own number; `"{{ 1 + 1 }}"` is the string "2".
 * @throws InputError for an undefined variable or a failing operation, at its place
 */
export function renderValue(templated: Templated, scope: Scope): Value {
  try {
    return toValue(
      renderDeep(templated.value, scope, (path) => (path === "" ? templated.position : templated.positionOf(path)), ""),
    );
  } catch (error) {
    throw locateProblem(error, templated.position, scope);
  }
}

/** The value of an expression. @throws InputError for an undefined variable or a failing operation */
export function evaluate(expr: Expr, scope: Scope): Value {
  const value = compute(expr, { scope });
  try {
    if (value instanceof Undefined) throw new UndefinedProblem(value);
    return toValue(value);
  } catch (error) {
    throw locateProblem(error, exprPosition(expr), scope);
  }
}
