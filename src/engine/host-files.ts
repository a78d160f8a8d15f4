import { missing } from "../playbook/load-vars-files.js";
import { renderValue } from "../playbook/render.js";
import { type Scope, UndefinedVariableError } from "../playbook/scope.js";
import type { Play, TemplatedVars, VarsFile } from "../playbook/types.js";
import { InputError } from "../util/errors.js";

/**
 * A play with the vars_files of one host, whose variables and facts name them. As Ansible, an entry that asks for what is not
 * there is passed over as long as no facts are gathered.
 * @param scopeOf the variables of the host with those of the files before
 * @throws InputError where no file of an entry is there
 */
export function withHostFiles(play: Play, gathered: boolean, scopeOf: (play: Play) => Scope): Play {
  const { varsFiles } = play;
  if (varsFiles === undefined) return play;
  const fileVars: TemplatedVars[] = [];
  for (const one of varsFiles) {
    fileVars.push("vars" in one ? one.vars : firstOf(one, gathered, scopeOf({ ...play, fileVars: [...fileVars] })));
  }
  return { ...play, fileVars };
}

function firstOf(entry: Exclude<VarsFile, { vars: unknown }>, gathered: boolean, scope: Scope): TemplatedVars {
  const asked: string[] = [];
  for (const path of entry.paths) {
    try {
      asked.push(String(renderValue(path, scope)));
    } catch (error) {
      if (gathered || !(error instanceof UndefinedVariableError)) throw error;
      return {};
    }
    const vars = entry.read(asked.at(-1) ?? "");
    if (vars !== undefined) return vars;
  }
  throw new InputError("E_VARS_FILE", missing(asked), { position: entry.position });
}
