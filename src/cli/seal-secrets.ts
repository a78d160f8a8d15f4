import { INLINE_FILE, isInlineInventory } from "../inventory/inline-inventory.js";
import { rewriteSecrets, secretsFile } from "../inventory/secrets.js";
import { encrypt, isVaultText } from "../inventory/vault/format.js";
import { openFile } from "../inventory/vault/open-file.js";
import { passwordSources } from "../inventory/vault/passwords.js";
import { DEFAULT_LABEL, type VaultPassword } from "../inventory/vault/vault.js";
import { type ExitCode, exitCodes, InputError } from "../util/errors.js";
import { DEFAULT_INVENTORY } from "./inventory-hosts.js";
import type { Flags } from "./options.js";
import { asker, mayAsk } from "./reach.js";
import { vaultOf } from "./vault-passwords.js";

/** Encrypts the file of secrets by the first vault password that is given, or by one that a person types twice. */
export async function encryptSecrets(flags: Flags): Promise<ExitCode> {
  const file = fileOf(flags);
  await rewriteSecrets(file, async (text) => {
    if (isVaultText(text)) throw new InputError("E_SECRETS", `${file} is encrypted already`);
    const { label, password } = await newPassword(flags);
    return encrypt(text, password.reveal(), label === DEFAULT_LABEL ? undefined : label);
  });
  process.stderr.write(
    `${file} is encrypted. Commands that need it ask for its password, or take --vault-password-file FILE.\n`,
  );
  return exitCodes.ok;
}

/** Writes the file of secrets in plain again. */
export async function decryptSecrets(flags: Flags): Promise<ExitCode> {
  const file = fileOf(flags);
  await rewriteSecrets(file, async (text) => {
    if (!isVaultText(text)) throw new InputError("E_SECRETS", `${file} is not encrypted`);
    return (await openFile(text, file, vaultOf(flags))).text;
  });
  process.stderr.write(`${file} is in plain text, for its owner alone (mode 0600).\n`);
  return exitCodes.ok;
}

function fileOf({ inventory = DEFAULT_INVENTORY }: Flags): string {
  return secretsFile(isInlineInventory(inventory) ? INLINE_FILE : inventory);
}

async function newPassword(flags: Flags): Promise<VaultPassword> {
  const named = passwordSources(flags, process.env).length > 0;
  const [given] = named ? await vaultOf(flags).passwords() : [];
  if (given !== undefined) return given;
  if (!mayAsk(flags)) {
    throw new InputError("E_NO_INPUT", "secrets encrypt needs a vault password, and nobody is there to ask", {
      hint: "--vault-password-file FILE, or --vault-id LABEL@FILE",
    });
  }
  const prompter = asker(flags);
  const password = await prompter.askSecret("New vault password");
  const again = await prompter.askSecret("The same again");
  if (password !== undefined && password.reveal() !== "" && password.reveal() === again?.reveal())
    return { label: DEFAULT_LABEL, password };
  throw new InputError("E_VAULT_PASSWORD", "the two passwords differ, or are empty: nothing was changed");
}
