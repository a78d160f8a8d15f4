import type { ArgSpec } from "../playbook/types.js";
import { type Args, flag, given, text } from "./args.js";
import { attributeArgs, attributes, fileRefused, flagsCall, validator } from "./fragments.js";
import { pathWord, word } from "./path-words.js";
import { type PerlRegex, perlRegex, perlTemplate, type RegexOptions, RegexProblem } from "./perl-regex.js";
import { ArgumentError, type ModuleCall, type TaskModule } from "./types.js";

const editArgs = {
  ...attributeArgs,
  path: { type: "path", required: true, aliases: ["dest", "destfile", "name"] },
  backup: { type: "bool", default: false },
  validate: { type: "str" },
} as const satisfies Record<string, ArgSpec>;

const placeArgs = {
  state: { type: "str", choices: ["present", "absent"], default: "present" },
  insertafter: { type: "str" },
  insertbefore: { type: "str" },
  create: { type: "bool", default: false },
} as const satisfies Record<string, ArgSpec>;

/** Python compiles patterns of lines as bytes. */
const BYTES: RegexOptions = { text: false };

/** What RegexProblem says becomes the argument's mistake. */
function regexOf(source: string, argument: string, options: RegexOptions): PerlRegex {
  return naming(argument, source, () => perlRegex(source, options));
}

function naming<T>(argument: string, source: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof RegexProblem)) throw error;
    throw new ArgumentError(`${argument} ${JSON.stringify(source)}: ${error.message}`, argument);
  }
}

/** The two sides are exclusive in Ansible, too. */
function place(
  args: Args,
  special: readonly string[],
): { flags: string; after: PerlRegex | undefined; before: PerlRegex | undefined } {
  if (given(args, "insertafter") && given(args, "insertbefore")) {
    throw new ArgumentError("insertafter and insertbefore exclude each other", "insertbefore");
  }
  const after = text(args, "insertafter");
  const before = text(args, "insertbefore");
  const regex = (value: string, name: string) =>
    !given(args, name) || special.includes(`${name}=${value}`) ? undefined : regexOf(value, name, BYTES);
  return {
    flags: given(args, "insertbefore") ? "i" : "a",
    after: regex(after, "insertafter"),
    before: regex(before, "insertbefore"),
  };
}

/** The call, with what `validate` needs before it and file flags behind it. */
function editCall(args: Args, name: string, flags: string, words: readonly string[]): ModuleCall {
  const path = pathWord(text(args, "path"));
  const all = [path, ...attributes(args).map(word), word(flags), ...words.map(word)];
  const more = flagsCall(args, path);
  return {
    shell: `${validator(text(args, "validate"))}${name} ${all.join(" ")}\n${more.shell}`,
    libs: ["put", "block", ...more.libs],
  };
}

/** ansible.builtin.lineinfile */
export const lineinfile: TaskModule = {
  spec: {
    name: "lineinfile",
    refused: fileRefused,
    args: {
      ...editArgs,
      ...placeArgs,
      line: { type: "str", aliases: ["value"] },
      regexp: { type: "str", aliases: ["regex"] },
      search_string: { type: "str" },
      backrefs: { type: "bool", default: false },
      firstmatch: { type: "bool", default: false },
    },
  },
  returns: { msg: "str", backup: "str", found: "int", rc: "int" },
  diffs: "attributes",
  build(args) {
    const present = text(args, "state") === "present";
    const backrefs = flag(args, "backrefs") && present;
    const has = (name: string) => given(args, name);
    if (has("regexp") && has("search_string")) throw new ArgumentError("regexp and search_string exclude each other");
    if (flag(args, "backrefs") && has("search_string")) {
      throw new ArgumentError("backrefs and search_string exclude each other", "backrefs");
    }
    if (backrefs && !has("regexp")) throw new ArgumentError("regexp is required with backrefs=true", "backrefs");
    if (present && !has("line")) throw new ArgumentError("line is required with state=present", "line");
    if (!["line", "regexp", "search_string"].some(has)) {
      throw new ArgumentError("one of line, search_string, or regexp is required with state=absent");
    }
    const specials = ["insertafter=BOF", "insertafter=EOF", "insertbefore=BOF"];
    const { flags: side, after, before } = place(args, specials);
    const regex = has("regexp") ? regexOf(text(args, "regexp"), "regexp", BYTES) : undefined;
    const line = text(args, "line");
    const template = backrefs && regex !== undefined ? naming("line", line, () => perlTemplate(line, regex)) : "";
    const bof = text(args, "insertbefore") === "BOF" || text(args, "insertafter") === "BOF";
    const eof = !has("insertbefore") && ["", "EOF"].includes(text(args, "insertafter"));
    const flags = [
      ...[
        present && flag(args, "create") ? "c" : "",
        flag(args, "backup") ? "b" : "",
        flag(args, "firstmatch") ? "f" : "",
      ],
      ...[backrefs ? "k" : "", regex === undefined ? "" : "r", has("search_string") ? "s" : "", has("line") ? "l" : ""],
      ...[side, after === undefined ? "" : "A", before === undefined ? "" : "I", bof ? "B" : "", eof ? "E" : ""],
    ].join("");
    const words = [text(args, "state"), line, template, regex?.source ?? "", text(args, "search_string")];
    return editCall(args, "m_line", flags, [...words, after?.source ?? "", before?.source ?? ""]);
  },
};

