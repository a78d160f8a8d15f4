/** `key=value` arguments in one string, as Ansible takes them apart (ansible.parsing.splitter). */
import type { MapEntry, ScalarNode } from "./yaml-nodes.js";

/** Options of a free form that stand in its text. */
const INLINE_OPTIONS = "creates removes chdir executable warn stdin stdin_add_newline strip_empty_ends".split(" ");
const BRACES = [
  ["{{", "}}"],
  ["{%", "%}"],
  ["{#", "#}"],
] as const;
const ESCAPES = /\\(?:U[0-9a-fA-F]{8}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|[0-7]{1,3}|[\\'"abfnrtv])/g;
const CONTROLS: Readonly<Record<string, string>> = {
  ...{ a: "\x07", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t", v: "\v" },
};

interface Word {
  readonly text: string;
  readonly offset: number;
}

/** Words parted by blanks outside of quotes and of `{{ }}`; undefined where one of these does not end. */
function wordsOf(text: string): Word[] | undefined {
  const words: Word[] = [];
  let begin: number | undefined;
  let quote = "";
  let brace: string | undefined;
  for (let at = 0; at <= text.length; at++) {
    const char = text[at] ?? "";
    const open = BRACES.find(([opening]) => text.startsWith(opening, at));
    if (brace !== undefined) {
      if (text.startsWith(brace, at)) brace = undefined;
    } else if (quote !== "") {
      if (char === quote && text[at - 1] !== "\\") quote = "";
    } else if (open !== undefined) {
      begin ??= at;
      brace = open[1];
    } else if (char === '"' || char === "'") {
      begin ??= at;
      if (text[at - 1] !== "\\") quote = char;
    } else if (char === "" || /\s/.test(char)) {
      if (begin !== undefined) words.push({ text: text.slice(begin, at), offset: begin });
      begin = undefined;
    } else begin ??= at;
  }
  return quote === "" && brace === undefined ? words : undefined;
}

function decoded(text: string): string {
  return text.replace(ESCAPES, (found) => {
    const letter = found[1] ?? "";
    if (/[Uux]/.test(letter)) return String.fromCodePoint(Number.parseInt(found.slice(2), 16));
    if (/[0-7]/.test(letter)) return String.fromCodePoint(Number.parseInt(found.slice(1), 8));
    return CONTROLS[letter] ?? letter;
  });
}

function unquoted(text: string): string {
  const [first = ""] = text;
  const quoted = text.length > 1 && `"'`.includes(first) && text.endsWith(first) && text.at(-2) !== "\\";
  return quoted ? text.slice(1, -1) : text;
}

/** Where the first `=` that no backslash precedes stands, behind the first character. */
function equalsIn(text: string): number {
  for (let at = text.indexOf("=", 1); at !== -1; at = text.indexOf("=", at + 1)) if (text[at - 1] !== "\\") return at;
  return -1;
}

export interface WordArgs {
  readonly entries: readonly MapEntry[];
  /** What is no `key=value`: the free form. */
  readonly rest: string;
  /** The first word of it. */
  readonly first: Word | undefined;
}

/**
 * Takes a module's string apart.
 * @param freeForm only options of commands are taken out, and the rest stays as it is
 * @returns undefined where quotes or braces do not end
 */
export function readWords(node: ScalarNode, freeForm: boolean): WordArgs | undefined {
  const text = String(node.value);
  const words = wordsOf(text);
  if (words === undefined) return undefined;
  const entries: MapEntry[] = [];
  let rest = text;
  let first: Word | undefined;
  for (const word of words.toReversed()) {
    const at = equalsIn(word.text);
    const key = decoded(word.text.slice(0, Math.max(0, at))).trim();
    if (at === -1 || (freeForm && !INLINE_OPTIONS.includes(key))) {
      first = word;
      continue;
    }
    const raw = word.text.slice(at + 1);
    const value = unquoted(decoded(raw).trim());
    const offset = word.offset + at + 1 + (value.length < raw.length && /^["']/.test(raw) ? 1 : 0);
    const position = node.locate(offset);
    const locate = (inner: number) => node.locate(offset + inner);
    entries.unshift({
      key,
      position: node.locate(word.offset),
      value: { kind: "scalar", value, source: value, position, locate },
    });
    const end = word.offset + word.text.length;
    rest = rest.slice(0, word.offset).trimEnd() + (/\S/.test(rest.slice(end)) ? rest.slice(end) : "");
  }
  return { entries, rest: rest.trim() === "" ? "" : rest.replace(/^[ \t]+/, ""), first };
}
