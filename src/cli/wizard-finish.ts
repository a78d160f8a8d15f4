import { resolve } from "node:path";
import { configFolder, Preferences, withRecent } from "../store/preferences.js";
import { type ExitCode, exitCodes } from "../util/errors.js";
import { equivalentCommand } from "../wizard/to-command.js";
import type { Answers, WizardOutcome } from "../wizard/types.js";
import { applyFleet } from "./apply-fleet.js";
import type { CommandContext } from "./commands.js";
import { DEFAULT_INVENTORY } from "./inventory-hosts.js";
import { flagsOf } from "./wizard-plan.js";
import { writeAnswers } from "./write-answers.js";

/** Does what the wizard ended with: writes the files, applies, prints the command, or nothing. */
export async function finishWizard(outcome: WizardOutcome, context: CommandContext): Promise<ExitCode> {
  if (outcome.action === "cancel") {
    process.stderr.write("Nothing was written and nothing was changed.\n");
    return exitCodes.interrupted;
  }
  const { answers } = outcome;
  const { flags } = context;
  if (answers.hosts.some((host) => host.kind === "throw-away")) {
    const { run } = await import("./commands/try.js");
    return run(context);
  }
  const inventoryFile = flags.inventory ?? DEFAULT_INVENTORY;
  const again = equivalentCommand(answers, { inventoryFile, apply: true });
  if (outcome.action === "print") {
    process.stdout.write(`${again}\n`);
    return exitCodes.ok;
  }
  await writeAnswers(answers, inventoryFile, flags);
  const next = inventoryFile === DEFAULT_INVENTORY ? "" : ` -i ${inventoryFile}`;
  process.stderr.write(`${inventoryFile} is written. The same again without a question:\n  ${again}\n`);
  if (outcome.action === "save") {
    process.stderr.write(`To go on:\n  edge-setup apply${next}\n`);
    return exitCodes.ok;
  }
  const code = await applyFleet(
    { ...context, flags: flagsOf(answers, flags, inventoryFile) },
    { ssh: answers.sshPassword, become: answers.becomePassword },
  );
  await remember(answers, inventoryFile);
  return code;
}

async function remember(answers: Answers, file: string): Promise<void> {
  const warn = (text: string) => process.stderr.write(`edge-setup: ${text}\n`);
  const preferences = await Preferences.open(configFolder(), warn);
  const hosts = answers.hosts
    .filter((host) => host.kind === "ssh")
    .map(({ kind: _, ...host }) => ({
      ...host,
      ...(answers.user === undefined ? {} : { user: host.user ?? answers.user }),
    }));
  preferences.update((kept) => withRecent(kept, hosts, resolve(file)), warn);
}
