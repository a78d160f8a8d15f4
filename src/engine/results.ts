import type { ReturnType } from "../modules/types.js";
import { splitLines } from "../playbook/python-text.js";
import type { TaskNode, Value } from "../playbook/types.js";
import type { CallOutcome, CompiledCall } from "./compiled.js";

type CallItem = Pick<CompiledCall, "itemValue" | "turnVars">;

/** The value that `register` gives for one call, in Ansible's shape. */
export function resultValue(
  call: Pick<CompiledCall, "node" | "returns" | "known" | "late" | "itemValue" | "turnVars">,
  outcome: CallOutcome,
): Value {
  const result: Record<string, Value> = {
    changed: outcome.status === "changed" || outcome.changed === true,
    failed: outcome.status === "failed",
  };
  if (outcome.status === "skipped" || outcome.status === "pending") result.skipped = true;
  // A condition that is false says nothing.
  if (!["ok", "changed"].includes(outcome.status) && outcome.reason !== "-") result.msg = outcome.reason;
  const known = outcome.status === "skipped" || outcome.reason === call.late ? {} : (call.known ?? {});
  for (const [path, value] of Object.entries(known)) place(result, path.split("."), value);
  for (const [path, type] of Object.entries(call.returns)) {
    const raw = outcome.fields[path.replaceAll(".", "_")];
    if (raw !== undefined && raw !== KNOWN) place(result, path.split("."), typed(raw, type));
    else if (raw === undefined && type === "told") delete result[path];
  }
  for (const name of ["stdout", "stderr"]) {
    const text = result[name];
    if (typeof text === "string") result[`${name}_lines`] = splitLines(text);
  }
  return { ...result, ...outcome.more, ...itemFields(call.node, call) };
}

/** What the result of a loop's item says of the loop. */
export function itemFields(node: TaskNode, { itemValue, turnVars }: CallItem): Record<string, Value> {
  if (itemValue === undefined) return {};
  return { ...turnVars, [node.loopVar]: itemValue, ansible_loop_var: node.loopVar };
}

/** The host's word for what the controller knows. */
const KNOWN = "known";

function typed(raw: string, type: ReturnType): Value {
  switch (type) {
    case "bool":
      return raw === "true";
    case "int":
      return /^-?\d+$/.test(raw) ? Number(raw) : 0;
    case "float":
      return seconds(raw);
    case "json":
      return fromJson(raw);
    case "time":
      return pythonTime(raw);
    case "known":
    case "told":
    case "str":
      return raw;
  }
}

/** Python's st_mtime: whole seconds, and the nanoseconds added as a float. */
function seconds(raw: string): number {
  const [, whole = "0", fraction = ""] = /^(-?\d+)(?:\.(\d{1,9}))?$/.exec(raw) ?? [];
  return Number(whole) + 1e-9 * Number(fraction.padEnd(9, "0"));
}

/** Python's text of a datetime, by the host's clock. */
function pythonTime(raw: string): Value {
  const [, hundredths, sign, hours, minutes] = /^(\d{1,14}) ([-+])(\d\d)(\d\d)$/.exec(raw) ?? [];
  if (hundredths === undefined) return null;
  const zone = (Number(hours) * 60 + Number(minutes)) * (sign === "-" ? -60_000 : 60_000);
  const text = new Date(Number(hundredths) * 10 + zone).toISOString().replace("T", " ").replace("Z", "000");
  return text.replace(/\.0+$/, "");
}

/** A host may say anything: what is no JSON is null. */
function fromJson(raw: string): Value {
  try {
    return JSON.parse(raw) as Value;
  } catch {
    return null;
  }
}

function place(into: Record<string, Value>, path: readonly string[], value: Value): void {
  const [head, ...rest] = path;
  if (head === undefined) return;
  if (rest.length === 0) {
    into[head] = value;
    return;
  }
  const inner = { ...(into[head] as Record<string, Value> | undefined) };
  place(inner, rest, value);
  into[head] = inner;
}

/** The value that `register` gives for a whole loop. */
export function loopValue(values: readonly Value[]): Value {
  const has = (name: string) => values.some((value) => isDict(value) && value[name] === true);
  const skipped = values.every((value) => isDict(value) && value.skipped === true);
  return {
    results: values,
    changed: has("changed"),
    ...(has("failed") ? { failed: true } : {}),
    skipped,
    msg: skipped ? "All items skipped" : has("failed") ? "One or more items failed" : "All items completed",
  };
}

function isDict(value: Value): value is { readonly [key: string]: Value } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
