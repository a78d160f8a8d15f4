import { environmentLines } from "../modules/fragments.js";
import { ArgumentError } from "../modules/types.js";

/** Variables of programs and their libraries, besides those that a pattern tells. */
const OWN = new Set(
  (
    "AKT APT AS BAD BD BK BKF CF CH CHECK CN CPF DEAD DF DIFF DIRS FCH FF FG FGI FM FRM FS FT FU FUI GL HD HL HTTP IFS IX JD JN JOB " +
    "KNOWN LATER LCH LF LK LNS LOC LOOK MF MS NAME NCH NL NODIFF NONCE NT OKW OLC OUT PC PEND PL PLREAD PN PP PS PZ RB RBE RBF RO RUNID SD SEND " +
    "SENT SF SIM SKIP START STOP T0 TOUCHED TRY TZ0 UD UF UIDN UMASK UN UO UQ UR US UX VB VLD WGETRC WHO WY"
  ).split(" "),
);
const PATTERN = /^(_\w*|[A-Za-z]_?|(R|V|OE|OS|ST|SH)_\w+|HS?\d+)$/;

/** Whether a program has a variable of that name for itself. */
export const isOwn = (name: string): boolean => OWN.has(name) || PATTERN.test(name);

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
