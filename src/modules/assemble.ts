import { compileRegex, regexExec } from "../playbook/python-regex.js";
import { type Args, flag, text } from "./args.js";
import { bytesHashes, told, write, writeArgs } from "./copy.js";
import { pathReturns } from "./file.js";
import { attributes, fileRefused, flagsCall, posixRegex, validator } from "./fragments.js";
import { pathWord, word } from "./path-words.js";
import { ArgumentError, type ModuleCall, type ModuleContext, type TaskModule } from "./types.js";

const ESCAPES: Readonly<Record<string, string>> = {
  ...{ n: "\n", t: "\t", r: "\r", a: "\x07", b: "\b", f: "\f", v: "\v", "\\": "\\", "'": "'", '"': '"', "\n": "" },
};

/** What Python's escape_decode makes of it. @throws ArgumentError for what Ansible would decode again at each fragment */
function delimiterOf(args: Args): string {
  const written = text(args, "delimiter");
  const decoded = written.replace(/\\(x[0-7][0-9a-fA-F]|[0-7]{1,3}|[\s\S])/g, (whole, after: string) => {
    if (/^x./.test(after)) return String.fromCharCode(Number.parseInt(after.slice(1), 16));
    if (/^[01]?[0-7]{1,2}$/.test(after)) return String.fromCharCode(Number.parseInt(after, 8));
    return ESCAPES[after] ?? whole;
  });
  if (decoded.includes("\\") || decoded.includes("\0"))
    throw new ArgumentError("a delimiter with a backslash, or a NUL, in it is not taken", "delimiter");
  return decoded;
}

/** `remote_src: false`: the fragments are of this machine, and the file is written as by copy. */
function fromHere(args: Args, context: ModuleContext): ModuleCall {
  const source = context.resolve(text(args, "src"), "files");
  const entries = context.tree(source);
  if (entries === undefined) throw new ArgumentError(`Source (${source}) is not a directory`, "src");
  const delimiter = delimiterOf(args);
  const regex = args.regexp === undefined ? undefined : compileRegex(text(args, "regexp"));
  const wanted = entries.filter(({ path, kind }) => {
    if (kind !== "file" || path.includes("/") || (flag(args, "ignore_hidden") && path.startsWith("."))) return false;
    return regex === undefined || regexExec(regex, path) !== undefined;
  });
  const parts: Buffer[] = [];
  for (const { path } of wanted) {
    const last = parts.at(-1);
    if (last !== undefined && last.at(-1) !== "\n".charCodeAt(0)) parts.push(Buffer.from("\n"));
    // Of fragments of this machine Ansible ends each delimiter by a line break, whatever it ends with itself.
    if (last !== undefined && delimiter !== "") parts.push(Buffer.from(`${delimiter}\n`));
    parts.push(context.bytes(`${source}/${path}`));
  }
  const bytes = Buffer.concat(parts);
  const info = context.content(bytes);
  const more = told(args, context, () => bytesHashes(bytes));
  const written = write(args, text(args, "dest"), info, text(args, "mode"), "");
  // Unlike copy, it tells the other hash of a file that is as wanted, too.
  const hashed = context.wantsResult ? '[ -z "${R_checksum-}" ] || R_md5sum=known\n' : "";
  return {
    shell: validator(text(args, "validate")) + written + more.shell + hashed,
    libs: ["put", "copy", ...more.libs],
    payloads: [info.digest],
    probes: [{ path: text(args, "dest"), hash: true }],
    returns: { dest: "str", checksum: "told", md5sum: "told", ...pathReturns },
    ...("known" in more ? { known: more.known } : {}),
  };
}

const { force: _, follow: __, ...ownArgs } = writeArgs;

/** ansible.builtin.assemble */
export const assemble: TaskModule = {
  spec: {
    name: "assemble",
    args: {
      ...ownArgs,
      src: { type: "path", required: true },
      delimiter: { type: "str" },
      remote_src: { type: "bool", default: true },
      regexp: { type: "str" },
      ignore_hidden: { type: "bool", default: false },
    },
    refused: { ...fileRefused, decrypt: "Secrets go into variables: a file from a vault is not taken." },
  },
  returns: { src: "str", dest: "str", checksum: "str", md5sum: "str", backup_file: "str", msg: "str", ...pathReturns },
  build(args, context) {
    if (!flag(args, "remote_src")) return fromHere({ ...args, force: true }, context);
    const [owner, group, mode] = attributes(args);
    const delimiter = delimiterOf(args);
    const regex = args.regexp === undefined ? "" : posixRegex(text(args, "regexp"), "regexp");
    const flags = `${flag(args, "backup") ? "b" : ""}${flag(args, "ignore_hidden") ? "h" : ""}`;
    const between = delimiter === "" || delimiter.endsWith("\n") ? delimiter : `${delimiter}\n`;
    const paths = [pathWord(text(args, "src")), pathWord(text(args, "dest"))];
    const more = flagsCall(args, paths[1] ?? "");
    const words = [...paths, ...[owner, group, mode, flags, between, regex].map(word)].join(" ");
    return {
      shell: `${validator(text(args, "validate"))}m_assemble ${words}\n${more.shell}`,
      libs: ["put", "assemble", "pathinfo", ...more.libs],
    };
  },
};
