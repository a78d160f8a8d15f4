import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { readProblem } from "../inventory/readers.js";
import { replaceLocked } from "../inventory/replace-locked.js";
import { GENERATED, saveSecrets } from "../inventory/secrets.js";
import type { HostSecrets } from "../inventory/settings/resolve.js";
import { configFolder, Preferences, withRecent } from "../store/preferences.js";
import { type ExitCode, exitCodes, InputError } from "../util/errors.js";
import { equivalentCommand } from "../wizard/to-command.js";
import { edgesYml } from "../wizard/to-inventory.js";
import type { Answers, WizardOutcome } from "../wizard/types.js";
import { applyFleet } from "./apply-fleet.js";
import type { CommandContext } from "./commands.js";
import { DEFAULT_INVENTORY } from "./fleet.js";
import { flagsOf } from "./wizard-plan.js";

/** Everybody may read an inventory: it holds no secret. */
const INVENTORY_MODE = 0o644;

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
  await writeAnswers(answers, inventoryFile);
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

/**
 * Writes edges.yml, keeping what else it holds, and the secrets that were chosen by hand.
 * @throws InputError when a file cannot be written
 */
async function writeAnswers(answers: Answers, file: string): Promise<void> {
  try {
    await replaceLocked(file, INVENTORY_MODE, async () => edgesYml(answers, await textOf(file), file));
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError("E_INVENTORY_WRITE", `${file} cannot be written: ${readProblem(error)}`, {
      hint: "Name another file with --inventory, or make the directory writable.",
      cause: error,
    });
  }
  const given: HostSecrets = {
    ...(answers.publishToken === undefined ? {} : { rtmp_publish_token: answers.publishToken }),
    ...(answers.statusPassword === undefined ? {} : { http_status_password: answers.statusPassword }),
  };
  if (GENERATED.every((name) => given[name] === undefined)) return;
  await saveSecrets(file, new Map(answers.hosts.map((host) => [host.name, given])));
}

/** undefined when there is no such file. */
async function textOf(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
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
