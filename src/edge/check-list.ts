import type { CheckRef, CheckStatus, EmitEvent } from "../report/events.js";
import { InterruptedError } from "../util/errors.js";
import { type Clock, systemClock } from "./clock.js";

export interface CheckOutcome {
  readonly status: CheckStatus;
  /** What was seen; never empty, never a secret. */
  readonly reason: string;
  /** What to do about it. */
  readonly hint?: string | undefined;
}

export interface Check extends CheckOutcome, CheckRef {
  readonly durationMs: number;
}

export const pass = (reason: string): CheckOutcome => ({ status: "pass", reason });
export const warn = (reason: string, hint?: string): CheckOutcome => ({ status: "warn", reason, hint });
export const fail = (reason: string, hint?: string): CheckOutcome => ({ status: "fail", reason, hint });
export const skip = (reason: string): CheckOutcome => ({ status: "skip", reason });

/** Pass when there is no problem, else fail with the first ones. */
export function judge(problems: readonly string[], good: string, hint?: string): CheckOutcome {
  if (problems.length === 0) return pass(good);
  const more = problems.length > 3 ? ` and ${problems.length - 3} more` : "";
  return fail(problems.slice(0, 3).join("; ") + more, hint);
}

/** Runs checks one after the other, tells of each as it goes, and keeps them. */
export class CheckList {
  readonly checks: Check[] = [];
  readonly #host: string;
  readonly #emit: EmitEvent;
  readonly #signal: AbortSignal | undefined;
  readonly #clock: Clock;

  constructor(host: string, emit: EmitEvent, signal: AbortSignal | undefined, clock: Clock = systemClock) {
    this.#host = host;
    this.#emit = emit;
    this.#signal = signal;
    this.#clock = clock;
  }

  /** True when nothing failed; warnings and skipped checks do not count. */
  get ok(): boolean {
    return this.checks.every((check) => check.status !== "fail");
  }

  /**
   * Runs one check. What it throws is its failure.
   * @throws InterruptedError when the signal is aborted
   */
  async run(ref: CheckRef, check: () => Promise<CheckOutcome>): Promise<CheckOutcome> {
    this.#throwIfAborted();
    const begin = this.#clock.now();
    this.#emit({ type: "check.start", time: now(), host: this.#host, check: ref });
    const outcome = await check().catch((error: unknown) => this.#failure(error));
    this.#record(ref, outcome, Math.round(this.#clock.now() - begin));
    return outcome;
  }

  /** Records checks that cannot be made. */
  skip(refs: readonly CheckRef[], reason: string): void {
    for (const ref of refs) this.#record(ref, skip(reason), 0);
  }

  #failure(error: unknown): CheckOutcome {
    this.#throwIfAborted();
    if (error instanceof TypeError || error instanceof ReferenceError) throw error; // a bug of ours, not of the edge
    return fail((error as Error).message);
  }

  #record(ref: CheckRef, { status, reason, hint }: CheckOutcome, durationMs: number): void {
    const check = { ...ref, status, reason, ...(hint === undefined ? {} : { hint }), durationMs };
    this.checks.push(check);
    const told = { status, reason, ...(hint === undefined ? {} : { hint }), durationMs };
    this.#emit({ type: "check.result", time: now(), host: this.#host, check: ref, ...told });
  }

  #throwIfAborted(): void {
    if (this.#signal?.aborted) throw new InterruptedError("E_INTERRUPTED", "the verification is interrupted");
  }
}

function now(): string {
  return new Date().toISOString();
}
