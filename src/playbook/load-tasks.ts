/** Tasks, blocks and imported files. What a block or an import says is folded into the tasks below it. */
import { posix } from "node:path";
import { InputErrors, type Position } from "../util/errors.js";
import {
  BLOCK_KEYWORDS,
  become,
  CONNECTION_VARS,
  HANDLER_INCLUDE_KEYWORDS,
  HANDLER_KEYWORDS,
  INCLUDE_KEYWORDS,
  INHERITED_KEYWORDS,
  insteadOf,
  TASK_KEYWORDS,
} from "./keywords.js";
import { actionOf } from "./load-action.js";
import { LoadContext } from "./load-context.js";
import { isWith, readLoop } from "./load-loop.js";
import { type ModuleCall, type ModuleDefaults, readDefaults, readModule } from "./load-module.js";
import type { RoleLoader } from "./load-roles.js";
import { renderValue } from "./render.js";
import type { Scope } from "./scope.js";
import { isPossiblyTemplate } from "./template-parser.js";
import type {
  BlockNode,
  Condition,
  FlagName,
  HandlerNode,
  IncludeNode,
  PlayNode,
  RoleScope,
  TaskNode,
  Templated,
} from "./types.js";
import type { MapEntry, MapNode, YamlNode } from "./yaml-nodes.js";

/** What tasks get from the blocks, imports and roles around them. */
export interface Inherited {
  readonly when: readonly Condition[];
  readonly tags: readonly string[];
  readonly vars: Readonly<Record<string, Templated>>;
  readonly environment: readonly Templated[];
  readonly remoteUser?: Templated;
  readonly becomeUser?: Templated;
  readonly delegateTo?: Templated;
  readonly become?: boolean;
  readonly ignoreErrors?: boolean;
  readonly noLog?: boolean;
  readonly checkMode?: boolean;
  readonly diff?: boolean;
  readonly runOnce?: boolean;
  readonly anyErrorsFatal?: boolean;
  readonly timeout?: Templated;
  readonly flags?: Readonly<Partial<Record<FlagName, Templated>>>;
  readonly defaults: ModuleDefaults;
}

export const NOTHING: Inherited = { when: [], tags: [], vars: {}, environment: [], defaults: new Map() };
const FLAGS: readonly (readonly [FlagName, string])[] = [
  ["become", "become"],
  ["ignoreErrors", "ignore_errors"],
  ["noLog", "no_log"],
  ["checkMode", "check_mode"],
  ["diff", "diff"],
  ["runOnce", "run_once"],
  ["anyErrorsFatal", "any_errors_fatal"],
];

/** Where the nodes at hand stand. */
export interface Place {
  readonly file: string;
  /** Directory of the playbook, or of the role's tasks. */
  readonly base: string;
  /** Files that import each other down to this one. */
  readonly chain: readonly string[];
  /** What the imports and includes down to this file say, the nearest first. */
  readonly said: readonly string[];
  readonly handlers: boolean;
  /** The role that they are of. */
  readonly role?: RoleScope;
  /** The roles of the play. */
  readonly roles: RoleLoader;
}

const INCLUDE_TASKS = "include_tasks";
/** Modules that no timeout ends. */
const UNLIMITED = ["reboot", "fetch", "wait_for_connection"];
export const INCLUDE_ROLE = "include_role";

export type Fields = ReadonlyMap<string, MapEntry>;

export function fieldsOf(map: MapNode): Fields {
  return new Map(map.entries.map((entry) => [entry.key, entry]));
}

const NO_FIELDS: Fields = new Map();
/** `local_action` is delegated to this machine. */
const HERE: Templated = constant("localhost");
const NO_CALL: ModuleCall = { module: "", args: {} };

function constant(value: string): Templated {
  const position = { file: "", line: 1, column: 1 };
  return { value, position, positionOf: () => position };
}

const isNull = (node: YamlNode): boolean => node.kind === "scalar" && node.value === null;

