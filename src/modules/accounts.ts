import { type Args, bit, flag, given, list, text } from "./args.js";
import { call, quote } from "./fragments.js";
import { ArgumentError, type ModuleCall, type ModuleContext, type TaskModule } from "./types.js";

const ACCOUNT_NAME = /^[a-zA-Z_][a-zA-Z0-9_.-]*\$?$/;
/** Words that come into useradd's command line with others. */
const PLAIN_PATH = /^\/[A-Za-z0-9/._+@%=,-]*$/;
/** Seconds. */
const DAY = 86400;

function accountName(name: string): string {
  if (!ACCOUNT_NAME.test(name)) throw new ArgumentError(`${JSON.stringify(name)} is no account name`, "name");
  return name;
}

const groupName = (name: string): string => (/^\d+$/.test(name) ? name : accountName(name));
const word = (args: Args, name: string): string => String(flag(args, name));

const LIBUSER = "It is for hosts with libuser's commands, which Debian does not install: leave it out.";

/** ansible.builtin.group */
export const group: TaskModule = {
  spec: {
    name: "group",
    args: {
      name: { type: "str", required: true },
      state: { type: "str", choices: ["present", "absent"], default: "present" },
      gid: { type: "int" },
      system: { type: "bool", default: false },
      non_unique: { type: "bool", default: false },
    },
    refused: { local: LIBUSER },
  },
  returns: { name: "str", state: "str", gid: "int", system: "bool" },
  build(args, context) {
    if (flag(args, "non_unique") && !given(args, "gid")) throw new ArgumentError("non_unique needs gid", "non_unique");
    const name = accountName(text(args, "name"));
    const words = [name, text(args, "state"), text(args, "gid"), bit(flag(args, "system"))];
    if (flag(args, "non_unique")) words.push("-o");
    const result = context.wantsResult ? call("grpres", name, text(args, "state"), word(args, "system")) : "";
    return { shell: call("m_group", ...words) + result, libs: ["group"] };
  },
};

/** What useradd takes besides the words of m_user. */
function creation(args: Args): string {
  const words: string[] = [];
  if (flag(args, "create_home")) {
    if (given(args, "skeleton")) {
      const path = text(args, "skeleton");
      if (!PLAIN_PATH.test(path)) throw new ArgumentError("skeleton is no plain absolute path", "skeleton");
      words.push(`-k ${path}`);
    }
    if (given(args, "umask")) {
      if (!/^[0-7]{1,4}$/.test(text(args, "umask"))) throw new ArgumentError("umask is no octal number", "umask");
      words.push(`-K UMASK=${text(args, "umask")}`);
    }
  }
  if (given(args, "expires") && Number(args.expires) >= 0) words.push(`-e ${expiry(args)}`);
  return words.join(" ");
}

const expiry = (args: Args): string => new Date(Number(args.expires) * 1000).toISOString().slice(0, 10);

/** Whatever is asked for of a user who was there. */
function changes(args: Args, name: string, joined: string): string {
  const password = text(args, "password");
  let shell = "";
  if (given(args, "comment") && text(args, "comment") === "") shell += call("m_nocomment", name);
  if (joined !== "") shell += call("m_groups", name, joined, bit(flag(args, "append")));
  if (given(args, "expires")) {
    const never = Number(args.expires) < 0;
    const day = never ? "-1" : String(Math.floor(Number(args.expires) / DAY));
    shell += call("m_expire", name, day, never ? "" : expiry(args));
  }
  const lock = given(args, "password_lock") ? flag(args, "password_lock") : undefined;
  if (password !== "" && text(args, "update_password") === "always") {
    shell += call("m_password", name, lock === true ? `!${password}` : password);
  }
  if (lock === true) shell += call("m_passlock", name);
  if (lock === false) shell += call("m_passopen", name);
  if (given(args, "password_expire_min") || given(args, "password_expire_max")) {
    shell += call("m_chage", name, text(args, "password_expire_min"), text(args, "password_expire_max"));
  }
  return shell;
}

