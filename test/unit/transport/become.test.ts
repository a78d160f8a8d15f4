import { execFileSync } from "node:child_process";
import { Readable } from "node:stream";
import t from "tap";
import { becomeCommand, diagnoseSudo, stdinWithPassword } from "../../../src/transport/become.js";
import { Secret } from "../../../src/util/secret.js";

t.test("command lines", async (t) => {
  t.equal(becomeCommand({ method: "none", user: "root", needsPassword: true }, "sh -s"), "sh -s");
  t.equal(
    becomeCommand({ method: "sudo", user: "root", needsPassword: false }, "echo 'a b'; id"),
    "env LC_ALL=C sudo -H -n -u root -- sh -c 'echo '\\''a b'\\''; id'",
  );
  t.match(
    becomeCommand({ method: "sudo", user: "we ird", needsPassword: true }, "sh -s"),
    /^env LC_ALL=C sudo -H -S -p '' -u 'we ird' -- sh -c '.*; sh -s'$/,
  );
});

t.test("the password never reaches the command, whether sudo takes it or not", async (t) => {
  const line = becomeCommand({ method: "sudo", user: "root", needsPassword: true }, "cat");
  const input = stdinWithPassword(new Secret("pass word"), Buffer.from("line 1\nline 2"));
  const asked = 'sudo() { read -r _; while [ "$1" != -- ]; do shift; done; shift; "$@"; }';
  const unasked = 'sudo() { while [ "$1" != -- ]; do shift; done; shift; "$@"; }';
  for (const sudo of [asked, unasked]) {
    const command = `${sudo}; ${line.replace("env LC_ALL=C ", "")}`;
    t.equal(execFileSync("sh", ["-c", command], { input, encoding: "utf8" }), "line 1\nline 2");
  }
});

t.test("password before a stream", async (t) => {
  const stream = stdinWithPassword(new Secret("p"), Readable.from([Buffer.from("one "), Buffer.from("two")]));
  const chunks: Buffer[] = [];
  for await (const chunk of stream as Readable) chunks.push(chunk as Buffer);
  t.match(Buffer.concat(chunks).toString(), /^p\n--edge-setup-stdin--\none two$/);
  t.match(Buffer.from(stdinWithPassword(new Secret("p")) as Uint8Array).toString(), /^p\n--edge-setup-stdin--\n$/);
});

t.test("what sudo says", async (t) => {
  const cases: Array<[string, number, string]> = [
    ["E_SUDO_PASSWORD_REQUIRED", 1, "sudo: a password is required\n"],
    ["E_SUDO_PASSWORD_REQUIRED", 1, "sudo-rs: interactive authentication is required\n"],
    ["E_SUDO_PASSWORD_REQUIRED", 1, "sudo: a terminal is required to read the password; either use the -S option\n"],
    ["E_SUDO_WRONG_PASSWORD", 1, "Sorry, try again.\nSorry, try again.\nsudo: 3 incorrect password attempts\n"],
    [
      "E_SUDO_WRONG_PASSWORD",
      1,
      "Sorry, try again.\nsudo: no password was provided\nsudo: 1 incorrect password attempt\n",
    ],
    [
      "E_SUDO_WRONG_PASSWORD",
      1,
      "sudo-rs: Authentication failed, try again.\nsudo-rs: Maximum 3 incorrect authentication attempts\n",
    ],
    ["E_SUDO_NOT_ALLOWED", 1, "pi is not in the sudoers file.\n"],
    ["E_SUDO_NOT_ALLOWED", 1, "Sorry, user pi is not allowed to execute '/bin/sh -c x' as root on edge.\n"],
    ["E_SUDO_NOT_ALLOWED", 1, "Sorry, user pi may not run sudo on edge.\n"],
    ["E_SUDO_TTY", 1, "sudo: sorry, you must have a tty to run sudo\n"],
    ["E_SUDO_MISSING", 127, "env: 'sudo': No such file or directory\n"],
    ["E_SUDO_MISSING", 127, "bash: line 1: sudo: command not found\n"],
    ["E_SUDO_MISSING", 127, "sh: 1: sudo: not found\n"],
    ["E_SUDO_UNKNOWN_USER", 1, "sudo: unknown user edge\n"],
    ["E_SUDO_ACCOUNT", 1, "sudo: account validation failure, is your account locked?\n"],
    ["E_SUDO_BROKEN", 1, "sudo: /usr/bin/sudo must be owned by uid 0 and have the setuid bit set\n"],
  ];
  for (const [code, exitCode, stderr] of cases) {
    t.match(diagnoseSudo(exitCode, stderr), { code, exitCode: 3, hint: /\w/ }, stderr.trim());
  }
  t.equal(diagnoseSudo(0, "sudo: a password is required"), undefined, "success is no failure");
  t.equal(diagnoseSudo(1, "sudo: unable to resolve host edge: Name or service not known\n"), undefined, "a warning");
  t.equal(diagnoseSudo(127, "sh: 1: nginx: not found"), undefined, "another program is missing");
});
