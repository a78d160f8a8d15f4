import type { Condition, Expr, Templated, Value } from "../playbook/types.js";

/** Variables of one task on one host, weakest first; values may hold templates, which are rendered when used. */
export interface ScopeLayer {
  readonly vars: Readonly<Record<string, Value | Templated>>;
}

/** A value that is asked for is a registered result that no program has given yet. */
export class UnknownValueError extends Error {
  readonly register: string;
  constructor(register: string) {
    super(`${register} is not known yet`);
    this.register = register;
  }
}

export type Decision =
  | { readonly kind: "known"; readonly value: boolean }
  | { readonly kind: "open"; readonly expr: Expr };

/** The playbook language as the compile step sees it, bound to the variables of one task on one host. */
export interface TaskLanguage {
  /**
   * Renders a value with all its parts.
   * @throws InputError with the place; UnknownValueError when it needs a result that is not there yet.
   */
  render(value: Templated): Value;
  /** Decides a condition as far as it can be decided now. */
  decide(condition: Condition): Decision;
  /** The text of a template file, rendered. */
  renderFile(path: string, options: { readonly trimBlocks: boolean; readonly lstripBlocks: boolean }): string;
}

/** Binds the language to layers of variables; `unknown` names results that are still to come. */
export type BindLanguage = (layers: readonly ScopeLayer[], unknown: ReadonlySet<string>) => TaskLanguage;
