/** What statements of a template make besides values. */
import {
  asText,
  equal,
  isDict,
  Opaque,
  type Rt,
  str,
  Tuple,
  truthy,
  Undefined,
  ValueProblem,
} from "./python-values.js";

/** `namespace(found=false)`: its attributes can be set from within loops. */
export class Namespace extends Opaque {
  readonly typeName = "namespace";
  readonly values: Map<string, Rt>;

  constructor(args: readonly Rt[], named: Readonly<Record<string, Rt>>) {
    super();
    this.values = new Map();
    for (const base of args) {
      if (!isDict(base) || args.length > 1) throw new ValueProblem("namespace() takes a dict and named arguments");
      for (const [key, value] of Object.entries(base)) this.values.set(key, value);
    }
    for (const [key, value] of Object.entries(named)) this.values.set(key, value);
  }

  override attribute(name: string): Rt | undefined {
    return this.values.get(name);
  }
}

/** `joiner(", ")`: nothing when it is first called, its text from then on. */
export class Joiner extends Opaque {
  readonly typeName = "joiner";
  #used = false;

  constructor(readonly separator: Rt) {
    super();
  }

  override call(args: readonly Rt[], named: Readonly<Record<string, Rt>>): Rt {
    if (args.length + Object.keys(named).length > 0) throw new ValueProblem("what joiner() gives takes no arguments");
    if (this.#used) return this.separator;
    this.#used = true;
    return "";
  }
}

/** A function of a template's object, such as `loop.cycle`. */
class Bound extends Opaque {
  readonly typeName = "method";

  constructor(readonly run: (args: readonly Rt[]) => Rt) {
    super();
  }

  override call(args: readonly Rt[], named: Readonly<Record<string, Rt>>): Rt {
    if (Object.keys(named).length > 0) throw new ValueProblem("this takes no named arguments");
    return this.run(args);
  }
}

/** `loop` within {% for %}. */
export class Loop extends Opaque {
  readonly typeName = "loop";
  #last: readonly Rt[] | undefined;
  at = 0;

  constructor(readonly items: readonly Rt[]) {
    super();
  }

  override attribute(name: string): Rt | undefined {
    const { at, items } = this;
    const size = items.length;
    switch (name) {
      case "index":
        return at + 1;
      case "index0":
        return at;
      case "revindex":
        return size - at;
      case "revindex0":
        return size - at - 1;
      case "first":
        return at === 0;
      case "last":
        return at === size - 1;
      case "length":
        return size;
      case "depth":
        return 1;
      case "depth0":
        return 0;
      case "previtem":
        return at === 0 ? NO_ITEM : items[at - 1];
      case "nextitem":
        return at === size - 1 ? NO_ITEM : items[at + 1];
      case "cycle":
        return new Bound((args) => {
          if (args.length === 0) throw new ValueProblem("loop.cycle() needs something to go through");
          return args[at % args.length] ?? null;
        });
      case "changed":
        return new Bound((args) => {
          const before = this.#last;
          this.#last = args;
          return !(before?.length === args.length && before.every((value, index) => equal(value, args[index] ?? null)));
        });
      default:
        return undefined;
    }
  }
}

const NO_ITEM = new Undefined("there is no such item beside this one");

/** What {% import %} gives: the macros and variables of another template. */
export class Module extends Opaque {
  readonly typeName = "template";

  constructor(readonly names: ReadonlyMap<string, Rt>) {
    super();
  }

  override attribute(name: string): Rt | undefined {
    return this.names.get(name);
  }
}

export interface MacroShape {
  readonly name: string;
  readonly params: readonly string[];
  /** Names that its body uses: those of Jinja for what else it is given. */
  readonly uses: ReadonlySet<string>;
}

/** What {% macro %} defines. */
export class Macro extends Opaque {
  readonly typeName = "macro";

  /** @param run computes the body; a parameter that was not given is undefined */
  constructor(
    readonly shape: MacroShape,
    readonly run: (given: ReadonlyMap<string, Rt | undefined>) => Rt,
  ) {
    super();
  }

  override call(args: readonly Rt[], named: Readonly<Record<string, Rt>>): Rt {
    const { name, params, uses } = this.shape;
    const given = new Map<string, Rt | undefined>();
    const rest = { ...named };
    for (const [index, param] of params.entries()) {
      if (index < args.length && Object.hasOwn(rest, param))
        throw new ValueProblem(`the argument "${param}" of the macro ${name} is given twice`);
      given.set(param, index < args.length ? args[index] : rest[param]);
      delete rest[param];
    }
    if (uses.has("caller") && !params.includes("caller")) {
      given.set("caller", rest.caller ?? new Undefined("there is no caller", "caller"));
      delete rest.caller;
    }
    if (uses.has("kwargs")) given.set("kwargs", rest);
    else {
      const [unknown] = Object.keys(rest);
      if (unknown !== undefined) throw new ValueProblem(`the macro ${name} has no argument "${unknown}"`);
    }
    if (uses.has("varargs")) given.set("varargs", Tuple.of2(args.slice(params.length)));
    else if (args.length > params.length) throw new ValueProblem(`the macro ${name} is given too many arguments`);
    return this.run(given);
  }
}

/** The names of templates that {% include %} and its like are given: one, or several of which the first that is there counts. */
export function templateNames(value: Rt): string[] {
  if (value instanceof Undefined || !truthy(value)) throw new ValueProblem("the template has no name");
  const text = asText(value);
  return text === undefined ? (Array.isArray(value) ? value.map(str) : [str(value)]) : [text];
}
