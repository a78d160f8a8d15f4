import {
  type Alias,
  type CollectionTag,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Pair,
  parseDocument,
  type ScalarTag,
  type Tags,
  type YAMLMap,
} from "yaml";
import type { Value } from "../playbook/types.js";
import { InputError, type Position } from "../util/errors.js";
import { type HostValue, hiddenTexts } from "./host-value.js";
import { VaultSecret } from "./vault/vault-secret.js";

/** A YAML value with its place. `entries` is set for mappings, in the order of the file. */
export interface SourceNode {
  readonly value: HostValue;
  readonly position: Position;
  readonly entries?: ReadonlyMap<string, SourceEntry>;
}

export interface SourceEntry {
  readonly key: string;
  readonly keyPosition: Position;
  readonly node: SourceNode;
}

export interface ParsedSource {
  /** Undefined for an empty file. */
  readonly root: SourceNode | undefined;
  readonly errors: readonly InputError[];
}

/**
 * Reads YAML as Ansible does (PyYAML's YAML 1.1: yes/no/on/off are truth values, y and n are not; 0644 is octal), with the
 * place of every value, and values of Ansible's vault (`!vault`) as VaultSecrets. Problems of the whole file come together.
 * @param secret the file is encrypted as a whole, so that each text in it is to stay hidden
 */
export function parseSource(text: string, file: string, { secret = false } = {}): ParsedSource {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, {
    version: "1.1",
    customTags: pyYamlTags,
    lineCounter,
    prettyErrors: false,
    merge: true,
  });
  const reader = new Reader(document, lineCounter, file, secret);
  for (const problem of [...document.errors, ...document.warnings]) reader.report(problem.pos[0], problem.message);
  // After a syntax error the tree is a guess; what it seems to lack would be noise.
  const root =
    document.errors.length > 0 || document.contents === null ? undefined : reader.node(document.contents, 0, undefined);
  return { root, errors: reader.errors };
}

class Reader {
  readonly errors: InputError[] = [];
  readonly #document: Document;
  readonly #lineCounter: LineCounter;
  readonly #file: string;
  readonly #secret: boolean;
  readonly #open = new Set<unknown>();

  constructor(document: Document, lineCounter: LineCounter, file: string, secret: boolean) {
    this.#document = document;
    this.#lineCounter = lineCounter;
    this.#file = file;
    this.#secret = secret;
  }

