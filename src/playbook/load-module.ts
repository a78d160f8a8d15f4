/** A task's module and arguments, checked against the catalog. */
import { didYouMean } from "../util/suggest.js";
import { insteadOf } from "./keywords.js";
import type { LoadContext } from "./load-context.js";
import { readWords } from "./load-words.js";
import { alternativeTo } from "./module-alternatives.js";
import { isPossiblyTemplate } from "./template-parser.js";
import type { ArgSpec, ModuleArgs, Templated } from "./types.js";
import type { MapEntry, ScalarNode, YamlNode } from "./yaml-nodes.js";

/** Modules of the collection ansible.posix that have an entry under their short name. */
const POSIX = new Set([
  "acl",
  "at",
  "authorized_key",
  "firewalld",
  "mount",
  "patch",
  "seboolean",
  "selinux",
  "synchronize",
  "sysctl",
]);
const BOOLEAN_TEXT = /^(?:y|yes|on|1|true|t|1\.0|n|no|off|0|false|f|0\.0)$/i;

export interface ModuleCall {
  readonly module: string;
  readonly args: Readonly<Record<string, Templated>>;
  readonly freeForm?: Templated;
}

/** The catalog's entry for a name as tasks spell it. */
export function findModule(name: string, context: LoadContext): ModuleArgs | undefined {
  const { catalog } = context.options;
  const short = name.replace(/^ansible\.(?:builtin|legacy)\./, "");
  const exact = catalog.get(short);
  if (exact !== undefined) return exact;
  const posix = /^ansible\.posix\.(\w+)$/.exec(name)?.[1];
  return posix !== undefined && POSIX.has(posix) ? catalog.get(posix) : undefined;
}

function scalarProblem(spec: ArgSpec, node: ScalarNode): string | undefined {
  const { value } = node;
  if (value === null || (typeof value === "string" && isPossiblyTemplate(value))) return undefined;
  const text = String(value);
  switch (spec.type) {
    case "bool":
      return typeof value === "boolean" || BOOLEAN_TEXT.test(text) ? undefined : "must be true or false";
    case "int":
      return typeof value !== "boolean" && /^[-+]?\d+$/.test(text) ? undefined : "must be a whole number";
    case "float":
      return typeof value !== "boolean" && text.trim() !== "" && Number.isFinite(Number(text))
        ? undefined
        : "must be a number";
    case "dict":
      return "must be a mapping";
    case "mode":
      if (typeof value === "number")
        return /^0[0-7]{3,4}$/.test(node.source)
          ? undefined
          : `is a number: write "0${node.source.replace(/^0+/, "")}" in quotes`;
      return typeof value === "string" &&
        (/^[0-7]{3,5}$/.test(value) || /^(?:[ugoa]*[-+=][rwxXstugo]*,?)+$/.test(value) || value === "preserve")
        ? undefined
        : 'must be a mode such as "0644"';
    case "str":
    case "path":
      return typeof value === "boolean" ? `is the boolean ${value}: put it in quotes` : undefined;
    case "list":
    case "raw":
      return undefined;
  }
}

function typeProblem(spec: ArgSpec, node: YamlNode): string | undefined {
  if (spec.type === "raw") return undefined;
  if (node.kind === "scalar") return scalarProblem(spec, node);
  if (node.kind === "list") return spec.type === "list" ? undefined : "cannot be a list";
  return spec.type === "dict" ? undefined : "cannot be a mapping";
}

function checkChoices(spec: ArgSpec, entry: MapEntry, context: LoadContext): void {
  const { choices } = spec;
  if (choices === undefined) return;
  const nodes = entry.value.kind === "list" ? entry.value.items : [entry.value];
  for (const node of nodes) {
    if (node.kind !== "scalar" || node.value === null) continue;
    const text = String(node.value);
    if (isPossiblyTemplate(text) || choices.includes(text) || choices.includes(node.source)) continue;
    context.problem(
      node.position,
      `"${text}" is none of the choices of "${entry.key}"`,
      didYouMean(text, choices) ?? `One of ${choices.join(", ")}.`,
    );
  }
}

