import type { ArgSpec } from "../playbook/types.js";
import { type Args, bit, flag, given, list, text } from "./args.js";
import { call, quote } from "./fragments.js";
import { ArgumentError, type LibName, type ModuleCall, type ModuleContext, type TaskModule } from "./types.js";

const PACKAGE_NAME = /^[a-z0-9][a-z0-9+.-]*(:[a-z0-9-]+)?(>?=[A-Za-z0-9.+~:*?-]+)?$/;
/** A shell pattern for names, as Python's fnmatch reads it. */
const PATTERN = /^[a-z0-9*?[\]!+.-]+$/;
/** Words that come into a command line with others. */
const RELEASE = /^[A-Za-z0-9.+~*_=,/-]+$/;
const DPKG_OPTIONS = /^[a-z0-9,=-]+$/;
const DPKG_DEFAULT = "force-confdef,force-confold";
const DEB = /^(\/|[a-z]+:\/\/)[^\s*?[\]'"\\$`;&|<>()]+$/;

const isPattern = (name: string) => /^[^=>]*[*?[\]!]/.test(name);

/** `apt*` as an extended regular expression. */
function regexOf(pattern: string): string {
  return pattern
    .replace(/[.+]/g, "\\$&")
    .replaceAll("*", ".*")
    .replace(/(?<!\\)\?/g, ".")
    .replaceAll("[!", "[^");
}

function packageNames(args: Args): string[] {
  const names = list(args, "name")
    .map((name) => name.trim())
    .filter((name) => name !== "" && name !== "*");
  for (const name of names) {
    if (PACKAGE_NAME.test(name) || (isPattern(name) && PATTERN.test(name))) continue;
    const why = isPattern(name) && name.includes("=") ? ": a pattern takes no version" : "";
    throw new ArgumentError(`${JSON.stringify(name)} is no package name${why}`, "name");
  }
  return names;
}

/** apt-get's options that several of its commands take. */
function options(args: Args, names: readonly (keyof typeof OPTIONS)[]): string {
  const words: string[] = names.filter((name) => flag(args, name)).map((name) => OPTIONS[name]);
  const release = text(args, "default_release");
  if (release !== "") {
    if (!RELEASE.test(release)) throw new ArgumentError("default_release is no name of a release", "default_release");
    words.push(`-t ${release}`);
  }
  return words.join(" ");
}

const OPTIONS = {
  only_upgrade: "--only-upgrade",
  fixed: "--fix-broken",
  force: "--force-yes",
  autoremove: "--auto-remove",
  fail_on_autoremove: "--no-remove",
  allow_unauthenticated: "--allow-unauthenticated",
  allow_downgrade: "--allow-downgrades",
  allow_change_held_packages: "--allow-change-held-packages",
} as const;

/** What an earlier call has left. */
const CLEAR = "unset R_msg R_stdout R_stderr R_cache_updated R_cache_update_time\n";

/** Variables around a call, and what they need. */
function around(args: Args, context: ModuleContext, shell: string, libs: readonly LibName[]): ModuleCall {
  const set: [string, string][] = [];
  const dpkg = text(args, "dpkg_options");
  if (!DPKG_OPTIONS.test(dpkg)) throw new ArgumentError("dpkg_options are no names of options", "dpkg_options");
  if (dpkg !== DPKG_DEFAULT) {
    const words = dpkg.split(",").map((option) => `-o Dpkg::Options::=--${option}`);
    set.push(["DO", words.join(" ")]);
  }
  if (given(args, "policy_rc_d")) set.push(["PRE", `rcd ${text(args, "policy_rc_d")}`]);
  if (given(args, "update_cache_retries")) set.push(["UR", text(args, "update_cache_retries")]);
  if (given(args, "update_cache_retry_max_delay")) set.push(["UD", text(args, "update_cache_retry_max_delay")]);
  if (list(args, "name").some((name) => name.includes("="))) set.push(["VB", "aptver"]);
  // What newer lists bring is not known before.
  const looks = !flag(args, "update_cache") && text(args, "cache_valid_time") === "0";
  if (/m_apt(new|rm)? /.test(shell) && (looks || context.wantsResult || context.wantDiff)) set.push(["SIM", "aptsim"]);
  if (flag(args, "only_upgrade")) set.push(["UP", "1"]);
  if (flag(args, "force_apt_get")) set.push(["AG", "1"]);
  const wipe = flag(args, "clean") ? "m_aptwipe\n" : "";
  const more = wipe !== "" || libs.includes("aptmore") || set.some(([name]) => name === "PRE" || name === "VB");
  return {
    shell:
      (context.wantsResult ? CLEAR : "") +
      wipe +
      set.map(([name, value]) => `${name}=${quote(value)}\n`).join("") +
      shell +
      (set.length === 0 ? "" : `unset ${set.map(([name]) => name).join(" ")}\n`),
    libs: more ? ["apt", "aptmore"] : ["apt"],
  };
}

const INSTALLING = [
  "only_upgrade",
  "fixed",
  "force",
  "autoremove",
  "fail_on_autoremove",
  "allow_unauthenticated",
  "allow_downgrade",
  "allow_change_held_packages",
] as const;

function installOptions(args: Args): string {
  const recommends = args.install_recommends;
  const words = [options({ ...args, fixed: text(args, "state") === "fixed" }, INSTALLING)];
  if (recommends !== undefined) words.push(recommends === true ? "--install-recommends" : "--no-install-recommends");
  return words.filter((word) => word !== "").join(" ");
}

/** Behind a call whose result is kept: when the lists were made. */
const when = (context: ModuleContext) => (context.wantsResult ? "aptwhen\n" : "");

/** What is done to named packages. */
function named(args: Args, names: readonly string[], context: ModuleContext): ModuleCall {
  const state = text(args, "state");
  const plain = names.filter((name) => !isPattern(name));
  const patterns = names.filter(isPattern);
  const libs: LibName[] = patterns.length > 0 || state === "build-dep" ? ["apt", "aptmore"] : ["apt"];
  const withPatterns = (...words: string[]) => {
    if (patterns.length === 0) return call(...(words as [string]), ...plain);
    const globs = patterns.map((pattern) => call("aptglob", regexOf(pattern), pattern).trimEnd());
    return `if ${globs.join(" && ")}; then\n${call("m_aptg", ...words, ...plain)}fi\n`;
  };
  const valid = text(args, "cache_valid_time");
  const update = bit(flag(args, "update_cache") || valid !== "0");
  if (state === "absent") {
    return around(
      args,
      context,
      withPatterns("m_aptrm", bit(flag(args, "purge")), options(args, ["force", "autoremove"])),
      libs,
    );
  }
  if (state === "build-dep") {
    if (patterns.length > 0) throw new ArgumentError("build-dep takes no patterns", "name");
    return around(args, context, call("m_aptdep", installOptions({ ...args, autoremove: false }), ...plain), libs);
  }
  const name = state === "latest" ? "m_aptnew" : "m_apt";
  return around(args, context, withPatterns(name, update, valid, installOptions(args)) + when(context), libs);
}

/** deb: files, or addresses, parted by commas. */
function debs(args: Args, context: ModuleContext): ModuleCall {
  const files = text(args, "deb").split(",");
  for (const file of files) {
    if (!DEB.test(file))
      throw new ArgumentError(`deb: ${JSON.stringify(file)} is no absolute path and no address`, "deb");
  }
  if (text(args, "state") !== "present") throw new ArgumentError("deb only supports state=present", "state");
  return around(args, context, call("m_aptdeb", installOptions(args), ...files), ["apt", "aptmore"]);
}

function build(args: Args, context: ModuleContext): ModuleCall {
  const names = packageNames(args);
  const all = list(args, "name").some((name) => name.trim() === "*");
  const valid = text(args, "cache_valid_time");
  const update = flag(args, "update_cache") || valid !== "0";
  const several = [given(args, "deb"), given(args, "name"), given(args, "upgrade")].filter(Boolean).length > 1;
  if (several) throw new ArgumentError("deb, name and upgrade exclude each other");
  const mode = text(args, "upgrade");
  const latestOfAll = text(args, "state") === "latest" && all;
  if (latestOfAll && names.length > 0) {
    throw new ArgumentError("unable to install additional packages when upgrading all installed packages", "name");
  }
  if (latestOfAll || (mode !== "" && mode !== "no")) {
    const words = options(args, ["force", "fail_on_autoremove", "allow_unauthenticated", "allow_downgrade"]);
    const auto = flag(args, "autoremove") ? "--auto-remove" : "";
    const how = latestOfAll ? "yes" : mode;
    return around(args, context, call("m_aptupg", how, bit(update), valid, words, auto), ["apt", "aptmore"]);
  }
  if (given(args, "deb")) return debs(args, context);
  if (names.length > 0) return named(args, names, context);
  if (update && !given(args, "name")) return around(args, context, call("m_aptlists", valid), ["apt"]);
  for (const verb of ["autoclean", "autoremove"]) {
    if (!flag(args, verb)) continue;
    const words = [flag(args, "purge") ? "--purge" : "", options(args, ["force"])].filter((word) => word !== "");
    return around(args, context, call("m_aptclean", verb, words.join(" ")), ["apt", "aptmore"]);
  }
  return around(args, context, call("fine", "nothing asked"), []);
}

const aptArgs = {
  name: { type: "list", aliases: ["package", "pkg"] },
  state: { type: "str", choices: ["present", "absent", "latest", "build-dep", "fixed"], default: "present" },
  update_cache: { type: "bool", default: false, aliases: ["update-cache"] },
  update_cache_retries: { type: "int" },
  update_cache_retry_max_delay: { type: "int" },
  cache_valid_time: { type: "int", default: 0 },
  purge: { type: "bool", default: false },
  deb: { type: "path" },
  default_release: { type: "str", aliases: ["default-release"] },
  install_recommends: { type: "bool", aliases: ["install-recommends"] },
  force: { type: "bool", default: false },
  upgrade: { type: "str", choices: ["dist", "full", "no", "safe", "yes"] },
  dpkg_options: { type: "str", default: DPKG_DEFAULT },
  autoremove: { type: "bool", default: false },
  autoclean: { type: "bool", default: false },
  fail_on_autoremove: { type: "bool", default: false },
  policy_rc_d: { type: "int" },
  only_upgrade: { type: "bool", default: false },
  force_apt_get: { type: "bool", default: false },
  clean: { type: "bool", default: false },
  allow_unauthenticated: { type: "bool", default: false, aliases: ["allow-unauthenticated"] },
  allow_downgrade: {
    type: "bool",
    default: false,
    aliases: ["allow-downgrade", "allow_downgrades", "allow-downgrades"],
  },
  allow_change_held_packages: { type: "bool", default: false },
  lock_timeout: { type: "int" },
} as const satisfies Record<string, ArgSpec>;

const returns = { msg: "str", stdout: "str", stderr: "str", cache_updated: "bool", cache_update_time: "int" } as const;

/** ansible.builtin.apt */
export const apt: TaskModule = { spec: { name: "apt", args: aptArgs }, returns, build };

/** ansible.builtin.package on Debian's family, which hands its arguments to apt. */
export const packageModule: TaskModule = {
  spec: {
    name: "package",
    args: {
      ...aptArgs,
      name: { ...aptArgs.name, required: true },
      state: { ...aptArgs.state, required: true },
      use: { type: "str", choices: ["apt", "auto"] },
    },
  },
  returns,
  build,
};