  report(offset: number, message: string): void {
    const tag = /^Unresolved tag: (!\S*)/.exec(message)?.[1];
    const error =
      tag === undefined
        ? plainWords(message)
        : { message: `the tag ${tag} cannot be read`, hint: "write the value without a tag" };
    this.errors.push(new InputError("E_YAML", error.message, { hint: error.hint, position: this.#at(offset) }));
  }

  /** @param fallback offset for values that are not written out (`key:`) */
  node(node: unknown, fallback: number, via: Alias | undefined): SourceNode {
    const offset = via?.range?.[0] ?? (hasRange(node) ? node.range[0] : fallback);
    const position = this.#at(offset);
    if (isAlias(node)) {
      const target = node.resolve(this.#document);
      if (target === undefined || this.#open.has(target)) {
        this.report(offset, `the alias *${node.source} does not stand for a finished value`);
        return { value: null, position };
      }
      return this.node(target, offset, node);
    }
    if (isScalar(node)) {
      if (node.tag === VAULT_TAG) return { value: new VaultSecret(String(node.value), position), position };
      const value = scalarValue(node.value);
      return { value: this.#secret ? hiddenTexts(value) : value, position };
    }
    this.#open.add(node);
    const result = isMap(node)
      ? this.#mapping(node, position)
      : { value: isSeq(node) ? node.items.map((item) => this.node(item, offset, undefined).value) : null, position };
    this.#open.delete(node);
    return result;
  }

  #mapping(map: YAMLMap, position: Position): SourceNode {
    const entries = new Map<string, SourceEntry>();
    const merged: SourceEntry[] = [];
    for (const pair of map.items) {
      const keyOffset = hasRange(pair.key) ? pair.key.range[0] : 0;
      if (isMergeKey(pair)) {
        merged.push(...this.#mergedEntries(pair, keyOffset));
        continue;
      }
      if (!isScalar(pair.key) || typeof pair.key.value !== "string") {
        this.report(
          keyOffset,
          `the key ${isScalar(pair.key) ? String(pair.key.value) : ""} is not a text: put it in quotes`,
        );
        continue;
      }
      const key = pair.key.value;
      entries.set(key, { key, keyPosition: this.#at(keyOffset), node: this.node(pair.value, keyOffset, undefined) });
    }
    // A mapping's own keys win over `<<`, and the first of several merged mappings wins.
    for (const entry of merged) if (!entries.has(entry.key)) entries.set(entry.key, entry);
    const value = Object.fromEntries([...entries].map(([key, entry]) => [key, entry.node.value]));
    return { value, position, entries };
  }

  #mergedEntries(pair: Pair, keyOffset: number): SourceEntry[] {
    const sources = isSeq(pair.value) ? pair.value.items : [pair.value];
    return sources.flatMap((source) => {
      const node = this.node(source, keyOffset, undefined);
      if (node.entries !== undefined) return [...node.entries.values()];
      this.report(keyOffset, "<< takes a mapping or a list of mappings");
      return [];
    });
  }

  #at(offset: number): Position {
    const { line, col } = this.#lineCounter.linePos(offset);
    return { file: this.#file, line, column: col };
  }
}

function hasRange(node: unknown): node is { range: readonly number[] & { 0: number } } {
  return typeof node === "object" && node !== null && "range" in node && Array.isArray(node.range);
}

function isMergeKey(pair: Pair): boolean {
  return (
    isScalar(pair.key) && pair.key.type === "PLAIN" && (pair.key.source === "<<" || typeof pair.key.value === "symbol")
  );
}

function scalarValue(value: unknown): Value {
  if (typeof value === "string" || typeof value === "boolean" || typeof value === "number") return value;
  return typeof value === "bigint" ? Number(value) : null;
}

/** The parser's messages as a person says them who writes YAML now and then. */
const PLAIN_WORDS: readonly (readonly [begins: string, message: string, hint?: string])[] = [
  ["Map keys must be unique", "this key is given twice"],
  ["Source contains multiple documents", "a second YAML document begins here, and only one is read"],
  ["Tabs are not allowed as indentation", "a tab stands at the begin of this line", "indent with spaces"],
  ["Flow map in block", "a { is not closed before this place", "close it with }, or indent what belongs to it"],
  ["Flow sequence in block", "a [ is not closed before this place", "close it with ], or indent what belongs to it"],
  ["Missing closing", "a quote is not closed"],
  [
    "Nested mappings are not allowed in compact",
    "a second `: ` stands in this line",
    "put a value that holds `: ` in quotes",
  ],
  [
    "Implicit keys need to be on a single line",
    "this is neither `name: value` nor an entry of a list",
    "look for a missing colon, or one without a space after it",
  ],
  [
    "Implicit map keys need to be followed by map values",
    "a name without a value stands here",
    "write `name: value`, with a space after the colon",
  ],
  [
    "All mapping items must start at the same column",
    "this line begins in another column than its neighbours",
    "indent them alike",
  ],
];

function plainWords(message: string): { message: string; hint: string | undefined } {
  const plain = PLAIN_WORDS.find(([begins]) => message.startsWith(begins));
  return plain === undefined ? { message, hint: undefined } : { message: plain[1], hint: plain[2] };
}

/** yaml's 1.1 schema, with the places where PyYAML reads plain words otherwise. */
function pyYamlTags(tags: Tags): Tags {
  const kept = tags.filter((tag) => {
    if (typeof tag === "string") return true;
    return !["tag:yaml.org,2002:bool", "tag:yaml.org,2002:timestamp"].includes(tag.tag) && !isExponentFloat(tag);
  });
  return [pyBool, pyExponentFloat, vault, ...kept];
}

function isExponentFloat(tag: ScalarTag | CollectionTag): boolean {
  return tag.tag === "tag:yaml.org,2002:float" && "format" in tag && tag.format === "EXP";
}

const VAULT_TAG = "!vault";

const vault: ScalarTag = { tag: VAULT_TAG, resolve: (text) => text };

const pyBool: ScalarTag = {
  identify: (value) => typeof value === "boolean",
  default: true,
  tag: "tag:yaml.org,2002:bool",
  test: /^(?:yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$/,
  resolve: (text) => ["yes", "true", "on"].includes(text.toLowerCase()),
};

/** `1e3` is a text to PyYAML: a float needs a point, and its exponent a sign. */
const pyExponentFloat: ScalarTag = {
  identify: () => false,
  default: true,
  tag: "tag:yaml.org,2002:float",
  test: /^[-+]?[0-9][0-9_]*\.[0-9_]*[eE][-+][0-9]+$/,
  resolve: (text) => Number.parseFloat(text.replaceAll("_", "")),
};
