import { type ExitCode, exitCodes, InputError } from "../../util/errors.js";
import { applyFleet } from "../apply-fleet.js";
import type { CommandContext } from "../commands.js";
import type { Flags } from "../options.js";
import { asker, askPasswords, mayAsk } from "../reach.js";
import { run as plan } from "./plan.js";

/** `edge-setup apply`: makes the hosts edges, and proves it where something changed. */
export async function run({ flags: given, ...rest }: CommandContext): Promise<ExitCode> {
  const flags = given.staging === true ? withStaging(given) : given;
  const context = { ...rest, flags };
  if (flags.check === true || flags["dry-run"] === true) return plan(context);
  if (flags.yes !== true && !mayAsk(flags)) {
    throw new InputError("E_NO_INPUT", "apply asks before it changes anything, and nobody is there to ask", {
      hint: "Add --yes; `edge-setup plan` shows what would change.",
    });
  }
  const prompter = asker(flags);
  const passwords = await askPasswords(flags, prompter);
  if (flags.yes !== true) {
    const pending = await plan({ ...context, flags: { ...flags, "exit-code": true } });
    if (pending !== exitCodes.changesPending) return pending;
    const ends = flags["restart-streams"] === true ? ", and end the live streams that it names" : "";
    if (!(await prompter.confirm(`Apply this${ends}?`))) return exitCodes.ok;
  }
  return applyFleet(context, passwords);
}

/** The setting over all others. */
function withStaging(flags: Flags): Flags {
  return { ...flags, "extra-vars": [...(flags["extra-vars"] ?? []), "https_staging=true"] };
}
