/** Readers of YAML nodes into typed values; each reports what is wrong and reads on. */
import { InputError, type Position } from "../util/errors.js";
import { didYouMean } from "../util/suggest.js";
import { parseCondition } from "./conditions.js";
import { Scope } from "./scope.js";
import { isPossiblyTemplate } from "./template-parser.js";
import type { Condition, ModuleCatalog, Templated, Vars } from "./types.js";
import { noteTemplate, valueTemplate } from "./value-templates.js";
import { type MapEntry, type MapNode, nodeValue, readYaml, type YamlNode } from "./yaml-nodes.js";
import { type PackedYaml, unpackYaml } from "./yaml-pack.js";

export interface LoadOptions {
  readonly catalog: ModuleCatalog;
  /** Text of a file, undefined when it does not exist. Paths are as the playbook's own path: absolute or not. */
  readonly readFile: (path: string) => string | undefined;
  /** Names in a directory, undefined when it is none; without it no file is looked for by its ending. */
  readonly listFolder?: (path: string) => readonly string[] | undefined;
  /** Directories of roles beside the playbook's own. */
  readonly rolePaths?: readonly string[];
  /** `--extra-vars`, which may name hosts of plays and files that are imported. */
  readonly extraVars?: Vars;
  /** What a text was found to hold before; it is read unless this gives it. */
  readonly packed?: (text: string) => PackedYaml | undefined;
}

export const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Collects the problems of one load. */
export class LoadContext {
  readonly problems: InputError[] = [];
  readonly #told = new Set<string>();

  /** @param known what is known before any host is: variables of the play at hand, and extra vars */
  constructor(
    readonly options: LoadOptions,
    public known = new Scope(),
  ) {}

  /** A role's file may be read for several tasks, and its mistakes are told once. */
  readonly report = (error: InputError): void => {
    const { file, line, column } = error.position ?? {};
    const key = `${file}:${line}:${column} ${error.message}`;
    if (!this.#told.has(key)) this.problems.push(error);
    this.#told.add(key);
  };

  /** Reads a file's YAML; undefined when it is empty or not YAML at all. */
  yaml(path: string, text: string): YamlNode | undefined {
    const packed = this.options.packed?.(text);
    return packed === undefined ? readYaml(path, text, this.report) : unpackYaml(path, text, packed);
  }

  problem(position: Position, message: string, hint?: string): void {
    this.report(new InputError("E_PLAYBOOK", message, { position, hint }));
  }

  /** Runs `read`; an InputError is reported and gives undefined. */
  attempt<T>(read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      this.report(error);
      return undefined;
    }
  }

  /** The entries of a map, or none with a problem. */
  map(node: YamlNode, what: string): MapNode {
    if (node.kind === "map") return node;
    if (!(node.kind === "scalar" && node.value === null)) this.problem(node.position, `${what} must be a mapping`);
    return { kind: "map", entries: [], position: node.position };
  }

  list(node: YamlNode, what: string): readonly YamlNode[] {
    if (node.kind === "list") return node.items;
    if (!(node.kind === "scalar" && node.value === null)) this.problem(node.position, `${what} must be a list`);
    return [];
  }

  /** A string that is no template. */
  text(node: YamlNode, what: string): string {
    if (node.kind === "scalar" && node.value !== null && typeof node.value !== "boolean") {
      const text = String(node.value);
      if (isPossiblyTemplate(text))
        this.problem(node.position, `${what} cannot be a template`, "Write the name itself.");
      return text;
    }
    this.problem(node.position, `${what} must be a string`);
    return "";
  }

  /** A string that may hold templates, such as a task's name. */
  templateText(node: YamlNode, what: string): string {
    if (node.kind !== "scalar" || node.value === null) {
      this.problem(node.position, `${what} must be a string`);
      return "";
    }
    this.templated(node);
    return String(node.value);
  }

