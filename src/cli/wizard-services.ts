import { homedir } from "node:os";
import { join } from "node:path";
import { detectHosts } from "../discovery/detect-hosts.js";
import { checkDomain } from "../discovery/domain-check.js";
import { checkHost } from "../discovery/portrait.js";
import { generateSecret } from "../inventory/secrets.js";
import { connect } from "../transport/connect.js";
import type { HostChoice, WizardServices } from "../wizard/types.js";
import { Durations } from "./durations.js";
import { DEFAULT_INVENTORY } from "./inventory-hosts.js";
import type { Flags } from "./options.js";
import { connectOptions } from "./reach.js";
import { planAnswers } from "./wizard-plan.js";

/** The world as the wizard sees it. */
export function makeWizardServices(flags: Flags): WizardServices {
  const inventoryFile = flags.inventory ?? DEFAULT_INVENTORY;
  const durations = new Durations();
  const addresses = new Map<string, readonly string[]>();
  return {
    inventoryFile,
    generateSecret,
    async detectHosts(onFound, signal) {
      const { kept } = await durations.load();
      await detectHosts({
        onFound,
        signal,
        sshConfigFile: flags["ssh-config"] ?? join(homedir(), ".ssh", "config"),
        inventories: [inventoryFile, ...kept.recentInventories.filter((file) => file !== inventoryFile)],
        recent: kept.recentHosts,
        throwAway: process.platform === "linux" && process.getuid?.() === 0,
      });
    },
    async checkHost(host, answers, questions, signal) {
      const prompter = { ...questions, confirm: () => Promise.resolve(false) };
      const open = () =>
        connect(
          {
            name: host.name,
            connection: host.kind === "local" ? "local" : "ssh",
            host: host.address ?? host.name,
            port: host.port,
            user: host.user ?? answers.user ?? flags.user,
            identityFile: answers.privateKey ?? flags["private-key"],
            password: answers.sshPassword,
          },
          connectOptions(flags, prompter, signal),
        );
      const check = await checkHost(open, Date.now);
      if (check.status === "ok") addresses.set(host.name, check.portrait.addresses);
      return check;
    },
    checkDomain: (domain, hosts, signal) => checkDomain(domain, knownAddresses(hosts, addresses), signal),
    async plan(answers, questions, onEvent, signal) {
      await durations.load();
      return planAnswers({ answers, flags, inventoryFile, questions, onEvent, durations, signal });
    },
  };
}

function knownAddresses(hosts: readonly HostChoice[], seen: ReadonlyMap<string, readonly string[]>): string[] {
  return hosts.flatMap((host) => [host.address ?? host.name, ...(seen.get(host.name) ?? [])]);
}
