import { lstatSync, readdirSync, readFileSync, statSync } from "node:fs";
import { evaluateCondition, parseCondition } from "../playbook/conditions.js";
import { locateProblem } from "../playbook/evaluate.js";
import { runLookup } from "../playbook/lookups.js";
import { namesOfBody, namesOfExpr, namesOfValue, runtimeNamesOf } from "../playbook/names-used.js";
import { parseExpression } from "../playbook/parser.js";
import { fromValue, toValue } from "../playbook/python-values.js";
import { evaluate, includePathOf, renderTemplate, renderValue } from "../playbook/render.js";
import { isLiteral, residualConditions } from "../playbook/residual.js";
import type { FileKind, LookupReader, Scope } from "../playbook/scope.js";
import type { Condition, Expr, FileLoop, Templated, Value } from "../playbook/types.js";
import { templateOfFile } from "../playbook/value-templates.js";
import { InputError, type Position } from "../util/errors.js";
import { realPath, templateVars } from "./controller-files.js";
import type { FactGroup } from "./facts-script.js";
import { templateOptions } from "./template-options.js";

/** Facts that are asked for have not been gathered: of this host, or of another one. */
export class FactsWantedError extends Error {
  constructor(
    readonly groups: readonly FactGroup[],
    readonly of: { readonly host?: string; readonly anew?: boolean } = {},
  ) {
    super(`facts are wanted: ${groups.join(", ")}`);
  }
}

/** Groups of facts that a variable would need and that are not there. */
export type Owes = (name: string, scope: Scope) => readonly FactGroup[];

/** A value that is asked for is a registered result that no program has given yet. */
export class UnknownValueError extends Error {
  constructor(readonly register: string) {
    super(`${register} is not known yet`);
  }
}

/** A file asks for fields of a result that a program which only looks has not sent. */
export class UnsentResultError extends Error {
  constructor(register: string) {
    super(`a file asks for ${register}`);
  }
}

export type Decision =
  | { readonly kind: "known"; readonly value: boolean; readonly source: string }
  | { readonly kind: "open"; readonly expr: Expr; readonly source: string };

/** The playbook language, bound to the variables of one task on one host and to the results still to come. */
export class TaskLanguage {
  readonly #scope: Scope;
  readonly #isRuntime: (name: string) => boolean;
  readonly #onText: (text: string) => void;

  readonly #owes: Owes;

  /** @param onText is given the text of each template file before it is rendered */
  constructor(
    scope: Scope,
    unknown: ReadonlySet<string>,
    owes: Owes = () => [],
    onText: (text: string) => void = () => {},
  ) {
    this.#scope = scope;
    this.#onText = onText;
    this.#isRuntime = (name) => unknown.has(name);
    this.#owes = owes;
  }

  #need(names: Iterable<string>): void {
    for (const name of this.#runtimeNames(names)) throw new UnknownValueError(name);
  }

