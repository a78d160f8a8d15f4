/** Filters on paths, and on files of this machine. */
import { posix } from "node:path";
import { argument, needText } from "./filter-helpers.js";
import { type FilterTable, type Plugins, refusedFilter } from "./plugin.js";
import { isList, type Rt, Tuple, ValueProblem } from "./python-values.js";
import type { LookupReader } from "./scope.js";

/** POSIX basename and dirname as Python's os.path has them. */
export function basename(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

export function dirname(path: string): string {
  const head = path.slice(0, path.lastIndexOf("/") + 1);
  return /^\/*$/.test(head) ? head : head.replace(/\/+$/, "");
}

function joinPath(parts: readonly string[]): string {
  if (parts.length === 0) throw new ValueProblem("path_join is given no parts");
  return parts.reduce((path, part) =>
    part.startsWith("/") ? part : path === "" || path.endsWith("/") ? path + part : `${path}/${part}`,
  );
}

/** The last suffix, unless the name is nothing but it: `.bashrc` has none. */
function splitExtension(path: string): Tuple {
  const from = path.lastIndexOf("/") + 1;
  const dot = path.lastIndexOf(".");
  const suffix = dot > from && /[^.]/.test(path.slice(from, dot)) ? dot : path.length;
  return Tuple.of2([path.slice(0, suffix), path.slice(suffix)]);
}

function readerOf({ reader }: Plugins): LookupReader {
  if (reader === undefined) throw new ValueProblem("files cannot be looked at here");
  return reader;
}

/** `~` of the user who runs this. */
export function expandUser(path: string, reader: LookupReader): string {
  if (!path.startsWith("~")) return path;
  const home = reader.env("HOME");
  if (home === undefined || !/^~(\/|$)/.test(path))
    throw new ValueProblem(`whose home "${path}" is cannot be said`, "Write its whole path.");
  return home.replace(/\/+$/, "") + path.slice(1) || "/";
}

/** One component of a pattern of fnmatch. */
function globRegex(pattern: string): RegExp {
  const source = pattern.replace(/\[(!?)([^\]]+)\]|[\s\S]/g, (char: string, not: string, set: string | undefined) => {
    if (set !== undefined) return `[${not === "!" ? "^" : ""}${set.replaceAll("\\", "\\\\")}]`;
    if (char === "*") return "[^/]*";
    return char === "?" ? "[^/]" : char.replace(/[\\^$.|+()[\]{}/]/, "\\$&");
  });
  return new RegExp(`^${source}$`, "su");
}

/** Paths of this machine that match a pattern, in order; Python's glob gives them in any. */
export function globFiles(pattern: string, reader: LookupReader): string[] {
  let found: string[] = [pattern.startsWith("/") ? "/" : ""];
  const parts = pattern.split("/").filter((part) => part !== "");
  for (const part of parts) {
    found = found.flatMap((base) => {
      const path = (name: string): string => (base === "" || base === "/" ? base + name : `${base}/${name}`);
      if (!/[*?[]/.test(part)) return reader.kindOf(path(part), false) === undefined ? [] : [path(part)];
      const matches = globRegex(part);
      const names = reader.list(base === "" ? "." : base) ?? [];
      return names
        .filter((name) => matches.test(name) && (!name.startsWith(".") || part.startsWith(".")))
        .sort()
        .map(path);
    });
  }
  return found.filter((path) => reader.kindOf(path, true) === "file");
}

const onPath = (change: (path: string, plugins: Plugins) => Rt) => ({
  params: [],
  run: (subject: Rt, _call: unknown, plugins: Plugins): Rt => change(needText(subject, "a path"), plugins),
});

const windows = "Hosts are Linux: use basename and dirname.";

export const pathFilters: FilterTable = {
  basename: onPath(basename),
  dirname: onPath(dirname),
  splitext: onPath(splitExtension),
  expanduser: onPath((path, plugins) => expandUser(path, readerOf(plugins))),
  realpath: onPath((path, plugins) => readerOf(plugins).realPath(path)),
  fileglob: onPath((path, plugins) => globFiles(path, readerOf(plugins))),
  relpath: {
    params: ["start"],
    run: (subject, call) => {
      const start = needText(argument(call, 0, "."), "relpath's start");
      const path = needText(subject, "a path");
      if (path === "" || start === "") throw new ValueProblem("relpath is given an empty path");
      return posix.relative(posix.resolve(start), posix.resolve(path)) || ".";
    },
  },
  path_join: {
    params: [],
    run: (subject) =>
      isList(subject)
        ? joinPath(subject.map((part) => needText(part, "a part of a path")))
        : needText(subject, "a path"),
  },
  expandvars: refusedFilter("Use lookup('env', ...)."),
  win_basename: refusedFilter(windows),
  win_dirname: refusedFilter(windows),
  win_splitdrive: refusedFilter(windows),
};
