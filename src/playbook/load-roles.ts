/** Roles of a play: what it, its tasks or other roles name, with all their files folded in. */
import { posix } from "node:path";
import { InputErrors, type Position } from "../util/errors.js";
import { INCLUDE_KEYWORDS, INHERITED_KEYWORDS, insteadOf } from "./keywords.js";
import { LoadContext } from "./load-context.js";
import { isWith } from "./load-loop.js";
import {
  type Fields,
  fieldsOf,
  INCLUDE_ROLE,
  type Inherited,
  mapFields,
  type Place,
  placeOf,
  TaskLoader,
} from "./load-tasks.js";
import { renderValue } from "./render.js";
import { RoleFiles, type RolePart } from "./role-files.js";
import { readSpec, SPECS, type Spec, validation } from "./role-spec.js";
import { isPossiblyTemplate } from "./template-parser.js";
import type { HandlerNode, IncludeNode, PlayNode, RoleScope, TemplatedVars } from "./types.js";
import type { MapEntry, MapNode, YamlNode } from "./yaml-nodes.js";

/** What an entry of `roles` says, or a task that names a role. */
export interface Naming {
  readonly name: string;
  readonly position: Position;
  /** Keywords for all its tasks. */
  readonly fields: Fields;
  readonly vars: TemplatedVars;
  readonly params: TemplatedVars;
  /** Other files than `main`. */
  readonly from: Readonly<Partial<Record<RolePart, string>>>;
  /** It runs again where it has run before; undefined leaves it to the role. */
  readonly again?: boolean;
  /** Its variables are not checked by its argument_specs. */
  readonly unchecked?: boolean;
}

interface Role {
  readonly naming: Naming;
  readonly files: RoleFiles;
  /** Of its own files. */
  readonly defaults: TemplatedVars;
  readonly vars: TemplatedVars;
  readonly dependencies: readonly Role[];
  readonly again: boolean;
  /** Its argument_specs for the tasks at hand. */
  readonly spec?: Spec;
}

interface Told {
  /** How many places have named a role. */
  readonly uses: Map<string, number>;
  /** The roles that lead to one, the outermost first. */
  readonly chains: WeakMap<RoleScope, readonly Role[]>;
}

/** A task that names a role. */
export interface RoleTask {
  readonly node: MapNode;
  readonly entry: MapEntry;
  readonly fields: Fields;
  readonly inherited: Inherited;
  readonly place: Place;
}

const FROM: Readonly<Record<string, RolePart>> = {
  tasks_from: "tasks",
  vars_from: "vars",
  defaults_from: "defaults",
  handlers_from: "handlers",
};
const ROLE_ARGUMENTS = ["name", "role", ...Object.keys(FROM), "allow_duplicates", "rolespec_validate"];
const NO_NAMING = { fields: new Map(), vars: {}, params: {}, from: {} };

/** All roles of one play. */
export class RoleLoader {
  readonly #handlers: HandlerNode[] = [];
  readonly #imported: HandlerNode[] = [];
  readonly #shared: Role[] = [];
  readonly #handled = new Set<string>();

  /** @param base directory of the playbook @param told what all roles of the play know of each other */
  constructor(
    private readonly base: string,
    private readonly context: LoadContext,
    private readonly told: Told = { uses: new Map(), chains: new WeakMap() },
  ) {}

  /** The same play, for what is read while it runs. */
  late(context: LoadContext): RoleLoader {
    return new RoleLoader(this.base, context, this.told);
  }

