import { environmentLines } from "../modules/fragments.js";
import { ArgumentError } from "../modules/types.js";

/** Variables of programs and their libraries, besides those that a pattern tells: short ones are theirs. */
const OWN = new Set(
  (
    "CHECK DEAD DIFF DIRS FIND HTTP KNOWN LATE LATER LOOK NAME NODIFF NONCE PEND PLREAD RUNID SEND SENT SKIP START STOP TOUCHED UIDN UMASK " +
    "WGETRC"
  ).split(" "),
);
const PATTERN = /^(_\w*|[a-z]|[A-Z]_|[A-Z]{1,3}|(R|V|OE|OS|ST|SH)_\w+|[A-Z]{1,2}\d+)$/;
/** Short ones that others know. */
const FOREIGN = new Set(["CC", "CI", "CXX", "LD", "TZ"]);

/** Whether a program has a variable of that name for itself. */
export const isOwn = (name: string): boolean => (OWN.has(name) || PATTERN.test(name)) && !FOREIGN.has(name);

/**
 * A call's shell in the environment of its task, which ends with it.
 * @throws ArgumentError for a name that the program has for itself: only processes of commands can be given it
 */
export function inEnvironment(env: Readonly<Record<string, string>>): (shell: string) => string {
  const names = Object.keys(env);
  if (names.length === 0) return (shell) => shell;
  const own = names.find(isOwn);
  if (own !== undefined) {
    throw new ArgumentError(`environment: ${own} is a name that only command, shell and script can be given`);
  }
  const lines = environmentLines(env);
  return (shell) => `envkeep ${names.join(" ")}\n${lines}${shell}envback ${names.join(" ")}\n`;
}
