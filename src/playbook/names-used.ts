/** Which variables an expression, a template or a value depends on. */

import { functionNames } from "./names.js";
import type { Scope } from "./scope.js";
import { CAPTURED, isPossiblyTemplate, type TemplateNode } from "./template-parser.js";
import type { Expr, Value } from "./types.js";
import { templateOfText } from "./value-templates.js";

/** The expressions directly below one. */
export function children(expr: Expr): Expr[] {
  switch (expr.kind) {
    case "literal":
    case "name":
      return [];
    case "attr":
      return [expr.object];
    case "index":
      return [expr.object, expr.index];
    case "slice":
      return [expr.object, expr.start, expr.stop, expr.step].filter((part) => part !== undefined);
    case "list":
      return expr.items;
    case "dict":
      return expr.entries.flat();
    case "not":
    case "neg":
      return [expr.operand];
    case "and":
    case "or":
    case "compare":
    case "binary":
      return [expr.left, expr.right];
    case "cond":
      return [expr.test, expr.then, ...(expr.otherwise === undefined ? [] : [expr.otherwise])];
    case "filter":
      return [expr.subject, ...expr.args, ...Object.values(expr.kwargs)];
    case "test":
      return [expr.subject, ...expr.args, ...Object.values(expr.kwargs ?? {})];
    case "call":
      return [
        ...(expr.callee.kind === "attr" ? [expr.callee.object] : []),
        ...expr.args,
        ...Object.values(expr.kwargs),
      ];
  }
}

/** `lookup('vars', 'x')` and `lookup('template', ...)` reach variables without naming them in the tree. */
function lookupNames(expr: Expr, add: (name: string) => void): void {
  if (expr.kind !== "call" || expr.callee.kind !== "name") return;
  const [kind, ...terms] = expr.args;
  if (kind?.kind !== "literal" || !/^(ansible\.builtin\.)?vars$/.test(String(kind.value))) return;
  for (const term of terms) if (term.kind === "literal" && typeof term.value === "string") add(term.value);
}

/** `ansible_facts.x` is a name of its own: a module may give it while the others are known. */
function factName(expr: Expr): string | undefined {
  if (expr.kind !== "attr" && expr.kind !== "index") return undefined;
  if (expr.object.kind !== "name" || expr.object.name !== "ansible_facts") return undefined;
  if (expr.kind === "attr") return `ansible_facts.${expr.name}`;
  return expr.index.kind === "literal" ? `ansible_facts.${String(expr.index.value)}` : undefined;
}

function exprNames(expr: Expr, add: (name: string) => void): void {
  const fact = factName(expr);
  if (fact !== undefined) {
    add(fact);
    return;
  }
  if (expr.kind === "name") add(expr.name);
  if (expr.kind === "call" && expr.callee.kind === "name" && !functionNames.has(expr.callee.name))
    add(expr.callee.name);
  lookupNames(expr, add);
  for (const child of children(expr)) exprNames(child, add);
}

/** Names that the nodes take from outside: what they set themselves is not among them. */
function nodeNames(nodes: readonly TemplateNode[], own: ReadonlySet<string>, add: (name: string) => void): void {
  const known = new Set([...own, CAPTURED]);
  const outside = (name: string): void => {
    if (!known.has(name)) add(name);
  };
  for (const node of nodes) {
    switch (node.kind) {
      case "text":
        break;
      case "output":
        exprNames(node.expr, outside);
        break;
      case "if":
        for (const { test, body } of node.branches) {
          exprNames(test, outside);
          nodeNames(body, known, add);
        }
        nodeNames(node.otherwise, known, add);
        break;
      case "for": {
        exprNames(node.items, outside);
        const inner = new Set([...known, ...node.targets.names, "loop"]);
        if (node.filter !== undefined) exprNames(node.filter, (name) => inner.has(name) || add(name));
        nodeNames(node.body, inner, add);
        nodeNames(node.otherwise, known, add);
        break;
      }
      case "set":
        exprNames(node.value, outside);
        for (const name of node.targets.names) known.add(name);
        break;
      case "setAttribute":
        exprNames(node.value, outside);
        break;
      case "capture":
        bodyNames(node.body, [], known, add);
        exprNames(node.filters, outside);
        known.add(node.name);
        break;
      case "filter":
        bodyNames(node.body, [], known, add);
        exprNames(node.filters, outside);
        break;
      case "with":
        for (const { value } of node.values) exprNames(value, outside);
        bodyNames(
          node.body,
          node.values.map(({ name }) => name),
          known,
          add,
        );
        break;
      case "call":
        exprNames(node.call, outside);
        parametersAndBody(node, known, add);
        break;
      case "macro":
        parametersAndBody(node, known, add);
        known.add(node.name);
        break;
      case "include":
      case "import":
      case "from":
        exprNames(node.template, outside);
        if (node.kind === "import") known.add(node.name);
        if (node.kind === "from") for (const name of node.names) known.add(name.as);
    }
  }
}

