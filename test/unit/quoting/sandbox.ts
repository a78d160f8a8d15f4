import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ProgramMessage, ProtocolParser } from "../../../src/engine/protocol.js";

/** Shells that hosts have as sh. */
export const SHELLS: Readonly<Record<string, readonly string[]>> = {
  dash: ["dash"],
  bash: ["bash", "--posix"],
  busybox: ["busybox", "sh"],
};

/** Commands that look, or write where they are told: the real ones run, after they have been written down. */
const REAL =
  "awk base64 basename cat chmod cmp comm cp cut date dd diff dirname env expr find grep head id ln md5sum mkdir mktemp mv od paste readlink rm rmdir sed sha1sum sha224sum sha256sum sha384sum sha512sum sort stat tail tee touch tr uname uniq wc xargs";
/** Commands that would change this machine, or wait: they are only written down. */
const STAND_INS =
  "apt-cache apt-get apt-mark chage chgrp chown chpasswd crontab curl debconf-set-selections debconf-show dpkg dpkg-deb dpkg-query findmnt flock getent getfacl git gpasswd groupadd groupdel groupmod gunzip gzip hostname hostnamectl journalctl kill loginctl mount mountpoint nohup passwd ping pkill ps python3 reboot record service setfacl setsid shutdown sleep ss sync sysctl systemctl systemd-run tar timedatectl timeout udevadm umount unzip useradd userdel usermod wget xz zstd";
/** Nobody: what a word of ill will may do is little. */
const NOBODY = 65534;

export interface Told {
  /** Words of each command that ran, its name first. */
  readonly commands: readonly (readonly string[])[];
  /** What the canary was told. */
  readonly canaries: readonly string[];
  readonly messages: readonly ProgramMessage[];
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** A place where a program runs as nobody, with commands that are written down and harmless. */
export class Sandbox {
  readonly #bin: string;
  readonly #records: string;
  readonly #canaries: string;
  readonly #shell: readonly string[];
  readonly work: string;
  readonly #as: { readonly uid?: number; readonly gid?: number };

  constructor(
    readonly directory: string,
    shell: string,
  ) {
    const [program = "", ...words] = SHELLS[shell] ?? [];
    this.#shell = [which(program), ...words];
    this.#bin = join(directory, "bin");
    this.#records = join(directory, "records");
    this.#canaries = join(directory, "tmp/canaries");
    this.work = join(directory, "work");
    this.#as = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
    for (const folder of [this.#bin, this.#records, this.work, join(directory, "tmp")]) {
      mkdirSync(folder);
      this.own(folder);
    }
    const dash = which("dash");
    const record = `#!${dash}\nprintf '%s\\0' "$#" "\${0##*/}" "$@" >"${this.#records}/$$"\n`;
    for (const name of REAL.split(" ")) {
      const real = which(name);
      if (real !== "") this.#command(name, `${record}exec ${real} "$@"\n`);
    }
    // What it answers decides what a program does next: a line for getent and the like, and whether all is well.
    for (const name of STAND_INS.split(" ")) this.#command(name, `${record}printf %s "\${ANSWER-}"\nexit "$STATUS"\n`);
    // A unit runs its command and is over.
    this.#command("systemctl", `${record}[ "$1" != is-active ] || exit 3\nprintf %s "\${ANSWER-}"\nexit "$STATUS"\n`);
    this.#command("systemd-run", `${record}while [ "$1" != -- ]; do shift; done\nshift\nexec "$@"\n`);
    this.#command("record", `${record}[ $# = 0 ] || printf %s "$1"\n`);
    this.#command("canary", `#!${dash}\nprintf '%s\\0' "$*" >>"${this.#canaries}"\n`);
    this.#command("sh", `#!${dash}\nexec ${this.#shell.join(" ")} "$@"\n`);
  }

  /** Gives a path to whom programs run as. */
  own(path: string): void {
    if (this.#as.uid !== undefined) chownSync(path, NOBODY, NOBODY);
  }

  #command(name: string, text: string): void {
    const file = join(this.#bin, name);
    writeFileSync(file, text);
    chmodSync(file, 0o755);
  }

  /** Runs a program, whose nonce is `nonce` unless given. */
  run(text: string, more: { readonly status?: number; readonly answer?: string; readonly nonce?: string } = {}): Told {
    for (const name of readdirSync(this.#records)) rmSync(join(this.#records, name));
    rmSync(this.#canaries, { force: true });
    const [program = "", ...words] = this.#shell;
    const ran = spawnSync(program, words, {
      ...this.#as,
      // Only commands of this place, to which the program would add the system's own.
      input: text
        .replace(":/usr/local/sbin:/usr/sbin:/sbin", "")
        .replaceAll("/var/lib/edge-setup", join(this.directory, "tmp")),
      cwd: this.work,
      timeout: 60_000,
      maxBuffer: 64 << 20,
      env: {
        PATH: this.#bin,
        HOME: this.work,
        TMPDIR: join(this.directory, "tmp"),
        XDG_RUNTIME_DIR: join(this.directory, "tmp"),
        STATUS: String(more.status ?? 0),
        ANSWER: more.answer ?? "",
      },
    });
    const messages: ProgramMessage[] = [];
    new ProtocolParser(more.nonce ?? "nonce", (message) => messages.push(message)).push(ran.stdout);
    return {
      commands: readdirSync(this.#records).map((name) => wordsOf(readFileSync(join(this.#records, name)))),
      canaries: existsSync(this.#canaries) ? readFileSync(this.#canaries, "utf8").split("\0").slice(0, -1) : [],
      messages,
      stdout: ran.stdout,
      stderr: ran.stderr.toString("utf8"),
    };
  }
}

/** Where a program is; empty when it is nowhere. */
export function which(name: string): string {
  const ways = ["/usr/bin", "/bin", "/usr/local/bin", "/usr/sbin", "/sbin"];
  return ways.map((way) => join(way, name)).find((path) => existsSync(path)) ?? "";
}

function wordsOf(record: Buffer): string[] {
  return record.toString("utf8").split("\0").slice(1, -1);
}
