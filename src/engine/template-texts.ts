import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Play, PlayNode, TaskNode } from "../playbook/types.js";
import { partsOf } from "../playbook/types.js";
import { searchPath } from "./task-scope.js";

/** A larger file is not looked into. Bytes. */
const MAX_TEXT = 1 << 20;
const INCLUDES = /\{%[-+]?\s*(?:include|import|extends|from)\b/;

/**
 * The texts of all files that the template tasks of plays may render.
 * @returns undefined where that cannot be told before the tasks have their turn
 */
export function templateTexts(plays: readonly Play[]): string[] | undefined {
  const files = new Set<string>();
  const folders = new Map<string, readonly string[]>();
  const known = plays.every((play) =>
    [play.preTasks, play.tasks, play.postTasks, play.handlers].every((nodes) => addFiles(files, folders, play, nodes)),
  );
  if (!known) return undefined;
  const texts: string[] = [];
  for (const file of files) {
    const text = templateText(file);
    if (text === undefined || INCLUDES.test(text)) return undefined;
    texts.push(text);
  }
  return texts;
}

/** Names in folders, as far as they were asked for. */
type Folders = Map<string, readonly string[]>;

function addFiles(files: Set<string>, folders: Folders, play: Play, nodes: readonly PlayNode[]): boolean {
  return nodes.every((node) => {
    if (node.kind === "block") return addFiles(files, folders, play, partsOf(node));
    if (node.kind === "include") return node.known !== undefined && addFiles(files, folders, play, node.known);
    const found = node.module === "template" ? templateFiles(node, play, folders) : [];
    for (const file of found ?? []) files.add(file);
    return found !== undefined;
  });
}

/**
 * The places of the files that a task's `src` may name: of one whose name is partly a template, all that it fits.
 * @returns undefined where that cannot be told before the task has its turn
 */
export function templateFiles(node: TaskNode, play: Play, folders: Folders = new Map()): string[] | undefined {
  const src = node.args.src?.value;
  if (typeof src !== "string") return undefined;
  const parts = src.replace(/\{\{.*?\}\}/gs, "\0").split("/");
  const name = parts.pop() ?? "";
  const folder = parts.join("/");
  if (folder.includes("\0") || /^\0*$/.test(name)) return undefined;
  const places = searchPath(node, play).flatMap((directory) => [
    resolve(directory, "templates", folder),
    resolve(directory, folder),
  ]);
  if (!name.includes("\0")) return places.map((place) => join(place, name));
  const fits = new RegExp(`^${name.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&").replaceAll("\0", ".*")}$`);
  return places.flatMap((place) => {
    const entries = folders.get(place) ?? listed(place);
    folders.set(place, entries);
    return entries.filter((entry) => fits.test(entry)).map((entry) => join(place, entry));
  });
}

function listed(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** @returns undefined for one that is too large; nothing where there is no file */
export function templateText(file: string): string | undefined {
  const stats = statSync(file, { throwIfNoEntry: false });
  if (stats?.isFile() !== true) return "";
  return stats.size > MAX_TEXT ? undefined : readFileSync(file, "utf8");
}
