/** `action` and `local_action`: the module's name in the value. */
import type { LoadContext } from "./load-context.js";
import type { MapEntry } from "./yaml-nodes.js";

/** The module's entry that stands in an action: `apt name=x`, or a mapping with `module`. */
export function actionOf(fields: ReadonlyMap<string, MapEntry>, context: LoadContext): MapEntry | undefined {
  const entry = fields.get("action") ?? fields.get("local_action");
  if (entry === undefined) return undefined;
  const { value } = entry;
  if (value.kind === "map") {
    const module = value.entries.find(({ key }) => key === "module");
    if (module?.value.kind !== "scalar") {
      context.problem(entry.position, `${entry.key} names no module`, "Add `module: NAME`.");
      return undefined;
    }
    const entries = value.entries.filter((one) => one !== module);
    return { key: String(module.value.value), position: module.value.position, value: { ...value, entries } };
  }
  const [, name = "", blank = ""] =
    value.kind === "scalar" ? (/^\s*([\w.]+)(\s*)/.exec(String(value.value)) ?? []) : [];
  if (value.kind !== "scalar" || name === "") {
    context.problem(entry.position, `${entry.key} names no module`, "Write the module's name first.");
    return undefined;
  }
  const text = String(value.value);
  const from = text.indexOf(name) + name.length + blank.length;
  const rest = text.slice(from);
  const locate = (offset: number) => value.locate(from + offset);
  const words = { ...value, value: rest === "" ? null : rest, source: rest, position: locate(0), locate };
  return { key: name, position: value.locate(text.indexOf(name)), value: words };
}