  /** Results to come behind names. @throws FactsWantedError when there are facts among them that are not there */
  #runtimeNames(names: Iterable<string>): Set<string> {
    const owed = new Set<FactGroup>();
    const found = runtimeNamesOf(names, this.#scope, (name) => {
      for (const group of this.#owes(name, this.#scope)) owed.add(group);
      return this.#isRuntime(name);
    });
    if (owed.size > 0) throw new FactsWantedError([...owed]);
    return found;
  }

  /**
   * Renders a value with all its parts.
   * @throws InputError with the place; UnknownValueError when it needs a result that is not there yet.
   */
  render(value: Templated): Value {
    this.#need(namesOfValue(value.value));
    return renderValue(value, this.#scope);
  }

  /** The value of a variable, with its templates; undefined where there is none. */
  variable(name: string): Value | undefined {
    this.#need(new Set([name]));
    const binding = this.#scope.lookup(name);
    if (binding === undefined || !binding.templated) return binding?.value;
    const { value, position = { file: name, line: 1, column: 1 } } = binding;
    return renderValue({ value, position, positionOf: binding.positionOf ?? (() => position) }, this.#scope);
  }

  /** Whether variables of other hosts are read for values, or for variables that these name. */
  asksHosts(values: Readonly<Record<string, Templated>>): boolean {
    const names = Object.values(values).flatMap(({ value }) => [
      ...namesOfValue(value),
      // `debug: var:` is an expression.
      ...(typeof value === "string" && value.includes("hostvars") ? ["hostvars"] : []),
    ]);
    return runtimeNamesOf(names, this.#scope, (name) => name === "hostvars").size > 0;
  }

  /** The value of a bare expression, such as `debug: var:`. */
  evaluate(source: string, position: Position): Value {
    const expr = parseExpression(source, position);
    this.#need(namesOfExpr(expr));
    return evaluate(expr, this.#scope);
  }

  /** What a lookup of files finds. @param folder where it looks first in each directory */
  files(kind: FileLoop, terms: readonly Value[], folder: string, position: Position): readonly Value[] {
    const scope = this.#scope.withOptions({ ...this.#scope.options, folder });
    try {
      return runLookup(kind, terms.map(fromValue), {}, scope).map(toValue);
    } catch (error) {
      throw locateProblem(error, position, scope);
    }
  }

  /** Decides conditions that must all hold, as far as they can be decided now. */
  decide(conditions: readonly Condition[]): Decision {
    for (const { expr } of conditions) this.#runtimeNames(namesOfExpr(expr));
    const expr = residualConditions(conditions, this.#scope, this.#isRuntime);
    const all = conditions.map((condition) => condition.source).join(" and ");
    if (!isLiteral(expr)) return { kind: "open", expr, source: all };
    if (expr.value) return { kind: "known", value: true, source: all };
    return { kind: "known", value: false, source: this.#falseOne(conditions) ?? all };
  }

  #falseOne(conditions: readonly Condition[]): string | undefined {
    return conditions.find((condition) => {
      if (runtimeNamesOf(namesOfExpr(condition.expr), this.#scope, this.#isRuntime).size > 0) return false;
      return !evaluateCondition(condition, this.#scope);
    })?.source;
  }

  /** A bare condition inside a value, such as `assert: that:`. */
  parse(source: string, position: Position): Condition {
    return parseCondition(source, position);
  }

  /**
   * The text of a template file, by the arguments of the module `template`.
   * @throws InputError for a file that cannot be read, or a mistake in it at its place.
   */
  renderFile(path: string, args: Readonly<Record<string, Value>>): string {
    let text: string;
    try {
      text = readFileSync(path, "utf8");
    } catch (cause) {
      throw new InputError("E_TEMPLATE_FILE", `The template ${path} cannot be read.`, { cause });
    }
    this.#onText(text);
    const template = templateOfFile(text, { file: path, line: 1, column: 1 }, templateOptions(args));
    this.#need(namesOfBody(template.nodes));
    const dest = typeof args.dest === "string" ? args.dest : null;
    const vars = templateVars(typeof args.src === "string" ? args.src : path, path, dest);
    const includePath = includePathOf(path, this.#scope);
    const scope = this.#scope.withValues(vars);
    return renderTemplate(template, scope.withOptions({ ...scope.options, includePath }));
  }
}

/** Lookups read this machine's files and environment. */
export const controllerReader: LookupReader = {
  readFile(path) {
    try {
      return readFileSync(path, "utf8");
    } catch {
      return undefined;
    }
  },
  kindOf: fileKind,
  list(path) {
    try {
      return readdirSync(path);
    } catch {
      return undefined;
    }
  },
  realPath,
  templateVars,
  env: (name) => process.env[name],
};

/** What is at a path. As Python's os.path: what cannot be looked at is not there. */
export function fileKind(path: string, follow: boolean): FileKind | undefined {
  try {
    const stats = follow ? statSync(path) : lstatSync(path);
    if (stats.isFile()) return "file";
    if (stats.isDirectory()) return "directory";
    return stats.isSymbolicLink() ? "link" : "other";
  } catch {
    return undefined;
  }
}
