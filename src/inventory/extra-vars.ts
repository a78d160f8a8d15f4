import { InputError, InputErrors, type Position } from "../util/errors.js";
import type { HostValue } from "./host-value.js";
import { fileReaders, type Readers, readProblem } from "./readers.js";
import { keptValue } from "./secret-vars.js";
import type { InventoryHost } from "./types.js";
import { type OpenText, openFile } from "./vault/open-file.js";
import { noVault, type Vault } from "./vault/vault.js";
import { parseSource } from "./yaml-source.js";

export interface ExtraVars {
  readonly vars: Readonly<Record<string, HostValue>>;
  readonly origins: Readonly<Record<string, Position>>;
}

/** What stands for the file in positions of `-e`; the line is the flag's number on the command line. */
export const EXTRA_VARS_FILE = "--extra-vars";

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * Reads the values of `-e`, in order: `key=value key2='two words'` (values are texts, as in Ansible), JSON or YAML that
 * begins with `{`, or `@file.yml`.
 * @throws InputErrors with every problem of all of them
 */
export async function parseExtraVars(
  texts: readonly string[],
  { readers = fileReaders, vault = noVault }: { readers?: Readers; vault?: Vault } = {},
): Promise<ExtraVars> {
  const vars: Record<string, HostValue> = {};
  const origins: Record<string, Position> = {};
  const errors: InputError[] = [];
  const set = (key: string, value: HostValue, position: Position): void => {
    if (NAME.test(key)) {
      vars[key] = keptValue(key, value);
      origins[key] = position;
    } else errors.push(problem(`${JSON.stringify(key)} is not a name for a variable`, position));
  };
  for (const [index, text] of texts.entries()) {
    const start: Position = { file: EXTRA_VARS_FILE, line: index + 1, column: 1 };
    if (text.startsWith("@")) readYaml(await readFile(text.slice(1), start), text.slice(1));
    else if (/^\s*[{[]/.test(text)) readYaml({ text, secret: false }, EXTRA_VARS_FILE, index);
    else readPairs(text, start);
  }
  if (errors.length > 0) throw new InputErrors(errors);
  return { vars, origins };

  async function readFile(path: string, position: Position): Promise<Pick<OpenText, "text" | "secret">> {
    try {
      return await openFile(await readers.readText(path), path, vault);
    } catch (error) {
      if (error instanceof InputError) errors.push(error);
      else errors.push(problem(`${path} cannot be read: ${readProblem(error)}`, position));
      return { text: "", secret: false };
    }
  }

  function readYaml({ text, secret }: Pick<OpenText, "text" | "secret">, file: string, lineOffset = 0): void {
    const moved = (p: Position): Position => ({ ...p, line: p.line + lineOffset });
    const { root, errors: found } = parseSource(text, file, { secret });
    errors.push(...found.map((e) => problem(e.message, moved(e.position ?? { file, line: 1, column: 1 }), e.hint)));
    if (root !== undefined && root.value !== null && root.entries === undefined)
      errors.push(problem("extra variables are not a mapping", moved(root.position), "write key=value"));
    for (const { key, node } of root?.entries?.values() ?? []) set(key, node.value, moved(node.position));
  }

  function readPairs(source: string, start: Position): void {
    for (const { word, column } of splitWords(source)) {
      const position = { ...start, column };
      const at = word.indexOf("=");
      if (at > 0) set(word.slice(0, at), word.slice(at + 1), position);
      else errors.push(problem(`${JSON.stringify(word)} has no value`, position, "write key=value"));
    }
  }
}

/** The host as `-e` changes it: extra variables win over all of inventory. */
export function withExtraVars(host: InventoryHost, extra: ExtraVars): InventoryHost {
  return { ...host, vars: { ...host.vars, ...extra.vars }, origins: { ...host.origins, ...extra.origins } };
}

/** Words parted by spaces; quotes keep them together and are taken off. */
function splitWords(text: string): { word: string; column: number }[] {
  const words = text.matchAll(/(?:[^\s"']|"(?:\\.|[^"\\])*"|'[^']*'|["'])+/g);
  return [...words].map((match) => ({
    word: match[0].replace(/"((?:\\.|[^"\\])*)"|'([^']*)'/g, (_, double?: string, single?: string) =>
      double === undefined ? (single ?? "") : double.replace(/\\(.)/g, "$1"),
    ),
    column: match.index + 1,
  }));
}

function problem(message: string, position: Position, hint?: string): InputError {
  return new InputError("E_EXTRA_VARS", message, { position, hint });
}
