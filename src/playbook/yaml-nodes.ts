/** YAML with places, read as PyYAML (YAML 1.1) and so Ansible reads it. */
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseAllDocuments,
  type Scalar,
} from "yaml";
import { InputError, type Position } from "../util/errors.js";
import type { Locate } from "./template-source.js";
import type { Value } from "./types.js";
import { locateWithin, type Written } from "./yaml-place.js";

export interface ScalarNode {
  readonly kind: "scalar";
  readonly value: null | boolean | number | string;
  /** The value as written. */
  readonly source: string;
  readonly position: Position;
  /** Not of what is left out. */
  readonly written?: Written;
  /** Where an offset of a string value stands, block scalars and escapes included. */
  readonly locate: Locate;
  /** Of a packed file: a template in it is in order. */
  readonly packed?: true;
}

export interface ListNode {
  readonly kind: "list";
  readonly items: readonly YamlNode[];
  readonly position: Position;
}

export interface MapEntry {
  readonly key: string;
  readonly position: Position;
  readonly value: YamlNode;
}

export interface MapNode {
  readonly kind: "map";
  readonly entries: readonly MapEntry[];
  readonly position: Position;
}

export type YamlNode = ScalarNode | ListNode | MapNode;

/** Takes a problem of the file; the file is read on to find more. */
export type Report = (error: InputError) => void;

