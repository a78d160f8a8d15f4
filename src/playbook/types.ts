import type { Position } from "../util/errors.js";

/** A value of YAML, JSON, or of a template's result. */
export type Value = null | boolean | number | string | readonly Value[] | { readonly [key: string]: Value };
export type Vars = { readonly [key: string]: Value };

/** Jinja expression tree (jinja.palletsprojects.com/en/3.1.x/templates), as far as the subset goes. */
export type Expr =
  /** `float` marks a float without a fraction: Python prints 2.0 where the number alone would print 2. */
  | { kind: "literal"; value: Value; float?: true }
  | { kind: "name"; name: string }
  | { kind: "attr"; object: Expr; name: string }
  | { kind: "index"; object: Expr; index: Expr }
  | { kind: "slice"; object: Expr; start?: Expr; stop?: Expr; step?: Expr }
  | { kind: "list"; items: Expr[]; tuple?: true }
  | { kind: "dict"; entries: [Expr, Expr][] }
  | { kind: "not"; operand: Expr }
  | { kind: "neg"; operand: Expr }
  | { kind: "and" | "or"; left: Expr; right: Expr }
  | { kind: "compare"; op: "==" | "!=" | "<" | "<=" | ">" | ">=" | "in" | "not in"; left: Expr; right: Expr }
  | { kind: "binary"; op: "+" | "-" | "*" | "/" | "//" | "%" | "**" | "~"; left: Expr; right: Expr }
  | { kind: "cond"; test: Expr; then: Expr; otherwise?: Expr }
  | { kind: "filter"; name: string; subject: Expr; args: Expr[]; kwargs: { [key: string]: Expr } }
  | { kind: "test"; name: string; subject: Expr; args: Expr[]; kwargs?: { [key: string]: Expr } }
  /** `lookup('file', path)`, `range(3)`, `x.get('k')`. */
  | { kind: "call"; callee: Expr; args: Expr[]; kwargs: { [key: string]: Expr } };

/** A bare expression with its place: `when`, `until`, `changed_when`, `failed_when`. */
export interface Condition {
  readonly source: string;
  readonly expr: Expr;
  readonly position: Position;
}

/** A YAML value whose strings may hold templates, with the place of each part. */
export interface Templated {
  readonly value: Value;
  /** Its strings are data, whatever braces they have. */
  readonly isData?: boolean;
  /** Position of the value itself. */
  readonly position: Position;
  /** Position of the part under a path such as "items/0/mode". */
  positionOf(path: string): Position;
}

/** Lookups of old that give a loop its items. */
export type LoopWith =
  | "items"
  | "list"
  | "dict"
  | "nested"
  | "together"
  | "sequence"
  | "indexed_items"
  | "subelements"
  | FileLoop;

/** Those that look for files of this machine. */
export type FileLoop = "fileglob" | "first_found";

/** Keywords that are true or false, or a template that says so on each host. */
export type FlagName = "become" | "ignoreErrors" | "noLog" | "checkMode" | "diff" | "runOnce" | "anyErrorsFatal";

export type TemplatedVars = Readonly<Record<string, Templated>>;

/** A role as its tasks see it: with the variables of the roles that named it, and of those that it depends on. */
export interface RoleScope {
  readonly name: string;
  /** Its directory, and those of the roles that named it, the nearest first: relative sources are looked for there. */
  readonly paths: readonly string[];
  /** Weaker than the inventory. */
  readonly defaults: TemplatedVars;
  /** Stronger than those of the play. */
  readonly vars: TemplatedVars;
  /** Given where it was named: stronger than results. */
  readonly params: TemplatedVars;
  /** Names of the roles that named it, the nearest first. */
  readonly parents: readonly string[];
  /** Where the same role with the same parameters runs once only. */
  readonly use?: RoleUse;
}

/** One of the places that name a role. */
export interface RoleUse {
  /** Tells the role with these parameters from all others. */
  readonly key: string;
  /** Counts them. */
  readonly number: number;
  /** What has to hold for all its tasks. */
  readonly when: readonly Condition[];
}

