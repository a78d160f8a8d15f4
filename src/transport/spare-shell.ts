import type { EventEmitter } from "node:events";
import type { Readable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { quote } from "../util/shell.js";

/** What the shell says once it waits. A login shell that greets may say something before. */
const READY = "edge-setup-waits\n";

/**
 * Runs a POSIX shell that becomes the command which it then reads. `read` takes no byte behind the line, so that the
 * command has all the rest of stdin.
 */
export const WAIT = `sh -c ${quote(`echo ${READY.trim()}; IFS= read -r c && eval "exec $c"`)}`;

/** A channel, or an ssh that goes through another. */
interface Started extends EventEmitter {
  readonly stdout: Readable;
}

/**
 * A shell on the host that waits for its one command, opened while something else is waited for: a channel costs a round
 * trip, and the start of a command another. A host that does not want it, by MaxSessions or a forced command, has none.
 */
export class SpareShell<S extends Started> {
  #shell: S | undefined;
  #heard = "";
  #isOver = false;

  /**
   * @param start runs WAIT; where it cannot, it gives nothing
   * @param end ends what it gave
   */
  constructor(
    start: (give: (shell: S) => void) => void,
    private readonly end: (shell: S) => void,
  ) {
    start((shell) => {
      if (this.#isOver) return this.end(shell);
      this.#shell = shell;
      shell.stdout.on("data", this.#hear);
      shell.on("exit", this.#lose).on("close", this.#lose);
      shell.on("error", this.#lose);
    });
  }

  readonly #hear = (chunk: Buffer) => {
    this.#heard = (this.#heard + chunk.toString("latin1")).slice(-READY.length);
  };

  readonly #lose = () => {
    this.#isOver = true;
  };

  /** Gives the shell away, once, if it waits there; ends it if not. */
  async take(): Promise<S | undefined> {
    // What it said may have come while the program was compiled, and is read now.
    if (this.#heard !== READY) await setImmediate();
    if (this.#heard !== READY) await setImmediate();
    const shell = this.#shell;
    const waits = !this.#isOver && this.#heard === READY;
    this.#isOver = true;
    this.#shell = undefined;
    shell?.stdout.off("data", this.#hear);
    if (waits) return shell;
    if (shell !== undefined) this.end(shell);
    return undefined;
  }

  close(): void {
    this.#isOver = true;
    if (this.#shell !== undefined) this.end(this.#shell);
  }
}

/** Whether a shell that waits can read a command: it reads one line. */
export function fits(command: string): boolean {
  return !command.includes("\n");
}

/** What a shell that waits is sent before the command's own input. */
export function firstLine(command: string): Buffer {
  return Buffer.from(`${command}\n`);
}
