import { basename } from "node:path/posix";
import type { ArgSpec, Value } from "../playbook/types.js";
import { type Args, flag, given, text } from "./args.js";
import { attributeArgs, attributes, call, validator } from "./fragments.js";
import { lostSource, sourceFile } from "./source-file.js";
import {
  ArgumentError,
  type ModuleCall,
  type ModuleContext,
  type Probe,
  type SourceInfo,
  type TaskModule,
} from "./types.js";

const writeArgs = {
  ...attributeArgs,
  dest: { type: "path", required: true },
  backup: { type: "bool", default: false },
  force: { type: "bool", default: true },
  follow: { type: "bool", default: false },
  validate: { type: "str" },
} as const satisfies Record<string, ArgSpec>;

/** The call that writes one file. */
function write(args: Args, dest: string, info: SourceInfo | undefined, mode: string, base: string): string {
  const [owner, group] = attributes(args);
  const flags = `${flag(args, "backup") ? "b" : ""}${flag(args, "force") ? "" : "n"}${flag(args, "follow") ? "o" : ""}`;
  const octal = mode === "preserve" ? (info?.mode ?? 0o644).toString(8) : mode;
  return call(
    "m_copy",
    dest,
    info?.digest ?? "",
    String(info?.size ?? 0),
    owner,
    group,
    octal,
    flags,
    base !== "" && base === basename(dest) && !dest.endsWith("/") ? "." : base,
  );
}

/** Where the file lands, unless the host turns out to have a directory there. */
const target = (dest: string, base: string): Probe => ({ path: dest.endsWith("/") ? dest + base : dest, hash: true });

function copyTree(args: Args, source: string, context: ModuleContext): ModuleCall {
  const [owner, group, mode] = attributes(args);
  const entries = context.tree(source) ?? [];
  const inside = text(args, "src").endsWith("/");
  const root = text(args, "dest").replace(/\/+$/, "") + (inside ? "" : `/${basename(source)}`);
  const directoryMode = text(args, "directory_mode");
  let shell = validator(text(args, "validate")) + call("m_dir", root, owner, group, directoryMode);
  const payloads: string[] = [];
  const probes: Probe[] = [{ path: root, hash: false }];
  for (const entry of entries) {
    const dest = `${root}/${entry.path}`;
    probes.push({ path: dest, hash: entry.kind === "file" });
    if (entry.kind === "directory") shell += call("m_dir", dest, owner, group, directoryMode);
    else {
      const info = context.describe(`${source.replace(/\/+$/, "")}/${entry.path}`);
      if (info !== undefined) payloads.push(info.digest);
      shell += write(args, dest, info, mode, "");
    }
  }
  return { shell, libs: ["put", "file", "copy"], payloads, probes };
}

function buildCopy(args: Args, context: ModuleContext): ModuleCall {
  const dest = text(args, "dest");
  const check = validator(text(args, "validate"));
  const mode = text(args, "mode");
  if (given(args, "content") === given(args, "src")) throw new ArgumentError("copy takes either src or content");
  if (given(args, "content")) {
    if (dest.endsWith("/")) throw new ArgumentError("copy with content needs a file name in dest", "dest");
    const info = context.content(contentText(args.content ?? ""));
    return {
      shell: check + write(args, dest, info, mode, ""),
      libs: ["put", "copy"],
      payloads: [info.digest],
      probes: [target(dest, "")],
    };
  }
  if (flag(args, "remote_src")) return copyRemote(args);
  const source = context.resolve(text(args, "src"), "files");
  if (context.tree(source) !== undefined) return copyTree(args, source, context);
  const { info, needs, before, lost } = sourceFile(source, context);
  if (lost !== undefined) return lostSource(lost);
  return {
    shell: before + check + write(args, dest, info, mode, basename(source)),
    libs: ["put", "copy"],
    ...needs,
    probes: [target(dest, basename(source))],
  };
}

/** `remote_src: true`: a file of the host is copied on the host. */
function copyRemote(args: Args): ModuleCall {
  const [owner, group, mode] = attributes(args);
  const source = text(args, "src");
  const shell =
    validator(text(args, "validate")) +
    call("m_rcopy", source, text(args, "dest"), owner, group, mode, flag(args, "force") ? "" : "n", basename(source));
  return { shell, libs: ["put", "copy"] };
}

/** A mapping or list given as content is written as JSON, as Ansible does. */
function contentText(value: Value): string {
  return typeof value === "string"
    ? value
    : typeof value === "object"
      ? JSON.stringify(value)
      : text({ value }, "value");
}

/** ansible.builtin.copy */
export const copy: TaskModule = {
  spec: {
    name: "copy",
    args: {
      ...writeArgs,
      src: { type: "path" },
      content: { type: "raw" },
      directory_mode: { type: "mode" },
      remote_src: { type: "bool", default: false },
    },
  },
  returns: { dest: "str" },
  build: buildCopy,
};

/** ansible.builtin.template */
export const template: TaskModule = {
  spec: {
    name: "template",
    args: {
      ...writeArgs,
      src: { type: "path", required: true },
      trim_blocks: { type: "bool", default: true },
      lstrip_blocks: { type: "bool", default: false },
      newline_sequence: { type: "str", choices: ["\n", "\r", "\r\n", "\\n", "\\r", "\\r\\n"], default: "\n" },
      block_start_string: { type: "str" },
      block_end_string: { type: "str" },
      variable_start_string: { type: "str" },
      variable_end_string: { type: "str" },
      comment_start_string: { type: "str" },
      comment_end_string: { type: "str" },
    },
  },
  returns: { dest: "str" },
  build(args, context) {
    const source = context.resolve(text(args, "src"), "templates");
    const info = context.content(context.renderTemplate(source, args));
    const mode =
      text(args, "mode") === "preserve" ? (context.describe(source)?.mode ?? 0o644).toString(8) : text(args, "mode");
    return {
      shell:
        validator(text(args, "validate")) +
        write(args, text(args, "dest"), info, mode, basename(source).replace(/\.j2$/, "")),
      libs: ["put", "copy"],
      payloads: [info.digest],
      probes: [target(text(args, "dest"), basename(source).replace(/\.j2$/, ""))],
    };
  },
};
