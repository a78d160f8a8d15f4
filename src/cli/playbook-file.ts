import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { moduleCatalog } from "../modules/registry.js";
import type { LoadOptions } from "../playbook/load-context.js";
import { type Playbook, type PlayNode, partsOf } from "../playbook/types.js";
import { InputError } from "../util/errors.js";
import { didYouMean } from "../util/suggest.js";

/** undefined when there is no such file. */
export function textOf(path: string): string | undefined {
  return existsSync(path) && !statSync(path).isDirectory() ? readFileSync(path, "utf8") : undefined;
}

/** How playbooks are read from this machine's disk; roles are where Ansible looks for them. */
export const fromDisk: LoadOptions = {
  catalog: moduleCatalog,
  readFile: textOf,
  listFolder: (path) => (existsSync(path) && statSync(path).isDirectory() ? readdirSync(path) : undefined),
  rolePaths: [join(homedir(), ".ansible/roles"), "/usr/share/ansible/roles", "/etc/ansible/roles"],
};

/** The words of --tags and --skip-tags. */
export function tagWords(text: string | undefined): string[] {
  return (text ?? "")
    .split(",")
    .map((word) => word.trim())
    .filter((word) => word !== "");
}

/** Tags that no task has, and that ansible-playbook would pass over in silence. */
const TAG_WORDS = ["all", "always", "never", "tagged", "untagged"];

/** @throws InputError for a tag that no task has */
export function checkTags({ plays }: Playbook, asked: readonly string[], flag: string): void {
  if (asked.length === 0) return;
  // What a host decides to include may have any tag.
  let open = false;
  const walk = (nodes: readonly PlayNode[]): string[] =>
    nodes.flatMap((node) => {
      if (node.kind === "block") return walk(partsOf(node));
      if (node.kind === "task") return node.tags;
      open ||= node.known === undefined;
      return [...node.task.tags, ...walk(node.known ?? [])];
    });
  const known = [...new Set(plays.flatMap((play) => [play.preTasks, play.tasks, play.postTasks].flatMap(walk)))];
  for (const tag of asked) {
    if (open || known.includes(tag) || TAG_WORDS.includes(tag)) continue;
    throw new InputError("E_UNKNOWN_TAG", `${flag}: no task has the tag "${tag}"`, {
      hint: didYouMean(tag, known) ?? (known.length === 0 ? "No task has a tag." : `The tags are ${known.join(", ")}.`),
    });
  }
}
