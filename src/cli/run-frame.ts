import { randomBytes } from "node:crypto";
import { type EmitEvent, EVENT_VERSION, nowText, type RunEvent } from "../report/events.js";
import type { ExitCode } from "../util/errors.js";

type RunEnd = Extract<RunEvent, { type: "run.end" }>;

/**
 * Keeps `run.start` the first and `run.end` the last event of a command that does more than one run of the engine:
 * what was noticed before waits for the start, and the end waits for the proofs.
 */
export class RunFrame {
  readonly #display: EmitEvent;
  #notices: readonly RunEvent[];
  #end: RunEnd | undefined;
  #began = Date.now();

  constructor(display: EmitEvent, notices: readonly RunEvent[]) {
    this.#display = display;
    this.#notices = notices;
  }

  readonly emit: EmitEvent = (event) => {
    if (event.type === "run.end") {
      this.#end = event;
      return;
    }
    this.#display(event);
    if (event.type !== "run.start") return;
    this.#began = Date.parse(event.time);
    const notices = this.#notices;
    this.#notices = [];
    for (const notice of notices) this.#display(notice);
  };

  /** Starts a run that the engine has no part in. */
  start(command: string, hosts: readonly string[]): void {
    const run = randomBytes(6).toString("hex");
    this.emit({
      type: "run.start",
      version: EVENT_VERSION,
      time: nowText(),
      run,
      command,
      check: false,
      hosts: [...hosts],
    });
    this.#end = { type: "run.end", time: nowText(), recap: {}, exitCode: 0, durationMs: 0 };
  }

  /** Emits the held end with the exit code of the whole command, and gives it back. */
  end(exitCode: ExitCode): ExitCode {
    if (this.#end !== undefined) {
      this.#display({ ...this.#end, time: nowText(), exitCode, durationMs: Date.now() - this.#began });
    }
    return exitCode;
  }
}
