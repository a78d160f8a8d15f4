import { InputError, type Position } from "../../util/errors.js";

/** One `NAME=VALUE` of an env file or of a `docker run` command. */
export interface EnvEntry {
  readonly name: string;
  readonly value: string;
  readonly position: Position;
}

interface Word {
  readonly text: string;
  readonly column: number;
}

const NAME = /^[A-Z][A-Z0-9_]*$/;
/** `NAME "value"`, as restreamer-edge's README lists its defaults, and `NAME: value` of compose files. */
const README_LINE = /^(?:-\s+)?([A-Z][A-Z0-9_]{2,}):?\s+(.*)$/;

/**
 * Reads environment files (`NAME=VALUE`, as `docker run --env-file` takes them), `-e NAME=VALUE` of `docker run` commands
 * over any number of lines, and the lists of READMEs and compose files. What is not a variable is passed over.
 */
export function readEnv(text: string, file: string): { entries: readonly EnvEntry[]; errors: readonly InputError[] } {
  const entries: EnvEntry[] = [];
  const errors: InputError[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const at = (column: number): Position => ({ file, line: index + 1, column });
    if (/^\s*(#|$)/.test(line)) continue;
    const words = splitWords(line);
    if (words === undefined) {
      errors.push(new InputError("E_ENV", "a quote is not closed", { position: at(line.search(/\S/) + 1) }));
      continue;
    }
    const found = assignments(words);
    const [, name, value] = README_LINE.exec(line.trim()) ?? [];
    if (found.length > 0) for (const one of found) entries.push({ ...one, position: at(one.column) });
    else if (name !== undefined && value !== undefined)
      entries.push({ name, value: unquoted(value), position: at(line.search(/\S/) + 1) });
  }
  return { entries, errors };
}

/** The words that assign: all of an env file's, and those after `-e` or `--env` of a command. */
function assignments(words: readonly Word[]): { name: string; value: string; column: number }[] {
  return words.flatMap(({ text, column }) => {
    const plain = text.replace(/^(--env=|-e(?=[A-Z]))/, "");
    const equals = plain.indexOf("=");
    const name = plain.slice(0, Math.max(0, equals));
    return NAME.test(name) ? [{ name, value: unquoted(plain.slice(equals + 1)), column }] : [];
  });
}

/** Words as a shell splits them; undefined when a quote stays open. */
function splitWords(line: string): Word[] | undefined {
  const words: Word[] = [];
  let text = "";
  let column = 0;
  let quote = "";
  for (let i = 0; i < line.length; i++) {
    const c = line.charAt(i);
    if (quote === "" && /\s/.test(c)) {
      if (column > 0) words.push({ text, column });
      text = "";
      column = 0;
      continue;
    }
    if (column === 0) column = i + 1;
    if (c === quote) quote = "";
    else if (quote === "" && (c === '"' || c === "'")) quote = c;
    else if (c === "\\" && quote !== "'" && i + 1 < line.length) text += line.charAt(++i);
    else text += c;
  }
  if (quote !== "") return undefined;
  if (column > 0) words.push({ text, column });
  return words;
}

function unquoted(value: string): string {
  return value.trim().replace(/^(["'])(.*)\1$/, "$2");
}