/** `environment`: a mapping, a template of one, or a list of them. */
export function readEnvironment(node: YamlNode, context: LoadContext): Templated[] {
  if (node.kind === "list") return node.items.flatMap((item) => readEnvironment(item, context));
  if (node.kind === "map") {
    context.vars(node, "environment");
    return [context.templated(node)];
  }
  if (isNull(node)) return [];
  if (!isPossiblyTemplate(String(node.value))) context.problem(node.position, "environment must be a mapping");
  return [context.templated(node)];
}

export function mapFields(node: YamlNode | undefined): Fields {
  return node?.kind === "map" ? fieldsOf(node) : NO_FIELDS;
}

/** There is one way to become another user. */
export function readBecomeMethod(entry: MapEntry | undefined, context: LoadContext): void {
  if (entry === undefined) return;
  const name = context.text(entry.value, "become_method");
  if (!["sudo", "ansible.builtin.sudo"].includes(name))
    context.problem(entry.value.position, `the become_method "${name}" is not supported`, become);
}

/** A key whose value is not null, which Ansible takes for one that is not there. */
export function setEntry(fields: Fields, name: string): MapEntry | undefined {
  const found = fields.get(name);
  return found === undefined || isNull(found.value) ? undefined : found;
}

/** A key by its short name or by its whole one. */
function entryOf(fields: Fields, name: string): MapEntry | undefined {
  return fields.get(name) ?? fields.get(`ansible.builtin.${name}`);
}

export class TaskLoader {
  constructor(readonly context: LoadContext) {}