function sshKey(args: Args, name: string): string {
  if (!flag(args, "generate_ssh_key")) return "";
  const type = text(args, "ssh_key_type");
  const file = given(args, "ssh_key_file") ? text(args, "ssh_key_file") : `.ssh/id_${type}`;
  const bits = Number(args.ssh_key_bits) > 0 ? text(args, "ssh_key_bits") : "";
  return call("m_sshkey", name, file, type, bits, text(args, "ssh_key_comment"), bit(flag(args, "force")));
}

function userResult(args: Args, name: string, joined: string, { wantsResult }: ModuleContext): string {
  if (!wantsResult) return "";
  const words = ["system", "create_home", "append", "move_home"].map((option) => word(args, option));
  const ends = [bit(given(args, "password")), joined, word(args, "remove"), word(args, "force")];
  if (flag(args, "generate_ssh_key")) ends.push("1");
  return call("userres", name, text(args, "state"), ...words, ...ends);
}

function buildUser(args: Args, context: ModuleContext): ModuleCall {
  const groups = list(args, "groups")
    .filter((name) => name !== "")
    .map((name) => name.trim());
  const given_ = text(args, "password");
  if (/[:\n]/.test(given_)) throw new ArgumentError("password is no crypt(3) hash", "password");
  const name = accountName(text(args, "name"));
  const joined = given(args, "groups") ? groups.map(groupName).join(",") || "-" : "";
  const told = groups.length === 0 ? joined : list(args, "groups").join(",");
  const result = userResult(args, name, told, context);
  if (text(args, "state") === "absent") {
    const words = [bit(flag(args, "remove")), ...(flag(args, "force") ? ["1"] : [])];
    return { shell: call("m_userrm", name, ...words) + result, libs: ["user"] };
  }
  const password = given_ !== "" && flag(args, "password_lock") ? `!${given_}` : given_;
  const main = call(
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
  const more = creation(args);
  const unique = flag(args, "non_unique") ? "UO=-o\n" : "";
  const set = unique + (more === "" ? "" : `UX=${quote(more)}\n`);
  const unset = set === "" ? "" : "unset UO UX\n";
  return { shell: set + main + unset + changes(args, name, joined) + sshKey(args, name) + result, libs: ["user"] };
}

/** ansible.builtin.user; `password` is a crypt(3) hash. */
export const user: TaskModule = {
  spec: {
    name: "user",
    args: {
      name: { type: "str", required: true, aliases: ["user"] },
      state: { type: "str", choices: ["present", "absent"], default: "present" },
      uid: { type: "int" },
      non_unique: { type: "bool", default: false },
      group: { type: "str" },
      groups: { type: "list" },
      append: { type: "bool", default: false },
      shell: { type: "path" },
      home: { type: "path" },
      create_home: { type: "bool", default: true, aliases: ["createhome"] },
      move_home: { type: "bool", default: false },
      skeleton: { type: "str" },
      umask: { type: "str" },
      system: { type: "bool", default: false },
      comment: { type: "str" },
      expires: { type: "float" },
      password: { type: "str" },
      password_lock: { type: "bool" },
      update_password: { type: "str", choices: ["always", "on_create"], default: "always" },
      password_expire_max: { type: "int" },
      password_expire_min: { type: "int" },
      generate_ssh_key: { type: "bool", default: false },
      ssh_key_bits: { type: "int", default: 0 },
      ssh_key_type: { type: "str", default: "rsa" },
      ssh_key_file: { type: "path" },
      ssh_key_comment: { type: "str" },
      remove: { type: "bool", default: false },
      force: { type: "bool", default: false },
    },
    refused: {
      local: LIBUSER,
      ssh_key_passphrase: "It would stand on a command line of the host: make the key elsewhere and copy it.",
      seuser: "It is for SELinux.",
      hidden: "It is for macOS.",
      login_class: "It is for BSD.",
      profile: "It is for Solaris.",
      authorization: "It is for Solaris.",
      role: "It is for Solaris.",
    },
  },
  returns: {
    name: "str",
    state: "str",
    uid: "int",
    group: "int",
    comment: "str",
    home: "str",
    shell: "str",
    groups: "str",
    system: "bool",
    create_home: "bool",
    append: "bool",
    move_home: "bool",
    password: "str",
    remove: "bool",
    force: "bool",
    ssh_fingerprint: "str",
    ssh_key_file: "str",
    ssh_public_key: "str",
  },
  build: buildUser,
};
