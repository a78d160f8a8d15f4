import { connect } from "../transport/connect.js";
import type { Asker } from "../ui/prompts/prompter.js";
import { HostWatch, type WatchOptions } from "../watch/watch-host.js";
import type { CommandContext } from "./commands.js";
import { type Fleet, type FleetHost, loadFleet } from "./fleet.js";
import type { Flags } from "./options.js";
import { asker, askPasswords, connectOptions } from "./reach.js";

/**
 * The fleet of `watch` and `status`: hosts may be named as words, beside --limit.
 * @throws InputError or InputErrors for anything wrong in flags and files
 */
export async function fleetToWatch({ flags, words }: CommandContext): Promise<Fleet> {
  const passwords = await askPasswords(flags, asker(flags));
  return loadFleet({ ...flags, ...limitOf(flags, words) }, { saveSecrets: false, passwords });
}

/** --limit, with hosts that are named as words. */
export function limitOf(flags: Flags, words: readonly string[]): Pick<Flags, "limit"> {
  const parts = [...(flags.limit === undefined ? [] : [flags.limit]), ...words];
  return parts.length === 0 ? {} : { limit: parts.join(",") };
}

/** Hosts under watch, ready to be run. */
export function watchesOf(fleet: Fleet, flags: Flags, prompter: Asker, options: WatchOptions): readonly HostWatch[] {
  return fleet.hosts.map((one) => new HostWatch(watchedHost(one, flags, prompter), options));
}

/** A host of the fleet as those see it who look at it, as root. */
export function watchedHost({ host, access }: FleetHost, flags: Flags, prompter: Asker) {
  const { address, becomePassword } = access;
  const ours = address.connection === "local" && process.getuid?.() === 0;
  const root = address.user === "root" || access.become === false || ours;
  return {
    name: host.name,
    connect: (signal: AbortSignal) => connect(address, connectOptions(flags, prompter, signal)),
    become: root
      ? ({ method: "none", user: "", needsPassword: false } as const)
      : ({ method: "sudo", user: "root", needsPassword: becomePassword !== undefined } as const),
    becomePassword,
  };
}
