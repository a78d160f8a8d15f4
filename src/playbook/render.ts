/** Renders templates and templated values as Ansible's Templar does with jinja2_native off. */
import { posix } from "node:path";
import type { Position } from "../util/errors.js";
import { compute, type Env, type Locals, localValue, locateProblem, outputOf } from "./evaluate.js";
import { GivenVars, HostVars } from "./host-vars.js";
import { asItIs } from "./methods.js";
import { namesOfBody } from "./names-used.js";
import { exprPosition } from "./parser.js";
import { fromRendered } from "./python-literal.js";
import {
  isDict,
  isList,
  iterate,
  makeDict,
  NativeText,
  Opaque,
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
import { type Binding, describeBinding, EvaluationError, Scope, UndefinedVariableError } from "./scope.js";
import { Loop, Macro, Module, Namespace, templateNames } from "./template-objects.js";
import {
  CAPTURED,
  isPossiblyTemplate,
  type Parameter,
  parseIncluded,
  type Target,
  type Template,
  type TemplateNode,
  type TemplateOptions,
} from "./template-parser.js";
import type { Expr, Templated, Value } from "./types.js";
import { templateOfFile, valueTemplate } from "./value-templates.js";

const UNKNOWN: Position = { file: "<value>", line: 1, column: 1 };
const SINGLE_VARIABLE = /^\{\{\s*([\p{L}\p{N}_]*)\s*\}\}\n?$/u;
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

function inner(env: Env, names: Map<string, Rt> = new Map()): Env {
  return { ...env, locals: { names, outer: env.locals } };
}

function runFor(node: Extract<TemplateNode, { kind: "for" }>, env: Env, out: Rt[]): void {
  let items = iterate(compute(node.items, env));
  const { filter } = node;
  if (filter !== undefined) {
    items = items.filter((item) => {
      const names = new Map<string, Rt>();
      assign(node.targets, item, names);
      return truthy(compute(filter, inner(env, names)));
    });
  }
  if (items.length === 0) {
    run(node.otherwise, inner(env), out);
    return;
  }
  const loop = new Loop(items);
  for (const [index, item] of items.entries()) {
    loop.at = index;
    const names = new Map<string, Rt>([["loop", loop]]);
    assign(node.targets, item, names);
    run(node.body, inner(env, names), out);
  }
}

/** What the nodes put out, as one value: text, or what the text reads as. */
function captured(nodes: readonly TemplateNode[], env: Env): Rt {
  const out: Rt[] = [];
  run(nodes, env, out);
  return env.template?.converts === true ? concatenated(out) : out.map(str).join("");
}

function filtered(filters: Expr, body: Rt, env: Env): Rt {
  return compute(filters, inner(env, new Map([[CAPTURED, body]])));
}

function macroOf(name: string, params: readonly Parameter[], body: readonly TemplateNode[], env: Env): Macro {
  const shape = { name, params: params.map((param) => param.name), uses: namesOfBody(body) };
  return new Macro(shape, (given) => {
    const names = new Map<string, Rt>();
    const own = inner(env, names);
    for (const [key, value] of given) if (value !== undefined) names.set(key, value);
    for (const { name: key, otherwise } of params) {
      if (names.has(key)) continue;
      const missing = new Undefined(`the parameter "${key}" of the macro ${name} is not given`, key);
      names.set(key, otherwise === undefined ? missing : compute(otherwise, own));
    }
    return captured(body, own);
  });
}

function namesHere(env: Env): Map<string, Rt> {
  return env.locals?.names ?? new Map();
}

function runNode(node: TemplateNode, env: Env, out: Rt[]): void {
  switch (node.kind) {
    case "text":
      out.push(node.text);
      return;
    case "output":
      out.push(asItIs(outputOf(compute(node.expr, env))));
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
      assign(node.targets, compute(node.value, env), namesHere(env));
      return;
    case "setAttribute": {
      const object = localValue(node.name, env);
      if (!(object instanceof Namespace))
        throw new ValueProblem(
          `"${node.name}" is no namespace`,
          "Only attributes of what namespace() gives can be set.",
        );
      object.values.set(node.attribute, compute(node.value, env));
      return;
    }
    case "capture":
      namesHere(env).set(node.name, filtered(node.filters, captured(node.body, inner(env)), env));
      return;
    case "filter":
      out.push(outputOf(filtered(node.filters, captured(node.body, inner(env)), env)));
      return;
    case "with": {
      const names = new Map(node.values.map(({ name, value }) => [name, compute(value, env)]));
      run(node.body, inner(env, names), out);
      return;
    }
    case "macro":
      namesHere(env).set(node.name, macroOf(node.name, node.params, node.body, env));
      return;
    case "call": {
      const caller = macroOf("caller", node.params, node.body, env);
      const { call } = node;
      if (call.kind !== "call") throw new ValueProblem("{% call %} needs the call of a macro");
      const kwargs = { ...call.kwargs, caller: { kind: "name", name: CALLER } as const };
      out.push(outputOf(compute({ ...call, kwargs }, inner(env, new Map([[CALLER, caller]])))));
      return;
    }
    case "include":
    case "import":
    case "from":
      runOther(node, env, out);
  }
}

/** The name that a {% call %} block's body is passed under; no template can say it. */
const CALLER = "the caller";
/** More includes than anybody nests. */
const MAX_DEPTH = 50;

type OtherTemplate = Extract<TemplateNode, { kind: "include" | "import" | "from" }>;

function runOther(node: OtherTemplate, env: Env, out: Rt[]): void {
  const { template } = env;
  if (template === undefined || template.depth >= MAX_DEPTH)
    throw new ValueProblem("templates include each other without end");
  const names = templateNames(compute(node.template, env));
  const found = findTemplate(names, env.scope);
  if (found === undefined) {
    if (node.kind === "include" && node.optional) return;
    throw new ValueProblem(`the template ${names.join(" or ")} is not found`, searched(env.scope));
  }
  const other = parseIncluded(found.text, { file: found.path, line: 1, column: 1 }, template.options);
  const own = new Map<string, Rt>();
  const scope = node.context ? env.scope : new Scope(env.scope.options);
  const locals = { names: own, outer: node.context ? env.locals : undefined };
  const below: Env = { scope, locals, template: { ...template, depth: template.depth + 1 } };
  if (node.kind === "include") {
    run(other.nodes, below, out);
    return;
  }
  run(other.nodes, below, []);
  const module = new Module(new Map([...own].filter(([name]) => !name.startsWith("_"))));
  const here = namesHere(env);
  if (node.kind === "import") here.set(node.name, module);
  else
    for (const { name, as } of node.names) {
      const missing = new Undefined(`the template ${found.path} has no "${name}"`, name);
      here.set(as, module.attribute(name) ?? missing);
    }
}

function findTemplate(names: readonly string[], scope: Scope): { path: string; text: string } | undefined {
  const { reader, includePath = [] } = scope.options;
  if (reader === undefined) throw new ValueProblem("templates cannot be read here");
  for (const name of names) {
    // Jinja's own rule: below one of its directories.
    if (name.split("/").includes("..")) throw new ValueProblem(`the template "${name}" must not have .. in its path`);
    for (const directory of includePath) {
      const path = posix.join(directory, name);
      const text = reader.readFile(path);
      if (text !== undefined) return { path, text };
    }
  }
  return undefined;
}

function searched(scope: Scope): string {
  const { includePath = [] } = scope.options;
  return includePath.length === 0 ? "Only template files include others." : `Looked in ${includePath.join(", ")}.`;
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
    case "setAttribute":
      return node.value;
    case "capture":
    case "filter":
      return node.filters;
    case "call":
      return node.call;
    case "include":
    case "import":
    case "from":
      return node.template;
    case "with":
    case "macro":
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

function runTemplate({ nodes, options }: Template, scope: Scope, converts: boolean): Rt[] {
  const locals: Locals = { names: new Map() };
  const out: Rt[] = [];
  run(nodes, { scope, locals, template: { converts, options, depth: 0 } }, out);
  return out;
}

function keepNewlines(text: string, { trailingNewlines: wanted, options }: Template): string {
  const present = /\n*$/.exec(text)?.[0].length ?? 0;
  return present < wanted ? text + (options.newline ?? "\n").repeat(wanted - present) : text;
}

/**
 * The text of a template: what the template module writes to a file.
 * @throws InputError for an undefined variable or a failing operation, at its place
 */
export function renderTemplate(template: Template, scope: Scope): string {
  return keepNewlines(runTemplate(template, scope, false).map(str).join(""), template);
}

/** Would a list or dict be the same after it was printed and read again? */
function isPlain(value: Rt): boolean {
  if (value instanceof NativeText || value instanceof View || value instanceof Undefined) return false;
  if (value instanceof Opaque) return false;
  if (isList(value)) return value.every(isPlain);
  return !isDict(value) || Object.values(value).every(isPlain);
}

/** What parts make together: a single list, dict or bool stays one, and text that reads as one becomes one. */
function concatenated(out: readonly Rt[]): Rt {
  const [only] = out;
  if (out.length === 1 && only instanceof NativeText) return only;
  const keeps =
    out.length === 1 &&
    only !== undefined &&
    !(only instanceof Tuple) &&
    (isList(only) || isDict(only) || typeof only === "boolean") &&
    isPlain(only);
  return keeps ? only : fromRendered(out.map(str).join(""));
}

/** A template as a value. */
function renderToValue(template: Template, scope: Scope): Rt {
  const result = concatenated(runTemplate(template, scope, true));
  if (template.trailingNewlines === 0) return result;
  if (typeof result === "string") return keepNewlines(result, template);
  return result instanceof NativeText ? keepNewlines(result.text, template) : result;
}

/** The `template` lookup: a file, rendered to a value. */
export function renderFileTemplate(
  text: string,
  position: Position,
  scope: Scope,
  options: TemplateOptions,
  vars: Readonly<Record<string, Value>>,
): Rt {
  const template = templateOfFile(text, position, options);
  const includePath = includePathOf(position.file, scope);
  return renderToValue(template, scope.withValues(vars).withOptions({ ...scope.options, includePath }));
}

/** Where a template file's {% include %} looks: in `templates/` and itself of each directory, and beside the file. */
export function includePathOf(file: string, scope: Scope): string[] {
  const directories = [...(scope.options.searchPath ?? []), posix.dirname(file)];
  return [...new Set(directories.flatMap((directory) => [posix.join(directory, "templates"), directory]))];
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
  const waiting = scope.options.waits?.(name);
  if (waiting !== undefined) throw waiting;
  const special = name === "hostvars" || name === "vars" ? specialDict(name, scope) : undefined;
  if (special !== undefined) return special;
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

function specialDict(name: "hostvars" | "vars", scope: Scope): Rt | undefined {
  const known = scope.resolved.get(name);
  if (known !== undefined) return known;
  const { hostvars } = scope.options;
  const made = name === "vars" ? new GivenVars(scope) : hostvars && new HostVars(hostvars, resolveName);
  if (made !== undefined) scope.resolved.set(name, made);
  return made;
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
