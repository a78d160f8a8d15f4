import { toText } from "../modules/args.js";
import { argumentErrors } from "../playbook/argument-spec.js";
import { UndefinedVariableError } from "../playbook/scope.js";
import { isPossiblyTemplate } from "../playbook/template-parser.js";
import type { TaskNode, Templated, Value, Vars } from "../playbook/types.js";
import { InputError, type Position } from "../util/errors.js";
import { quote } from "../util/shell.js";
import type { Ends } from "./batch.js";
import { decideAll, NeedsControllerError } from "./compile-task.js";
import type { Joined } from "./groups.js";
import type { IncludedVars, IncludeVarsArgs } from "./include-vars.js";
import type { KnownFacts } from "./known-facts.js";
import { FactsWantedError, type TaskLanguage, UnknownValueError } from "./language.js";
import { prefixed, type Sight, seenFacts, sightOf } from "./setup.js";
import type { RegisterShapes } from "./shell-condition.js";

/** Hosts meet at it: what follows sees the groups of all of them. */
export const GROUP_BY = "group_by";
/** The task that stands before those of a role with argument_specs. */
const VALIDATE = "validate_argument_spec";
const NAMES = new Set([
  "assert",
  "fail",
  "debug",
  "set_fact",
  "meta",
  "setup",
  "include_vars",
  "ping",
  VALIDATE,
  GROUP_BY,
]);
/** What `meta` ends; what is ended for all hosts is decided by one of them. */
export const ENDS: Readonly<Record<string, Ends>> = { end_host: "host", end_batch: "batch", end_play: "play" };
const FACT_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** True for modules that the controller decides. */
export function isControl(module: string): boolean {
  return NAMES.has(module);
}

/** What debug or fail say: for people, and in the registered value. */
export interface Said {
  readonly text: string;
  readonly more: Readonly<Record<string, Value>>;
}

export interface ControlResult {
  readonly fails: boolean;
  /** It is skipped, whatever its condition says. */
  readonly skips?: true;
  readonly reason?: string;
  /** When results of the host decide. */
  readonly shell?: string;
  readonly say?: (registers: Readonly<Record<string, Value>>) => Said;
  /** Of its registered value. */
  readonly more?: Readonly<Record<string, Value>>;
  readonly facts?: Readonly<Record<string, Value>>;
  /** What `setup` shows. */
  readonly sight?: Sight;
  /** What include_vars has read. */
  readonly included?: Readonly<Record<string, Templated>>;
  readonly joins?: Joined;
  readonly ends?: Ends;
}

interface ControlContext {
  readonly language: TaskLanguage;
  readonly shapes: RegisterShapes;
  /** The language once results are there. */
  readonly later: (registers: Readonly<Record<string, Value>>) => TaskLanguage;
  readonly known: KnownFacts;
  /** Calls before it in the same program may change the host. */
  readonly changed: boolean;
  readonly readVars: (args: IncludeVarsArgs) => IncludedVars;
}

/** Decides assert, fail, debug, set_fact and the like as far as the controller can. */
export function compileControl(node: TaskNode, context: ControlContext): ControlResult {
  switch (node.module) {
    case "assert":
      return assertion(node, context);
    case "fail":
      return message(node, context, true, "Failed as requested from task");
    case "debug":
      return message(node, context, false, "Hello world!");
    case "set_fact": {
      const facts: Record<string, Value> = {};
      for (const [key, value] of Object.entries(node.args)) {
        if (key === "cacheable") continue;
        const name = isPossiblyTemplate(key) ? String(context.language.render({ ...value, value: key })) : key;
        if (!FACT_NAME.test(name)) {
          throw new InputError("E_FACT_NAME", `${name} is no variable name.`, { position: value.position });
        }
        facts[name] = factOf(context.language.render(value));
      }
      const reason = Object.keys(facts).join(", ") || "nothing set";
      return { fails: false, reason, facts, more: { ansible_facts: facts } };
    }
    case "meta": {
      const what = String(node.freeForm?.value ?? "");
      if (what === "noop") return { fails: false, reason: "noop" };
      const ends = ENDS[what];
      if (ends !== undefined)
        return { fails: false, reason: `ends the ${ends === "host" ? "play of the host" : ends}`, ends };
      throw new InputError("E_META", `meta: ${what} is not supported here.`, { position: node.position });
    }
    case GROUP_BY: {
      const joins = joined(node, context.language);
      return { fails: false, reason: joins.group, joins };
    }
    case VALIDATE:
      return validated(node, context);
    case "ping":
      return { fails: false, reason: "pong" };
    case "include_vars":
      return included(node, context);
    default:
      return gathered(node, context);
  }
}