function readArgs(module: ModuleArgs, entries: readonly MapEntry[], context: LoadContext): Record<string, Templated> {
  const args: Record<string, Templated> = {};
  for (const entry of entries) {
    const name = Object.hasOwn(module.args, entry.key)
      ? entry.key
      : Object.keys(module.args).find((candidate) => module.args[candidate]?.aliases?.includes(entry.key));
    const spec = name === undefined ? undefined : module.args[name];
    if (module.anyArgs === true && name === undefined) {
      args[entry.key] = context.templated(entry.value);
      continue;
    }
    const refused = module.refused?.[entry.key];
    if (refused !== undefined) {
      context.problem(entry.position, `${module.name} does not take "${entry.key}" here`, refused);
      continue;
    }
    if (name === undefined || spec === undefined) {
      context.unknown(`argument of ${module.name}`, entry.key, entry.position, Object.keys(module.args));
      continue;
    }
    if (Object.hasOwn(args, name)) context.problem(entry.position, `the argument "${name}" is given twice`);
    const problem = typeProblem(spec, entry.value);
    if (problem !== undefined) context.problem(entry.value.position, `"${entry.key}" ${problem}`);
    checkChoices(spec, entry, context);
    args[name] = context.templated(entry.value);
  }
  return args;
}

/** A module's string: `key=value` words, and what is left as its free form. */
function readText(
  module: ModuleArgs,
  node: ScalarNode,
  context: LoadContext,
): { readonly entries: readonly MapEntry[]; readonly freeForm?: Templated } {
  const words = readWords(node, module.freeForm === true);
  if (words === undefined) {
    context.problem(node.position, "a quote or a {{ }} in the arguments does not end");
    return { entries: [] };
  }
  const { entries, rest, first } = words;
  if (rest === "") return { entries };
  if (module.freeForm === true) {
    const templated = context.templated(node);
    return { entries, freeForm: { ...templated, value: rest } };
  }
  context.problem(
    node.locate(first?.offset ?? 0),
    `the arguments of ${module.name} must be a mapping, or words of key=value`,
    "Write `name: value` on lines of their own.",
  );
  return { entries };
}

/**
 * Reads the module of a task from its key, its value, and the task's `args`.
 * @param defaults arguments of `module_defaults`, by module
 */
export function readModule(
  entry: MapEntry,
  extra: YamlNode | undefined,
  defaults: ModuleDefaults,
  context: LoadContext,
): ModuleCall | undefined {
  const module = findModule(entry.key, context);
  if (module === undefined) {
    const short = entry.key.replace(/^ansible\.(?:builtin|legacy|posix)\./, "");
    context.unknown(
      "module",
      entry.key,
      entry.position,
      context.options.catalog.keys(),
      insteadOf(short) ?? alternativeTo(entry.key),
    );
    return undefined;
  }
  let freeForm: Templated | undefined;
  let entries: readonly MapEntry[] = [];
  if (entry.value.kind === "map") entries = entry.value.entries;
  else if (entry.value.kind === "list")
    context.problem(entry.value.position, `the arguments of ${module.name} must be a mapping`);
  else if (entry.value.value !== null) ({ entries, freeForm } = readText(module, entry.value, context));
  const wrongForm = entry.value.kind === "list" || (entry.value.kind === "scalar" && entry.value.value !== null);
  if (extra !== undefined) {
    // What the task itself says is stronger than its `args`.
    const own = new Set(entries.map(({ key }) => key));
    entries = [...entries, ...context.map(extra, "args").entries.filter(({ key }) => !own.has(key))];
  }
  const args = { ...defaults.get(module.name), ...readArgs(module, entries, context) };
  for (const [name, spec] of Object.entries(module.args)) {
    if (spec.required === true && !Object.hasOwn(args, name) && !(wrongForm && entries.length === 0)) {
      context.problem(entry.position, `${module.name} needs the argument "${name}"`);
    }
  }
  return { module: module.name, args, ...(freeForm === undefined ? {} : { freeForm }) };
}

/** Arguments that tasks get unless they give them, by module. */
export type ModuleDefaults = ReadonlyMap<string, Readonly<Record<string, Templated>>>;

/** `module_defaults`, over those of what is around it. */
export function readDefaults(node: YamlNode, outer: ModuleDefaults, context: LoadContext): ModuleDefaults {
  const defaults = new Map(outer);
  for (const { key, position, value } of context.map(node, "module_defaults").entries) {
    const module = findModule(key, context);
    if (module === undefined) {
      context.unknown("module", key, position, context.options.catalog.keys(), insteadOf(key));
      continue;
    }
    const args = readArgs(module, context.map(value, `the defaults of ${key}`).entries, context);
    defaults.set(module.name, args);
  }
  return defaults;
}
