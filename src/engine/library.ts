/**
 * The shell functions of programs. They hold no values and are the same from run to run, so a host keeps those of programs that
 * look: who has changed something on it once need not bring them again to find that there is nothing to do.
 */

import { contentDigest } from "../modules/digest.js";
import { libTexts } from "../modules/registry.js";
import { partsOf, type ShellPart, withoutChanges } from "../modules/sh.js";
import type { LibName } from "../modules/types.js";
import { lockLookText, runtimeText } from "./runtime.js";
import type { TarEntry } from "./tar.js";

/** Where hosts keep libraries, by the hash of their text. Root writes them, everybody may read them. */
export const LIBRARY_DIRECTORY = "/var/lib/edge-setup/library";
/** Each version has its own; of others than the newest ones none stays. */
const KEPT = 4;
/** In check mode, too, they may have to do real work: a command that `check_mode: false` runs. What changes things is in them. */
const WHOLE: ReadonlySet<LibName> = new Set(["command"]);

export interface Library {
  readonly name: string;
  readonly text: string;
}

let known: Library | undefined;

/** All functions that a program which looks can need. */
export function library(): Library {
  if (known !== undefined) return known;
  const functions = [runtimeText, lockLookText].flatMap((text) => partsOf(withoutChanges(text)).filter(isFunction));
  const modules = [...libTexts].flatMap(([name, text]) => partsOf(WHOLE.has(name) ? text : withoutChanges(text)));
  const text = `${[...functions, ...modules.filter(hasBody)].map((part) => part.text).join("\n")}\n`;
  known = { name: contentDigest(text), text };
  return known;
}

/** The library, where a host has it: most hosts of a first run have none, and then it is not put together. */
export function libraryAmong(names: ReadonlySet<string> | undefined): Library | undefined {
  return names !== undefined && names.size > 0 && names.has(library().name) ? library() : undefined;
}

/** Whether the library has what a module needs for real work in check mode. */
export function worksInCheck(name: LibName): boolean {
  return WHOLE.has(name);
}

const isFunction = ({ name }: ShellPart) => name !== undefined;
/** One that only makes changes is called by nothing that is left. */
const hasBody = ({ text }: ShellPart) => !/^\w+\(\) \{\n\}$/.test(text);

const file = (name: string) => `${LIBRARY_DIRECTORY}/${name}`;

/**
 * Shell that comes before all else, and ends a program whose library is not there, or not what it was.
 * @param nonce marks the line that says so
 */
export function libraryCheck({ name }: Library, nonce: string): string {
  const missing = `printf '\\036%s\\tz\\tlibrary\\n' ${nonce}; exit`;
  return `case $(sha256sum <${file(name)} 2>/dev/null) in ${name}*) ;; *) ${missing} ;; esac`;
}

/** Shell that takes the functions. */
export function librarySource({ name }: Library): string {
  return `. ${file(name)}`;
}

/** Name of the library in the archive of a program that is to keep it. */
const LIBRARY_ENTRY = "library";

export function libraryEntry(): TarEntry {
  const source = Buffer.from(library().text);
  return { name: LIBRARY_ENTRY, size: source.length, source };
}

/** Shell that keeps what came with the program, where it may; a host without it works as well. */
export function libraryKeep({ name }: Library): string {
  const place = file(name);
  const keep = `mkdir -p ${LIBRARY_DIRECTORY} && cp "$W/${LIBRARY_ENTRY}" ${place}.$$ && mv ${place}.$$ ${place}`;
  const prune = `cd ${LIBRARY_DIRECTORY} && ls -t | sed 1,${KEPT}d | xargs -r rm -f`;
  return `(${keep} && ${prune}) 2>/dev/null || :`;
}