// The resolvers of PyYAML's yaml/resolver.py.
const TRUE = /^(?:yes|Yes|YES|true|True|TRUE|on|On|ON)$/;
const FALSE = /^(?:no|No|NO|false|False|FALSE|off|Off|OFF)$/;
const NULL = /^(?:~|null|Null|NULL|)$/;
const INTEGER = /^[-+]?(?:0b[01_]+|0[0-7_]+|0|[1-9][0-9_]*|0x[0-9a-fA-F_]+)$/;
const FLOAT = /^(?:[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?)$/;
const SPECIAL_FLOAT = /^(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/;
const SEXAGESIMAL = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/;
const TIMESTAMP =
  /^\d{4}-\d\d?-\d\d?(?:(?:[Tt]|[ \t]+)\d\d?:\d\d:\d\d(?:\.\d*)?(?:[ \t]*(?:Z|[-+]\d\d?(?::\d\d)?))?)?$/;

type ParsedDocument = Extract<ReturnType<typeof parseAllDocuments>, readonly unknown[]>[number];

class Reader {
  readonly lines = new LineCounter();

  constructor(
    readonly file: string,
    readonly text: string,
    readonly report: Report,
  ) {}

  position(offset: number): Position {
    const { line, col } = this.lines.linePos(offset);
    return { file: this.file, line: Math.max(1, line), column: Math.max(1, col) };
  }

  problem(offset: number, message: string, hint?: string): void {
    this.report(new InputError("E_YAML", message, { position: this.position(offset), hint }));
  }

  #parse(): ParsedDocument[] {
    const documents = parseAllDocuments(this.text, {
      schema: "failsafe",
      version: "1.1",
      lineCounter: this.lines,
      uniqueKeys: true,
      prettyErrors: false,
      keepSourceTokens: false,
    });
    if (!Array.isArray(documents)) return [];
    for (const error of documents.flatMap((each) => each.errors)) {
      const message = error.code === "DUPLICATE_KEY" ? "the key is given twice" : error.message;
      this.problem(error.pos[0], message, error.code === "TAB_AS_INDENT" ? "YAML is indented with spaces." : undefined);
    }
    return documents.some((each) => each.errors.some((error) => error.code !== "DUPLICATE_KEY")) ? [] : documents;
  }

  read(): YamlNode | undefined {
    const [document, second] = this.#parse();
    if (document === undefined) return undefined;
    if (second !== undefined)
      this.problem(
        second.range?.[0] ?? 0,
        "the file holds several YAML documents",
        "Keep one; split the rest into files of their own.",
      );
    return this.#root(document);
  }

  readAll(): (YamlNode | undefined)[] {
    return this.#parse().map((document) => this.#root(document));
  }

  #root(document: ParsedDocument): YamlNode | undefined {
    const { contents } = document;
    return contents === null
      ? undefined
      : this.#node(contents as Node, (alias) => (isAlias(alias) ? alias.resolve(document) : undefined));
  }

  #node(node: Node, resolve: (alias: Node) => Node | undefined): YamlNode {
    const offset = node.range?.[0] ?? 0;
    const position = this.position(offset);
    if (isAlias(node)) {
      const target = resolve(node);
      if (target !== undefined) return this.#node(target, resolve);
      this.problem(offset, `the alias *${node.source} has no anchor`);
    }
    if (node.tag !== undefined && !node.tag.startsWith("tag:yaml.org,2002:")) {
      this.problem(
        offset,
        `the tag ${node.tag} is not supported`,
        node.tag === "!vault" ? "Write it in the inventory, where vaults are read." : undefined,
      );
    }
    if (isMap(node))
      return { kind: "map", entries: this.#entries(node.items as Pair<Node, Node | null>[], resolve), position };
    if (isSeq(node))
      return { kind: "list", items: (node.items as Node[]).map((item) => this.#node(item, resolve)), position };
    if (isScalar(node)) return this.#scalar(node, offset, position);
    return { kind: "scalar", value: null, source: "", position, locate: () => position };
  }

  #entries(pairs: readonly Pair<Node, Node | null>[], resolve: (alias: Node) => Node | undefined): MapEntry[] {
    const entries: MapEntry[] = [];
    for (const { key, value } of pairs) {
      const offset = key?.range?.[0] ?? 0;
      const name = isScalar(key) ? this.#scalar(key, offset, this.position(offset)).value : undefined;
      if (isScalar(key) && key.type === "PLAIN" && key.value === "<<") {
        this.problem(offset, "merge keys (<<) are not supported", "Write the keys out, or use combine.");
        continue;
      }
      if (typeof name !== "string") {
        this.problem(offset, "a key must be a string", "Put it in quotes.");
        continue;
      }
      if (name === "__proto__") {
        this.problem(offset, 'the key "__proto__" is not allowed');
        continue;
      }
      const position = this.position(offset);
      const empty: ScalarNode = { kind: "scalar", value: null, source: "", position, locate: () => position };
      entries.push({
        key: name,
        position,
        value: value === null || value === undefined ? empty : this.#node(value, resolve),
      });
    }
    const kept = Object.keys(Object.fromEntries(entries.map(({ key }) => [key, 0])));
    const moved = entries.find(({ key }, index) => kept[index] !== key);
    if (moved !== undefined && kept.length === entries.length) {
      this.report(
        new InputError("E_YAML", "keys that are whole numbers must stand first, in order", {
          position: moved.position,
        }),
      );
    }
    return entries;
  }

  #scalar(node: Scalar, offset: number, position: Position): ScalarNode {
    const text = String(node.value ?? "");
    const source = node.source ?? text;
    const written = writtenAs(node);
    const locate = locateWithin(this.text, (at) => this.position(at), written, text, position);
    const plain = node.type === "PLAIN";
    if (node.tag?.startsWith("tag:yaml.org,2002:") && node.tag !== "tag:yaml.org,2002:str")
      this.problem(offset, `the tag ${node.tag} is not supported`, "Leave it out.");
    return {
      kind: "scalar",
      value: plain && node.tag === undefined ? this.#resolve(text, offset) : text,
      source,
      position,
      written,
      locate,
    };
  }

  #resolve(text: string, offset: number): null | boolean | number | string {
    if (NULL.test(text)) return null;
    if (TRUE.test(text)) return true;
    if (FALSE.test(text)) return false;
    if (INTEGER.test(text)) return this.#integer(text, offset);
    if (FLOAT.test(text)) {
      const number = Number(text.replace(/_/g, ""));
      if (Number.isInteger(number))
        this.problem(
          offset,
          `the float ${text} cannot be kept apart from the whole number ${number}`,
          `Write ${number}, or "${text}" in quotes.`,
        );
      return number;
    }
    if (SPECIAL_FLOAT.test(text))
      this.problem(offset, `${text} is not a finite number`, "Put it in quotes if it is text.");
    if (SEXAGESIMAL.test(text))
      this.problem(offset, `YAML reads ${text} as a number to the base of 60`, "Put it in quotes.");
    if (TIMESTAMP.test(text)) this.problem(offset, `YAML reads ${text} as a date`, "Put it in quotes.");
    return text;
  }

  #integer(text: string, offset: number): number {
    const clean = text.replace(/_/g, "").replace(/^\+/, "");
    const sign = clean.startsWith("-") ? -1 : 1;
    const digits = clean.replace(/^-/, "");
    const value = sign * (/^0[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number(digits));
    if (!Number.isSafeInteger(value)) this.problem(offset, `the number ${text} is too large`, "Put it in quotes.");
    return value === 0 ? 0 : value;
  }
}

function writtenAs({ type, range }: Scalar): Written {
  const [from, to] = range ?? [0, 0];
  const block = type === "BLOCK_LITERAL" || type === "BLOCK_FOLDED";
  return { style: block ? "block" : type === "PLAIN" ? "plain" : "quoted", from, to };
}

/** Reads one YAML document; undefined when it is empty or not YAML at all. Problems go to `report`. */
export function readYaml(file: string, text: string, report: Report): YamlNode | undefined {
  return new Reader(file, text, report).read();
}

/** Reads all documents of a text; an empty one is undefined. Problems go to `report`. */
export function readYamlDocuments(file: string, text: string, report: Report): (YamlNode | undefined)[] {
  return new Reader(file, text, report).readAll();
}

/** The value alone. */
export function nodeValue(node: YamlNode): Value {
  switch (node.kind) {
    case "scalar":
      return node.value;
    case "list":
      return node.items.map(nodeValue);
    case "map":
      return Object.fromEntries(node.entries.map(({ key, value }) => [key, nodeValue(value)]));
  }
}
