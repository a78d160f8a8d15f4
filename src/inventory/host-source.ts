import { basename, dirname, resolve } from "node:path";
import type { Inventory } from "./types.js";

/** As Ansible: a host is of the file that named it first, and one that no inventory names is of none. */
export function sourceVars(name: string, { hosts }: Pick<Inventory, "hosts">): Readonly<Record<string, string>> {
  const file = hosts.find((host) => host.name === name)?.position.file;
  if (file === undefined) return {};
  return {
    inventory_file: resolve(file),
    inventory_dir: resolve(dirname(file)),
    inventory_basename: basename(file),
  };
}
