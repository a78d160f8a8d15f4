/** Where the names of a template come from. */
import { formatPosition, InputError, type Position } from "../util/errors.js";
import { didYouMean } from "../util/suggest.js";
import type { Rt } from "./python-values.js";
import type { Templated, Value } from "./types.js";

/** The value of a name. Only values of files the operator wrote are templates; facts and results never are. */
export interface Binding {
  readonly value: Value;
  readonly templated: boolean;
  readonly position?: Position | undefined;
  readonly positionOf?: ((path: string) => Position) | undefined;
}

export type FileKind = "file" | "directory" | "link" | "other";

/** What lookups and tests of files read, given from outside so that the language itself touches no disk. */
export interface LookupReader {
  /** Text of a file at an absolute path, undefined when there is none. */
  readFile(path: string): string | undefined;
  /** What is at a path of this machine, undefined when nothing is. @param follow what a link leads to */
  kindOf(path: string, follow: boolean): FileKind | undefined;
  /** Names in a directory; undefined when it is none. */
  list(path: string): readonly string[] | undefined;
  /** The path without links, relative ones from where this runs. */
  realPath(path: string): string;
  /** What Ansible tells a template of itself: `template_path`, `ansible_managed` and the like. @param name as it was asked for */
  templateVars(name: string, path: string): Readonly<Record<string, Value>>;
  /** A variable of this machine's environment. */
  env(name: string): string | undefined;
}

/** The variables of other hosts. */
export interface HostVarsSource {
  readonly names: readonly string[];
  readonly scopeOf: (host: string) => Scope | undefined;
  /** What to throw for a variable of a host that has to do something before it can be read. */
  readonly waits?: ((host: string, variable: string) => Error | undefined) | undefined;
}

export interface ScopeOptions {
  readonly hostvars?: HostVarsSource | undefined;
  readonly reader?: LookupReader | undefined;
  /** What to throw for a name whose value is still to come: files that templates read name what nobody could see before. */
  readonly waits?: ((name: string) => Error | undefined) | undefined;
  /** Directories of {% include %} in the template that runs; none outside of template files. */
  readonly includePath?: readonly string[] | undefined;
  /** Directories in which lookups search: of the task's file first, then of the playbook. Absolute. */
  readonly searchPath?: readonly string[] | undefined;
  /** Where first_found looks first in each of them, instead of files/. */
  readonly folder?: string | undefined;
}

type Layer = ReadonlyMap<string, Binding>;

/** Names in layers; a later layer wins. Immutable: `with...` give a new scope, in which lazy values are computed anew. */
export class Scope {
  /** Values of lazy variables, once computed. Used by the evaluator alone. */
  readonly resolved = new Map<string, Rt>();
  /** Variables being computed now, to notice one that refers to itself. */
  readonly resolving = new Set<string>();

  constructor(
    readonly options: ScopeOptions = {},
    private readonly layers: readonly Layer[] = [],
  ) {}

  /** Values that are data: facts, results, loop items. */
  withValues(vars: Readonly<Record<string, Value>>): Scope {
    return this.#with(Object.entries(vars).map(([name, value]) => [name, { value, templated: false }]));
  }

  /** Values whose strings may be templates: inventory variables. */
  withTemplates(vars: Readonly<Record<string, Value>>, origins: Readonly<Record<string, Position>> = {}): Scope {
    return this.#with(
      Object.entries(vars).map(([name, value]) => [name, { value, templated: true, position: origins[name] }]),
    );
  }

  /** Variables of plays, blocks, tasks and vars_files, with the places of their parts. */
  withVars(vars: Readonly<Record<string, Templated>>): Scope {
    return this.#above(layerOf(vars));
  }

  /** The same names, and below all of them others: what is only taken where nothing else says it. */
  withDefaults(vars: Readonly<Record<string, Templated>>): Scope {
    const below = new Scope().withVars(vars);
    return new Scope(this.options, [...this.layers, ...below.layers]);
  }

  withOptions(options: ScopeOptions): Scope {
    return new Scope({ ...this.options, ...options }, this.layers);
  }

  #with(entries: readonly (readonly [string, Binding])[]): Scope {
    return this.#above(new Map(entries));
  }

  #above(layer: Layer): Scope {
    return layer.size === 0 ? this : new Scope(this.options, [layer, ...this.layers]);
  }

  lookup(name: string): Binding | undefined {
    for (const layer of this.layers) {
      const binding = layer.get(name);
      if (binding !== undefined) return binding;
    }
    return undefined;
  }

  names(): Set<string> {
    return new Set(this.layers.flatMap((layer) => [...layer.keys()]));
  }
}

/** A play's variables are the same ones for all its tasks and hosts. */
const knownLayers = new WeakMap<Readonly<Record<string, Templated>>, Layer>();

function layerOf(vars: Readonly<Record<string, Templated>>): Layer {
  const known = knownLayers.get(vars);
  if (known !== undefined) return known;
  const layer = new Map<string, Binding>();
  for (const [name, part] of Object.entries(vars)) {
    const { value, position } = part;
    layer.set(name, { value, templated: part.isData !== true, position, positionOf: (path) => part.positionOf(path) });
  }
  knownLayers.set(vars, layer);
  return layer;
}

/** A template cannot be computed: an operation that fails, a variable that is missing. */
export class EvaluationError extends InputError {
  constructor(message: string, options: { hint?: string | undefined; position?: Position | undefined } = {}) {
    super("E_TEMPLATE", message, options);
  }
}

/** An undefined variable was used. `variable` is its name when a whole variable, and not a key, is missing. */
export class UndefinedVariableError extends InputError {
  constructor(
    message: string,
    readonly variable: string | undefined,
    position: Position | undefined,
    hint?: string,
  ) {
    super("E_UNDEFINED", message, { position, hint });
  }
}

/** The place that a lazy variable was given at, for messages about it. */
export function describeBinding(name: string, binding: Binding): string {
  return binding.position === undefined ? `"${name}"` : `"${name}" (${formatPosition(binding.position)})`;
}

export function undefinedHint(name: string, scope: Scope): string | undefined {
  return didYouMean(name, scope.names());
}
