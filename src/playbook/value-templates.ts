import { setImmediate } from "node:timers/promises";
import type { Position } from "../util/errors.js";
import { parseTemplate, type Template, type TemplateOptions } from "./template-parser.js";
import type { Locate } from "./template-source.js";

const MAX_CACHED = 5000;
const MAX_FILES = 500;
const parsed = new Map<string, Template>();
/** The same by their text alone, for who does not ask where its parts stand. */
const somewhere = new Map<string, Template>();
/** Where the parts of texts stand that were found good before. */
const noted = new Map<string, { readonly source: string; readonly position: Position; readonly locate: Locate }>();

const keyOf = (source: string, { file, line, column }: Position) => `${file}:${line}:${column}:${source}`;

/** Remembers where the parts of a template stand that was checked when its file was packed; it is parsed when it is rendered. */
export function noteTemplate(source: string, position: Position, locate: Locate): void {
  noted.set(keyOf(source, position), { source, position, locate });
}

/** How long what has come from hosts may wait, in milliseconds. */
const PIECE_MS = 1;

/** Parses what is noted, while hosts are waited for; whoever needs one before finds it as it was. */
export async function parseNoted(): Promise<void> {
  let began = performance.now();
  for (const { source, position } of [...noted.values()]) {
    valueTemplate(source, position);
    if (performance.now() - began < PIECE_MS) continue;
    await setImmediate();
    began = performance.now();
  }
}

/** A string of a playbook as a template. Parsed once; `locate` makes the places within it exact. @throws InputError */
export function valueTemplate(source: string, position: Position, locate?: Locate): Template {
  const key = keyOf(source, position);
  const known = parsed.get(key);
  if (known !== undefined) return known;
  if (parsed.size >= MAX_CACHED) {
    parsed.clear();
    somewhere.clear();
  }
  const template = parseTemplate(source, locate ?? noted.get(key)?.locate ?? position, { escapes: "literal" });
  parsed.set(key, template);
  somewhere.set(source, template);
  return template;
}

const NOWHERE: Position = { file: "<value>", line: 1, column: 1 };

/** A string of a playbook as a template, wherever it stands. @throws InputError */
export function templateOfText(source: string): Template {
  return somewhere.get(source) ?? valueTemplate(source, NOWHERE);
}

const ofFiles = new Map<string, Template>();

/** A template file. Parsed once: each host has it rendered. @throws InputError */
export function templateOfFile(text: string, position: Position, options: TemplateOptions): Template {
  const key = JSON.stringify([position.file, options, text]);
  const known = ofFiles.get(key);
  if (known !== undefined) return known;
  if (ofFiles.size >= MAX_FILES) ofFiles.clear();
  const template = parseTemplate(text, position, options);
  ofFiles.set(key, template);
  return template;
}
