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
  const limit = [...(flags.limit === undefined ? [] : [flags.limit]), ...words].join(",");
  return loadFleet(limit === "" ? flags : { ...flags, limit }, { saveSecrets: false, passwords });
}

/** Hosts under watch, ready to be run. */
export function watchesOf(fleet: Fleet, flags: Flags, prompter: Asker, options: WatchOptions): readonly HostWatch[] {
  return fleet.hosts.map((one) => new HostWatch(watchedHost(one, flags, prompter), options));
}

function watchedHost({ host, access }: FleetHost, flags: Flags, prompter: Asker) {
  const { address, becomePassword } = access;
  const root = address.user === "root" || access.become === false;
  return {
    name: host.name,
    connect: (signal: AbortSignal) => connect(address, connectOptions(flags, prompter, signal)),
    become: root
      ? ({ method: "none", user: "", needsPassword: false } as const)
      : ({ method: "sudo", user: "root", needsPassword: becomePassword !== undefined } as const),
    becomePassword,
  };
}
