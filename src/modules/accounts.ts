import { bit, flag, given, list, text } from "./args.js";
import { call } from "./fragments.js";
import { ArgumentError, type TaskModule } from "./types.js";

const ACCOUNT_NAME = /^[a-zA-Z_][a-zA-Z0-9_.-]*\$?$/;

function accountName(name: string): string {
  if (!ACCOUNT_NAME.test(name)) throw new ArgumentError(`${JSON.stringify(name)} is no account name`, "name");
  return name;
}

/** ansible.builtin.group */
export const group: TaskModule = {
  spec: {
    name: "group",
    args: {
      name: { type: "str", required: true },
      state: { type: "str", choices: ["present", "absent"], default: "present" },
      gid: { type: "int" },
      system: { type: "bool", default: false },
    },
  },
  returns: {},
  build: (args) => ({
    shell: call(
      "m_group",
      accountName(text(args, "name")),
      text(args, "state"),
      text(args, "gid"),
      bit(flag(args, "system")),
    ),
    libs: ["group"],
  }),
};

/** ansible.builtin.user; `password` is a crypt(3) hash. */
export const user: TaskModule = {
  spec: {
    name: "user",
    args: {
      name: { type: "str", required: true, aliases: ["user"] },
      state: { type: "str", choices: ["present", "absent"], default: "present" },
      uid: { type: "int" },
      group: { type: "str" },
      groups: { type: "list" },
      append: { type: "bool", default: false },
      shell: { type: "path" },
      home: { type: "path" },
      create_home: { type: "bool", default: true, aliases: ["createhome"] },
      move_home: { type: "bool", default: false },
      system: { type: "bool", default: false },
      comment: { type: "str" },
      password: { type: "str" },
      password_lock: { type: "bool" },
      update_password: { type: "str", choices: ["always", "on_create"], default: "always" },
      remove: { type: "bool", default: false },
    },
  },
  returns: {},
  build(args) {
    const groups = list(args, "groups").filter((name) => name !== "");
    const password = text(args, "password");
    if (/[:\n]/.test(password)) throw new ArgumentError("password is no crypt(3) hash", "password");
    const name = accountName(text(args, "name"));
    if (text(args, "state") === "absent") {
      return { shell: call("m_userrm", name, bit(flag(args, "remove"))), libs: ["user"] };
    }
    const joined = given(args, "groups") ? groups.map(accountName).join(",") || "-" : "";
    let shell = call(
      "m_user",
      name,
      text(args, "uid"),
      text(args, "group"),
      joined,
      text(args, "shell"),
      text(args, "home"),
      bit(flag(args, "create_home")),
      bit(flag(args, "system")),
      text(args, "comment"),
      bit(flag(args, "move_home")),
      password,
    );
    if (joined !== "") shell += call("m_groups", name, joined, bit(flag(args, "append")));
    if (password !== "" && text(args, "update_password") === "always") shell += call("m_password", name, password);
    if (flag(args, "password_lock")) shell += call("m_passlock", name);
    return { shell, libs: ["user"] };
  },
};
