import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";

/** Deeper nests of Include are a mistake. */
const MAX_DEPTH = 5;

/**
 * Names of `Host` lines of an ssh_config and what it includes. Patterns are no hosts; what a name stands for is OpenSSH's
 * to say (`ssh -G`) once it is connected to.
 */
export function sshConfigNames(file: string, depth = 0): string[] {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    return [];
  }
  return text.split("\n").flatMap((line) => {
    const [, keyword = "", rest = ""] = /^\s*(\w+)\s*[=\s]\s*(.*?)\s*$/.exec(line) ?? [];
    const words = rest.split(/\s+/).map((word) => word.replace(/^"(.*)"$/, "$1"));
    if (/^host$/i.test(keyword)) return words.filter((word) => word !== "" && !/[*?!]/.test(word));
    if (!/^include$/i.test(keyword) || depth >= MAX_DEPTH) return [];
    return words.flatMap((word) => included(word, dirname(file))).flatMap((path) => sshConfigNames(path, depth + 1));
  });
}

/** Files that an Include names: relative to the folder of the configuration, with a `*` in the last part. */
function included(word: string, folder: string): string[] {
  const path = resolve(folder, word.replace(/^~\//, `${process.env.HOME ?? ""}/`));
  if (!basename(path).includes("*")) return [path];
  const pattern = new RegExp(`^${basename(path).split("*").map(literal).join(".*")}$`);
  try {
    return readdirSync(dirname(path))
      .filter((name) => pattern.test(name))
      .sort()
      .map((name) => join(dirname(path), name));
  } catch {
    return [];
  }
}

function literal(text: string): string {
  return text.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&");
}
