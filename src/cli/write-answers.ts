import { readFile } from "node:fs/promises";
import { readProblem } from "../inventory/readers.js";
import { replaceLocked } from "../inventory/replace-locked.js";
import { GENERATED, saveSecrets } from "../inventory/secrets.js";
import type { HostSecrets } from "../inventory/settings/resolve.js";
import { InputError } from "../util/errors.js";
import { edgesYml } from "../wizard/to-inventory.js";
import type { Answers } from "../wizard/types.js";
import type { Flags } from "./options.js";
import { vaultOf } from "./vault-passwords.js";

/** Everybody may read an inventory: it holds no secret. */
const INVENTORY_MODE = 0o644;

/**
 * Writes edges.yml, keeping what else it holds, and the secrets that were chosen by hand.
 * @throws InputError when a file cannot be written
 */
export async function writeAnswers(answers: Answers, file: string, flags: Flags): Promise<void> {
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
  await saveSecrets(file, new Map(answers.hosts.map((host) => [host.name, given])), { vault: vaultOf(flags) });
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
