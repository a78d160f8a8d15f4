import { type ExitCode, exitCodes, InputError } from "../../util/errors.js";
import type { CommandContext } from "../commands.js";
import { completionScript, shells } from "../completion.js";

/** `edge-setup completion SHELL`: a script to source. */
export async function run({ words }: CommandContext): Promise<ExitCode> {
  const shell = shells.find((one) => one === words[0]);
  if (shell === undefined) {
    throw new InputError(
      "E_USAGE",
      `completion takes ${shells.join(", ")}${words[0] === undefined ? "" : `, not "${words[0]}"`}`,
      {
        hint: 'eval "$(edge-setup completion bash)"',
      },
    );
  }
  process.stdout.write(completionScript(shell));
  return exitCodes.ok;
}