  /** What the play has of its roles, once all of it is read. */
  found() {
    return {
      handlers: this.#handlers,
      importedHandlers: this.#imported,
      roleDefaults: merged(this.#shared.map((role) => defaultsOf(role, []))),
      roleVars: merged(this.#shared.map((role) => varsOf(role, []))),
      roles: [...new Set(this.#shared.flatMap((role) => [...allDependencies(role), role]).map(nameOf))],
    };
  }

  /** The tasks of `roles`. */
  ofPlay(node: YamlNode, inherited: Inherited, file: string): PlayNode[] {
    const roles = this.context
      .list(node, "roles")
      .flatMap((item) => this.#naming(item) ?? [])
      .flatMap((naming) => this.#load(naming, undefined, []) ?? []);
    this.#shared.unshift(...roles);
    const loader = new TaskLoader(this.context);
    for (const role of roles) this.#handlers.push(...this.#handlersOf(loader, role, [], inherited, file));
    return roles.flatMap((role) => this.#tasksOf(loader, role, [], inherited, file));
  }

  /** `import_role`, or `include_role`, whose tasks come to be when its turn has come. */
  ofTask(loader: TaskLoader, task: RoleTask): PlayNode[] {
    const { entry, fields, place, node } = task;
    const { context } = loader;
    const dynamic = entry.key.endsWith(INCLUDE_ROLE);
    const what = entry.key.replace(/^.*\./, "");
    const given: Fields = new Map([...mapFields(entry.value), ...mapFields(fields.get("args")?.value)]);
    const known = [...ROLE_ARGUMENTS, ...(dynamic ? ["apply", "public"] : [])];
    loader.checkKeys(given, known, `argument of ${what}`);
    const isLate = dynamic && Object.values(nameNodes(given)).some(isTemplate);
    const naming = isLate
      ? undefined
      : this.#taskNaming(loader, task, given, (node) => this.#nameOf(loader, task, node));
    if (naming === undefined && !isLate) return [];
    const chain = place.role === undefined ? [] : (this.told.chains.get(place.role) ?? []);
    const handlerPlace = place.file;
    if (!dynamic) {
      if (naming === undefined) return [];
      loader.checkKeys(fields, [...INHERITED_KEYWORDS, "args", entry.key], `keyword of ${what}`);
      const role = this.#load(naming, undefined, []);
      if (role === undefined) return [];
      this.#shared.push(role);
      this.#imported.push(...this.#handlersOf(loader, role, chain, task.inherited, handlerPlace));
      return this.#tasksOf(loader, role, chain, task.inherited, handlerPlace);
    }
    for (const { key, position } of fields.values()) {
      if (INCLUDE_KEYWORDS.includes(key) || isWith(key) || key === entry.key) continue;
      const instead = INHERITED_KEYWORDS.includes(key) ? "Put it under apply." : insteadOf(key);
      context.unknown(`keyword of ${what}`, key, position, INCLUDE_KEYWORDS, instead);
    }
    const role = naming === undefined ? undefined : this.#included(naming, entry);
    if (role === undefined && !isLate) return [];
    const apply = given.get("apply")?.value;
    const applied = apply === undefined ? new Map<string, MapEntry>() : fieldsOf(context.map(apply, "apply"));
    loader.checkKeys(applied, INHERITED_KEYWORDS, "key of apply");
    const inherited = loader.inherit(applied, task.inherited);
    const isPublic = given.get("public")?.value;
    if (isPublic !== undefined && context.bool(isPublic, "public")) {
      if (role === undefined)
        context.problem(isPublic.position, "public needs to know the role before the run", "Write its name itself.");
      else this.#shared.push(role);
    }
    if (role !== undefined) this.#imported.push(...this.#handlersOf(loader, role, chain, inherited, handlerPlace));
    const names = nameNodes(given);
    const args = Object.fromEntries(Object.entries(names).map(([key, node]) => [key, context.templated(node)]));
    const rest = new Map([...fields].filter(([key]) => key !== entry.key && key !== "args"));
    const playVars = context.known;
    const include: IncludeNode = {
      kind: "include",
      task: loader.taskOf(
        node.position,
        `${entry.key} : ${args.file === undefined ? "" : String(args.file.value)}`,
        { module: INCLUDE_ROLE, args },
        rest,
        loader.inherit(rest, task.inherited),
        place,
      ),
      known: role === undefined ? undefined : this.#tasksOf(loader, role, chain, inherited, handlerPlace),
      tasks: (render) => {
        const late = new LoadContext(context.options, playVars);
        const roles = this.late(late);
        const lateLoader = new TaskLoader(late);
        const nameOf = (node: YamlNode) => render(late.templated(node));
        const own = role ?? roles.#lateRole(lateLoader, task, given, nameOf);
        const nodes = own === undefined ? [] : roles.#tasksOf(lateLoader, own, chain, inherited, handlerPlace);
        if (own !== undefined)
          roles.#imported.push(...roles.#handlersOf(lateLoader, own, chain, inherited, handlerPlace));
        if (late.problems.length > 0) throw new InputErrors(late.problems);
        return { path: own?.files.directory ?? "", nodes, handlers: roles.#imported };
      },
    };
    return [include];
  }

  /** A role whose tasks come to be when its turn has come. */
  #included(naming: Naming, { key, position }: MapEntry): Role | undefined {
    const role = this.#load(naming, undefined, []);
    if (role !== undefined && role.dependencies.length > 0) {
      const what = key.replace(/^.*\./, "");
      this.context.problem(position, `${what} of a role with dependencies is not supported`, "Use import_role.");
    }
    return role;
  }

  #lateRole(loader: TaskLoader, task: RoleTask, given: Fields, nameOf: (node: YamlNode) => string): Role | undefined {
    const naming = this.#taskNaming(loader, task, given, nameOf);
    return naming === undefined ? undefined : this.#included(naming, task.entry);
  }

  /** The name of a role, or of its files; of the role's it may be a template. */
  #nameOf(loader: TaskLoader, { fields, inherited, place }: RoleTask, node: YamlNode): string {
    const { context } = loader;
    if (!isTemplate(node)) return context.text(node, "the name of a role");
    const vars = fields.get("vars")?.value;
    const own = vars === undefined ? {} : context.vars(vars, "vars");
    const scope = loader.known({ ...inherited.vars, ...own }, place);
    return String(context.attempt(() => renderValue(context.templated(node), scope)) ?? "");
  }

  /** @param nameOf gives names that are templates */
  #taskNaming(
    { context }: TaskLoader,
    { entry, fields }: RoleTask,
    given: Fields,
    nameOf: (node: YamlNode) => string,
  ): Naming | undefined {
    const dynamic = entry.key.endsWith(INCLUDE_ROLE);
    const node = (given.get("name") ?? given.get("role"))?.value;
    if (node === undefined) {
      context.problem(entry.position, `${entry.key} needs the name of a role`);
      return undefined;
    }
    const name = nameOf(node);
    // As Ansible: what is included may stand in a directory of the role's tasks.
    const fileOf = (value: YamlNode, key: string) =>
      dynamic
        ? isTemplate(value)
          ? nameOf(value)
          : context.text(value, key)
        : posix.basename(context.text(value, key));
    const from = Object.fromEntries(
      Object.entries(FROM).flatMap(([key, part]) => {
        const value = given.get(key)?.value;
        return value === undefined ? [] : [[part, fileOf(value, key)]];
      }),
    );
    const flag = (key: string): boolean => {
      const value = given.get(key)?.value;
      return value === undefined || context.bool(value, key);
    };
    const again = flag("allow_duplicates");
    const unchecked = !flag("rolespec_validate");
    const vars = fields.get("vars")?.value;
    const own = vars === undefined ? {} : context.vars(vars, "vars");
    // What an include says of the role itself, its tasks get as the include's.
    const inherit = dynamic ? NO_NAMING.fields : new Map([...fields].filter(([key]) => key !== "name"));
    return name === ""
      ? undefined
      : { ...NO_NAMING, name, position: node.position, fields: inherit, vars: own, from, again, unchecked };
  }

  /** The name of a role of the play, in which the play's variables may stand. */
  #known(node: YamlNode, what: string): string {
    const { context } = this;
    if (!isTemplate(node)) return context.text(node, what);
    return String(context.attempt(() => renderValue(context.templated(node), context.known)) ?? "");
  }

  /** An entry of `roles`, or of a role's dependencies. */
  #naming(node: YamlNode): Naming | undefined {
    const { context } = this;
    if (node.kind === "scalar") {
      const name = this.#known(node, "a role");
      return name === "" ? undefined : { ...NO_NAMING, name, position: node.position };
    }
    const all = fieldsOf(context.map(node, "a role"));
    const named = all.get("role") ?? all.get("name");
    if (named === undefined) {
      context.problem(node.position, "the role has no name", "Write `- role: NAME`.");
      return undefined;
    }
    const name = this.#known(named.value, "the name of a role");
    if (name === "") return undefined;
    const entries = [...all].filter(([key]) => key !== "role" && key !== "name");
    const fields = new Map(entries.filter(([key]) => INHERITED_KEYWORDS.includes(key) && key !== "vars"));
    for (const [key, { position }] of entries) {
      const instead = fields.has(key) || key === "vars" ? undefined : insteadOf(key);
      if (instead !== undefined) context.problem(position, `keyword of a role "${key}" is not supported`, instead);
    }
    const vars = all.get("vars");
    const params = entries.filter(([key]) => !INHERITED_KEYWORDS.includes(key));
    return {
      name,
      position: named.value.position,
      fields,
      vars: vars === undefined ? {} : context.vars(vars.value, "vars"),
      params: Object.fromEntries(params.map(([key, { value }]) => [key, context.templated(value)])),
      from: {},
    };
  }

  #find(name: string, beside: string | undefined): RoleFiles | undefined {
    const { options } = this.context;
    const places = [
      posix.join(this.base, "roles"),
      ...(options.rolePaths ?? []),
      ...(beside === undefined ? [] : [beside]),
      this.base,
    ];
    const paths = name.startsWith("/") ? [name] : places.map((place) => posix.join(place, name));
    return paths.map((path) => new RoleFiles(path, this.context)).find((files) => files.exists);
  }

  /** @param beside directory of the role that depends on it; @param chain directories of those */
  #load(naming: Naming, beside: string | undefined, chain: readonly string[]): Role | undefined {
    const { context } = this;
    const files = this.#find(naming.name, beside);
    if (files === undefined) {
      const hint = /^\w+\.\w+\.\w+$/.test(naming.name)
        ? "Roles of collections are not read: copy it to roles/ beside the playbook."
        : `Roles are looked for in ${[posix.join(this.base, "roles"), ...(context.options.rolePaths ?? [])].join(", ")}.`;
      context.problem(naming.position, `there is no role "${naming.name}"`, hint);
      return undefined;
    }
    if (chain.includes(files.directory)) {
      context.problem(naming.position, `the role depends on itself: ${[...chain, files.directory].join(" -> ")}`);
      return undefined;
    }
    const meta = files.file("meta", undefined, naming.position)?.node;
    const about = meta === undefined ? new Map<string, MapEntry>() : fieldsOf(context.map(meta, "meta"));
    const spec = naming.unchecked === true ? undefined : readSpec(files, naming, about.get(SPECS)?.value, context);
    const dependencies = about.get("dependencies")?.value;
    const duplicates = about.get("allow_duplicates")?.value;
    const inner = [...chain, files.directory];
    return {
      naming,
      files,
      defaults: files.vars("defaults", naming.from.defaults, naming.position),
      vars: files.vars("vars", naming.from.vars, naming.position),
      dependencies:
        dependencies === undefined
          ? []
          : context
              .list(dependencies, "dependencies")
              .flatMap((one) => this.#naming(one) ?? [])
              .flatMap((one) => this.#load(one, posix.dirname(files.directory), inner) ?? []),
      again: naming.again ?? (duplicates !== undefined && context.bool(duplicates, "allow_duplicates")),
      ...(spec === undefined ? {} : { spec }),
    };
  }

  /** A role's tasks, after those of the roles that it depends on. @param chain the roles that named it, the outermost first */
  #tasksOf(loader: TaskLoader, role: Role, chain: readonly Role[], outer: Inherited, file: string): PlayNode[] {
    const inherited = loader.inherit(role.naming.fields, outer);
    const inner = [...chain, role];
    const before = role.dependencies.flatMap((one) => this.#tasksOf(loader, one, inner, inherited, file));
    const tasks = role.files.file("tasks", role.naming.from.tasks, role.naming.position);
    if (tasks?.node === undefined && role.spec === undefined) return before;
    const path = tasks?.path ?? posix.join(role.files.directory, "tasks", "main.yml");
    const place = this.#place(role, inner, path, inherited, false);
    const list = tasks?.node === undefined ? [] : loader.context.list(tasks.node, `the file ${path}`);
    return [...before, ...validation(loader, role, inherited, place), ...loader.nodes(list, inherited, place)];
  }

  #handlersOf(loader: TaskLoader, role: Role, chain: readonly Role[], outer: Inherited, file: string): HandlerNode[] {
    const inherited = loader.inherit(role.naming.fields, outer);
    const inner = [...chain, role];
    const before = role.dependencies.flatMap((one) => this.#handlersOf(loader, one, inner, inherited, file));
    const key = keyOf(role);
    const handlers = role.files.file("handlers", role.naming.from.handlers, role.naming.position);
    if (handlers?.node === undefined || this.#handled.has(key)) return before;
    this.#handled.add(key);
    const place = this.#place(role, inner, handlers.path, inherited, true);
    const list = loader.context.list(handlers.node, `the file ${handlers.path}`);
    return [...before, ...loader.handlers(list, inherited, place)];
  }

  #place(role: Role, chain: readonly Role[], path: string, { when }: Inherited, handlers: boolean): Place {
    const outer = chain.slice(0, -1);
    const key = keyOf(role);
    const number = (this.told.uses.get(key) ?? 0) + 1;
    if (!handlers) this.told.uses.set(key, number);
    const scope: RoleScope = {
      name: role.naming.name,
      paths: [...chain].reverse().map((one) => one.files.directory),
      defaults: defaultsOf(role, outer),
      vars: varsOf(role, outer),
      params: merged(chain.map((one) => one.naming.params)),
      parents: [...outer].reverse().map(nameOf),
      ...(role.again || handlers ? {} : { use: { key, number, when } }),
    };
    this.told.chains.set(scope, chain);
    return { ...placeOf(path, this), handlers, role: scope };
  }
}

function isTemplate(node: YamlNode): boolean {
  return node.kind === "scalar" && typeof node.value === "string" && isPossiblyTemplate(node.value);
}

/** What a task says of which role it is, and of which of its files. */
function nameNodes(given: Fields): Record<string, YamlNode> {
  const named = (given.get("name") ?? given.get("role"))?.value;
  const files = Object.keys(FROM).flatMap((key): [string, YamlNode][] => {
    const node = given.get(key)?.value;
    return node === undefined ? [] : [[key, node]];
  });
  return { ...(named === undefined ? {} : { file: named }), ...Object.fromEntries(files) };
}

const nameOf = ({ naming }: Role): string => naming.name;

/** The same role with the same parameters. */
function keyOf({ naming, files }: Role): string {
  const { fields, vars, params, from } = naming;
  const said = (all: TemplatedVars) => Object.entries(all).map(([name, { value }]) => [name, value]);
  const words = (key: string) => JSON.stringify(fields.get(key)?.value ?? null, ["value", "items", "kind"]);
  return JSON.stringify([files.directory, words("when"), words("tags"), said(vars), said(params), from]);
}

function merged(all: readonly TemplatedVars[]): TemplatedVars {
  return Object.assign({}, ...all);
}

/** In the order in which they run. */
function allDependencies(role: Role): Role[] {
  return role.dependencies.flatMap((one) => [...allDependencies(one), one]);
}

function defaultsOf(role: Role, chain: readonly Role[]): TemplatedVars {
  const below = allDependencies(role).map((one) => defaultsOf(one, []));
  return merged([...below, ...chain.map((one) => one.defaults), role.defaults]);
}

function varsOf(role: Role, chain: readonly Role[]): TemplatedVars {
  const around = chain.flatMap((one) => [one.naming.vars, one.vars]);
  const below = allDependencies(role).map((one) => varsOf(one, []));
  return merged([...around, ...below, role.naming.vars, role.vars]);
}
