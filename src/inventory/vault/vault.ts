import { InputError, type Position } from "../../util/errors.js";
import type { Secret } from "../../util/secret.js";
import { decrypt, encrypt, parseEnvelope } from "./format.js";

/** The vault id of passwords that are given without one, as Ansible calls it. */
export const DEFAULT_LABEL = "default";

export interface VaultPassword {
  readonly label: string;
  readonly password: Secret;
}

/** What was encrypted, and the way to encrypt it again. */
export interface Opened {
  readonly text: string;
  /** Encrypts another text as this one was: by the same password and under the same label. */
  seal(text: string): Promise<string>;
}

const HINT =
  "give its password: --vault-password-file FILE, --vault-id LABEL@FILE, ANSIBLE_VAULT_PASSWORD_FILE, or --ask-vault-pass";

/** The passwords of Ansible's vaults. They are asked for, read or computed when the first encrypted text is met. */
export class Vault {
  readonly #load: () => Promise<readonly VaultPassword[]>;
  #passwords: Promise<readonly VaultPassword[]> | undefined;

  constructor(load: () => Promise<readonly VaultPassword[]>) {
    this.#load = load;
  }

  /** In the order of trial. @throws InputError when one that is named cannot be had */
  passwords(): Promise<readonly VaultPassword[]> {
    this.#passwords ??= this.#load();
    return this.#passwords;
  }

  /**
   * Decrypts a whole file or a value. As in Ansible, a label only says which password is tried first.
   * @param what names it in messages
   * @throws InputError at `position` when it is damaged, or when no password opens it
   */
  async open(envelopeText: string, what: string, position: Position): Promise<Opened> {
    const problem = (message: string, hint: string) => new InputError("E_VAULT", message, { position, hint });
    const envelope = parseEnvelope(envelopeText);
    if (typeof envelope === "string")
      throw problem(`${what} cannot be decrypted: ${envelope}`, "encrypt it again with ansible-vault");
    const { label } = envelope;
    const known = await this.passwords();
    const named = label === undefined ? "" : ` under the vault id ${label}`;
    if (known.length === 0) throw problem(`${what} is encrypted${named}, and no vault password is given`, HINT);
    for (const { password } of bestFirst(known, label)) {
      const plain = await decrypt(envelope, password.reveal());
      if (plain === undefined) continue;
      const text = asText(plain);
      if (text === undefined) throw problem(`${what} is no text once it is decrypted`, "encrypt a text");
      return { text, seal: (other) => encrypt(other, password.reveal(), label) };
    }
    const labels = [...new Set(known.map((one) => one.label))];
    const missing = label !== undefined && !labels.includes(label);
    throw problem(
      missing
        ? `${what} is encrypted under the vault id ${label}, for which no password is given; of ${labels.join(", ")} none opens it`
        : `${what} is encrypted${named}, and ${known.length === 1 ? "the vault password does not open it" : "none of the vault passwords opens it"}: it is another one, or the text was changed`,
      missing ? `--vault-id ${label}@FILE` : HINT,
    );
  }
}

/** Without any password: every encrypted text is an error that says how to give one. */
export const noVault = new Vault(() => Promise.resolve([]));

function bestFirst(known: readonly VaultPassword[], label: string | undefined): readonly VaultPassword[] {
  return [...known.filter((one) => one.label === label), ...known.filter((one) => one.label !== label)];
}

/** undefined for bytes that are not UTF-8. */
function asText(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