  /** An optional field through a reader, as a property to be spread. */
  #optional<K extends string, T>(
    name: K,
    entry: MapEntry | undefined,
    read: (node: YamlNode) => T,
  ): { [key in K]?: T } {
    return entry === undefined ? {} : ({ [name]: read(entry.value) } as { [key in K]?: T });
  }

  nodes(list: readonly YamlNode[], inherited: Inherited, place: Place): PlayNode[] {
    return list.flatMap((node) => {
      if (node.kind !== "map") {
        this.context.problem(node.position, "a task must be a mapping", "It begins with `- name:`.");
        return [];
      }
      const fields = fieldsOf(node);
      const imported = entryOf(fields, "import_tasks");
      if (imported !== undefined) return this.#import(imported, fields, inherited, place);
      const included = entryOf(fields, INCLUDE_TASKS);
      const role = entryOf(fields, "import_role") ?? entryOf(fields, INCLUDE_ROLE);
      if (place.handlers && role !== undefined) {
        this.context.problem(role.position, `${role.key} is no handler`, "Use import_tasks or include_tasks.");
        return [];
      }
      if (included !== undefined) return this.#include(node, included, fields, inherited, place) ?? [];
      if (role !== undefined) return place.roles.ofTask(this, { node, entry: role, fields, inherited, place });
      if (fields.has("block")) return this.#block(node, fields, inherited, place);
      const task = this.#task(node, fields, inherited, place);
      return task === undefined ? [] : [task];
    });
  }

  handlers(list: readonly YamlNode[], inherited: Inherited, place: Place): HandlerNode[] {
    return this.nodes(list, inherited, place).filter((node) => node.kind !== "block");
  }

  inherit(fields: Fields, outer: Inherited): Inherited {
    const { context } = this;
    const get = (key: string): MapEntry | undefined => fields.get(key);
    const set = (key: string): MapEntry | undefined => setEntry(fields, key);
    const when = get("when");
    const tags = get("tags");
    const vars = get("vars");
    const environment = get("environment");
    const defaults = get("module_defaults");
    readBecomeMethod(set("become_method"), context);
    return {
      ...outer,
      when: when === undefined ? outer.when : [...outer.when, ...context.conditions(when.value, "when")],
      tags:
        tags === undefined ? outer.tags : [...new Set([...outer.tags, ...context.texts(tags.value, "a tag", true)])],
      vars: vars === undefined ? outer.vars : { ...outer.vars, ...this.#vars(vars.value) },
      environment:
        environment === undefined
          ? outer.environment
          : [...outer.environment, ...readEnvironment(environment.value, context)],
      ...this.#optional("remoteUser", set("remote_user"), (node) => context.templated(node)),
      ...this.#optional("becomeUser", get("become_user"), (node) => context.templated(node)),
      ...this.#connection(set("connection")),
      ...this.#optional("delegateTo", get("delegate_to"), (node) => context.templated(node)),
      ...this.#optional("timeout", set("timeout"), (node) => context.templated(node)),
      ...this.#flags(fields, outer),
      defaults: defaults === undefined ? outer.defaults : readDefaults(defaults.value, outer.defaults, context),
    };
  }

  /** Where tasks run: `local` is this machine, as if they were delegated to it. */
  #connection(entry: MapEntry | undefined): Partial<Inherited> {
    if (entry === undefined) return {};
    const name = this.context.text(entry.value, "connection");
    if (["local", "ansible.builtin.local"].includes(name)) return { delegateTo: HERE };
    if (!["ssh", "smart", "ansible.builtin.ssh"].includes(name))
      this.context.problem(entry.value.position, `the connection "${name}" is not supported`, "It is ssh or local.");
    return {};
  }

  #vars(node: YamlNode): Readonly<Record<string, Templated>> {
    const vars = this.context.vars(node, "vars");
    this.#checkConnection(vars, "a task");
    return vars;
  }

  #checkConnection(vars: Readonly<Record<string, Templated>>, what: string): void {
    for (const [name, { position }] of Object.entries(vars)) {
      const instead = Object.hasOwn(CONNECTION_VARS, name) ? CONNECTION_VARS[name] : undefined;
      if (instead !== undefined)
        this.context.problem(position, `${name} cannot be changed by ${what} within a play`, instead);
    }
  }

  /** Keywords that are true or false; a template is kept apart. */
  #flags(fields: Fields, outer: Inherited): Partial<Inherited> {
    const { context } = this;
    const found: Partial<Record<FlagName, boolean>> = {};
    const flags = { ...outer.flags };
    for (const [name, key] of FLAGS) {
      const node = fields.get(key)?.value;
      if (node === undefined || isNull(node)) continue;
      const template = node.kind === "scalar" && typeof node.value === "string" && isPossiblyTemplate(node.value);
      delete flags[name];
      if (template) flags[name] = context.templated(node);
      else found[name] = context.bool(node, key);
    }
    return { ...found, flags };
  }

  checkKeys(fields: Fields, known: readonly string[], what: string): void {
    for (const { key, position } of fields.values()) {
      if (!known.includes(key)) this.context.unknown(what, key, position, known, insteadOf(key));
    }
  }

  #import(entry: MapEntry, fields: Fields, inherited: Inherited, place: Place): PlayNode[] {
    this.checkKeys(fields, [...INHERITED_KEYWORDS, entry.key], "keyword of import_tasks");
    const { context } = this;
    let node = entry.value;
    if (node.kind === "map") {
      const inner = fieldsOf(node);
      const file = inner.get("file");
      this.checkKeys(inner, ["file"], "argument of import_tasks");
      if (file === undefined) {
        context.problem(entry.position, 'import_tasks needs the argument "file"');
        return [];
      }
      node = file.value;
    }
    const inner = this.inherit(fields, inherited);
    const known = this.known(inner.vars, place);
    const name = context.attempt(() => String(renderValue(context.templated(node), known))) ?? "";
    if (name === "") return [];
    const path = this.#find(name, place);
    if (this.#again(name, place)) {
      context.problem(node.position, `the file imports itself: ${[...place.chain, path].join(" -> ")}`);
      return [];
    }
    return this.#file(path, name, node.position, inner, place);
  }

  /** What names of files and roles may hold: no host has a say in it. */
  known(vars: Readonly<Record<string, Templated>>, { role }: Place): Scope {
    const { known, options } = this.context;
    const around = role === undefined ? known : known.withDefaults(role.defaults).withVars(role.vars);
    const scope = around.withVars(vars).withTemplates(options.extraVars ?? {});
    const [path] = role?.paths ?? [];
    return path === undefined ? scope : scope.withValues({ role_path: posix.resolve(path) });
  }

  #file(path: string, name: string, from: Position, inherited: Inherited, place: Place): PlayNode[] {
    const list = loadList(path, from, this.context);
    const inner = { ...place, file: path, chain: [...place.chain, path], said: [name, ...place.said] };
    return this.nodes(list, inherited, inner);
  }

  /** As Ansible: below the directories of the imports and includes around it, together more and more, then beside the playbook. */
  #find(name: string, { base, said }: Place): string {
    const { readFile } = this.context.options;
    if (name.startsWith("/")) return posix.normalize(name);
    const beside = posix.join(base, name);
    let below = "";
    for (const one of said) {
      const directory = posix.dirname(one);
      below = below.startsWith("/") ? directory : posix.join(directory, below);
      const from = below.startsWith("/") ? below : posix.join(base, below);
      const found = [posix.join(from, name), beside].find((path) => readFile(path) !== undefined);
      if (found !== undefined) return found;
    }
    return beside;
  }

  #again(name: string, place: Place): boolean {
    return place.chain.includes(this.#find(name, place));
  }

  /** Its file is read when its turn has come; one that no host has a say in is read now, too, for the mistakes in it. */
  #include(node: MapNode, entry: MapEntry, fields: Fields, outer: Inherited, place: Place): IncludeNode | undefined {
    const { context } = this;
    const keywords = place.handlers ? HANDLER_INCLUDE_KEYWORDS : INCLUDE_KEYWORDS;
    for (const { key, position } of fields.values()) {
      if (keywords.includes(key) || isWith(key) || key === entry.key) continue;
      const instead = INHERITED_KEYWORDS.includes(key) ? "Put it under apply." : insteadOf(key);
      context.unknown("keyword of include_tasks", key, position, keywords, instead);
    }
    const given = new Map([...mapFields(entry.value), ...mapFields(fields.get("args")?.value)]);
    this.checkKeys(given, ["file", "apply"], "argument of include_tasks");
    const file = entry.value.kind === "scalar" ? entry.value : given.get("file")?.value;
    if (file === undefined || file.kind !== "scalar" || file.value === null) {
      context.problem(entry.position, "include_tasks needs the name of a file");
      return undefined;
    }
    const apply = given.get("apply")?.value;
    const applied = apply === undefined ? NO_FIELDS : fieldsOf(context.map(apply, "apply"));
    this.checkKeys(applied, INHERITED_KEYWORDS, "key of apply");
    const inherited = this.inherit(applied, outer);
    const rest = new Map([...fields].filter(([key]) => key !== entry.key && key !== "args"));
    const call = { module: INCLUDE_TASKS, args: { file: context.templated(file) } };
    const task = this.taskOf(node.position, entry.key, call, rest, this.inherit(rest, outer), place);
    const { known } = context;
    const read = (name: string, from: LoadContext, roles: RoleLoader) => {
      const path = this.#find(name, place);
      return { path, nodes: new TaskLoader(from).#file(path, name, file.position, inherited, { ...place, roles }) };
    };
    const name = String(file.value);
    return {
      kind: "include",
      task,
      known: isPossiblyTemplate(name)
        ? undefined
        : this.#again(name, place)
          ? []
          : read(name, context, place.roles).nodes,
      tasks: (render) => {
        const late = new LoadContext(context.options, known);
        const roles = place.roles.late(late);
        const included = read(render(call.args.file), late, roles);
        if (late.problems.length > 0) throw new InputErrors(late.problems);
        return { ...included, handlers: roles.found().importedHandlers };
      },
    };
  }

  #block(node: MapNode, fields: Fields, outer: Inherited, place: Place): PlayNode[] {
    const { context } = this;
    if (place.handlers)
      context.problem(
        node.position,
        "a handler is a single task",
        "Write each task of the block as a handler, and join them with listen.",
      );
    this.checkKeys(fields, BLOCK_KEYWORDS, "keyword of a block");
    const inherited = this.inherit(fields, outer);
    const part = (key: string): PlayNode[] => {
      const entry = fields.get(key);
      return entry === undefined ? [] : this.nodes(context.list(entry.value, key), inherited, place);
    };
    const name = fields.get("name");
    const block: BlockNode = {
      kind: "block",
      name: name === undefined ? "" : context.templateText(name.value, "name"),
      position: node.position,
      block: part("block"),
      rescue: part("rescue"),
      always: part("always"),
    };
    return [block];
  }

  /** The one key of a task that is no keyword is its module. */
  #moduleEntry(node: MapNode, fields: Fields, known: readonly string[]): MapEntry | undefined {
    const { context } = this;
    const others = [...fields.values()].filter(({ key }) => !known.includes(key) && !isWith(key));
    const modules = others.filter(({ key }) => {
      if (context.options.catalog.has(key.replace(/^ansible\.\w+\./, ""))) return true;
      return key.includes(".");
    });
    const [only, second] = modules;
    for (const { key, position } of others) {
      if (modules.some((entry) => entry.key === key)) continue;
      // With a module at hand it is a keyword, wrong or left out; without one it may be a module.
      const listen = key === "listen" ? "Only handlers listen." : insteadOf(key);
      if (only === undefined && others.length === 1) return fields.get(key);
      const names = only === undefined ? [...known, ...context.options.catalog.keys()] : known;
      context.unknown(only === undefined ? "keyword or module" : "keyword of a task", key, position, names, listen);
    }
    if (second !== undefined)
      context.problem(second.position, `the task has two modules, ${only?.key} and ${second.key}`);
    if (others.length === 0) context.problem(node.position, "the task has no module");
    return only;
  }

  #task(node: MapNode, fields: Fields, outer: Inherited, place: Place): TaskNode | undefined {
    const { context } = this;
    const known = place.handlers ? HANDLER_KEYWORDS : TASK_KEYWORDS;
    const action = fields.has("action") || fields.has("local_action");
    if (action) this.checkKeys(new Map([...fields].filter(([key]) => !isWith(key))), known, "keyword of a task");
    const entry = action ? actionOf(fields, context) : this.#moduleEntry(node, fields, known);
    const own = this.inherit(fields, outer);
    const inherited = fields.has("local_action") ? { ...own, delegateTo: HERE } : own;
    const args = fields.get("args")?.value;
    const call = entry === undefined ? undefined : readModule(entry, args, inherited.defaults, context);
    if (call?.module === "set_fact") this.#checkConnection(call.args, "set_fact");
    const task = this.taskOf(node.position, entry?.key ?? "", call ?? NO_CALL, fields, inherited, place);
    return call === undefined ? undefined : task;
  }

  /** What waits on this side, or is made again, does not end with what the host runs. */
  #checkTimeout(timeout: Templated, { module }: ModuleCall, fields: Fields, position: Position): void {
    if (String(timeout.value) === "0") return;
    const word = ["until", "async"].find((key) => setEntry(fields, key) !== undefined);
    const own = fields.get("timeout")?.position ?? position;
    const hint = "Set timeout: 0 on the task.";
    if (word !== undefined) this.context.problem(own, `timeout does not go with ${word}`, hint);
    else if (UNLIMITED.includes(module)) this.context.problem(own, `timeout does not go with ${module}`, hint);
  }

  /** A task but for its module. @param key what it is called without a name */
  taskOf(
    position: Position,
    key: string,
    call: ModuleCall,
    fields: Fields,
    inherited: Inherited,
    place: Place,
  ): TaskNode {
    const { context } = this;
    const get = (key: string): MapEntry | undefined => fields.get(key);
    const value = (key: string): MapEntry | undefined => setEntry(fields, key);
    const name = value("name");
    const register = get("register");
    const { ignoreErrors = false, noLog = false, runOnce = false, defaults: _, flags = {}, ...rest } = inherited;
    const conditions = (key: string) => (found: YamlNode) => context.conditions(found, key);
    const templated = (found: YamlNode): Templated => context.templated(found);
    if (inherited.timeout !== undefined) this.#checkTimeout(inherited.timeout, call, fields, position);
    const notify = value("notify");
    const listen = value("listen");
    return {
      kind: "task",
      name: name === undefined ? key : context.templateText(name.value, "name"),
      position,
      directory: posix.dirname(place.file),
      ...(place.role === undefined ? {} : { role: place.role }),
      ...call,
      ...rest,
      ...readLoop(fields, context),
      ...(inherited.timeout === undefined ? {} : { action: key }),
      ...(register === undefined ? {} : { register: context.name(register) }),
      notify: notify === undefined ? [] : context.templateTexts(notify.value, "notify"),
      listen: listen === undefined ? [] : context.texts(listen.value, "listen"),
      ...this.#optional("changedWhen", value("changed_when"), conditions("changed_when")),
      ...this.#optional("failedWhen", value("failed_when"), conditions("failed_when")),
      ...this.#optional("until", value("until"), conditions("until")),
      ...this.#optional("retries", value("retries"), templated),
      ...this.#optional("delay", value("delay"), templated),
      ...this.#optional("async", value("async"), templated),
      ...this.#optional("poll", value("poll"), templated),
      ignoreErrors,
      noLog,
      runOnce,
      ...(Object.keys(flags).length === 0 ? {} : { flags }),
    };
  }
}

