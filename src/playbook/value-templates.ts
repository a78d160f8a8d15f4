import type { Position } from "../util/errors.js";
import { parseTemplate, type Template } from "./template-parser.js";
import type { Locate } from "./template-source.js";

const MAX_CACHED = 5000;
const parsed = new Map<string, Template>();
/** The same by their text alone, for who does not ask where its parts stand. */
const somewhere = new Map<string, Template>();

/** A string of a playbook as a template. Parsed once; `locate` makes the places within it exact. @throws InputError */
export function valueTemplate(source: string, position: Position, locate?: Locate): Template {
  const key = `${position.file}:${position.line}:${position.column}:${source}`;
  const known = parsed.get(key);
  if (known !== undefined) return known;
  if (parsed.size >= MAX_CACHED) {
    parsed.clear();
    somewhere.clear();
  }
  const template = parseTemplate(source, locate ?? position, { escapes: "literal" });
  parsed.set(key, template);
  somewhere.set(source, template);
  return template;
}

const NOWHERE: Position = { file: "<value>", line: 1, column: 1 };

/** A string of a playbook as a template, wherever it stands. @throws InputError */
export function templateOfText(source: string): Template {
  return somewhere.get(source) ?? valueTemplate(source, NOWHERE);
}
