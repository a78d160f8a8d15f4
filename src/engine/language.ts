import { lstatSync, readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { posix } from "node:path";
import { evaluateCondition, parseCondition } from "../playbook/conditions.js";
import { namesOfExpr, namesOfTemplate, namesOfValue, runtimeNamesOf } from "../playbook/names-used.js";
import { parseExpression } from "../playbook/parser.js";
import { evaluate, renderTemplate, renderValue } from "../playbook/render.js";
import { isLiteral, residualConditions } from "../playbook/residual.js";
import type { FileKind, LookupReader, Scope } from "../playbook/scope.js";
import { parseTemplate } from "../playbook/template-parser.js";
import type { Condition, Expr, Templated, Value } from "../playbook/types.js";
import { InputError, type Position } from "../util/errors.js";

/** A value that is asked for is a registered result that no program has given yet. */
export class UnknownValueError extends Error {
  constructor(readonly register: string) {
    super(`${register} is not known yet`);
  }
}

export type Decision =
  | { readonly kind: "known"; readonly value: boolean; readonly source: string }
  | { readonly kind: "open"; readonly expr: Expr; readonly source: string };

export interface TemplateFileOptions {
  readonly trimBlocks: boolean;
  readonly lstripBlocks: boolean;
}

/** The playbook language, bound to the variables of one task on one host and to the results still to come. */
export class TaskLanguage {
  readonly #scope: Scope;
  readonly #isRuntime: (name: string) => boolean;

  constructor(scope: Scope, unknown: ReadonlySet<string>) {
    this.#scope = scope;
    this.#isRuntime = (name) => unknown.has(name);
  }

  #need(names: ReadonlySet<string>): void {
    for (const name of runtimeNamesOf(names, this.#scope, this.#isRuntime)) throw new UnknownValueError(name);
  }

  /**
   * Renders a value with all its parts.
   * @throws InputError with the place; UnknownValueError when it needs a result that is not there yet.
   */
  render(value: Templated): Value {
    this.#need(namesOfValue(value.value));
    return renderValue(value, this.#scope);
  }

  /** The value of a bare expression, such as `debug: var:`. */
  evaluate(source: string, position: Position): Value {
    const expr = parseExpression(source, position);
    this.#need(namesOfExpr(expr));
    return evaluate(expr, this.#scope);
  }

  /** Decides conditions that must all hold, as far as they can be decided now. */
  decide(conditions: readonly Condition[]): Decision {
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
   * The text of a template file.
   * @throws InputError for a file that cannot be read, or a mistake in it at its place.
   */
  renderFile(path: string, options: TemplateFileOptions): string {
    let text: string;
    try {
      text = readFileSync(path, "utf8");
    } catch (cause) {
      throw new InputError("E_TEMPLATE_FILE", `The template ${path} cannot be read.`, { cause });
    }
    this.#need(namesOfTemplate(text));
    const template = parseTemplate(text, { file: path, line: 1, column: 1 }, options);
    return renderTemplate(
      template,
      this.#scope.withValues({ ansible_managed: "Ansible managed", template_path: path }),
    );
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

/** More links than that lead in a circle. */
const MAX_LINKS = 40;

/** Python's os.path.realpath: what does not exist keeps its name. */
function realPath(path: string): string {
  let links = 0;
  const follow = (from: string, names: readonly string[]): string => {
    let at = from;
    for (const [index, name] of names.entries()) {
      if (name === "" || name === ".") continue;
      if (name === "..") {
        at = posix.dirname(at);
        continue;
      }
      const next = posix.join(at, name);
      let target: string | undefined;
      try {
        target = readlinkSync(next);
      } catch {
        // no link
      }
      if (target !== undefined && links++ < MAX_LINKS) {
        const base = follow(target.startsWith("/") ? "/" : at, target.split("/"));
        return follow(base, names.slice(index + 1));
      }
      at = next;
    }
    return at;
  };
  return follow(path.startsWith("/") ? "/" : process.cwd(), path.split("/"));
}
