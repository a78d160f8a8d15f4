/** Loads a playbook with everything it imports, and reports all that is wrong in it at once. */
import { posix } from "node:path";
import { InputErrors, type Position } from "../util/errors.js";
import { didYouMean } from "../util/suggest.js";
import { handlerIndex } from "./handlers.js";
import { insteadOf, PLAY_KEYWORDS } from "./keywords.js";
import { IDENTIFIER, LoadContext, type LoadOptions } from "./load-context.js";
import { RoleLoader } from "./load-roles.js";
import { inheritedFrom, loadHandlers, loadList, loadTasks, readEnvironment, setEntry } from "./load-tasks.js";
import { namesOfValue } from "./names-used.js";
import { renderValue } from "./render.js";
import { Scope } from "./scope.js";
import { isPossiblyTemplate } from "./template-parser.js";
import {
  includesLate,
  type Play,
  type Playbook,
  type PlayNode,
  partsOf,
  type Serial,
  type TaskNode,
  type Templated,
  type Value,
} from "./types.js";
import type { MapEntry, MapNode, YamlNode } from "./yaml-nodes.js";

function readVarsFiles(node: YamlNode, file: string, context: LoadContext): Record<string, Templated>[] {
  const entries = node.kind === "list" ? node.items : [node];
  return entries.flatMap((entry) => {
    if (entry.kind !== "scalar" || typeof entry.value !== "string") {
      context.problem(entry.position, "an entry of vars_files must be a path");
      return [];
    }
    const templated = context.templated(entry);
    const [name] = namesOfValue(templated.value);
    if (name !== undefined) {
      context.problem(
        entry.position,
        `the path depends on the variable "${name}"`,
        "vars_files are read before any host is known: write the path itself.",
      );
      return [];
    }
    const path = context.attempt(() => String(renderValue(templated, new Scope())));
    if (path === undefined) return [];
    const full = posix.normalize(path.startsWith("/") ? path : posix.join(posix.dirname(file), path));
    const text = context.options.readFile(full);
    if (text === undefined) {
      context.problem(entry.position, `the file ${full} does not exist`);
      return [];
    }
    const plain = plainJson(full, text);
    if (plain !== undefined) return [plain];
    const content = context.yaml(full, text);
    return content === undefined ? [] : [context.vars(content, `the file ${full}`)];
  });
}

/**
 * Variables of a JSON file without templates, by the engine's own parser as Ansible does it: ten times as fast as YAML's.
 * undefined for everything else, which YAML reads and complains about.
 */
function plainJson(file: string, text: string): Record<string, Templated> | undefined {
  if (!file.endsWith(".json") || isPossiblyTemplate(text)) return undefined;
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof content !== "object" || content === null || Array.isArray(content)) return undefined;
  if (!Object.keys(content).every((name) => IDENTIFIER.test(name))) return undefined;
  const position = { file, line: 1, column: 1 };
  return Object.fromEntries(
    Object.entries(content as Record<string, Value>).map(([name, value]) => [
      name,
      { value, position, positionOf: () => position },
    ]),
  );
}

function tasksOf(nodes: readonly PlayNode[]): TaskNode[] {
  return nodes.flatMap((node) => {
    if (node.kind === "block") return tasksOf(partsOf(node));
    return node.kind === "task" ? [node] : tasksOf(node.known ?? []);
  });
}

/** A name in `notify` that no handler has would fail in the middle of a run, where no role brings more handlers there. */
function checkNotify(play: Play, context: LoadContext): void {
  if ([play.preTasks, play.tasks, play.postTasks].some(includesLate)) return;
  const known = handlerIndex(play.handlers);
  for (const task of tasksOf([...play.preTasks, ...play.tasks, ...play.postTasks, ...play.handlers])) {
    for (const name of task.notify) {
      if (!known.has(name) && !isPossiblyTemplate(name))
        context.problem(
          task.position,
          `the task notifies "${name}", which no handler is called`,
          didYouMean(name, known.keys()),
        );
    }
  }
}

function readPercentage(node: YamlNode, context: LoadContext): number | undefined {
  const text = node.kind === "scalar" ? String(node.value) : "";
  const value = isPossiblyTemplate(text)
    ? context.attempt(() => renderValue(context.templated(node), context.known))
    : text;
  const [, number] = /^(\d+(?:\.\d+)?)%?$/.exec(String(value)) ?? [];
  if (number !== undefined) return Number(number);
  context.problem(node.position, "max_fail_percentage must be a number of percent");
  return undefined;
}

function readSerial(node: YamlNode, context: LoadContext): Serial[] | undefined {
  const nodes = node.kind === "list" ? node.items : [node];
  return nodes.flatMap((item) => {
    const known = item.kind === "scalar" && isPossiblyTemplate(String(item.value));
    const value = known
      ? context.attempt(() => renderValue(context.templated(item), context.known))
      : item.kind === "scalar"
        ? item.value
        : null;
    const [, count = "", percent] = /^(\d+)(%?)$/.exec(String(value)) ?? [];
    if (count !== "") return [{ count: Number(count), percent: percent === "%" }];
    context.problem(
      item.position,
      'serial must be a whole number of hosts, a percentage such as "30%", or a list of them',
    );
    return [];
  });
}

/** The hosts of a play; extra vars may say which. */
function patternOf(node: YamlNode, context: LoadContext): string {
  const extra = new Scope().withTemplates(context.options.extraVars ?? {});
  const one = (item: YamlNode): string => {
    const template = item.kind === "scalar" && typeof item.value === "string" && isPossiblyTemplate(item.value);
    if (!template) return context.text(item, "hosts");
    const value = context.attempt(() => renderValue(context.templated(item), extra));
    return Array.isArray(value) ? value.join(",") : String(value ?? "");
  };
  return (node.kind === "list" ? node.items : [node]).map(one).join(",");
}

