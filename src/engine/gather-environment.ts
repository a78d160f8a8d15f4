import { toText } from "../modules/args.js";
import { renderValue } from "../playbook/render.js";
import { type Scope, UndefinedVariableError } from "../playbook/scope.js";
import type { Play, Templated, Value } from "../playbook/types.js";

/** The names of a mapping, each with its value; a template of one is one. */
function entriesOf(part: Templated): (readonly [name: string | undefined, value: Templated])[] {
  const { value, positionOf } = part;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [[undefined, part]];
  return Object.entries(value).map(([name, one]) => {
    const position = positionOf(name);
    return [name, { value: one, position, positionOf: () => position }] as const;
  });
}

/** What a play's `environment` adds to `ansible_env` where the play gathers facts; not what needs these itself. */
export function gatherEnvironment({ environment }: Play, scope: Scope): Readonly<Record<string, Value>> {
  const env: Record<string, Value> = {};
  for (const [name, value] of environment.flatMap(entriesOf)) {
    try {
      const rendered = renderValue(value, scope);
      Object.assign(env, name === undefined ? rendered : { [name]: toText(name, rendered) });
    } catch (error) {
      if (!(error instanceof UndefinedVariableError)) throw error;
    }
  }
  return env;
}
