import type { Value, Vars } from "../playbook/types.js";
import { bit, flag, given, text } from "./args.js";
import { call } from "./fragments.js";
import { ArgumentError, type TaskModule } from "./types.js";

/** Their fields are parted by colons; those of all others by blanks. */
const COLON = ["passwd", "shadow", "group", "gshadow"];

/** Lines by their first field; where several have the same, a list of them. */
export function entries(told: string, split: string | undefined): Vars {
  const found: Record<string, string[][]> = {};
  for (const line of told.split("\n")) {
    if (line === "") continue;
    const [key = "", ...rest] = split === undefined ? line.trim().split(/\s+/) : line.split(split);
    found[key] = [...(found[key] ?? []), rest];
  }
  return Object.fromEntries(
    Object.entries(found).map(([key, all]): [string, Value] => [key, all.length > 1 ? all : (all[0] ?? [])]),
  );
}

/** ansible.builtin.getent */
export const getent: TaskModule = {
  spec: {
    name: "getent",
    args: {
      database: { type: "str", required: true },
      key: { type: "str" },
      service: { type: "str" },
      split: { type: "str" },
      fail_key: { type: "bool", default: true },
    },
  },
  returns: { ansible_facts: "known" },
  build(args) {
    const database = text(args, "database");
    if (!/^[a-z]+$/.test(database))
      throw new ArgumentError(`${JSON.stringify(database)} is no database of getent`, "database");
    const split = given(args, "split") ? text(args, "split") : COLON.includes(database) ? ":" : undefined;
    if (split === "") throw new ArgumentError("split is empty", "split");
    const name = `getent_${database}`;
    const key = given(args, "key") ? [text(args, "key")] : [];
    const read = (told: string): Vars => ({
      ansible_facts: { [name]: told === "" && key[0] !== undefined ? { [key[0]]: null } : entries(told, split) },
    });
    return {
      shell: call("m_getent", text(args, "service"), bit(flag(args, "fail_key")), database, ...key),
      libs: ["getent"],
      tells: { facts: [name], read },
    };
  },
};
