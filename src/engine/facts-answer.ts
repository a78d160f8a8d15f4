import { safeLine } from "../util/safe-text.js";

/** Lines of an answer by the fact that they are about. */
export type Collected = ReadonlyMap<string, readonly string[]>;

/** Files that are facts of their own, and the name of these. */
const FILES: Readonly<Record<string, string>> = {
  "/etc/os-release": "os",
  "/etc/debian_version": "debian_version",
  "/proc/1/comm": "init",
  "/proc/device-tree/model": "board",
  "/proc/cpuinfo": "cpu",
  "/proc/meminfo": "mem",
};
/** Facts that are all the lines a command prints. */
const LISTS =
  /^(addr|df|libraries|date|lsb|caps|environ|dmidecode|mtab|statfs|findmnt|lsblk|block|disk|lspci|vgs|lvs|pvs|features .+|timestamping .+)$/;
/** Lines of one fact; a host of 256 processors has 1280 of them about those. */
const MAX_LINES = 5000;
/** The most that is read of the answer. */
export const FACTS_LIMIT = 512 * 1024;

/** The lines of an answer by the fact that they are about; those of files by the file's path. */
export function collect(answer: string): Collected {
  const got = new Map<string, string[]>();
  const add = (key: string, value: string) => {
    const list = got.get(key) ?? [];
    if (list.length < MAX_LINES) list.push(safeLine(value, FACTS_LIMIT));
    got.set(key, list);
  };
  let about = "";
  for (const line of answer.split("\n")) {
    if (line.startsWith("\x1e")) {
      const [key, value] = splitAt(line.slice(1), "\t");
      about = key;
      if (value !== "") add(key, value);
    } else if (about === "files") {
      const [path, value] = splitAt(line, ":");
      add(FILES[path] ?? path, value);
    } else if (LISTS.test(about) && line !== "") add(about, line);
  }
  return got;
}

export function splitAt(text: string, mark: string): [string, string] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + mark.length)];
}

export const one = (got: Collected, key: string): string => got.get(key)?.[0] ?? "";
export const all = (got: Collected, key: string): readonly string[] => got.get(key) ?? [];

/** A file's text without blanks around it; undefined where there is none, as Ansible takes one that is empty. */
export function fileText(got: Collected, path: string): string | undefined {
  const text = all(got, path).join("\n").trim();
  return text === "" ? undefined : text;
}

/** Text that travelled as base64. */
export const decoded = (text: string): string => Buffer.from(text, "base64").toString("utf8");
