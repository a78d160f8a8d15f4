import { type ExitCode, exitCodes } from "../../util/errors.js";
import type { CommandContext } from "../commands.js";
import { converge } from "../converge.js";
import { openDisplay } from "../display.js";
import { loadFleet } from "../fleet.js";
import { noticesOf } from "../notices.js";
import { asker, askPasswords, connectOptions } from "../reach.js";
import { RunFrame } from "../run-frame.js";

/** `edge-setup plan`: what apply would change on each host, and why. */
export async function run({ flags, signal, interruption }: CommandContext): Promise<ExitCode> {
  const passwords = await askPasswords(flags, asker(flags));
  const fleet = await loadFleet(flags, { saveSecrets: false, passwords });
  const display = await openDisplay(flags, { tasksAreResult: true, interruption });
  const frame = new RunFrame(display.emit, noticesOf(fleet));
  try {
    const outcome = await converge({
      command: "plan",
      flags,
      fleet,
      connectOptions: connectOptions(flags, display.asker, signal),
      check: true,
      emit: frame.emit,
      signal,
    });
    if (outcome.exitCode !== exitCodes.ok) return frame.end(outcome.exitCode);
    if (!outcome.dirty) display.result("Nothing would change.\n");
    return frame.end(outcome.dirty && flags["exit-code"] === true ? exitCodes.changesPending : exitCodes.ok);
  } finally {
    await display.end();
  }
}