export interface TaskNode {
  readonly kind: "task";
  readonly name: string;
  readonly position: Position;
  /** Directory of the file the task stands in: relative `src` are found from here, as Ansible does. */
  readonly directory: string;
  /** The role that it is of. */
  readonly role?: RoleScope;
  /** Short canonical module name: `ansible.builtin.copy` and `copy` are both "copy". */
  readonly module: string;
  readonly args: Readonly<Record<string, Templated>>;
  /** `command: echo hi` gives the free form here. */
  readonly freeForm?: Templated;
  readonly when: readonly Condition[];
  readonly vars: Readonly<Record<string, Templated>>;
  readonly loop?: Templated;
  /** `with_NAME` instead of `loop`. */
  readonly loopWith?: LoopWith;
  /** loop_control */
  readonly loopVar: string;
  readonly loopLabel?: Templated;
  readonly loopIndex?: string;
  /** `ansible_loop`, with all items unless only the rest is wanted. */
  readonly loopExtended?: "with items" | "without items";
  /** Seconds between two items. */
  readonly loopPause?: Templated;
  readonly register?: string;
  readonly notify: readonly string[];
  readonly listen: readonly string[];
  readonly tags: readonly string[];
  /** Who logs in, where the host's variables do not say. */
  readonly remoteUser?: Templated;
  readonly become?: boolean;
  readonly becomeUser?: Templated;
  readonly changedWhen?: readonly Condition[];
  readonly failedWhen?: readonly Condition[];
  readonly ignoreErrors: boolean;
  /** Its failure ends the play for all hosts. */
  readonly anyErrorsFatal?: boolean;
  readonly until?: readonly Condition[];
  readonly retries?: Templated;
  /** Seconds between retries. */
  readonly delay?: Templated;
  /** Seconds that a detached job may take; undefined runs in the foreground. */
  readonly async?: Templated;
  /** Seconds between polls. */
  readonly poll?: Templated;
  /** Seconds that it may take, and its module as the playbook has it, which the failure names. */
  readonly timeout?: Templated;
  readonly action?: string;
  readonly noLog: boolean;
  readonly checkMode?: boolean;
  readonly diff?: boolean;
  readonly delegateTo?: Templated;
  readonly runOnce: boolean;
  /** Those of the above that are templates. */
  readonly flags?: Readonly<Partial<Record<FlagName, Templated>>>;
  /** Mappings, or templates of them; a later one is stronger. */
  readonly environment: readonly Templated[];
  /** `vars` of the includes around it, which are stronger than results, and the loop variables of these includes. */
  readonly includeVars?: Readonly<Record<string, Templated>>;
  readonly includeValues?: Vars;
}

/** `include_tasks`: which file it is may depend on the host, and its tasks come to be when its turn has come. */
export interface IncludeNode {
  readonly kind: "include";
  /** All that it says, as a task whose argument is `file`. */
  readonly task: TaskNode;
  /** What it includes, where no host has a say in it: read ahead, for the mistakes in it. */
  readonly known: readonly PlayNode[] | undefined;
  /** The tasks of a file or role, found as Ansible finds it. @param render says its name @throws InputErrors with all that is wrong in it */
  readonly tasks: (render: (value: Templated) => string) => Included;
}

/** Whether what is included, and with it handlers of roles, is known only while the play runs. */
export function includesLate(nodes: readonly PlayNode[]): boolean {
  return nodes.some((node) => {
    if (node.kind === "block") return includesLate(partsOf(node));
    return node.kind === "include" && (node.known === undefined || includesLate(node.known));
  });
}

export interface Included {
  readonly path: string;
  readonly nodes: readonly PlayNode[];
  /** Of the roles in it. */
  readonly handlers: readonly HandlerNode[];
}

export interface BlockNode {
  readonly kind: "block";
  readonly name: string;
  readonly position: Position;
  readonly block: readonly PlayNode[];
  readonly rescue: readonly PlayNode[];
  readonly always: readonly PlayNode[];
}

/** All that stands in a block. */
export function partsOf({ block, rescue, always }: BlockNode): readonly PlayNode[] {
  return [...block, ...rescue, ...always];
}

/** The loader folds import_tasks, and a block's when, tags, become and vars, into the tasks below it. */
export type PlayNode = TaskNode | BlockNode | IncludeNode;

/** What may stand among handlers: what is included there runs behind the include, once that is notified. */
export type HandlerNode = TaskNode | IncludeNode;

