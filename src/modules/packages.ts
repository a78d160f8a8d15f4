import { bit, flag, list, text } from "./args.js";
import { call } from "./fragments.js";
import { ArgumentError, type TaskModule } from "./types.js";

const PACKAGE_NAME = /^[a-z0-9][a-z0-9+.-]*(:[a-z0-9-]+)?(=[A-Za-z0-9.+~:*-]+)?$/;

const build: TaskModule["build"] = (args) => {
  const names = list(args, "name").filter((name) => name !== "");
  for (const name of names) {
    if (!PACKAGE_NAME.test(name)) throw new ArgumentError(`${JSON.stringify(name)} is no package name`, "name");
  }
  const state = { installed: "present", removed: "absent" }[text(args, "state")] ?? text(args, "state");
  const recommends = args.install_recommends;
  const valid = Number(args.cache_valid_time ?? 0);
  const update = flag(args, "update_cache") || valid > 0;
  if (names.length === 0) {
    return { shell: update ? call("m_aptlists", String(valid)) : call("fine", "nothing asked"), libs: ["apt"] };
  }
  if (state === "absent") {
    return { shell: call("m_aptrm", bit(flag(args, "purge")), bit(flag(args, "autoremove")), ...names), libs: ["apt"] };
  }
  const option =
    recommends === undefined ? "" : recommends === true ? "--install-recommends" : "--no-install-recommends";
  const name = state === "latest" ? "m_aptnew" : "m_apt";
  return { shell: call(name, bit(update), String(valid), option, ...names), libs: ["apt"] };
};

/** ansible.builtin.apt, without deb files, upgrades and pinning switches. */
export const apt: TaskModule = {
  spec: {
    name: "apt",
    args: {
      name: { type: "list", aliases: ["package", "pkg"] },
      state: { type: "str", choices: ["present", "absent", "latest", "installed", "removed"], default: "present" },
      update_cache: { type: "bool", default: false, aliases: ["update-cache"] },
      cache_valid_time: { type: "int", default: 0 },
      install_recommends: { type: "bool", aliases: ["install-recommends"] },
      purge: { type: "bool", default: false },
      autoremove: { type: "bool", default: false },
      lock_timeout: { type: "int" },
    },
  },
  returns: {},
  build,
};

/** ansible.builtin.package on Debian's family. */
export const packageModule: TaskModule = {
  spec: {
    name: "package",
    args: {
      name: { type: "list", required: true },
      state: { type: "str", choices: ["present", "absent", "latest", "installed", "removed"], required: true },
      use: { type: "str" },
    },
  },
  returns: {},
  build,
};
