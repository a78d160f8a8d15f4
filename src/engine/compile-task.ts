import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { resolve } from "node:path";
import { coerceArgs, toText } from "../modules/args.js";
import { FREE_FORM } from "../modules/command.js";
import { findModule } from "../modules/registry.js";
import { ArgumentError, type LibName, type ModuleCall, type ModuleContext, type TaskModule } from "../modules/types.js";
import { type LookupReader, UndefinedVariableError } from "../playbook/scope.js";
import type { Condition, Expr, TaskNode, Templated, Value } from "../playbook/types.js";
import { formatPosition, InputError, InputErrors } from "../util/errors.js";
import type { TaskLanguage } from "./language.js";
import { isSent, type SentFields } from "./result-uses.js";
import { type RegisterShapes, shellCondition } from "./shell-condition.js";
import type { SourceStore } from "./sources.js";
import { inEnvironment } from "./task-environment.js";

/** A condition is true, false, or shell decides. */
export type Gate =
  | { readonly kind: "open"; readonly shell: string }
  | { readonly kind: "known"; readonly value: boolean };

/** A condition that only the controller can decide once results are there. */
export class NeedsControllerError extends Error {}

/** Mistakes that only a host's variables show, or files that are read when a task's turn has come. */
const MISTAKES = ["CONDITION", "ENVIRONMENT", "FACT_NAME", "INPUT", "KEYWORD", "LOOP", "MODULE_ARGUMENT", "TEMPLATE"];

/** Whether an error is the failure of the task at hand, as in Ansible; all others end the host. */
export function isMistake(error: unknown): error is InputError | InputErrors {
  if (error instanceof UndefinedVariableError || error instanceof InputErrors) return true;
  return error instanceof InputError && MISTAKES.some((kind) => error.code.startsWith(`E_${kind}`));
}

/** What a failed task says of a mistake. */
export function mistakeReason(error: InputError | InputErrors): string {
  if (error instanceof InputErrors) return error.errors.map(mistakeReason).join("\n");
  return error.position === undefined ? error.message : `${error.message} (${formatPosition(error.position)})`;
}

/** Why a task is left for apply. */
export function notBeforeApply(error: Error): string {
  return `needs results that are not there before apply (${error.message})`;
}

/** Conditions that must all hold, decided now or by shell. @throws NeedsControllerError when shell cannot say them */
export function decideAll(
  conditions: readonly Condition[],
  language: TaskLanguage,
  shapes: RegisterShapes,
): Gate & { source: string } {
  const decision = language.decide(conditions);
  if (decision.kind === "known") return decision;
  return { kind: "open", shell: openCondition(decision.expr, shapes), source: decision.source };
}

function openCondition(expr: Expr, shapes: RegisterShapes): string {
  const shell = shellCondition(expr, shapes);
  if (shell === undefined) throw new NeedsControllerError();
  return shell;
}

/** Options of a run that reach modules. */
export interface BuildOptions {
  readonly sources: SourceStore;
  readonly wantDiff: boolean;
  readonly canFetch: (path: string) => boolean;
  /** Who brings a missing file. @throws UndecidedSource while other hosts may still turn out to */
  readonly comesFrom: ModuleContext["comesFrom"];
  /** This host is going to bring a file. */
  readonly foretell: (path: string) => void;
  /** Before a controller file is read. @throws NeedsControllerError when an earlier call of the same program brings it */
  readonly beforeRead: (path: string) => void;
  readonly reader: LookupReader;
  /** A mistake in a task's variables ends a host before anything is changed on it, and is no failure of the task. */
  readonly mistakesFirst: boolean;
  readonly hostName: string;
  /** Where relative paths of files to be written begin. */
  readonly playbookDirectory: string;
  /** Directories in which relative sources are searched, nearest first. */
  readonly directories: readonly string[];
}

export interface BuiltTask extends ModuleCall {
  readonly module: TaskModule;
}

/**
 * Renders a task's arguments and lets its module make the call.
 * @throws InputError with the place of a wrong argument; UnknownValueError when a result is needed first.
 */