/** Who logs in; `user` is its name of old. */
function readRemoteUser(fields: ReadonlyMap<string, MapEntry>, context: LoadContext): Templated | undefined {
  const entry = fields.get("user");
  if (entry !== undefined && fields.has("remote_user"))
    context.problem(entry.position, "the play has both user and remote_user", "Keep remote_user.");
  const said = setEntry(fields, "remote_user") ?? setEntry(fields, "user");
  return said === undefined ? undefined : context.templated(said.value);
}

function readPlay(node: MapNode, file: string, context: LoadContext): Play | undefined {
  const fields = new Map<string, MapEntry>(node.entries.map((entry) => [entry.key, entry]));
  for (const { key, position } of node.entries) {
    if (!PLAY_KEYWORDS.includes(key))
      context.unknown("keyword of a play", key, position, PLAY_KEYWORDS, insteadOf(key));
  }
  const get = (key: string): YamlNode | undefined => fields.get(key)?.value;
  const read = <T>(key: string, reader: (value: YamlNode) => T, otherwise: T): T => {
    const value = get(key);
    return value === undefined ? otherwise : reader(value);
  };
  const hosts = get("hosts");
  if (hosts === undefined) context.problem(node.position, "the play names no hosts", "Add `hosts: all`.");
  const vars = read("vars", (value) => context.vars(value, "vars"), {});
  const fileVars = read("vars_files", (value) => readVarsFiles(value, file, context), []);
  context.known = fileVars
    .reduce((scope, one) => scope.withVars(one), new Scope().withVars(vars))
    .withTemplates(context.options.extraVars ?? {})
    .withValues({ playbook_dir: posix.resolve(posix.dirname(file)) });
  const tags = read("tags", (value) => context.texts(value, "a tag", true), []);
  const roles = new RoleLoader(posix.dirname(file), context);
  const inherited = inheritedFrom(fields, context);
  const tasks = (what: string): PlayNode[] =>
    read(what, (value) => loadTasks(value, what, { inherited, roles }, file, context), []);
  const maxFail = read("max_fail_percentage", (value) => readPercentage(value, context), undefined);
  const serial = read("serial", (value) => readSerial(value, context), undefined);
  const connection = read<string | undefined>("connection", (value) => context.text(value, "connection"), undefined);
  const remoteUser = readRemoteUser(fields, context);
  const becomeUser = read<string | undefined>("become_user", (value) => context.text(value, "become_user"), undefined);
  const pattern = hosts === undefined ? "" : patternOf(hosts, context);
  const readTasks = () => {
    const ofRoles = read("roles", (value) => roles.ofPlay(value, inherited, file), []);
    const parts = { preTasks: tasks("pre_tasks"), tasks: tasks("tasks"), postTasks: tasks("post_tasks") };
    const own = read("handlers", (value) => loadHandlers(value, { inherited, roles }, file, context), []);
    const { handlers, importedHandlers, ...rest } = roles.found();
    return {
      ...parts,
      tasks: [...ofRoles, ...parts.tasks],
      handlers: [...handlers, ...own, ...importedHandlers],
      ...rest,
    };
  };
  const play: Play = {
    name: read("name", (value) => context.templateText(value, "name"), pattern),
    position: node.position,
    directory: posix.dirname(file),
    hosts: pattern,
    ...(connection === undefined ? {} : { connection }),
    ...(remoteUser === undefined ? {} : { remoteUser }),
    gatherFacts: read("gather_facts", (value) => context.bool(value, "gather_facts"), true),
    become: read("become", (value) => context.bool(value, "become"), false),
    ...(becomeUser === undefined ? {} : { becomeUser }),
    vars,
    fileVars,
    environment: read("environment", (value) => readEnvironment(value, context), []),
    ...readTasks(),
    tags,
    ...(serial === undefined ? {} : { serial }),
    ...(maxFail === undefined ? {} : { maxFailPercentage: maxFail }),
    anyErrorsFatal: read("any_errors_fatal", (value) => context.bool(value, "any_errors_fatal"), false),
  };
  checkNotify(play, context);
  return play;
}

function readPlays(file: string, from: Position, chain: readonly string[], context: LoadContext): Play[] {
  return loadList(file, from, context).flatMap((node) => {
    if (node.kind !== "map") {
      context.problem(node.position, "a play must be a mapping", "It begins with `- name:` or `- hosts:`.");
      return [];
    }
    const imported = node.entries.find(
      ({ key }) => key === "import_playbook" || key === "ansible.builtin.import_playbook",
    );
    if (imported !== undefined) {
      const path = posix.normalize(posix.join(posix.dirname(file), context.text(imported.value, "import_playbook")));
      for (const { key, position } of node.entries) {
        if (key !== imported.key && key !== "name")
          context.unknown("keyword of import_playbook", key, position, ["name"]);
      }
      if (chain.includes(path)) {
        context.problem(imported.position, `the playbook imports itself: ${[...chain, path].join(" -> ")}`);
        return [];
      }
      return readPlays(path, imported.value.position, [...chain, path], context);
    }
    const play = readPlay(node, file, context);
    return play === undefined ? [] : [play];
  });
}

/**
 * Loads and checks a playbook.
 * @param file its path; imported files and vars_files are read beside it, by `options.readFile`
 * @throws InputErrors with every problem of all files, each with its place
 */
export function loadPlaybook(file: string, options: LoadOptions): Playbook {
  const context = new LoadContext(options);
  const plays = readPlays(file, { file, line: 1, column: 1 }, [posix.normalize(file)], context);
  if (context.problems.length > 0) throw new InputErrors(context.problems);
  return { file, plays };
}
