import type { EmitEvent, HostRecap } from "../report/events.js";
import {
  EdgeError,
  type ExitCode,
  exitCodes,
  formatPosition,
  InputErrors,
  InterruptedError,
  UnreachableError,
} from "../util/errors.js";
import { emptyRecap } from "./recap.js";
import type { Clock } from "./session.js";

/** What becomes of a run: the recap of each host, and what went wrong. */
export class RunTally {
  readonly #emit: EmitEvent;
  readonly #clock: Clock;
  readonly #recaps: Record<string, HostRecap> = {};
  readonly #errors: EdgeError[] = [];
  #taskFailed = false;

  constructor(emit: EmitEvent, clock: Clock) {
    this.#emit = emit;
    this.#clock = clock;
  }

  /** By host. */
  get recaps(): Readonly<Record<string, HostRecap>> {
    return this.#recaps;
  }

  add(host: string, recap: HostRecap): void {
    const total = this.#recaps[host] ?? emptyRecap();
    for (const key of Object.keys(recap) as (keyof HostRecap)[]) total[key] += recap[key];
    this.#recaps[host] = total;
  }

  taskFailed(): void {
    this.#taskFailed = true;
  }

  /** Tells what ended a host's part, and counts it. */
  report(host: string, error: unknown): void {
    if (!(error instanceof EdgeError)) {
      // A bug of ours must not look like a failure of the host; other hosts finish first.
      this.#taskFailed = true;
      this.message(host, `internal error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
      this.add(host, { ...emptyRecap(), failed: 1 });
      return;
    }
    this.#errors.push(error);
    const hint = error.hint === undefined ? {} : { hint: error.hint };
    if (error instanceof UnreachableError || error.exitCode === exitCodes.hostKey) {
      const { code, message } = error;
      this.#emit({ type: "host.unreachable", time: this.#now(), host, code, text: message, ...hint });
      this.add(host, { ...emptyRecap(), unreachable: 1 });
      return;
    }
    for (const part of error instanceof InputErrors ? error.errors : [error]) {
      const place = part.position === undefined ? "" : `${formatPosition(part.position)}: `;
      this.message(host, place + part.message, "error", part.hint);
    }
    if (!(error instanceof InterruptedError)) this.add(host, { ...emptyRecap(), failed: 1 });
  }

  message(host: string, text: string, level: "error" | "info" = "error", hint?: string): void {
    const more = hint === undefined ? {} : { hint };
    this.#emit({ type: "message", time: this.#now(), level, host, text, ...more });
  }

  /** @param interrupted by the user, which goes before all else */
  exitCode(interrupted: boolean): ExitCode {
    if (interrupted) return exitCodes.interrupted;
    if (this.#taskFailed) return exitCodes.taskFailed;
    const codes = new Set(this.#errors.map((error) => error.exitCode));
    const order = [
      exitCodes.internal,
      exitCodes.hostKey,
      exitCodes.unreachable,
      exitCodes.locked,
      exitCodes.taskFailed,
      exitCodes.usage,
    ];
    return [...order, exitCodes.interrupted].find((code) => codes.has(code)) ?? exitCodes.ok;
  }

  #now(): string {
    return this.#clock.now().toISOString();
  }
}
