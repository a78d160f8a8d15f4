import { Readable } from "node:stream";
import { UnreachableError } from "../util/errors.js";
import type { Secret } from "../util/secret.js";
import { quote } from "../util/shell.js";

export interface Become {
  /** `none` when the connection already has the rights it needs. */
  readonly method: "sudo" | "none";
  readonly user: string;
  /** True when `stdinWithPassword` gives the command its password. */
  readonly needsPassword: boolean;
}

/**
 * Ends the password on stdin. sudo reads one line only when it asks; where it does not ask after all (NOPASSWD, a fresh
 * ticket) the password would be the first line of the command's own input. So the command skips to this mark.
 */
const STDIN_MARK = "--edge-setup-stdin--";
const SKIP_TO_MARK = `while IFS= read -r l && [ "$l" != ${STDIN_MARK} ]; do :; done`;

/**
 * The command line that runs a shell command as the wanted user. It consists of plain words, so that any login shell
 * (fish, csh) reads it alike; LC_ALL=C keeps the words of sudo recognisable to `diagnoseSudo`.
 */
export function becomeCommand(become: Become, shellCommand: string): string {
  if (become.method === "none") return shellCommand;
  if (!become.needsPassword) {
    return `env LC_ALL=C sudo -H -n -u ${quote(become.user)} -- sh -c ${quote(shellCommand)}`;
  }
  const command = quote(`${SKIP_TO_MARK}; ${shellCommand}`);
  return `env LC_ALL=C sudo -H -S -p '' -u ${quote(become.user)} -- sh -c ${command}`;
}

/** As becomeCommand for a user of whom is not known whether he is root already. */
export function becomeFromAnyone(become: Become, shellCommand: string): string {
  const own = become.needsPassword ? `${SKIP_TO_MARK}; ${shellCommand}` : shellCommand;
  // sudo would hand on the locale that its own words are told in.
  const command = becomeCommand(become, `unset LC_ALL; ${shellCommand}`);
  const isIt = become.user === "root" ? `if [ "$(id -u)" = 0 ]; then ${own}; else ${command}; fi` : command;
  return `sh -c ${quote(isIt)}`;
}

/** Puts the password for `sudo -S` before the input of the command. */
export function stdinWithPassword(password: Secret, stdin: Uint8Array): Uint8Array;
export function stdinWithPassword(password: Secret, stdin?: Uint8Array | Readable): Uint8Array | Readable;
export function stdinWithPassword(password: Secret, stdin?: Uint8Array | Readable): Uint8Array | Readable {
  const head = Buffer.from(`${password.reveal()}\n${STDIN_MARK}\n`);
  if (stdin === undefined) return head;
  if (stdin instanceof Uint8Array) return Buffer.concat([head, stdin]);
  return Readable.from(chained(head, stdin), { objectMode: false });
}

async function* chained(head: Buffer, tail: Readable): AsyncGenerator<Buffer> {
  yield head;
  for await (const chunk of tail) yield Buffer.from(chunk);
}

interface Symptom {
  readonly pattern: RegExp;
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}

const NOT_INSTALLED: Symptom = {
  pattern: /sudo['’]?: (command )?not found|['‘]?sudo['’]?: No such file|sudo: inaccessible or not found/m,
  code: "E_SUDO_MISSING",
  message: "sudo is not installed on the host, and the user who logs in is not root.",
  hint: "Log in as root (ansible_user: root), or install sudo on the host.",
};

/** The words of sudo 1.8 to 1.9 and of sudo-rs (Ubuntu 25.10), most specific first. */
const SYMPTOMS: readonly Symptom[] = [
  {
    pattern: /^(Sorry, try again|sudo(-rs)?: .*(incorrect (password|authentication) attempt|Authentication failed))/im,
    code: "E_SUDO_WRONG_PASSWORD",
    message: "sudo does not accept the password.",
    hint: "Check ansible_become_password, or ask for it with --ask-become-pass.",
  },
  {
    pattern:
      /is not in the sudoers file|^Sorry, user \S+ (is not allowed to execute|may not run sudo)|^sudo(-rs)?: I'm sorry \S+\. I'm afraid/m,
    code: "E_SUDO_NOT_ALLOWED",
    message: "The user who logs in may not use sudo for this on the host.",
    hint: "On the host, as root: adduser USER sudo (and log in again), or log in as root (ansible_user: root).",
  },
  {
    pattern: /^sudo(-rs)?: (sorry, )?you must have a tty to run sudo/m,
    code: "E_SUDO_TTY",
    message: "The host's sudoers demands a terminal (requiretty).",
    hint: "On the host, run visudo and add: Defaults:USER !requiretty",
  },
  {
    pattern:
      /^sudo(-rs)?: (a password is required|no password was provided|a terminal is required|interactive authentication is required|no tty present)/im,
    code: "E_SUDO_PASSWORD_REQUIRED",
    message: "sudo wants a password, and none is given.",
    hint: "Give ansible_become_password, ask for it with --ask-become-pass, or allow the user NOPASSWD in sudoers.",
  },
  {
    pattern: /^sudo(-rs)?: (unknown user|user .* not found)/m,
    code: "E_SUDO_UNKNOWN_USER",
    message: "The user to become does not exist on the host.",
    hint: "Check ansible_become_user.",
  },
  {
    pattern: /^sudo: (account validation failure|Account expired|Account or password is expired)|Password expired/m,
    code: "E_SUDO_ACCOUNT",
    message: "The account or its password is expired or locked on the host.",
    hint: "Log in by hand, set a new password with passwd, and run again.",
  },
  {
    pattern: /no new privileges|must be owned by uid 0 and have the setuid bit set|effective uid is not 0/m,
    code: "E_SUDO_BROKEN",
    message: "sudo on the host cannot gain root rights (no setuid bit, or a container without new privileges).",
    hint: "Log in as root (ansible_user: root).",
  },
];

/**
 * Tells why sudo did not run the command; undefined when it was not sudo that failed. Call it only when the command
 * itself gave no sign of life: a command may print the same words.
 */
export function diagnoseSudo(exitCode: number | null, stderr: string): UnreachableError | undefined {
  if (exitCode === 0) return undefined;
  const symptom =
    exitCode === 127 && NOT_INSTALLED.pattern.test(stderr)
      ? NOT_INSTALLED
      : SYMPTOMS.find((s) => s.pattern.test(stderr));
  if (symptom === undefined) return undefined;
  return new UnreachableError(symptom.code, symptom.message, { hint: symptom.hint });
}
