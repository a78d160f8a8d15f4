import { type ExitCode, exitCodes } from "../../util/errors.js";
import type { CommandContext } from "../commands.js";
import { converge } from "../converge.js";
import { openDisplay } from "../display.js";
import { loadFleet } from "../fleet.js";
import { asker, askPasswords, connectOptions } from "../reach.js";
import { sayWarnings } from "../warnings.js";

/** `edge-setup plan`: what apply would change on each host, and why. */
export async function run({ flags, signal }: CommandContext): Promise<ExitCode> {
  const prompter = asker(flags);
  const display = openDisplay(flags, true);
  const fleet = await loadFleet(flags, { saveSecrets: false, passwords: await askPasswords(flags, prompter) });
  sayWarnings(display.emit, fleet);
  try {
    const outcome = await converge({
      command: "plan",
      flags,
      fleet,
      connectOptions: connectOptions(flags, prompter, signal),
      check: true,
      emit: display.emit,
      signal,
    });
    if (outcome.exitCode !== exitCodes.ok) return outcome.exitCode;
    if (!outcome.dirty) display.result("Nothing would change.\n");
    return outcome.dirty && flags["exit-code"] === true ? exitCodes.changesPending : exitCodes.ok;
  } finally {
    display.end();
  }
}
