import type { ClientChannel } from "ssh2";
import { quote } from "../util/shell.js";
import type { SshSession } from "./ssh-session.js";

/** What the shell says once it waits. A login shell that greets may say something before. */
const READY = "edge-setup-waits\n";

/**
 * A POSIX shell that becomes the command which it then reads. `read` takes no byte behind the line, so that the command
 * has all the rest of stdin.
 */
const WAIT = `sh -c ${quote(`echo ${READY.trim()}; IFS= read -r c && eval "exec $c"`)}`;

/**
 * A shell on the host that waits for its one command, opened while something else is waited for: a channel costs a round
 * trip, and the start of a command another. A host that does not want it, by MaxSessions or a forced command, has none.
 */
export class SpareShell {
  #channel: ClientChannel | undefined;
  #heard = "";
  #isOver = false;

  constructor(session: Pick<SshSession, "client" | "lost">) {
    if (session.lost.aborted) return;
    session.client.exec(WAIT, (error, channel) => {
      if (error) return;
      if (this.#isOver) return channel.close();
      this.#channel = channel;
      channel.on("data", this.#hear).on("exit", this.#end).on("close", this.#end);
      channel.on("error", () => {});
    });
  }

  readonly #hear = (chunk: Buffer) => {
    this.#heard = (this.#heard + chunk.toString("latin1")).slice(-READY.length);
  };

  readonly #end = () => {
    this.#isOver = true;
  };

  /** Gives the channel away, once, if the shell waits there; closes it if not. */
  take(): ClientChannel | undefined {
    const waits = !this.#isOver && this.#heard === READY;
    this.#isOver = true;
    this.#channel?.off("data", this.#hear).off("exit", this.#end).off("close", this.#end);
    if (waits) return this.#channel;
    this.#channel?.close();
    return undefined;
  }
}

/** What a shell that waits is sent before the command's own input. */
export function firstLine(command: string): Buffer {
  return Buffer.from(`${command}\n`);
}