export function buildTask(
  node: TaskNode,
  language: TaskLanguage,
  environment: readonly Templated[],
  options: BuildOptions,
  sent: SentFields,
): BuiltTask {
  const module = findModule(node.module);
  if (module === undefined) {
    throw new InputError("E_UNKNOWN_MODULE", `There is no module ${node.module}.`, { position: node.position });
  }
  const rendered: Record<string, Value> = {};
  for (const [name, value] of Object.entries(node.args)) rendered[name] = language.render(value);
  if (node.freeForm !== undefined) rendered[FREE_FORM] = language.render(node.freeForm);
  const env: Record<string, string> = {};
  for (const part of environment) Object.assign(env, environmentOf(part, language));
  try {
    const args = coerceArgs(module.spec, rendered);
    const job = asyncOf(node, language);
    if (job !== undefined && !["command", "shell"].includes(module.spec.name)) {
      throw new ArgumentError("async works with command and shell only");
    }
    const context: ModuleContext = {
      resolve: (path, folder) => options.sources.resolve(path, folder, options.directories),
      describe: (path) => {
        options.beforeRead(path);
        return options.sources.describe(path);
      },
      tree: (path, follow) => options.sources.tree(path, follow),
      bytes: (path) => {
        options.beforeRead(path);
        return readFileSync(path);
      },
      content: (bytes) => options.sources.content(bytes),
      renderTemplate: (path, given) => language.renderFile(path, given),
      canFetch: options.canFetch,
      comesFrom: options.comesFrom,
      controllerPath: (path) => controllerPath(path, options.playbookDirectory),
      hashes: (path) => {
        options.beforeRead(path);
        return options.sources.hashes(path);
      },
      hostName: options.hostName,
      wantsResult: sent === "all" || (sent?.size ?? 0) > 0,
      wants: (...fields) => fields.some((field) => isSent(sent, field)),
      wantDiff: options.wantDiff,
      environment: env,
      ...(job === undefined ? {} : { async: job }),
    };
    const built = module.build(args, context);
    if (built.brings !== undefined) options.foretell(built.brings.dest);
    const commandLike = built.libs.includes("command");
    const wrapped = inEnvironment(commandLike ? {} : env);
    const look = built.look === undefined ? {} : { look: wrapped(built.look) };
    return { ...built, ...look, shell: wrapped(built.shell), module };
  } catch (error) {
    throw located(error, node);
  }
}

function environmentOf(part: Templated, language: TaskLanguage): Record<string, string> {
  const value = language.render(part);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new InputError("E_ENVIRONMENT", "environment is no mapping.", { position: part.position });
  }
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, toText(name, one)]));
}

/** Ansible's: `~` is the home of who runs this, and all else begins beside the playbook. */
function controllerPath(path: string, beside: string): string {
  const slash = path.endsWith("/") ? "/" : "";
  return resolve(beside, path.replace(/^~(?=\/|$)/, homedir())) + slash;
}

function asyncOf(node: TaskNode, language: TaskLanguage): { seconds: number; poll: number } | undefined {
  if (node.async === undefined) return undefined;
  const seconds = Number(language.render(node.async));
  const poll = node.poll === undefined ? 10 : Number(language.render(node.poll));
  if (!Number.isInteger(seconds) || seconds < 0) throw new ArgumentError("async is no number of seconds");
  if (seconds === 0) return undefined;
  if (!(poll >= 0)) throw new ArgumentError("poll is no number of seconds");
  return { seconds, poll: Math.ceil(poll) };
}

/** An ArgumentError becomes an InputError at the argument's place. */
function located(error: unknown, node: TaskNode): unknown {
  if (!(error instanceof ArgumentError)) return error;
  const position = (error.argument === undefined ? undefined : node.args[error.argument]?.position) ?? node.position;
  return new InputError("E_MODULE_ARGUMENT", `${error.message}.`, { position, cause: error });
}

export type { LibName };
