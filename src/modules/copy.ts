import { createHash } from "node:crypto";
import { basename } from "node:path/posix";
import type { ArgSpec, Value } from "../playbook/types.js";
import { type Args, flag, given, text } from "./args.js";
import { pathReturns } from "./file.js";
import { attributeArgs, attributes, fileRefused, flagsCall, validator } from "./fragments.js";
import { pathWord, word } from "./path-words.js";
import { lostSource, sourceFile } from "./source-file.js";
import {
  ArgumentError,
  type FileHashes,
  type LibName,
  type ModuleCall,
  type ModuleContext,
  type Probe,
  type SourceInfo,
  type TaskModule,
} from "./types.js";

export const writeArgs = {
  ...attributeArgs,
  dest: { type: "path", required: true },
  backup: { type: "bool", default: false },
  force: { type: "bool", default: true, aliases: ["thirsty"] },
  follow: { type: "bool", default: false },
  validate: { type: "str" },
} as const satisfies Record<string, ArgSpec>;

const copyReturns = { dest: "str", checksum: "told", md5sum: "told", backup_file: "str", ...pathReturns } as const;

/** The call that writes one file. */
export function write(args: Args, dest: string, info: SourceInfo | undefined, mode: string, base: string): string {
  const [owner, group] = attributes(args);
  const flags = `${flag(args, "backup") ? "b" : ""}${flag(args, "force") ? "" : "n"}${flag(args, "follow") ? "o" : ""}`;
  const octal = mode === "preserve" ? (info?.mode ?? 0o644).toString(8) : mode;
  const name = base !== "" && base === basename(dest) && !dest.endsWith("/") ? "." : base;
  const words = [info?.digest ?? "", owner, group, octal, flags, name];
  return `m_copy ${[pathWord(dest), ...words.map(word)].join(" ")}\n`;
}

/** Where the file lands, unless the host turns out to have a directory there. */
const target = (dest: string, base: string): Probe => ({ path: dest.endsWith("/") ? dest + base : dest, hash: true });

/** What is told of one file behind its call, where somebody asks. */
export function told(args: Args, context: ModuleContext, hashes: () => FileHashes | undefined) {
  const flags = flagsCall(args, '"$d"');
  if (!context.wantsResult) return flags;
  const { sha1 = "", md5 = null } = hashes() ?? {};
  return {
    shell: `${flags.shell}m_copied\n`,
    libs: [...flags.libs, "copied", "pathinfo"] as const,
    known: { checksum: sha1, md5sum: md5 },
  };
}

export function bytesHashes(bytes: string | Buffer): FileHashes {
  const hex = (name: string) => createHash(name).update(bytes).digest("hex");
  return { sha1: hex("sha1"), md5: hex("md5") };
}

function copyTree(args: Args, source: string, context: ModuleContext): ModuleCall {
  const [owner, group, mode] = attributes(args);
  const entries = context.tree(source, !given(args, "local_follow") || flag(args, "local_follow")) ?? [];
  const inside = text(args, "src").endsWith("/");
  const dest = text(args, "dest").replace(/\/+$/, "");
  const root = dest + (inside ? "" : `/${basename(source)}`);
  const directory = (path: string) =>
    `m_dir ${[pathWord(path), ...[owner, group, text(args, "directory_mode")].map(word)].join(" ")}\n`;
  // A directory that is there keeps what it has: only what is below it is copied.
  const reset = context.wantsResult ? `${RESET}\n` : "";
  let shell = `${reset}${validator(text(args, "validate"))}[ -d ${pathWord(root)} ] || ${directory(root)}`;
  const payloads: string[] = [];
  const probes: Probe[] = [{ path: root, hash: false }];
  // Only a file that is copied alone may be behind a link.
  const single = { ...args, follow: false };
  for (const entry of entries) {
    const path = `${root}/${entry.path}`;
    probes.push({ path, hash: entry.kind === "file" });
    if (entry.kind === "directory") shell += directory(path);
    else if (entry.kind === "link") {
      const words = [entry.target ?? "", "fnk", owner, group].map(word);
      shell += `m_link ${pathWord(path)} ${words.join(" ")} ''\n`;
    } else {
      const info = context.describe(`${source.replace(/\/+$/, "")}/${entry.path}`);
      if (info !== undefined) payloads.push(info.digest);
      shell += write(single, path, info, mode, "");
    }
  }
  const known = { dest: `${dest}/` };
  const libs: LibName[] = ["put", "file", "copy", ...(context.wantsResult ? (["copied", "pathinfo"] as const) : [])];
  return { shell, libs, payloads, probes, known };
}

