import type { ArgSpec } from "../playbook/types.js";
import { type Args, bit, flag, given, text } from "./args.js";
import { attributeArgs, attributes, call, posixRegex, validator } from "./fragments.js";
import { ArgumentError, type TaskModule } from "./types.js";

const editArgs = {
  ...attributeArgs,
  path: { type: "path", required: true, aliases: ["dest", "destfile", "name"] },
  state: { type: "str", choices: ["present", "absent"], default: "present" },
  insertafter: { type: "str" },
  insertbefore: { type: "str" },
  create: { type: "bool", default: false },
  backup: { type: "bool", default: false },
  validate: { type: "str" },
} as const satisfies Record<string, ArgSpec>;

function place(args: Args, name: "insertafter" | "insertbefore"): string {
  const value = text(args, name);
  return value === "" || value === "EOF" || value === "BOF" ? value : posixRegex(value, name);
}

/** ansible.builtin.lineinfile, without backrefs. */
export const lineinfile: TaskModule = {
  spec: {
    name: "lineinfile",
    args: {
      ...editArgs,
      line: { type: "str", aliases: ["value"] },
      regexp: { type: "str", aliases: ["regex"] },
      search_string: { type: "str" },
      firstmatch: { type: "bool", default: false },
    },
  },
  returns: {},
  build(args) {
    const present = text(args, "state") === "present";
    if (present && !given(args, "line")) throw new ArgumentError("lineinfile needs line", "line");
    if (!given(args, "line") && !given(args, "regexp") && !given(args, "search_string")) {
      throw new ArgumentError("lineinfile needs line or regexp");
    }
    const regexp = given(args, "regexp")
      ? posixRegex(text(args, "regexp"), "regexp")
      : text(args, "search_string").replace(/[.[\]{}()\\*+?^$|]/g, "\\$&");
    return {
      shell:
        validator(text(args, "validate")) +
        call(
          "m_line",
          text(args, "path"),
          text(args, "state"),
          text(args, "line"),
          regexp,
          place(args, "insertafter"),
          place(args, "insertbefore"),
          bit(flag(args, "create")),
          ...attributes(args),
          bit(flag(args, "backup")),
          bit(flag(args, "firstmatch")),
        ),
      libs: ["put", "block"],
    };
  },
};

/** ansible.builtin.blockinfile */
export const blockinfile: TaskModule = {
  spec: {
    name: "blockinfile",
    args: {
      ...editArgs,
      block: { type: "str", default: "", aliases: ["content"] },
      marker: { type: "str", default: "# {mark} ANSIBLE MANAGED BLOCK" },
      marker_begin: { type: "str", default: "BEGIN" },
      marker_end: { type: "str", default: "END" },
    },
  },
  returns: {},
  build(args) {
    const marker = text(args, "marker");
    return {
      shell:
        validator(text(args, "validate")) +
        call(
          "m_block",
          text(args, "path"),
          text(args, "state"),
          marker.replaceAll("{mark}", text(args, "marker_begin")),
          marker.replaceAll("{mark}", text(args, "marker_end")),
          text(args, "block").replace(/\n+$/, ""),
          place(args, "insertafter"),
          place(args, "insertbefore"),
          bit(flag(args, "create")),
          ...attributes(args),
          bit(flag(args, "backup")),
        ),
      libs: ["put", "block"],
    };
  },
};
