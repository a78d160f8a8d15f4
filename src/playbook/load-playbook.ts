/** Loads a playbook with everything it imports, and reports all that is wrong in it at once. */
import { posix } from "node:path";
import { InputErrors, type Position } from "../util/errors.js";
import { didYouMean } from "../util/suggest.js";
import { insteadOf, PLAY_KEYWORDS } from "./keywords.js";
import { LoadContext, type LoadOptions } from "./load-context.js";
import { readPrompts } from "./load-prompts.js";
import { RoleLoader } from "./load-roles.js";
import {
  inheritedFrom,
  loadHandlers,
  loadList,
  loadTasks,
  readBecomeMethod,
  readEnvironment,
  setEntry,
} from "./load-tasks.js";
import { readVarsFiles } from "./load-vars-files.js";
import { checkPlay } from "./play-checks.js";
import { renderValue } from "./render.js";
import { Scope } from "./scope.js";
import { isPossiblyTemplate } from "./template-parser.js";
import type { HostOrder, Play, Playbook, PlayNode, Serial, Templated } from "./types.js";
import { type MapEntry, type MapNode, nodeValue, type YamlNode } from "./yaml-nodes.js";

const FACT_PATH = "/etc/ansible/facts.d";
const ORDERS: readonly HostOrder[] = ["inventory", "reverse_inventory", "sorted", "reverse_sorted"];
const OTHER_ORDERS = { shuffle: "What is random is not the same the next time." };
/** Hosts that may go their own way do so with all of them. */
const STRATEGIES = ["linear", "free", "host_pinned"];
const OTHER_STRATEGIES = { debug: "Use --check and --diff." };

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

/** What gathering shows: the play's own subset, and the defaults of the module that does it. */
function readGathers(
  subset: YamlNode | undefined,
  { filter, gather_subset }: Readonly<Record<string, Templated>>,
  context: LoadContext,
): Play["gathers"] {
  const fixed = (value: Templated | undefined) =>
    value === undefined ? undefined : context.attempt(() => renderValue(value, context.known));
  const values = {
    filter: fixed(filter),
    subset: fixed(subset === undefined ? gather_subset : context.templated(subset)),
  };
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

/** The hosts of a play; its variables and extra vars may say which. */
function patternOf(node: YamlNode, known: Scope, context: LoadContext): string {
  const one = (item: YamlNode): string => {
    const template = item.kind === "scalar" && typeof item.value === "string" && isPossiblyTemplate(item.value);
    if (!template) return context.text(item, "hosts");
    const value = context.attempt(() => renderValue(context.templated(item), known));
    return Array.isArray(value) ? value.join(",") : String(value ?? "");
  };
  return (node.kind === "list" ? node.items : [node]).map(one).join(",");
}

/** A word of a few. @param refused what to do instead of words of Ansible's that are not taken */
function readWord<W extends string>(
  { key, value }: MapEntry,
  words: readonly W[],
  refused: Readonly<Record<string, string>>,
  context: LoadContext,
): W | undefined {
  const name = context.text(value, key).replace(/^ansible\.builtin\./, "");
  const word = words.find((one) => one === name);
  if (word === undefined && name !== "" && !isPossiblyTemplate(name))
    context.problem(
      value.position,
      `the ${key} "${name}" is not supported`,
      refused[name] ?? didYouMean(name, words) ?? `One of ${words.join(", ")}.`,
    );
  return word;
}

/** The host's own facts have one place. */
function checkFactPath(entry: MapEntry | undefined, context: LoadContext): void {
  if (entry !== undefined && context.text(entry.value, "fact_path").replace(/\/+$/, "") !== FACT_PATH)
    context.problem(entry.value.position, `fact_path is ${FACT_PATH}`, "ansible_local is what stands there.");
}

/** Hosts that are known when what a play asks for is answered; undefined where no template names them. */
function askedPattern(node: YamlNode, { known, options }: LoadContext): Play["hostsWith"] {
  if (!isPossiblyTemplate(JSON.stringify(nodeValue(node)))) return undefined;
  return (answers) => {
    const late = new LoadContext(options);
    const scope = known.withVars(answers).withTemplates(options.extraVars ?? {});
    const pattern = patternOf(node, scope, late);
    if (late.problems.length > 0) throw new InputErrors(late.problems);
    return pattern;
  };
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
  const [extra, fixed] = [context.options.extraVars ?? {}, { playbook_dir: posix.resolve(posix.dirname(file)) }];
  const knownBy = (all: Scope) => all.withTemplates(extra).withValues(fixed);
  const varsFiles = read("vars_files", (value) => readVarsFiles(value, file, { context, vars, knownBy }), []);
  const fileVars = varsFiles.flatMap((one) => ("vars" in one ? [one.vars] : []));
  context.known = knownBy(fileVars.reduce((scope, one) => scope.withVars(one), new Scope().withVars(vars)));
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
  const [strategyEntry, orderEntry] = [setEntry(fields, "strategy"), setEntry(fields, "order")];
  const strategy =
    strategyEntry === undefined ? "linear" : readWord(strategyEntry, STRATEGIES, OTHER_STRATEGIES, context);
  const forceHandlers = read("force_handlers", (value) => context.bool(value, "force_handlers"), false);
  const order = orderEntry === undefined ? undefined : readWord(orderEntry, ORDERS, OTHER_ORDERS, context);
  readBecomeMethod(setEntry(fields, "become_method"), context);
  checkFactPath(setEntry(fields, "fact_path"), context);
  const prompts = read("vars_prompt", (value) => readPrompts(value, context), []);
  const hostsWith = hosts === undefined || prompts.length === 0 ? undefined : askedPattern(hosts, context);
  const pattern = hosts === undefined || hostsWith !== undefined ? "" : patternOf(hosts, context.known, context);
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
    ...(prompts.length === 0 ? {} : { prompts }),
    ...(hostsWith === undefined ? {} : { hostsWith }),
    ...(connection === undefined ? {} : { connection }),
    ...(remoteUser === undefined ? {} : { remoteUser }),
    gatherFacts: read("gather_facts", (value) => context.bool(value, "gather_facts"), true),
    gathers: readGathers(get("gather_subset"), inherited.defaults.get("setup") ?? {}, context),
    become: read("become", (value) => context.bool(value, "become"), false),
    ...(becomeUser === undefined ? {} : { becomeUser }),
    vars,
    fileVars,
    ...(fileVars.length === varsFiles.length ? {} : { varsFiles }),
    environment: read("environment", (value) => readEnvironment(value, context), []),
    ...readTasks(),
    tags,
    ...(order === undefined ? {} : { order }),
    ...(strategy === "linear" ? {} : { free: true as const }),
    ...(forceHandlers ? { forceHandlers } : {}),
    ...(serial === undefined ? {} : { serial }),
    ...(maxFail === undefined ? {} : { maxFailPercentage: maxFail }),
    anyErrorsFatal: read("any_errors_fatal", (value) => context.bool(value, "any_errors_fatal"), false),
  };
  checkPlay(play, (key) => fields.get(key)?.position ?? node.position, context);
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
