/** `hostvars` and `vars`: dicts whose values are computed when they are asked for. */
import { LazyDict, type Rt } from "./python-values.js";
import type { HostVarsSource, Scope } from "./scope.js";

/** The variables of one host. */
class VarsOfHost extends LazyDict {
  readonly typeName = "HostVarsVars";

  constructor(
    readonly host: string,
    readonly source: HostVarsSource,
    readonly scope: Scope,
    readonly resolve: (name: string, scope: Scope) => Rt | undefined,
  ) {
    super();
  }

  keys(): string[] {
    this.#meet("ansible_facts");
    const names = [...this.scope.names()].sort();
    for (const name of names) this.#meet(name);
    return names;
  }

  override attribute(name: string): Rt | undefined {
    this.#meet(name);
    return this.resolve(name, this.scope);
  }

  #meet(name: string): void {
    const waiting = this.source.waits?.(this.host, name);
    if (waiting !== undefined) throw waiting;
  }
}

/** `hostvars`. */
export class HostVars extends LazyDict {
  readonly typeName = "HostVars";
  readonly #known = new Map<string, VarsOfHost>();

  constructor(
    readonly source: HostVarsSource,
    readonly resolve: (name: string, scope: Scope) => Rt | undefined,
  ) {
    super();
  }

  keys(): string[] {
    return [...this.source.names];
  }

  override attribute(name: string): Rt | undefined {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const scope = this.source.scopeOf(name);
    if (scope === undefined) return undefined;
    const vars = new VarsOfHost(name, this.source, scope, this.resolve);
    this.#known.set(name, vars);
    return vars;
  }
}

/** `vars`: what variables are given as, templates in them not computed. */
export class GivenVars extends LazyDict {
  readonly typeName = "dict";

  constructor(readonly scope: Scope) {
    super();
  }

  keys(): string[] {
    const waiting = this.scope.options.waits?.("ansible_facts");
    if (waiting !== undefined) throw waiting;
    return [...this.scope.names()];
  }

  override attribute(name: string): Rt | undefined {
    const waiting = this.scope.options.waits?.(name);
    if (waiting !== undefined) throw waiting;
    return this.scope.lookup(name)?.value as Rt | undefined;
  }
}
