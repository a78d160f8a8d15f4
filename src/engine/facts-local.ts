import { loadJson } from "../playbook/python-json.js";
import { toValue, ValueProblem } from "../playbook/python-values.js";
import type { Value } from "../playbook/types.js";
import { all, type Collected, decoded } from "./facts-answer.js";

/** Facts of the host's own files in /etc/ansible/facts.d, of which executable ones are run. */
export function localFacts(got: Collected): Record<string, Value> {
  const entries = all(got, "fact").map((line): [string, Value] => {
    const [, path = "", kind = "", code = "", out = "", error = ""] =
      /^(.*) ([-xr]) (\d+)(?: (\S*))?(?: (\S*))?$/.exec(line) ?? [];
    const name = path.slice(path.lastIndexOf("/") + 1).replaceAll(".fact", "");
    if (kind === "-") {
      return [name, `Could not stat fact (${path}): [Errno 2] No such file or directory: '${path}'`];
    }
    if (kind === "x" && code !== "0")
      return [name, `Failure executing fact script (${path}), rc: ${code}, err: ${decoded(error)}`];
    return [name, contentOf(path, kind === "r" ? decoded(out).trim() : decoded(out))];
  });
  return { local: Object.fromEntries(entries) };
}

function contentOf(path: string, text: string): Value {
  try {
    return toValue(loadJson(text));
  } catch (error) {
    if (!(error instanceof ValueProblem)) throw error;
  }
  return readIni(text) ?? `error loading facts as JSON or ini - please check content: ${path}`;
}

/** Sections of a file as Python's ConfigParser reads it; undefined where it refuses to. */
export function readIni(text: string): Record<string, Record<string, string>> | undefined {
  const sections = new Map<string, Map<string, string[]>>();
  let section: Map<string, string[]> | undefined;
  let value: string[] | undefined;
  let indent = 0;
  for (const line of text.split("\n")) {
    const trimmed = line.trim();
    if (trimmed === "" || /^[#;]/.test(trimmed)) {
      // A line that is empty, and no comment, may be part of a value of several lines.
      if (trimmed === "") value?.push("");
      continue;
    }
    const depth = line.search(/\S/);
    if (value !== undefined && section !== undefined && depth > indent) {
      value.push(trimmed);
      continue;
    }
    indent = depth;
    const [, name] = /^\[(.+)\]/.exec(trimmed) ?? [];
    if (name !== undefined) {
      if (sections.has(name) && name !== DEFAULT) return undefined;
      section = sections.get(name) ?? new Map();
      sections.set(name, section);
      value = undefined;
      continue;
    }
    const [, key, given] = /^(.*?)\s*[=:]\s*(.*)$/.exec(trimmed) ?? [];
    if (section === undefined || key === undefined || given === undefined || key === "") return undefined;
    const option = key.toLowerCase();
    if (section.has(option)) return undefined;
    value = [given];
    section.set(option, value);
  }
  return interpolated(sections);
}

const DEFAULT = "DEFAULT";
/** More references than a value may nest, as Python has it. */
const MAX_DEPTH = 10;

/** Values with `%(name)s` put in, and those of DEFAULT in every section. */
function interpolated(
  sections: ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>,
): Record<string, Record<string, string>> | undefined {
  const defaults = sections.get(DEFAULT) ?? new Map();
  const found: Record<string, Record<string, string>> = {};
  for (const [name, own] of sections) {
    if (name === DEFAULT) continue;
    const texts = new Map([...defaults, ...own].map(([key, lines]) => [key, lines.join("\n").trimEnd()]));
    const values: Record<string, string> = {};
    for (const key of new Set([...own.keys(), ...defaults.keys()])) {
      const value = fill(texts.get(key) ?? "", texts, 0);
      if (value === undefined) return undefined;
      values[key] = value;
    }
    found[name] = values;
  }
  return found;
}

/** undefined for a reference that leads nowhere, and for a lone percent sign. */
function fill(text: string, texts: ReadonlyMap<string, string>, depth: number): string | undefined {
  if (!text.includes("%")) return text;
  if (depth > MAX_DEPTH) return undefined;
  let wrong = false;
  const filled = text.replace(/%(?:(%)|\(([^)]+)\)s)?/g, (_, percent?: string, name?: string) => {
    if (percent !== undefined) return percent;
    const other = name === undefined ? undefined : texts.get(name.toLowerCase());
    const inner = other === undefined ? undefined : fill(other, texts, depth + 1);
    wrong ||= inner === undefined;
    return inner ?? "";
  });
  return wrong ? undefined : filled;
}
