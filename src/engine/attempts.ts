import type { Value } from "../playbook/types.js";
import { isMistake, mistakeReason } from "./compile-task.js";
import type { CallOutcome, CompiledCall } from "./compiled.js";

/** What a task says whose `until` does not hold. */
const NOT_YET = "until does not hold";

/** Judges what calls have come to, and counts the attempts at the call at hand, where its `until` is decided here. */
export class Attempts {
  #count = 0;

  /** @param registers results as they are when a call ends */
  constructor(private readonly registers: () => Readonly<Record<string, Value>>) {}

  /** Counts an attempt; whether another one is to come. */
  fails(call: CompiledCall, raw: CallOutcome): boolean {
    const { retry } = call;
    if (retry === undefined || raw.status === "skipped" || raw.status === "pending") return false;
    this.#count++;
    return this.#count < retry.attempts && this.#tried(call, this.#judged(call, raw)).reason === NOT_YET;
  }

  /** What becomes of a call whose last attempt this is. */
  end(call: CompiledCall, raw: CallOutcome): CallOutcome {
    const outcome = this.#tried(call, this.#judged(call, raw));
    this.#count = 0;
    return outcome;
  }

  #judged(call: CompiledCall, raw: CallOutcome): CallOutcome {
    return call.judge === undefined ? raw : call.judge(raw, this.registers());
  }

  /** A result with its number of attempts, that failed where the last one was in vain. */
  #tried(call: CompiledCall, judged: CallOutcome): CallOutcome {
    const { retry } = call;
    if (retry === undefined || judged.status === "skipped" || judged.status === "pending") return judged;
    const attempt = this.#count;
    const fields = (attempts: number) => ({ ...judged.fields, attempts: String(attempts) });
    try {
      if (retry.done({ ...judged, fields: fields(attempt) }, this.registers()))
        return { ...judged, fields: fields(attempt) };
    } catch (error) {
      if (!isMistake(error)) throw error;
      return { ...judged, status: "failed", reason: mistakeReason(error) };
    }
    const changed = judged.status === "changed" || judged.changed === true ? { changed: true as const } : {};
    return { ...judged, ...changed, status: "failed", reason: NOT_YET, fields: fields(attempt - 1) };
  }
}