/** The list in a file of tasks or plays; a missing or wrong file is reported at `from`. */
export function loadList(path: string, from: Position, context: LoadContext): readonly YamlNode[] {
  const text = context.options.readFile(path);
  if (text === undefined) {
    context.problem(from, `the file ${path} does not exist`);
    return [];
  }
  const node = context.yaml(path, text);
  return node === undefined ? [] : context.list(node, `the file ${path}`);
}

/** The place of what stands in a file. */
export function placeOf(file: string, roles: RoleLoader): Omit<Place, "handlers"> {
  return { file, base: posix.dirname(file), chain: [posix.normalize(file)], said: [], roles };
}

/** What a play says for all its tasks. */
const OF_PLAYS = ["tags", "ignore_errors", "no_log", "check_mode", "diff", "run_once", "module_defaults", "timeout"];

/** What all tasks of a play get from it. */
export function inheritedFrom(play: Fields, context: LoadContext): Inherited {
  const fields = new Map([...play].filter(([key]) => OF_PLAYS.includes(key)));
  return new TaskLoader(context).inherit(fields, NOTHING);
}

/** What tasks of a play share. */
interface OfPlay {
  readonly inherited: Inherited;
  readonly roles: RoleLoader;
}

/** Tasks of a play. `file` is where they stand. */
export function loadTasks(
  node: YamlNode,
  what: string,
  { inherited, roles }: OfPlay,
  file: string,
  context: LoadContext,
): PlayNode[] {
  const place: Place = { ...placeOf(file, roles), handlers: false };
  return new TaskLoader(context).nodes(context.list(node, what), inherited, place);
}

/** Handlers of a play: single tasks, and what is imported or included. */
export function loadHandlers(
  node: YamlNode,
  { inherited, roles }: OfPlay,
  file: string,
  context: LoadContext,
): HandlerNode[] {
  const place: Place = { ...placeOf(file, roles), handlers: true };
  return new TaskLoader(context).handlers(context.list(node, "handlers"), inherited, place);
}
