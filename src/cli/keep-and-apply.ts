import { saveSecrets } from "../inventory/secrets.js";
import type { HostSecretsChange } from "../inventory/secrets-file.js";
import { type ExitCode, exitCodes, InputError } from "../util/errors.js";
import { quoteAll } from "../util/shell.js";
import { applyFleet } from "./apply-fleet.js";
import type { CommandContext } from "./commands.js";
import type { Fleet, FleetHost } from "./fleet.js";
import { asker, askPasswords, mayAsk } from "./reach.js";
import { vaultOf } from "./vault-passwords.js";

/**
 * Asks before secrets are changed that publishers use now.
 * @returns false for a no
 * @throws InputError when nobody is there to ask
 */
export async function mayChange({ flags }: CommandContext, command: string, question: string): Promise<boolean> {
  if (flags.yes === true) return true;
  if (mayAsk(flags)) return asker(flags).confirm(question);
  throw new InputError("E_NO_INPUT", `${command} changes hosts, and nobody is there to ask`, { hint: "Add --yes." });
}

/** Writes the secrets file in one step and applies it to these hosts: whoever publishes with what is valid no more is dropped. */
export async function keepAndApply(
  context: CommandContext,
  fleet: Fleet,
  changes: ReadonlyMap<string, HostSecretsChange>,
): Promise<ExitCode> {
  const limit = [...changes.keys()].join(",");
  const flags = { ...context.flags, limit, yes: true, "no-verify": true };
  const passwords = await askPasswords(flags, asker(flags));
  await saveSecrets(fleet.inventory.file, changes, { vault: vaultOf(flags) });
  const code = await applyFleet({ ...context, flags, words: [] }, passwords);
  if (code === exitCodes.ok) return code;
  const inventory = flags.inventory === undefined ? [] : ["-i", flags.inventory];
  process.stderr.write(
    `\nThe secrets file has the change, and hosts may not: ${quoteAll(["edge-setup", "apply", "-l", limit, ...inventory])}\n`,
  );
  return code;
}

/** @throws InputError when secrets of the host were made up for this run, as it has others, or none yet */
export function assertKept({ secrets }: Fleet, { host }: FleetHost): void {
  if (!secrets.fresh.includes(host.name)) return;
  throw new InputError("E_SECRETS", `the secrets of ${host.name} are not in ${secrets.file}`, {
    hint: "Apply first, or do it from where it was set up.",
  });
}