/** ansible.builtin.blockinfile */
export const blockinfile: TaskModule = {
  spec: {
    name: "blockinfile",
    refused: {
      ...fileRefused,
      append_newline: "ansible-core has it from 2.16 on: put the empty line into the block.",
      prepend_newline: "ansible-core has it from 2.16 on: put the empty line into the block.",
    },
    args: {
      ...editArgs,
      ...placeArgs,
      block: { type: "str", default: "", aliases: ["content"] },
      marker: { type: "str", default: "# {mark} ANSIBLE MANAGED BLOCK" },
      marker_begin: { type: "str", default: "BEGIN" },
      marker_end: { type: "str", default: "END" },
    },
  },
  returns: { msg: "str", backup_file: "str", rc: "int" },
  build(args) {
    const marker = text(args, "marker");
    const [begin, end] = ["marker_begin", "marker_end"].map((name) => {
      if (text(args, name).includes("\\")) throw new ArgumentError(`${name} holds a backslash`, name);
      return marker.replaceAll("{mark}", () => text(args, name));
    });
    const { flags: side, after, before } = place(args, ["insertafter=EOF", "insertbefore=BOF"]);
    const present = text(args, "state") === "present";
    const regex = after ?? before;
    const flags = [
      ...[flag(args, "create") ? "c" : "", flag(args, "backup") ? "b" : "", side],
      ...[after === undefined ? "" : "A", before === undefined ? "" : "I", regex?.multiline === true ? "m" : ""],
    ].join("");
    const block = present ? text(args, "block") : "";
    const words = [block, begin ?? "", end ?? "", after?.source ?? "", before?.source ?? "", text(args, "state")];
    return editCall(args, "m_block", flags, words);
  },
};

/** Encodings of `replace` as Python names them. */
const ENCODINGS: Record<string, string> = {
  ...{ "utf-8": "utf-8", utf8: "utf-8", ascii: "ascii", "us-ascii": "ascii" },
  ...{ "latin-1": "latin-1", latin1: "latin-1", "iso-8859-1": "latin-1" },
};

/** ansible.builtin.replace */
export const replace: TaskModule = {
  spec: {
    name: "replace",
    refused: fileRefused,
    args: {
      ...editArgs,
      regexp: { type: "str", required: true },
      replace: { type: "str", default: "" },
      after: { type: "str" },
      before: { type: "str" },
      encoding: { type: "str", default: "utf-8" },
    },
  },
  returns: { msg: "str", backup_file: "str", rc: "int" },
  build(args) {
    const [after, before] = [text(args, "after"), text(args, "before")];
    const source = text(args, "regexp");
    const regex = regexOf(source, "regexp", { text: true, multiline: true });
    const template = naming("replace", text(args, "replace"), () => perlTemplate(text(args, "replace"), regex));
    const inner = "(?P<subsection>.*?)";
    const between =
      after !== "" && before !== ""
        ? after + inner + before
        : after !== ""
          ? `${after}(?P<subsection>.*)`
          : before !== ""
            ? `(?P<subsection>.*)${before}`
            : "";
    const section =
      between === "" ? undefined : regexOf(between, after === "" ? "before" : "after", { text: true, dotAll: true });
    const encoding = ENCODINGS[text(args, "encoding").toLowerCase()];
    if (encoding === undefined) throw new ArgumentError("encoding is none of utf-8, latin-1 and ascii", "encoding");
    const group = section?.names.get("subsection") ?? 0;
    const words = [regex.source, template, section?.source ?? "", String(group), encoding];
    return editCall(args, "m_replace", flag(args, "backup") ? "b" : "", [...words, between]);
  },
};
