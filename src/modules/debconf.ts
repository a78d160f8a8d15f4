import type { Vars } from "../playbook/types.js";
import { bit, flag, given, text } from "./args.js";
import { call } from "./fragments.js";
import { ArgumentError, type TaskModule } from "./types.js";

const TYPES = "boolean error multiselect note password seen select string text title".split(" ");

/** Answers as debconf-show lists them: a star says that the question was seen. */
export function selections(shown: string): Record<string, string> {
  const pairs = shown.split("\n").flatMap((line): [string, string][] => {
    const at = line.indexOf(":");
    return at < 0
      ? []
      : [
          [
            line
              .slice(0, at)
              .replace(/^\*+|\*+$/g, "")
              .trim(),
            line.slice(at + 1).trim(),
          ],
        ];
  });
  return Object.fromEntries(pairs);
}

/** ansible.builtin.debconf */
export const debconf: TaskModule = {
  spec: {
    name: "debconf",
    args: {
      name: { type: "str", required: true, aliases: ["pkg"] },
      question: { type: "str", aliases: ["selection", "setting"] },
      vtype: { type: "str", choices: TYPES },
      value: { type: "str", aliases: ["answer"] },
      unseen: { type: "bool", default: false },
    },
  },
  returns: { msg: "str", current: "known", previous: "known" },
  diffs: "always",
  build(args, context) {
    const parts = ["question", "vtype", "value"].filter((name) => given(args, name));
    if (parts.length % 3 !== 0) throw new ArgumentError("question, vtype and value go together", parts[0]);
    const [name, question, vtype] = [text(args, "name"), text(args, "question"), text(args, "vtype")];
    const value = text(args, "value");
    if (!/^[a-z0-9][a-z0-9+.-]*$/.test(name))
      throw new ArgumentError(`${JSON.stringify(name)} is no package name`, "name");
    if (/[\n\r]|^\s*#/.test(question + value)) throw new ArgumentError("an answer is one line", "value");
    const words = parts.length === 0 ? [] : [question, vtype, value];
    const read = (told: string): Vars => {
      const [state = "", shown = ""] = told.split(/\n(.*)/s);
      const before = selections(shown);
      if (state !== "changed") return { current: before };
      const previous = before[question];
      const wanted = vtype === "boolean" && previous !== undefined ? value.toLowerCase() : value;
      return {
        current: { [question]: wanted },
        previous: previous === undefined ? { ...before, [question]: "" } : { [question]: previous },
      };
    };
    return {
      shell: call("m_debconf", name, bit(flag(args, "unseen")), ...words),
      libs: ["debconf"],
      ...(context.wantsResult ? { tells: { read } } : {}),
    };
  },
};
