/** `lookup('file', ...)`: what the controller reads while it computes a template. */
import { posix } from "node:path";
import { didYouMean } from "../util/suggest.js";
import { needText } from "./filter-helpers.js";
import { asText, NativeText, type Rt, typeName, Undefined, UndefinedProblem, ValueProblem } from "./python-values.js";
import { renderFileTemplate, resolveName } from "./render.js";
import type { Scope } from "./scope.js";

const LOOKUPS = ["file", "env", "template", "vars"];

/** Ansible's search: in each directory `files/` (or `templates/`), then the directory itself. */
export function findFile(path: string, folder: string, scope: Scope): { path: string; text: string } {
  const { reader, searchPath = [] } = scope.options;
  if (reader === undefined) throw new ValueProblem("lookups cannot be used here");
  const home = path.startsWith("~/") ? reader.env("HOME") : undefined;
  const absolute = home === undefined ? path : posix.join(home, path.slice(2));
  const candidates = absolute.startsWith("/")
    ? [posix.normalize(absolute)]
    : searchPath.flatMap((directory) => [posix.join(directory, folder, path), posix.join(directory, path)]);
  for (const candidate of candidates) {
    const text = reader.readFile(candidate);
    if (text !== undefined) return { path: candidate, text };
  }
  throw new ValueProblem(
    `the file "${path}" is not found`,
    candidates.length === 0
      ? "Write its whole path, or one from the inventory on: {{ inventory_dir }}/FILE."
      : `Looked for ${candidates.join(", ")}.`,
  );
}

function lookupOne(kind: string, term: Rt, keywords: Readonly<Record<string, Rt>>, scope: Scope): Rt {
  const name = needText(term, `the argument of lookup('${kind}')`);
  switch (kind) {
    case "file":
      return findFile(name, "files", scope).text.replace(/\s+$/u, "");
    case "template": {
      const { path, text } = findFile(name, "templates", scope);
      return renderFileTemplate(text, { file: path, line: 1, column: 1 }, scope);
    }
    case "env": {
      const { reader } = scope.options;
      if (reader === undefined) throw new ValueProblem("lookups cannot be used here");
      return reader.env(name) ?? keywords.default ?? "";
    }
    default: {
      const value = resolveName(name, scope);
      if (value === undefined || value instanceof Undefined) {
        if (keywords.default !== undefined) return keywords.default;
        throw new UndefinedProblem(value ?? new Undefined(`'${name}' is undefined`, name));
      }
      return value;
    }
  }
}

/** `lookup(kind, terms...)` gives one text, several joined by commas; `query` gives a list. */
export function callLookup(
  args: readonly Rt[],
  keywords: Readonly<Record<string, Rt>>,
  asList: boolean,
  scope: Scope,
): Rt {
  const [first, ...terms] = args;
  const kind = needText(first, "the lookup's name").replace(/^ansible\.builtin\./, "");
  if (!LOOKUPS.includes(kind)) {
    throw new ValueProblem(
      `the lookup "${kind}" is not supported`,
      didYouMean(kind, LOOKUPS) ?? `Known lookups: ${LOOKUPS.join(", ")}.`,
    );
  }
  const known = kind === "env" || kind === "vars" ? ["default"] : [];
  for (const key of Object.keys(keywords)) {
    if (!known.includes(key)) throw new ValueProblem(`lookup('${kind}') has no argument "${key}" here`);
  }
  const found = terms.map((term) => lookupOne(kind, term, keywords, scope));
  if (asList || found.length === 0) return found;
  const texts = found.map((value) => (value instanceof NativeText ? value.text : asText(value)));
  if (texts.every((text) => text !== undefined)) return texts.join(",");
  const [only] = found;
  if (found.length === 1 && only !== undefined) return only;
  throw new ValueProblem(
    `several values of lookup('${kind}') are not all text, one is ${typeName(found.find((value) => asText(value) === undefined) ?? null)}`,
  );
}
