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
/** A line of an env file: all after `=` is the value. */
const ENV_LINE = /^(\s*(?:export\s+)?)([A-Z][A-Z0-9_]*)=(.*)$/;
/** `NAME "value"`, as restreamer-edge's README lists its defaults, and `NAME: value` of compose files. */
const README_LINE = /^(?:-\s+)?([A-Z][A-Z0-9_]{2,}):?\s+(.*)$/;
/** `"NAME": "value",` of a JSON description. */
const JSON_LINE = /^"([A-Z][A-Z0-9_]{2,})"\s*:\s*"([^"]*)",?$/;
/** Another assignment after the first: the line is one of a command. */
const MORE = /\s(-e\s*|--env[ =])?["']?[A-Z][A-Z0-9_]*=/;

/**
 * Reads environment files (`NAME=VALUE`, as `docker run --env-file` takes them), `-e NAME=VALUE` of `docker run` commands
 * over any number of lines, and the lists of READMEs, compose files and JSON. What is not a variable is passed over.
 */
export function readEnv(text: string, file: string): { entries: readonly EnvEntry[]; errors: readonly InputError[] } {
  const entries: EnvEntry[] = [];
  const errors: InputError[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const at = (column: number): Position => ({ file, line: index + 1, column });
    if (/^\s*(#|$)/.test(line)) continue;
    const found = readLine(line);
    if (found === undefined) {
      const hint = 'close it, as in -e "RTMP_SERVER_PORT=1935"';
      errors.push(new InputError("E_ENV", "a quote is not closed", { position: at(line.search(/["']/) + 1), hint }));
    } else entries.push(...found.map(({ column, ...entry }) => ({ ...entry, position: at(column) })));
  }
  return { entries, errors };
}

interface Found {
  readonly name: string;
  readonly value: string;
  readonly column: number;
}

/** The variables of a line; undefined when there are some, and a quote stays open. */
function readLine(line: string): Found[] | undefined {
  const [, before = "", name, value = ""] = ENV_LINE.exec(line) ?? [];
  // A value may have spaces and apostrophes, unless it begins with a quote.
  if (name !== undefined && !MORE.test(value)) {
    const open = /^\s*(["'])/.exec(value)?.[1];
    if (open !== undefined && !new RegExp(`${open}\\s*\\\\?\\s*$`).test(value.trim().slice(1))) return undefined;
    return [{ name, value: unquoted(value.replace(/\s\\$/, "")), column: before.length + 1 }];
  }
  const words = splitWords(line);
  if (words === undefined) return MORE.test(` ${line}`) ? undefined : [];
  const found = assignments(words);
  if (found.length > 0) return found;
  const [, listed, text] = JSON_LINE.exec(line.trim()) ?? README_LINE.exec(line.trim()) ?? [];
  if (listed === undefined || text === undefined) return [];
  return [{ name: listed, value: unquoted(text.replace(/\s+#.*$/, "")), column: line.search(/\S/) + 1 }];
}

/** The words that assign: those after `-e` or `--env` of a command, and those of a shell. */
function assignments(words: readonly Word[]): Found[] {
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