/** What a node says as a task. */
export function taskOf(node: HandlerNode): TaskNode {
  return node.kind === "include" ? node.task : node;
}

export interface Serial {
  readonly count: number;
  readonly percent: boolean;
}

/** An entry of vars_files: what stands in it, or where it may be on a host, of which the first that is there is taken. */
export type VarsFile =
  | { readonly vars: TemplatedVars }
  | {
      readonly position: Position;
      readonly paths: readonly Templated[];
      /** undefined where there is no such file. @throws InputErrors with all that is wrong in it */
      readonly read: (path: string) => TemplatedVars | undefined;
    };

/** What a play asks for before it runs. */
export interface VarsPrompt {
  readonly name: string;
  readonly position: Position;
  readonly question: string;
  /** Taken where nothing is answered. */
  readonly otherwise?: string;
  /** The answer is not shown. */
  readonly isPrivate: boolean;
  /** It is asked for twice. */
  readonly confirm: boolean;
  /** Gives the hash that the variable is to hold instead. */
  readonly encrypt?: (answer: string) => string;
  /** The answer is no template. */
  readonly unsafe: boolean;
}

/** In which order the hosts of a play go. */
export type HostOrder = "inventory" | "reverse_inventory" | "sorted" | "reverse_sorted";

export interface Play {
  readonly name: string;
  readonly position: Position;
  readonly directory: string;
  /** Host pattern. */
  readonly hosts: string;
  readonly prompts?: readonly VarsPrompt[];
  /** The host pattern with what was answered, where it is a template. @throws InputError */
  readonly hostsWith?: (answers: TemplatedVars) => string;
  readonly connection?: string;
  readonly remoteUser?: Templated;
  readonly gatherFacts: boolean;
  /** Which facts gathering shows. */
  readonly gathers: { readonly subset?: Value; readonly filter?: Value };
  readonly become: boolean;
  readonly becomeUser?: string;
  readonly vars: Readonly<Record<string, Templated>>;
  /** Values of vars_files, in order, already read. */
  readonly fileVars: readonly TemplatedVars[];
  /** All vars_files, where some of them depend on the host. */
  readonly varsFiles?: readonly VarsFile[];
  readonly environment: readonly Templated[];
  readonly preTasks: readonly PlayNode[];
  readonly tasks: readonly PlayNode[];
  readonly postTasks: readonly PlayNode[];
  readonly handlers: readonly HandlerNode[];
  /** Variables of its roles that all its tasks see: weaker than the inventory, and stronger than the play's own. */
  readonly roleDefaults: TemplatedVars;
  readonly roleVars: TemplatedVars;
  /** Names of its roles. */
  readonly roles: readonly string[];
  readonly tags: readonly string[];
  /** That of the inventory unless given. */
  readonly order?: HostOrder;
  /** No task is the same one for all hosts. */
  readonly free?: true;
  /** Notified handlers run on a host that failed, too. */
  readonly forceHandlers?: true;
  /** Sizes of its batches, in hosts or percent; the last one is that of all that follow. */
  readonly serial?: readonly Serial[];
  readonly anyErrorsFatal: boolean;
  /** More failed hosts of a batch, in percent, end the run. */
  readonly maxFailPercentage?: number;
}

export interface Playbook {
  readonly file: string;
  readonly plays: readonly Play[];
}

/** What a module takes; the loader checks tasks against it, so that a wrong argument is a file:line:column error. */
export interface ArgSpec {
  readonly type: "str" | "path" | "bool" | "int" | "float" | "list" | "dict" | "raw" | "mode";
  readonly required?: boolean;
  readonly aliases?: readonly string[];
  readonly choices?: readonly string[];
  readonly default?: Value;
}

export interface ModuleArgs {
  /** Short canonical name. */
  readonly name: string;
  readonly args: Readonly<Record<string, ArgSpec>>;
  /** Arguments of Ansible's module that are not taken: what is wrong with them here, or what to do instead. */
  readonly refused?: Readonly<Record<string, string>>;
  /** command, shell, debug-like modules that accept a bare string. */
  readonly freeForm?: boolean;
  /** set_fact: names that the spec does not list are taken as they are. */
  readonly anyArgs?: boolean;
}

/** The registry that the loader checks against; src/modules provides it. */
export type ModuleCatalog = ReadonlyMap<string, ModuleArgs>;