  bool(node: YamlNode, what: string): boolean {
    const value = node.kind === "scalar" ? node.value : undefined;
    if (typeof value === "boolean") return value;
    if (typeof value === "string" && /^(?:yes|true|on|1|no|false|off|0)$/i.test(value))
      return /^(?:yes|true|on|1)$/i.test(value);
    const template = typeof value === "string" && isPossiblyTemplate(value);
    this.problem(
      node.position,
      `${what} must be true or false`,
      template ? "A template is not supported here." : undefined,
    );
    return false;
  }

  /** Strings of a list, or one string; `split` also takes "a, b" apart. */
  texts(node: YamlNode, what: string, split = false): string[] {
    const texts = node.kind === "list" ? node.items.map((item) => this.text(item, what)) : [this.text(node, what)];
    return split
      ? texts.flatMap((text) => text.split(",").map((part) => part.trim())).filter((part) => part !== "")
      : texts;
  }

  /** Texts that may hold templates. */
  templateTexts(node: YamlNode, what: string): string[] {
    return (node.kind === "list" ? node.items : [node]).map((item) => this.templateText(item, what));
  }

  /** The name of a variable. */
  name(entry: MapEntry): string {
    const name = this.text(entry.value, entry.key);
    if (name !== "" && !IDENTIFIER.test(name))
      this.problem(entry.value.position, `"${name}" is no name for a variable`);
    return name;
  }

  /** A value with its places, after a check of every template in it. */
  templated(node: YamlNode): Templated {
    this.#check(node);
    return {
      value: nodeValue(node),
      position: node.position,
      positionOf: (path) => positionIn(node, path === "" ? [] : path.split("/")),
    };
  }

  #check(node: YamlNode): void {
    if (node.kind === "list") for (const item of node.items) this.#check(item);
    else if (node.kind === "map") {
      for (const { key, position, value } of node.entries) {
        if (isPossiblyTemplate(key)) this.problem(position, "a key cannot be a template", "Use items2dict or combine.");
        this.#check(value);
      }
    } else {
      const { value, position, locate } = node;
      if (typeof value !== "string" || !isPossiblyTemplate(value)) return;
      if (node.packed === true) noteTemplate(value, position, locate);
      else this.attempt(() => valueTemplate(value, position, locate));
    }
  }

  /** A mapping of variables. */
  vars(node: YamlNode, what: string): Record<string, Templated> {
    const vars: Record<string, Templated> = {};
    for (const { key, position, value } of this.map(node, what).entries) {
      if (!IDENTIFIER.test(key))
        this.problem(position, `"${key}" is no name for a variable`, "Letters, digits and _ make a name.");
      vars[key] = this.templated(value);
    }
    return vars;
  }

  /** `when` and its like: a string, a boolean, or a list of them. */
  conditions(node: YamlNode, what: string): Condition[] {
    const nodes = node.kind === "list" ? node.items : [node];
    return nodes.flatMap((item) => {
      if (item.kind !== "scalar") {
        this.problem(item.position, `${what} must be an expression or a list of them`);
        return [];
      }
      const { value, position, locate } = item;
      if (value === null || value === "") return [];
      if (typeof value !== "string") return [{ source: String(value), expr: { kind: "literal", value }, position }];
      const condition = this.attempt(() => parseCondition(value, locate));
      return condition === undefined ? [] : [condition];
    });
  }

  unknown(what: string, key: string, position: Position, known: Iterable<string>, instead?: string): void {
    if (instead !== undefined) this.problem(position, `${what} "${key}" is not supported`, instead);
    else this.problem(position, `unknown ${what} "${key}"`, didYouMean(key, known));
  }
}

function positionIn(node: YamlNode, path: readonly string[]): Position {
  const [head, ...rest] = path;
  if (head === undefined) return node.position;
  const child =
    node.kind === "map"
      ? node.entries.find(({ key }) => key === head)?.value
      : node.kind === "list"
        ? node.items[Number(head)]
        : undefined;
  return child === undefined ? node.position : positionIn(child, rest);
}
