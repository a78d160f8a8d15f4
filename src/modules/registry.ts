import type { ModuleArgs, ModuleCatalog } from "../playbook/types.js";
import { group, user } from "./accounts.js";
import { assemble } from "./assemble.js";
import { asyncStatus } from "./async-status.js";
import { aptRepository, authorizedKey } from "./authorized-key.js";
import { command, raw, script, shell } from "./command.js";
import { controlModules } from "./control.js";
import { copy, template } from "./copy.js";
import { cron } from "./cron.js";
import { debconf } from "./debconf.js";
import { getUrl, slurp, stat, unarchive } from "./fetch.js";
import { file } from "./file.js";
import { find } from "./find.js";
import { fetch } from "./from-host.js";
import { getent } from "./getent.js";
import { git } from "./git.js";
import { hostname, packageFacts, serviceFacts } from "./host-facts.js";
import { knownHosts } from "./known-hosts.js";
import { groupText, userText } from "./lib/accounts.js";
import { assembleText } from "./lib/assemble.js";
import { asyncText } from "./lib/async.js";
import { aptRepositoryText, authorizedKeyText } from "./lib/authorized-key.js";
import { commandText } from "./lib/command.js";
import { copiedText, copyText, rcopyText } from "./lib/copy.js";
import { cronText } from "./lib/cron.js";
import { debconfText } from "./lib/debconf.js";
import { slurpText, statText, unarchiveText, urlText } from "./lib/fetch.js";
import { fileText, pathInfoText, tempText } from "./lib/file.js";
import { findText } from "./lib/find.js";
import { fetchText } from "./lib/from-host.js";
import { getentText } from "./lib/getent.js";
import { gitText } from "./lib/git.js";
import { factsText, hostnameText } from "./lib/host-facts.js";
import { knownHostsText } from "./lib/known-hosts.js";
import { blockText } from "./lib/lines.js";
import { mountText } from "./lib/mount.js";
import { aptText } from "./lib/packages.js";
import { aptMoreText } from "./lib/packages-more.js";
import { flagsText, putText } from "./lib/put.js";
import { rebootText } from "./lib/reboot.js";
import { sysctlText, systemdText } from "./lib/system.js";
import { limitText } from "./lib/time-limit.js";
import { uriText } from "./lib/uri.js";
import { waitText } from "./lib/wait-for.js";
import { blockinfile, lineinfile, replace } from "./lines.js";
import { mount } from "./mount.js";
import { apt, packageModule } from "./packages.js";
import { reboot } from "./reboot.js";
import { service, sysctl, systemd } from "./system.js";
import { tempfile } from "./tempfile.js";
import type { LibName, TaskModule } from "./types.js";
import { uri } from "./uri.js";
import { waitFor } from "./wait-for.js";
import { waitForConnection } from "./wait-for-connection.js";

const implementations: readonly TaskModule[] = [
  apt,
  aptRepository,
  assemble,
  asyncStatus,
  authorizedKey,
  blockinfile,
  command,
  copy,
  cron,
  debconf,
  fetch,
  file,
  find,
  getent,
  getUrl,
  git,
  group,
  hostname,
  knownHosts,
  lineinfile,
  mount,
  packageFacts,
  packageModule,
  raw,
  reboot,
  replace,
  script,
  service,
  serviceFacts,
  shell,
  slurp,
  stat,
  sysctl,
  systemd,
  tempfile,
  template,
  unarchive,
  uri,
  user,
  waitFor,
  waitForConnection,
];

/** Old and new names of the same module. */
const aliases: ReadonlyMap<string, string> = new Map([["systemd", "systemd_service"]]);

export const taskModules: ReadonlyMap<string, TaskModule> = new Map(
  implementations.map((module) => [module.spec.name, module]),
);

/** The module that a task's `module:` names; undefined for those that the controller decides. */
export function findModule(name: string): TaskModule | undefined {
  return taskModules.get(aliases.get(name) ?? name);
}

/** What the loader checks tasks against: every module under each of its names. */
export const moduleCatalog: ModuleCatalog = new Map<string, ModuleArgs>([
  ...implementations.map((module): [string, ModuleArgs] => [module.spec.name, module.spec]),
  ...controlModules.map((spec): [string, ModuleArgs] => [spec.name, spec]),
  ...[...aliases].flatMap(([alias, name]): [string, ModuleArgs][] => {
    const spec = taskModules.get(name)?.spec;
    return spec === undefined ? [] : [[alias, { ...spec, name: alias }]];
  }),
]);

/** Library text by name, in the order in which programs hold it. */
export const libTexts: ReadonlyMap<LibName, string> = new Map<LibName, string>([
  ["put", putText],
  ["copy", copyText],
  ["copied", copiedText],
  ["rcopy", rcopyText],
  ["fetch", fetchText],
  ["file", fileText],
  ["find", findText],
  ["flags", flagsText],
  ["pathinfo", pathInfoText],
  ["temp", tempText],
  ["stat", statText],
  ["command", commandText],
  ["async", asyncText],
  ["apt", aptText],
  ["aptmore", aptMoreText],
  ["aptrepo", aptRepositoryText],
  ["assemble", assembleText],
  ["authkey", authorizedKeyText],
  ["getent", getentText],
  ["debconf", debconfText],
  ["git", gitText],
  ["group", groupText],
  ["user", userText],
  ["systemd", systemdText],
  ["facts", factsText],
  ["hostname", hostnameText],
  ["cron", cronText],
  ["sysctl", sysctlText],
  ["block", blockText],
  ["mount", mountText],
  ["slurp", slurpText],
  ["unarchive", unarchiveText],
  ["reboot", rebootText],
  ["knownhost", knownHostsText],
  ["limit", limitText],
  ["uri", uriText],
  ["url", urlText],
  ["wait", waitText],
]);