function buildCopy(args: Args, context: ModuleContext): ModuleCall {
  const dest = text(args, "dest");
  const check = validator(text(args, "validate"));
  const mode = text(args, "mode");
  if (given(args, "content") && given(args, "src"))
    throw new ArgumentError("src and content are mutually exclusive", "src");
  if (!given(args, "content") && !given(args, "src")) throw new ArgumentError("src (or content) is required");
  if (given(args, "content")) {
    if (dest.endsWith("/")) throw new ArgumentError("can not use content with a dir as dest", "dest");
    const content = contentText(args.content ?? "");
    const info = context.content(content);
    expected(args, () => bytesHashes(content));
    const more = told(args, context, () => bytesHashes(content));
    return {
      shell: check + write(args, dest, info, mode, "") + more.shell,
      libs: ["put", "copy", ...more.libs],
      ...("known" in more ? { known: more.known } : {}),
      payloads: [info.digest],
      probes: [target(dest, "")],
    };
  }
  if (flag(args, "remote_src")) return copyRemote(args, context);
  const source = context.resolve(text(args, "src"), "files");
  if (context.tree(source) !== undefined) return copyTree(args, source, context);
  const { info, needs, before, lost } = sourceFile(source, context);
  if (lost !== undefined) return lostSource(lost);
  expected(args, () => context.hashes(source));
  const more = told(args, context, () => context.hashes(source));
  return {
    shell: before + check + write(args, dest, info, mode, basename(source)) + more.shell,
    libs: ["put", "copy", ...more.libs],
    ...("known" in more ? { known: more.known } : {}),
    ...needs,
    probes: [target(dest, basename(source))],
  };
}

/** `checksum` is what the content has to have; Ansible says so when it has been sent. */
function expected(args: Args, hashes: () => FileHashes | undefined): void {
  if (!given(args, "checksum") || hashes()?.sha1 === text(args, "checksum").toLowerCase()) return;
  throw new ArgumentError("the source does not match the expected checksum", "checksum");
}

/** `remote_src: true`: what the host has is copied on the host. */
function copyRemote(args: Args, context: ModuleContext): ModuleCall {
  const [owner, group, mode] = attributes(args);
  const source = text(args, "src");
  const flags = ["backup", "follow"].map((name) => (flag(args, name) ? name.charAt(0) : "")).join("");
  const force = flag(args, "force") ? "" : "n";
  const local = given(args, "local_follow") && flag(args, "local_follow") ? "l" : "";
  const words = [owner, group, mode, flags + force + local, text(args, "directory_mode"), text(args, "checksum")];
  const more = flagsCall(args, '"$d"');
  const libs: LibName[] = ["put", "file", "rcopy", "copied", "pathinfo", ...more.libs];
  const paths = [pathWord(source), pathWord(text(args, "dest"))];
  const info = context.wantsResult ? 'if [ -n "${R_dest-}" ]; then pinfo "$R_dest"; fi\n' : "";
  const reset = context.wantsResult ? `${RESET}\n` : "";
  const shell = `${validator(text(args, "validate"))}${reset}m_rcopy ${[...paths, ...words.map(word)].join(" ")}\n`;
  return { shell: shell + more.shell + info, libs };
}

const RESET = "unset R_dest R_checksum R_md5sum R_backup_file R_uid R_gid R_owner R_group R_mode R_state R_size";

/** A mapping or list given as content is written as JSON, as Ansible does. */
function contentText(value: Value): string {
  return typeof value === "string" ? value : typeof value === "object" ? pythonJson(value) : text({ value }, "value");
}

/** Python's json.dumps with its default separators, and ASCII alone. */
function pythonJson(value: Value): string {
  if (Array.isArray(value)) return `[${value.map(pythonJson).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    return `{${Object.entries(value)
      .map(([key, one]) => `${pythonJson(key)}: ${pythonJson(one)}`)
      .join(", ")}}`;
  }
  const plain = JSON.stringify(value);
  return plain.replace(/[\u007f-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

const NO_VAULT = "Secrets go into variables: a file from a vault is not taken.";

/** ansible.builtin.copy */
export const copy: TaskModule = {
  spec: {
    name: "copy",
    refused: { ...fileRefused, decrypt: NO_VAULT },
    args: {
      ...writeArgs,
      src: { type: "path" },
      content: { type: "raw" },
      directory_mode: { type: "mode" },
      remote_src: { type: "bool", default: false },
      local_follow: { type: "bool" },
      checksum: { type: "str" },
    },
  },
  returns: copyReturns,
  fieldNames: "$CPF",
  diffs: "attributes",
  build: buildCopy,
};

/** ansible.builtin.template */
export const template: TaskModule = {
  spec: {
    name: "template",
    refused: fileRefused,
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
      output_encoding: { type: "str", choices: ["utf-8"], default: "utf-8" },
    },
  },
  returns: copyReturns,
  fieldNames: "$CPF",
  diffs: "attributes",
  build(args, context) {
    const source = context.resolve(text(args, "src"), "templates");
    const rendered = context.renderTemplate(source, args);
    const info = context.content(rendered);
    const mode =
      text(args, "mode") === "preserve" ? (context.describe(source)?.mode ?? 0o644).toString(8) : text(args, "mode");
    const base = basename(source);
    const more = told(args, context, () => bytesHashes(rendered));
    return {
      shell: validator(text(args, "validate")) + write(args, text(args, "dest"), info, mode, base) + more.shell,
      libs: ["put", "copy", ...more.libs],
      ...("known" in more ? { known: more.known } : {}),
      payloads: [info.digest],
      probes: [target(text(args, "dest"), base)],
    };
  },
};
