import type { Value, Vars } from "../playbook/types.js";
import { type Args, flag, given, list, text } from "./args.js";
import { pathWord, word } from "./path-words.js";
import { perlRegex, RegexProblem } from "./perl-regex.js";
import { ArgumentError, type TaskModule } from "./types.js";

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86400, w: 604800 };
const BYTES: Readonly<Record<string, number>> = { b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 };

/** A number with a unit, as text; "" where it is not given. */
function amount(args: Args, name: "age" | "size", units: Readonly<Record<string, number>>): string {
  if (!given(args, name)) return "";
  const [, digits, unit] = /^(-?\d+)([a-z])?$/.exec(text(args, name).toLowerCase()) ?? [];
  const factor = units[unit ?? Object.keys(units)[0] ?? ""];
  if (digits === undefined || factor === undefined) throw new ArgumentError(`failed to process ${name}`, name);
  return `${digits.startsWith("-") ? "-" : ""}${Math.abs(Number(digits)) * factor}`;
}

/** A pattern of file names as Python's regular expression: in it a backslash is one, and `*` takes everything. */
export function globRegex(pattern: string): string {
  let source = "";
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern.charAt(i);
    const end = char === "[" ? pattern.indexOf("]", i + (/^\[!?\]/.exec(pattern.slice(i))?.[0].length ?? 1)) : -1;
    if (char === "*") source += ".*";
    else if (char === "?") source += ".";
    else if (end > 0) {
      const inner = pattern.slice(i + 1, end).replaceAll("\\", "\\\\");
      source += `[${inner.startsWith("!") ? `^${inner.slice(1)}` : inner.replace(/^[\^[]/, "\\$&")}]`;
      i = end;
    } else source += char.replace(/[^A-Za-z0-9_]/u, "\\$&");
  }
  return source;
}

function regexes(args: Args, name: "patterns" | "excludes"): string[] {
  const isRegex = flag(args, "use_regex");
  const given = list(args, name);
  const all = name === "patterns" && given.length === 0 ? [isRegex ? ".*" : "*"] : given;
  return all.map((one) => (isRegex ? perl(name, one, one) : `${perl(name, one, globRegex(one), true)}\\z`));
}

function perl(argument: string, shown: string, source: string, dotAll = false): string {
  try {
    return `(?:${perlRegex(source, { text: true, dotAll }).source})`;
  } catch (error) {
    if (!(error instanceof RegexProblem)) throw error;
    throw new ArgumentError(`${argument} ${JSON.stringify(shown)}: ${error.message}`, argument);
  }
}

const KINDS = { isdir: "4", ischr: "2", isblk: "6", isreg: "8", isfifo: "1", islnk: "a", issock: "c" } as const;
const BITS = {
  ...{ wusr: 0o200, rusr: 0o400, xusr: 0o100, wgrp: 0o20, rgrp: 0o40, xgrp: 0o10 },
  ...{ woth: 2, roth: 4, xoth: 1, isuid: 0o4000, isgid: 0o2000 },
};

/** Names come with what would end a line as `%0A`. */
const plain = (name: string): string =>
  name.replace(/%([0-9A-F]{2})/g, (_whole, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
const named = (name: string): string => (name === "UNKNOWN" ? "" : name);
const seconds = (raw: string): number => {
  const [whole = "0", fraction = ""] = raw.split(".");
  return Number(whole) + 1e-9 * Number(fraction);
};

/** @param line mode in hex, uid, gid, size, inode, device, links, times, owner, group @param sum of its content, or "" */
function entry(path: string, line: string, sum: string): Value {
  const [mode = "", uid, gid, size, inode, dev, nlink, atime = "", mtime = "", ctime = "", owner = "", group = ""] =
    line.split(" ");
  const bits = Number.parseInt(mode, 16);
  return {
    path: plain(path),
    mode: (bits & 0o7777).toString(8).padStart(4, "0"),
    ...Object.fromEntries(Object.entries(KINDS).map(([name, kind]) => [name, mode.startsWith(kind)])),
    ...Object.fromEntries(
      Object.entries({ uid, gid, size, inode, dev, nlink }).map(([name, raw]) => [name, Number(raw)]),
    ),
    ...{ atime: seconds(atime), mtime: seconds(mtime), ctime: seconds(ctime) },
    ...{ gr_name: named(group), pw_name: named(owner) },
    ...Object.fromEntries(Object.entries(BITS).map(([name, bit]) => [name, (bits & bit) !== 0])),
    ...(sum === "" ? {} : { checksum: sum }),
  };
}

/** What the host tells: paths that were skipped and why, paths that were found, what stat says of them, their checksums. */
export function found(told: string): Vars {
  const [skipped = [], paths = [], stats = [], sums = []] = told
    .split("\f\n")
    .map((part) => part.split("\n").filter((line) => line !== ""));
  const why = skipped.map((line) => line.split("\t").map(plain) as [string, string]);
  return {
    files: paths.map((path, index) => entry(path, stats[index] ?? "", sums[index]?.replace("-", "") ?? "")),
    skipped_paths: Object.fromEntries(why),
  };
}

/** ansible.builtin.find */
export const find: TaskModule = {
  spec: {
    name: "find",
    args: {
      paths: { type: "list", required: true, aliases: ["name", "path"] },
      patterns: { type: "list", default: [], aliases: ["pattern"] },
      excludes: { type: "list", default: [], aliases: ["exclude"] },
      contains: { type: "str" },
      read_whole_file: { type: "bool", default: false },
      file_type: { type: "str", choices: ["any", "directory", "file", "link"], default: "file" },
      age: { type: "str" },
      age_stamp: { type: "str", choices: ["atime", "ctime", "mtime"], default: "mtime" },
      size: { type: "str" },
      recurse: { type: "bool", default: false },
      hidden: { type: "bool", default: false },
      follow: { type: "bool", default: false },
      get_checksum: { type: "bool", default: false },
      use_regex: { type: "bool", default: false },
      depth: { type: "int", default: 0 },
    },
  },
  returns: { files: "known", matched: "int", examined: "int", msg: "str", skipped_paths: "known" },
  build(args, context) {
    const paths = list(args, "paths");
    const relative = paths.find((path) => !/^[/~$]/.test(path));
    if (relative !== undefined) throw new ArgumentError(`paths: ${JSON.stringify(relative)} is not absolute`, "paths");
    const flags = [
      ...[flag(args, "recurse") ? "r" : "", flag(args, "hidden") ? "h" : "", flag(args, "follow") ? "f" : ""],
      ...[flag(args, "read_whole_file") ? "w" : "", given(args, "contains") ? "c" : ""],
      ...[flag(args, "get_checksum") && context.wantsResult ? "s" : ""],
    ].join("");
    const [patterns, excludes] = [regexes(args, "patterns"), regexes(args, "excludes")];
    const contains = given(args, "contains") ? perl("contains", text(args, "contains"), text(args, "contains")) : "";
    const limits = [
      amount(args, "age", SECONDS),
      text(args, "age_stamp"),
      amount(args, "size", BYTES),
      text(args, "depth"),
    ];
    const counts = [String(patterns.length), String(excludes.length)];
    const words = [text(args, "file_type"), ...limits, flags, contains, ...counts, ...patterns, ...excludes];
    const shell = `m_find ${[...words.map(word), ...paths.map(pathWord)].join(" ")}\n`;
    if (!context.wantsResult) return { shell, libs: ["find"] };
    return { shell: `${shell}findtell\n`, libs: ["find"], tells: { read: found } };
  },
};
