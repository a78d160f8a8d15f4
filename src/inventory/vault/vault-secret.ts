import type { Position } from "../../util/errors.js";
import { Secret } from "../../util/secret.js";
import type { Vault } from "./vault.js";

/** A value of the inventory that ansible-vault encrypted (`!vault`). It can be revealed once it was opened. */
export class VaultSecret extends Secret {
  readonly #envelope: string;
  readonly position: Position;
  #opened: string | undefined;
  #opening: Promise<void> | undefined;

  constructor(envelope: string, position: Position) {
    super("");
    this.#envelope = envelope;
    this.position = position;
  }

  /** @param what names it in messages. @throws InputError when no password of the vault opens it */
  open(vault: Vault, what: string): Promise<void> {
    this.#opening ??= vault.open(this.#envelope, what, this.position).then(({ text }) => {
      this.#opened = text;
    });
    return this.#opening;
  }

  override reveal(): string {
    if (this.#opened === undefined) throw new Error("an encrypted value is used before it was opened");
    return this.#opened;
  }
}
