/**
 * Which fields of registered results a run can ask for. A program that only looks sends no others: most results are asked only
 * whether they changed something, and have ten fields.
 */

import type { Playbook, PlayNode } from "../playbook/types.js";
import { partsOf } from "../playbook/types.js";
import { templateTexts } from "./template-texts.js";

/** First parts of the paths of fields; "all" with their number unknown, undefined where there is no result. */
export type SentFields = ReadonlySet<string> | "all" | undefined;

/** Whether a field is sent. @param path dotted */
export function isSent(sent: SentFields, path: string): boolean {
  return sent === "all" || sent?.has(path.split(".", 1)[0] ?? "") === true;
}

/** Fields by register; "all" where it is used as a whole, or in a way that no text shows. */
export interface ResultUses {
  of(register: string): ReadonlySet<string> | "all";
  /** The result of which a file that is rendered asks for more. */
  asksForMore(text: string): string | undefined;
}

const ALL_RESULTS: ResultUses = { of: () => "all", asksForMore: () => undefined };

/** Parts of the tree that hold no text of the playbook, or what is there as text beside. */
const SKIPPED: ReadonlySet<string> = new Set(["expr", "position", "register"]);
/** Ways to variables and results that do not name them. */
const UNNAMED = [
  /(?<![\w.'"/-])vars\s*(?:\[\s*(?!['"]\w+['"]\s*\])|\.\s*\w+\s*\(|\|)|(?<=[({,]\s*)vars\s*[,)}]/,
  /\b(?:lookup|query|q)\s*\(\s*['"](?:ansible\.builtin\.)?vars['"]\s*,\s*(?!['"]\w+['"]\s*[,)])/,
  /\bhostvars\b(?!\s*(?:\[[^[\]]*\]|\.\s*\w+)\s*(?:\.\s*\w+|\[\s*['"]\w+['"]\s*\]))/,
  /\bansible_failed_(?:result|task)\b/,
];
/** Of a template, or of what no text shows. */
const LOOKUP = /\b(?:lookup|query|q)\s*\(\s*(?:['"](?:ansible\.builtin\.)?template['"]|[^'"\s])/;
const STATUS =
  /^\s+is\s+(?:not\s+)?(?:changed?|fail(?:ed|ure)|skip(?:ped)?|success(?:ful)?|succeeded|(?:un)?defined)\b/;
const FIELD = /^\s*(?:\.\s*([A-Za-z_]\w*)|\[\s*(['"])(\w+)\2\s*\])(?!\w|\s*\()/;
const STATUS_FIELDS: ReadonlySet<string> = new Set(["changed", "failed", "skipped"]);
/** What is made of another field. */
const MADE_OF: Readonly<Record<string, string>> = { stdout_lines: "stdout", stderr_lines: "stderr" };

/** No text goes on in the next one. */
const END = "\0";

/** @param others what else holds templates: variables of the inventory and of the command line */
export function resultUses({ plays }: Playbook, others: readonly unknown[]): ResultUses {
  const registers = new Set<string>();
  const texts: string[] = [];
  const seen = new Set<object>();
  collect(others, texts, seen);
  for (const play of plays) {
    const before = texts.length;
    collect(play, texts, seen);
    // What a play leaves is there for files that those behind it look up, and which nobody has read yet.
    if (LOOKUP.test(texts.slice(before).join(END))) registers.clear();
    for (const nodes of [play.preTasks, play.tasks, play.postTasks, play.handlers])
      if (!registersOf(nodes, registers)) return ALL_RESULTS;
  }
  const files = registers.size === 0 ? undefined : templateTexts(plays);
  if (files === undefined) return ALL_RESULTS;
  const all = [...texts, ...files].join(END);
  if (UNNAMED.some((way) => way.test(all))) return ALL_RESULTS;
  const names = new RegExp(`\\b(?:${[...registers].join("|")})\\b`, "g");
  const usesIn = (text: string) =>
    [...text.matchAll(names)].map(({ 0: name, index }) => ({ name, use: useOf(text.slice(index + name.length)) }));
  const uses = new Map<string, Set<string> | "all">([...registers].map((name) => [name, new Set()]));
  for (const { name, use } of usesIn(all)) {
    const fields = uses.get(name);
    if (use === "all") uses.set(name, use);
    else if (use !== "status" && fields instanceof Set) fields.add(use.field);
  }
  return {
    of: (register) => uses.get(register) ?? "all",
    asksForMore: (text) =>
      usesIn(text).find(({ name, use }) => {
        const fields = uses.get(name);
        return use !== "status" && fields instanceof Set && (use === "all" || !fields.has(use.field));
      })?.name,
  };
}

/** Adds the names that results get. @returns false where not all tasks are known */
function registersOf(nodes: readonly PlayNode[], names: Set<string>): boolean {
  return nodes.every((node) => {
    if (node.kind === "block") return registersOf(partsOf(node), names);
    if (node.kind === "include") return node.known !== undefined && registersOf(node.known, names);
    if (node.register !== undefined) names.add(node.register);
    return node.module !== "include_vars";
  });
}

function collect(value: unknown, texts: string[], seen: Set<object>): void {
  if (typeof value === "string") texts.push(value);
  if (typeof value !== "object" || value === null || seen.has(value)) return;
  seen.add(value);
  for (const [key, part] of Object.entries(value)) {
    if (SKIPPED.has(key)) continue;
    texts.push(key);
    collect(part, texts, seen);
  }
}

/** What is used of a result. @param behind the text behind its name */
function useOf(behind: string): "all" | "status" | { readonly field: string } {
  if (STATUS.test(behind)) return "status";
  const [, attribute, , item] = FIELD.exec(behind) ?? [];
  const field = attribute ?? item;
  // Items of a loop's result are all that they are.
  if (field === undefined || field === "results") return "all";
  return STATUS_FIELDS.has(field) ? "status" : { field: MADE_OF[field] ?? field };
}
