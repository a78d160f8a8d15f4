import { JINJA_MARKS, MARK_SETTINGS } from "../playbook/template-marks.js";
import type { TemplateOptions } from "../playbook/template-parser.js";
import type { Value } from "../playbook/types.js";

/** How a template file is read, by the arguments of the module `template`. */
export function templateOptions(args: Readonly<Record<string, Value>>): TemplateOptions {
  const marks = { ...JINJA_MARKS };
  for (const [name, mark] of Object.entries(MARK_SETTINGS)) {
    const value = args[name];
    if (typeof value === "string" && value !== "") marks[mark] = value;
  }
  const { newline_sequence } = args;
  // Ansible takes the escape itself, too: a YAML text without quotes, or in single ones.
  const newline =
    typeof newline_sequence === "string" ? newline_sequence.replace("\\r", "\r").replace("\\n", "\n") : "\n";
  return { trimBlocks: args.trim_blocks !== false, lstripBlocks: args.lstrip_blocks === true, marks, newline };
}
