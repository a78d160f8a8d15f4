import { setMaxListeners } from "node:events";
import { type ExitCode, exitCodes } from "../util/errors.js";

/** What the user did to end a run early. */
export type StopKind = "interrupt" | "terminate" | "detach";

const said: Record<StopKind, string> = {
  interrupt: "Stopping: what runs now may end first. Press Ctrl-C again to stop at once.",
  terminate: "Stopping: what runs now may end first.",
  detach: "Detached: a compile goes on on its host, and the same command follows it again.",
};

/**
 * How a command is told to end. The first time lets the task at hand end, the second ends the process at once. Signals
 * and keys of a display come here alike.
 */
export class Interruption {
  readonly #controller = manyListeners(new AbortController());
  #exitCode: ExitCode = exitCodes.interrupted;
  /** Says that a stop was asked for; a display that owns the terminal puts its own way here. */
  announce: (text: string) => void = (text) => process.stderr.write(`\n${text}\n`);

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** How the process ends after a stop: 143 after SIGTERM, else 130. */
  get exitCode(): ExitCode {
    return this.#exitCode;
  }

  /** Listens to SIGINT, SIGTERM and SIGHUP (a closed terminal). */
  listen(): this {
    process.on("SIGINT", () => this.stop("interrupt"));
    process.on("SIGTERM", () => this.stop("terminate"));
    process.on("SIGHUP", () => this.stop("terminate"));
    return this;
  }

  stop(kind: StopKind): void {
    const code = kind === "terminate" ? exitCodes.terminated : exitCodes.interrupted;
    // Ink and the transport clean up on `exit`.
    if (this.signal.aborted) process.exit(code);
    this.announce(said[kind]);
    this.#exitCode = code;
    process.exitCode = code;
    this.#controller.abort();
  }
}

/** Aborts with whichever signal aborts first. */
export function anySignal(...signals: readonly AbortSignal[]): AbortSignal {
  const controller = manyListeners(new AbortController());
  for (const signal of signals) {
    if (signal.aborted) controller.abort();
    signal.addEventListener("abort", () => controller.abort(), { once: true });
  }
  return controller.signal;
}

/** Each host listens: more than ten are no leak, and Node's warning about one would be written over a view. */
function manyListeners(controller: AbortController): AbortController {
  setMaxListeners(0, controller.signal);
  return controller;
}