function rendered(node: TaskNode, language: TaskLanguage, name: string): Value | undefined {
  const value = node.args[name];
  return value === undefined ? undefined : language.render(value);
}

function validated(node: TaskNode, { language }: ControlContext): ControlResult {
  const dict = (name: string): Vars => {
    const value = rendered(node, language, name) ?? {};
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Vars;
    const { position } = node.args[name] ?? node;
    throw new InputError("E_MODULE_ARGUMENT", `${name} must be a mapping.`, { position });
  };
  const spec = dict("argument_spec");
  const given = Object.keys(spec).flatMap((name): [string, Value][] => {
    const value = language.variable(name);
    return value === undefined ? [] : [[name, value]];
  });
  const errors = argumentErrors(spec, { ...Object.fromEntries(given), ...dict("provided_arguments") });
  const context = { validate_args_context: dict("validate_args_context") };
  if (errors.length === 0) {
    const msg = "The arg spec validation passed";
    return { fails: false, reason: msg, more: { ...context, msg } };
  }
  const msg = `Validation of arguments failed:\n${errors.join("\n")}`;
  return {
    fails: true,
    reason: msg,
    more: { ...context, msg, argument_errors: errors, argument_spec_data: spec },
  };
}

/**
 * `setup`: the facts are there already, unless the host has been changed since; its filter and subset say which ones are seen.
 * @throws FactsWantedError when the host has to be asked first
 */
function gathered(node: TaskNode, { language, known, changed }: ControlContext): ControlResult {
  if (changed) throw new NeedsControllerError();
  const [filter, subset] = ["filter", "gather_subset"].map((name) => rendered(node, language, name));
  const sight = sightOf({ filter, subset });
  // Its result shows all of them; without one they are asked for when something names them.
  const wanted = node.register === undefined ? [] : known.lacks(sight.shows);
  if (known.stale || wanted.length > 0) throw new FactsWantedError(wanted, { anew: known.stale });
  const facts = prefixed(seenFacts(known.all, [sight]));
  return { fails: false, reason: "facts are gathered", sight, more: { ansible_facts: facts } };
}

function included(node: TaskNode, { language, readVars }: ControlContext): ControlResult {
  const file = node.freeForm === undefined ? rendered(node, language, "file") : language.render(node.freeForm);
  const args = { file, dir: rendered(node, language, "dir"), name: rendered(node, language, "name") };
  const extensions = rendered(node, language, "extensions");
  const got = readVars({ ...args, ...(Array.isArray(extensions) ? { extensions: extensions.map(String) } : {}) });
  if ("problem" in got) return { fails: true, reason: got.problem };
  const values = Object.fromEntries(Object.entries(got.vars).map(([name, part]) => [name, part.value]));
  return {
    fails: false,
    reason: got.files.join(", "),
    included: got.vars,
    more: { ansible_facts: values, ansible_included_var_files: [...got.files] },
  };
}

