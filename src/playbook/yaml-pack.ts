import type { Position } from "../util/errors.js";
import { isPossiblyTemplate, parseTemplate } from "./template-parser.js";
import { type MapEntry, readYaml, type ScalarNode, type YamlNode } from "./yaml-nodes.js";
import { locateWithin, type Written } from "./yaml-place.js";

/**
 * A file's YAML as JSON, with all places: reading YAML takes a third of the processor time of a run that changes nothing, and the
 * product's own playbooks are the same every time. Lists begin with their kind.
 */
export type PackedYaml = PackedScalar | PackedList | PackedMap;
type PackedScalar = readonly [0, number, number, ScalarNode["value"], string | 0, number, number, number];
type PackedList = readonly [1, number, number, readonly PackedYaml[]];
type PackedMap = readonly [2, number, number, readonly (readonly [string, number, number, PackedYaml])[]];

const STYLES: readonly Written["style"][] = ["plain", "quoted", "block"];

/** undefined for a file that is not in order, or empty; its templates are checked, too. */
export function packYaml(text: string): PackedYaml | undefined {
  let fine = true;
  const node = readYaml("", text, () => {
    fine = false;
  });
  return fine && node !== undefined && hasFineTemplates(node) ? pack(node) : undefined;
}

function hasFineTemplates(node: YamlNode): boolean {
  if (node.kind === "list") return node.items.every(hasFineTemplates);
  if (node.kind === "map") return node.entries.every(({ value }) => hasFineTemplates(value));
  if (typeof node.value !== "string" || !isPossiblyTemplate(node.value)) return true;
  try {
    parseTemplate(node.value, node.position, { escapes: "literal" });
    return true;
  } catch {
    return false;
  }
}

function pack(node: YamlNode): PackedYaml {
  const { line, column } = node.position;
  if (node.kind === "list") return [1, line, column, node.items.map(pack)];
  if (node.kind === "map") {
    const entries = node.entries.map(
      ({ key, position, value }) => [key, position.line, position.column, pack(value)] as const,
    );
    return [2, line, column, entries];
  }
  const { value, source, written } = node;
  const { style, from, to } = written ?? { style: "plain" as const, from: -1, to: -1 };
  return [0, line, column, value, source === value ? 0 : source, STYLES.indexOf(style), from, to];
}

/** The nodes of a packed file under its name. */
export function unpackYaml(file: string, text: string, packed: PackedYaml): YamlNode {
  let starts: number[] | undefined;
  const placeOf = (offset: number): Position => {
    starts ??= lineStarts(text);
    let [line, end] = [0, starts.length];
    while (end - line > 1) {
      const middle = (line + end) >> 1;
      if ((starts[middle] ?? 0) <= offset) line = middle;
      else end = middle;
    }
    return { file, line: line + 1, column: offset - (starts[line] ?? 0) + 1 };
  };
  const unpack = (one: PackedYaml): YamlNode => {
    const position = { file, line: one[1], column: one[2] };
    if (one[0] === 1) return { kind: "list", items: one[3].map(unpack), position };
    if (one[0] === 2) {
      const entries = one[3].map(
        ([key, line, column, value]): MapEntry => ({ key, position: { file, line, column }, value: unpack(value) }),
      );
      return { kind: "map", entries, position };
    }
    const [, , , value, source, style, from, to] = one;
    const own = source === 0 ? String(value) : source;
    const common = { kind: "scalar" as const, value, source: own, position, packed: true as const };
    if (from < 0) return { ...common, locate: () => position };
    const written = { style: STYLES[style] ?? "plain", from, to };
    return { ...common, written, locate: locateWithin(text, placeOf, written, own, position) };
  };
  return unpack(packed);
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}
