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
    return this.#count < retry.attempts && this.#tried(call, this.#judged(call, raw)).inVain;
  }

  /** What becomes of a call whose last attempt this is. */
  end(call: CompiledCall, raw: CallOutcome): CallOutcome {
    const { outcome } = this.#tried(call, this.#judged(call, raw));
    this.#count = 0;
    return outcome;
  }

  #judged(call: CompiledCall, raw: CallOutcome): CallOutcome {
    return call.judge === undefined ? raw : call.judge(raw, this.registers());
  }

  /** A result with its number of attempts; where the last one was in vain it failed, or says so where `failed_when` decides. */
  #tried(call: CompiledCall, judged: CallOutcome): { readonly outcome: CallOutcome; readonly inVain: boolean } {
    const { retry } = call;
    if (retry === undefined || judged.status === "skipped" || judged.status === "pending")
      return { outcome: judged, inVain: false };
    const attempt = this.#count;
    const fields = (attempts: number) => ({ ...judged.fields, attempts: String(attempts) });
    try {
      if (retry.done({ ...judged, fields: fields(attempt) }, this.registers()))
        return { outcome: { ...judged, fields: fields(attempt) }, inVain: false };
    } catch (error) {
      if (!isMistake(error)) throw error;
      return { outcome: { ...judged, status: "failed", reason: mistakeReason(error) }, inVain: false };
    }
    const changed = judged.status === "changed" || judged.changed === true ? { changed: true as const } : {};
    const tried = { ...judged, fields: fields(attempt - 1) };
    const outcome: CallOutcome =
      call.node.failedWhen === undefined
        ? { ...tried, ...changed, status: "failed", reason: NOT_YET }
        : { ...tried, fields: { ...tried.fields, failed: "true" } };
    return { outcome, inVain: true };
  }
}