/** As Ansible does: blanks become dashes, and nothing else is changed. */
function joined(node: TaskNode, language: TaskLanguage): Joined {
  const name = (value: Value) => toText("key", value).replaceAll(" ", "-");
  const { key, parents } = node.args;
  if (key === undefined) throw new InputError("E_MODULE_ARGUMENT", "group_by needs key.", { position: node.position });
  const above = parents === undefined ? "all" : language.render(parents);
  return { group: name(language.render(key)), parents: (Array.isArray(above) ? above : [above]).map(name) };
}

const show = (value: Value): string => (typeof value === "string" ? value : JSON.stringify(value));

function message(node: TaskNode, context: ControlContext, fails: boolean, otherwise: string): ControlResult {
  const say = (language: TaskLanguage): Said => {
    const { msg, var: variable } = node.args;
    if (msg === undefined && variable !== undefined) {
      const name = String(variable.value);
      const value = variableOf(language, name, variable.position);
      return { text: `${name}: ${show(value)}`, more: { [name]: value } };
    }
    const value = msg === undefined ? otherwise : language.render(msg);
    return { text: show(value), more: { msg: value } };
  };
  if (node.module === "debug" && Number(node.args.verbosity?.value ?? 0) > 0) {
    const more = { skipped: true, skipped_reason: "Verbosity threshold not met." };
    return { fails: false, skips: true, reason: "verbosity is higher than asked for", more };
  }
  try {
    const { text, more } = say(context.language);
    return { fails, reason: text, more };
  } catch (error) {
    // What reads variables of other hosts is said when the hosts have met, and not later.
    if (!(error instanceof UnknownValueError) || context.language.asksHosts(node.args)) throw error;
    return {
      fails,
      say: (registers) => say(context.later(registers)),
      ...(fails ? { shell: "bad 'failed as asked'\n" } : {}),
    };
  }
}

/** What `debug` shows of a variable or expression: as a template would give it, and without an error where there is none. */
function variableOf(language: TaskLanguage, name: string, position: Position): Value {
  // The marks of the template are not in the file.
  const place = { ...position, column: Math.max(1, position.column - 3) };
  try {
    return language.render({ value: `{{ ${name} }}`, position: place, positionOf: () => place });
  } catch (error) {
    if (error instanceof UndefinedVariableError) return "VARIABLE IS NOT DEFINED!";
    throw error;
  }
}

/** As Ansible does with whole values of `set_fact`. */
function factOf(value: Value): Value {
  if (typeof value !== "string" || !/^(?:true|false|yes|no)$/i.test(value)) return value;
  return /^(?:true|yes)$/i.test(value);
}

function assertion(node: TaskNode, { language, shapes }: ControlContext): ControlResult {
  const that = node.args.that;
  if (that === undefined) throw new InputError("E_MODULE_ARGUMENT", "assert needs that.", { position: node.position });
  const given = Array.isArray(that.value) ? that.value : [that.value];
  const text = (name: string): string | undefined => {
    const value = node.args[name];
    return value === undefined ? undefined : show(language.render(value));
  };
  const failMessage = () => text("fail_msg") ?? text("msg");
  let shell = "";
  for (const [index, entry] of given.entries()) {
    const position = Array.isArray(that.value) ? that.positionOf(String(index)) : that.position;
    const condition = language.parse(typeof entry === "string" ? entry : JSON.stringify(entry), position);
    const gate = decideAll([condition], language, shapes);
    if (gate.kind === "known" && gate.value) continue;
    const reason = failMessage() ?? `Assertion failed: ${condition.source}`;
    const more = { assertion: entry, evaluated_to: false, msg: failMessage() ?? "Assertion failed" };
    if (gate.kind === "known")
      return shell === "" ? { fails: true, reason, more } : { fails: true, shell: `${shell}bad ${quote(reason)}\n` };
    shell += `if ${gate.shell}; then :; else bad ${quote(reason)}; fi\n`;
  }
  const success = text("success_msg") ?? "All assertions passed";
  const more = { msg: success };
  return shell === ""
    ? { fails: false, reason: success, more }
    : { fails: false, shell: `${shell}fine ${quote(success)}\n` };
}
