/** Keywords of a task that may be templates, or mean another thing in a look. */

import { isPossiblyTemplate } from "../playbook/template-parser.js";
import type { TaskNode, Templated, Value } from "../playbook/types.js";
import { InputError } from "../util/errors.js";
import { ENDS } from "./control.js";
import type { TaskLanguage } from "./language.js";
import { readOnly } from "./verdict.js";

const TRUE = /^(?:y|yes|on|1|true|t|1\.0)$/i;
const FALSE = /^(?:n|no|off|0|false|f|0\.0)$/i;

/** A keyword that is true or false. @throws InputError for anything else */
function truth(value: Value, { position }: Templated): boolean {
  if (TRUE.test(String(value))) return true;
  if (FALSE.test(String(value))) return false;
  throw new InputError("E_KEYWORD", `${JSON.stringify(value)} is neither true nor false.`, { position });
}

/** `check_mode: false` holds where nothing but a check is asked for: before an apply the task would do its work twice. */
export function looking(node: TaskNode, looks: boolean): TaskNode {
  if (!looks || node.checkMode !== false || readOnly(node)) return node;
  const { checkMode: _, ...rest } = node;
  return rest;
}

/** A task whose keywords are what their templates say on this host. */
export function resolved(node: TaskNode, languageOf: () => TaskLanguage): TaskNode {
  const { flags } = node;
  const templates = node.notify.some(isPossiblyTemplate);
  if (flags === undefined && !templates) return node;
  const language = languageOf();
  const values = Object.entries(flags ?? {}).map(([name, value]) => [name, truth(language.render(value), value)]);
  const notify = node.notify.map((name) => {
    const { position } = node;
    return String(language.render({ value: name, position, positionOf: () => position }));
  });
  return { ...node, notify, ...Object.fromEntries(values) };
}

/** `timeout`: how long a task may take, and why it fails where that is over; none where it is 0. */
export function limitOf(
  { timeout, action }: TaskNode,
  language: TaskLanguage,
): { readonly seconds: string; readonly late: string } | undefined {
  if (timeout === undefined) return undefined;
  const seconds = String(language.render(timeout)).trim();
  if (!/^\d{1,9}$/.test(seconds)) {
    const text = `timeout is a whole number of seconds, and ${JSON.stringify(seconds)} is none.`;
    throw new InputError("E_KEYWORD", text, { position: timeout.position });
  }
  if (Number(seconds) === 0) return undefined;
  const late = `The ${action} action failed to execute in the expected time frame (${seconds}) and was terminated`;
  return { seconds, late };
}

/** `run_once`, which may be a template. */
export function isOnce(node: TaskNode, languageOf: () => TaskLanguage): boolean {
  const value = node.flags?.runOnce;
  const ends = node.module === "meta" ? ENDS[String(node.freeForm?.value)] : undefined;
  if (ends !== undefined && ends !== "host") return true;
  return value === undefined ? node.runOnce : truth(languageOf().render(value), value);
}
