import { isVaultText } from "./format.js";
import type { Vault } from "./vault.js";

/** The text of a file, and whether it was encrypted as a whole. */
export interface OpenText {
  readonly text: string;
  readonly secret: boolean;
  /** The form in which another text belongs into the file: encrypted as this one was, or as it is. */
  seal(text: string): Promise<string>;
}

/** @throws InputError at the begin of the file when no password of the vault opens it */
export async function openFile(text: string, file: string, vault: Vault): Promise<OpenText> {
  if (!isVaultText(text)) return { text, secret: false, seal: (other) => Promise.resolve(other) };
  return { ...(await vault.open(text, "the file", { file, line: 1, column: 1 })), secret: true };
}