/** Names that stand for what a macro is given besides its parameters. */
const MACRO_NAMES = ["caller", "varargs", "kwargs"];

function parametersAndBody(
  node: Extract<TemplateNode, { kind: "macro" | "call" }>,
  known: ReadonlySet<string>,
  add: (name: string) => void,
): void {
  const own = [...MACRO_NAMES, ...node.params.map(({ name }) => name)];
  for (const { otherwise } of node.params)
    if (otherwise !== undefined) exprNames(otherwise, (name) => known.has(name) || own.includes(name) || add(name));
  bodyNames(node.body, own, known, add);
}

function bodyNames(
  body: readonly TemplateNode[],
  own: readonly string[],
  known: ReadonlySet<string>,
  add: (name: string) => void,
): void {
  nodeNames(body, new Set([...known, ...own]), add);
}

/** Names that a template's body takes from outside, those of a macro's own arguments among them. */
export function namesOfBody(nodes: readonly TemplateNode[]): Set<string> {
  const names = new Set<string>();
  nodeNames(nodes, new Set(), (name) => names.add(name));
  return names;
}

/** Names that an expression mentions. */
export function namesOfExpr(expr: Expr): Set<string> {
  const names = new Set<string>();
  exprNames(expr, (name) => names.add(name));
  return names;
}

/** Names by template: a playbook's variables are asked about for every task and host that mentions them. */
const knownNames = new Map<string, ReadonlySet<string>>();
const MAX_KNOWN = 4096;

/** Names that the text of a template, a file's or a value's, takes from outside. @throws InputError for wrong syntax */
export function namesOfTemplate(source: string): ReadonlySet<string> {
  if (!isPossiblyTemplate(source)) return NO_NAMES;
  const known = knownNames.get(source);
  if (known !== undefined) return known;
  const names = namesOfBody(templateOfText(source).nodes);
  if (knownNames.size >= MAX_KNOWN) knownNames.clear();
  knownNames.set(source, names);
  return names;
}

const NO_NAMES: ReadonlySet<string> = new Set();

function valueNames(value: Value, add: (name: string) => void): void {
  if (typeof value === "string") for (const name of namesOfTemplate(value)) add(name);
  else if (typeof value === "object" && value !== null)
    for (const part of Object.values(value)) valueNames(part as Value, add);
}

/** Names that the strings within a value mention. */
export function namesOfValue(value: Value): Set<string> {
  const names = new Set<string>();
  valueNames(value, (name) => names.add(name));
  return names;
}

/** Is a name known at run time only: a registered result, a loop's item over one? */
export type IsRuntime = (name: string) => boolean;

/**
 * The run-time names behind `names`, through variables whose own values are templates.
 * @returns the run-time names themselves, not the variables on the way
 */
export function runtimeNamesOf(names: Iterable<string>, scope: Scope, isRuntime: IsRuntime): Set<string> {
  const found = new Set<string>();
  const seen = new Set<string>();
  const visit = (name: string): void => {
    if (seen.has(name)) return;
    seen.add(name);
    if (isRuntime(name)) {
      found.add(name);
      return;
    }
    const binding = scope.lookup(name);
    if (binding?.templated === true) for (const inner of namesOfValue(binding.value)) visit(inner);
  };
  for (const name of names) visit(name);
  return found;
}

/** The run-time names that an expression or a templated value depends on, through lazy variables too. */
export function runtimeNames(
  subject: { expr: Expr } | { value: Value },
  scope: Scope,
  isRuntime: IsRuntime,
): Set<string> {
  const names = "expr" in subject ? namesOfExpr(subject.expr) : namesOfValue(subject.value);
  return runtimeNamesOf(names, scope, isRuntime);
}
