import { readFileSync, readlinkSync, statSync } from "node:fs";
import { hostname } from "node:os";
import { posix } from "node:path";
import type { Value } from "../playbook/types.js";

/** More links than that lead in a circle. */
const MAX_LINKS = 40;

/** Python's os.path.realpath: what does not exist keeps its name. */
export function realPath(path: string): string {
  let links = 0;
  const follow = (from: string, names: readonly string[]): string => {
    let at = from;
    for (const [index, name] of names.entries()) {
      if (name === "" || name === ".") continue;
      if (name === "..") {
        at = posix.dirname(at);
        continue;
      }
      const next = posix.join(at, name);
      let target: string | undefined;
      try {
        target = readlinkSync(next);
      } catch {
        // no link
      }
      if (target !== undefined && links++ < MAX_LINKS) {
        const base = follow(target.startsWith("/") ? "/" : at, target.split("/"));
        return follow(base, names.slice(index + 1));
      }
      at = next;
    }
    return at;
  };
  return follow(path.startsWith("/") ? "/" : process.cwd(), path.split("/"));
}

let users: ReadonlyMap<number, string> | undefined;

/** A user's name, or the number of one who has none. */
function userName(uid: number): string {
  users ??= new Map(
    readFileSync("/etc/passwd", "utf8")
      .split("\n")
      .map((line) => line.split(":"))
      .map(([name = "", , id = ""]) => [Number(id), name]),
  );
  return users.get(uid) ?? String(uid);
}

/**
 * What Ansible tells a template of itself; its times are left out, for they would make each run a change.
 * @param name as the task or lookup has it
 * @param path the whole path of the file
 * @param dest where the module writes it
 */
export function templateVars(name: string, path: string, dest: string | null = null): Record<string, Value> {
  return {
    ansible_managed: "Ansible managed",
    template_path: name,
    template_fullpath: path,
    template_destpath: dest,
    template_host: hostname(),
    template_uid: userName(statSync(path).uid),
  };
}
