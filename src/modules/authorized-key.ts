import type { Vars } from "../playbook/types.js";
import { type Args, bit, flag, given, text } from "./args.js";
import { call, quote } from "./fragments.js";
import { ArgumentError, type TaskModule } from "./types.js";

/** sshd(8), AUTHORIZED_KEYS FILE FORMAT, and their certificates. */
const TYPES = (
  "sk-ecdsa-sha2-nistp256@openssh.com sk-ecdsa-sha2-nistp256-cert-v01@openssh.com webauthn-sk-ecdsa-sha2-nistp256@openssh.com " +
  "ecdsa-sha2-nistp256 ecdsa-sha2-nistp256-cert-v01@openssh.com ecdsa-sha2-nistp384 ecdsa-sha2-nistp384-cert-v01@openssh.com " +
  "ecdsa-sha2-nistp521 ecdsa-sha2-nistp521-cert-v01@openssh.com sk-ssh-ed25519@openssh.com sk-ssh-ed25519-cert-v01@openssh.com " +
  "ssh-ed25519 ssh-ed25519-cert-v01@openssh.com ssh-dss ssh-rsa ssh-xmss@openssh.com ssh-xmss-cert-v01@openssh.com " +
  "rsa-sha2-256 rsa-sha2-512 ssh-rsa-cert-v01@openssh.com rsa-sha2-256-cert-v01@openssh.com rsa-sha2-512-cert-v01@openssh.com " +
  "ssh-dss-cert-v01@openssh.com"
).split(" ");

/** The lines of keys as they are written. */
function lines(args: Args): string[] {
  const source = text(args, "key");
  if (source.startsWith("http")) {
    throw new ArgumentError("key is an address: get it by uri with return_content, and give r.content", "key");
  }
  return source
    .split(/\r?\n/)
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const parts = line.replaceAll("\\#", "#").trim().split(/\s+/);
      const at = parts.findIndex((part) => TYPES.includes(part));
      const [type, key] = [parts[at], parts[at + 1]];
      if (at < 0 || type === undefined || key === undefined) {
        throw new ArgumentError(`invalid key specified: ${line.slice(0, 60)}`, "key");
      }
      const options = given(args, "key_options") ? text(args, "key_options") : parts.slice(0, at).join(" ");
      const comment = given(args, "comment") ? text(args, "comment") : parts.slice(at + 2).join(" ");
      if (/[\r\n]/.test(options + comment)) throw new ArgumentError("a key is one line", "key");
      return `${options === "" ? "" : `${options} `}${type} ${key} ${comment}`;
    });
}

/** ansible.posix.authorized_key */
export const authorizedKey: TaskModule = {
  spec: {
    name: "authorized_key",
    args: {
      user: { type: "str", required: true },
      key: { type: "str", required: true },
      path: { type: "path" },
      manage_dir: { type: "bool", default: true },
      state: { type: "str", choices: ["present", "absent"], default: "present" },
      key_options: { type: "str" },
      exclusive: { type: "bool", default: false },
      comment: { type: "str" },
      follow: { type: "bool", default: false },
      validate_certs: { type: "bool", default: true },
    },
  },
  returns: { keyfile: "str", user: "known", state: "str", exclusive: "known", key: "known" },
  build(args, context) {
    const user = text(args, "user");
    if (!/^[a-zA-Z0-9_][a-zA-Z0-9_.-]*\$?$/.test(user)) throw new ArgumentError(`${user} is no account name`, "user");
    const path = text(args, "path");
    if (path !== "" && !path.startsWith("/")) throw new ArgumentError("path is not absolute", "path");
    const switches = [bit(flag(args, "manage_dir")), text(args, "state")];
    const more = [bit(flag(args, "exclusive")), bit(flag(args, "follow"))];
    const shell = `AKT=${quote(TYPES.join(" "))}\n${call("m_authkey", user, path, ...switches, ...more, ...lines(args))}`;
    if (!context.wantsResult) return { shell, libs: ["put", "authkey"] };
    const result: Vars = { user, key: text(args, "key"), exclusive: flag(args, "exclusive") };
    const tells = { read: () => result };
    if (path === "") return { shell: `${shell}R_state=${text(args, "state")}\n`, libs: ["put", "authkey"], tells };
    // As beside all results of Ansible that name a path, `state` is the path's.
    return { shell: shell + call("akstate", path), libs: ["put", "authkey", "pathinfo"], tells };
  },
};

/** The name that Ansible gives to the file of a line: its address in words. */
function fileName(source: string): string {
  const [address = ""] = source
    .replace(/\[[^\]]+\]/g, "")
    .replace(/\w+:\/\//g, "")
    .split(/\s+/)
    .filter((part) => part !== "" && !["deb", "deb-src"].includes(part));
  const bare = address.includes("@") ? address.replace(/^[^@]*@/, "") : address;
  return bare
    .replace(/[^a-zA-Z0-9]/g, " ")
    .split(/\s+/)
    .filter((part) => part !== "")
    .join("_");
}

/** ansible.builtin.apt_repository, without Launchpad's archives. */
export const aptRepository: TaskModule = {
  spec: {
    name: "apt_repository",
    args: {
      repo: { type: "str", required: true },
      state: { type: "str", choices: ["present", "absent"], default: "present" },
      mode: { type: "mode" },
      filename: { type: "str" },
      update_cache: { type: "bool", default: true, aliases: ["update-cache"] },
      update_cache_retries: { type: "int", default: 5 },
      update_cache_retry_max_delay: { type: "int", default: 12 },
      install_python_apt: { type: "bool", default: true },
      validate_certs: { type: "bool", default: true },
    },
    refused: { codename: "It is for Launchpad's archives (ppa:), which need Python: write the whole line." },
  },
  returns: { repo: "known", state: "known" },
  build(args, context) {
    const repo = text(args, "repo");
    if (repo.startsWith("ppa:")) {
      throw new ArgumentError(
        "a ppa: is looked up at Launchpad: write the whole line, with signed-by= its key",
        "repo",
      );
    }
    const line = repo.trim().split(/\s+/).join(" ");
    if (!/^deb(-src)? \S/.test(line) || line.includes("#")) {
      throw new ArgumentError(`Invalid repository string: ${repo}`, "repo");
    }
    const named = given(args, "filename") ? text(args, "filename") : fileName(line);
    const file = `${named.includes("/") ? "" : "/etc/apt/sources.list.d/"}${named}.list`;
    if (!file.startsWith("/") || /[\n]/.test(file))
      throw new ArgumentError("filename is no name of a file", "filename");
    const mode = given(args, "mode") ? text(args, "mode") : "644";
    const state = text(args, "state");
    const update = bit(flag(args, "update_cache"));
    const tries = `UR=${quote(text(args, "update_cache_retries"))} UD=${quote(text(args, "update_cache_retry_max_delay"))}\n`;
    return {
      shell: `${tries}${call("m_aptrepo", line, state, file, mode, update)}unset UR UD\n`,
      libs: ["put", "apt", "aptrepo"],
      ...(context.wantsResult ? { tells: { read: () => ({ repo, state }) } } : {}),
    };
  },
};
