import { InputError } from "./errors.js";

const PLAIN_WORD = /^[A-Za-z0-9_@%+=:,./-]+$/;

/**
 * Quotes one word for a POSIX shell. The only function that does: every interpolation into a program goes through it.
 * @throws InputError E_NUL, without a place, when the word holds a NUL, which no shell word can.
 */
export function quote(word: string): string {
  if (word.includes("\0")) {
    throw new InputError("E_NUL", "A value holds a NUL character, which no word of a command and no file name can.");
  }
  return PLAIN_WORD.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Joins words into one shell command, each quoted. */
export function quoteAll(words: readonly string[]): string {
  return words.map(quote).join(" ");
}
