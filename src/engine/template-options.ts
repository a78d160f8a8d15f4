import { JINJA_MARKS, type Marks } from "../playbook/template-marks.js";
import type { TemplateOptions } from "../playbook/template-parser.js";
import type { Value } from "../playbook/types.js";

const MARKS: Readonly<Record<string, keyof Marks>> = {
  block_start_string: "blockStart",
  block_end_string: "blockEnd",
  variable_start_string: "variableStart",
  variable_end_string: "variableEnd",
  comment_start_string: "commentStart",
  comment_end_string: "commentEnd",
};

/** How a template file is read, by the arguments of the module `template`. */
export function templateOptions(args: Readonly<Record<string, Value>>): TemplateOptions {
  const marks = { ...JINJA_MARKS };
  for (const [name, mark] of Object.entries(MARKS)) {
    const value = args[name];
    if (typeof value === "string" && value !== "") marks[mark] = value;
  }
  const { newline_sequence } = args;
  // Ansible takes the escape itself, too: a YAML text without quotes, or in single ones.
  const newline =
    typeof newline_sequence === "string" ? newline_sequence.replace("\\r", "\r").replace("\\n", "\n") : "\n";
  return { trimBlocks: args.trim_blocks !== false, lstripBlocks: args.lstrip_blocks === true, marks, newline };
}
