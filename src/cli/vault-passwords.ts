import { passwordSources, readPassword } from "../inventory/vault/passwords.js";
import { Vault, type VaultPassword } from "../inventory/vault/vault.js";
import type { Flags } from "./options.js";
import { asker, mayAsk } from "./reach.js";

/** A command reads the inventory several times; its operator is asked once, and programs are run once. */
const given = new Map<string, Promise<VaultPassword>>();

/** The vault that flags and environment have the passwords of; where they name none, a person is asked. */
export function vaultOf(flags: Flags, environment: NodeJS.ProcessEnv = process.env): Vault {
  return new Vault(async () => {
    const named = passwordSources(flags, environment);
    const sources = named.length === 0 && mayAsk(flags) ? passwordSources({ "ask-vault-pass": true }, {}) : named;
    const passwords: VaultPassword[] = [];
    // One after the other: each may ask.
    for (const source of sources) {
      const key = JSON.stringify(source);
      const known = given.get(key) ?? readPassword(source, (question) => asker(flags).askSecret(question));
      given.set(key, known);
      passwords.push(await known);
    }
    return passwords;
  });
}
