import { flag, given, text } from "./args.js";
import { pathReturns } from "./file.js";
import { call } from "./fragments.js";
import { pathWord } from "./path-words.js";
import { ArgumentError, type TaskModule } from "./types.js";

/** ansible.builtin.known_hosts */
export const knownHosts: TaskModule = {
  spec: {
    name: "known_hosts",
    args: {
      name: { type: "str", required: true, aliases: ["host"] },
      key: { type: "str" },
      path: { type: "path", default: "~/.ssh/known_hosts" },
      hash_host: { type: "bool", default: false },
      state: { type: "str", choices: ["absent", "present"], default: "present" },
    },
  },
  returns: { name: "told", key: "told", hash_host: "told", path: "str", ...pathReturns },
  build(args) {
    const host = text(args, "name").toLowerCase();
    const key = text(args, "key").replace(/\n$/, "");
    const state = text(args, "state");
    if (key === "" && state === "present") throw new ArgumentError("No key specified when adding a host", "key");
    if (key !== "" && /\S\s*,/.test(host)) {
      const text =
        "Comma separated list of names is not supported. Please pass a single name to lookup in the known_hosts file.";
      throw new ArgumentError(text, "name");
    }
    if (host.startsWith("-")) throw new ArgumentError(`${host} is no name of a host`, "name");
    if (key.includes("\n")) throw new ArgumentError("a key is one line", "key");
    const words = key.trim().split(/\s+/);
    const at = key.trim().startsWith("@") ? 1 : 0;
    if (key !== "" && words.length < at + 3)
      throw new ArgumentError("a key is a line of known_hosts: NAME TYPE KEY", "key");
    const hash = key !== "" && flag(args, "hash_host");
    if (hash) words[at] = host;
    const line = hash ? words.join(" ") : key;
    const known = {
      name: text(args, "name"),
      key: given(args, "key") ? text(args, "key") : null,
      hash_host: flag(args, "hash_host"),
    };
    const path = pathWord(text(args, "path"));
    return {
      shell: `${call("m_knownhost", host, line, state, hash ? "1" : "").trimEnd()} ${path}\n`,
      libs: ["put", "knownhost", "pathinfo"],
      known,
    };
  },
};
