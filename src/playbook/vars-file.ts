/** Files of variables that are read while a playbook runs. */
import type { InputError } from "../util/errors.js";
import { LoadContext } from "./load-context.js";
import type { Templated } from "./types.js";
import { readYaml } from "./yaml-nodes.js";

/** The variables of a file with the places of their parts, or what is wrong with it. */
export function readVarsFile(
  path: string,
  text: string,
): { readonly vars: Record<string, Templated> } | { readonly problems: readonly InputError[] } {
  const context = new LoadContext({ catalog: new Map(), readFile: () => undefined });
  const content = readYaml(path, text, context.report);
  const vars = content === undefined ? {} : context.vars(content, `the file ${path}`);
  return context.problems.length > 0 ? { problems: context.problems } : { vars };
}
