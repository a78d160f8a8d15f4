import { quote } from "../util/shell.js";
import type { CallOutcome, CompiledCall } from "./compiled.js";

/** Calls that have ended, by number, with what became of them. */
export type Ended = ReadonlyMap<number, { readonly call: CompiledCall; readonly outcome: CallOutcome }>;

/** A failure that leads to a block's rescue, or to the end; that of a loop's item does so at the end of the loop. */
export function hasFailed({ node }: CompiledCall, { status }: CallOutcome): boolean {
  return status === "failed" && !node.ignoreErrors;
}

/**
 * What a program that begins in the middle knows of the calls before: results that conditions ask for, statuses of a loop's
 * items, and failures, which lead into a block's rescue. `again` is told by B of each call that is passed over.
 */
export function replayText(ended: Ended, start: number): string {
  const lines: string[] = [];
  for (const [number, { call, outcome }] of ended) {
    if (number >= start) continue;
    const inLoop = call.itemValue !== undefined;
    if (inLoop) lines.push(`P${number}=${outcome.status}${outcome.changed === true ? "_changed" : ""}`);
    else if (hasFailed(call, outcome)) lines.push(`P${number}=dead`);
    lines.push(...variables(call, outcome));
  }
  return `${lines.join("\n")}
again() {
eval "_s=\\\${P$CN-}"
case $_s in changed) LCH=1 LNS=1 ;; ok) LNS=1 ;; failed) LNS=1 LF=1 ;; failed_changed) LNS=1 LF=1 LCH=1 ;; dead) DEAD=1 ;; esac
}`;
}

/** The variables that RF leaves; those of a loop are left by its end. */
function variables({ node, itemValue, returns }: CompiledCall, { status, changed, fields }: CallOutcome): string[] {
  const name = node.register;
  if (name === undefined || itemValue !== undefined) return [];
  const known = status === "skipped" ? [] : Object.keys(returns).map((path) => path.replaceAll(".", "_"));
  const values = known.flatMap((field) => {
    const value = fields[field];
    return value === undefined ? [] : [`V_${name}_${field}=${value === "" ? "''" : quote(value)}`];
  });
  const is = (word: string, yes: boolean) => `V_${name}_${word}=${yes}`;
  const skipped = status === "skipped" || status === "pending";
  return [
    ...values,
    is("changed", status === "changed" || changed === true),
    is("failed", status === "failed" || fields.failed === "true"),
    is("skipped", skipped),
  ];
}
