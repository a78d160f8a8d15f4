import type { EmitEvent, HostRecap, RunEvent } from "../report/events.js";
import { EdgeError } from "../util/errors.js";
import type { CompiledCall } from "./compiled.js";
import { lockedError, Phase, type PhaseInput } from "./phase.js";

export interface HostPlayInput extends Omit<PhaseInput, "check" | "payloads" | "emit"> {
  readonly emit: EmitEvent;
  /** Plan only. */
  readonly planOnly: boolean;
}

export interface HostPlayResult {
  readonly recap: HostRecap;
  readonly failed: boolean;
}

/**
 * One play on one host: a program in check mode, and, when it finds something to do and that is wanted, one more that
 * does it, with just the payloads that the first one asked for.
 */
export async function runHostPlay(input: HostPlayInput): Promise<HostPlayResult> {
  const { host, planOnly, emit } = input;
  const facts = { ...host.facts };
  const registers = { ...host.registers };
  const held: RunEvent[] = [];
  const check = new Phase({
    ...input,
    check: true,
    payloads: new Set(),
    emit: planOnly
      ? emit
      : (event) => {
          if (event.type === "message") emit(event);
          else held.push(event);
        },
  });
  await check.run();
  if (planOnly) {
    if (check.holder !== undefined) warnLocked(input, check.holder);
    return { recap: check.counter.recap, failed: check.failed };
  }
  if (check.holder !== undefined) throw lockedError(check.holder);
  if (!check.dirty) {
    // What the check saw is the truth: there is nothing to do, or nothing may be done.
    for (const event of held) emit(event);
    return { recap: check.counter.recap, failed: check.failed };
  }
  for (const [path, call] of check.missing) {
    try {
      await check.fetch(path);
    } catch (error) {
      if (!(error instanceof EdgeError)) throw error;
      emit(failedResult(input, call, error));
      check.counter.recap.failed++;
      return { recap: { ...check.counter.recap, changed: 0, pending: 0 }, failed: true };
    }
  }
  host.facts = facts;
  host.registers = registers;
  const payloads = new Set(check.wanted);
  const apply = new Phase({ ...input, check: false, payloads: withFetched(check, payloads), emit });
  await apply.run();
  return { recap: apply.counter.recap, failed: apply.failed };
}

/** Sources that were just fetched have a hash now, and are sent at once. */
function withFetched(check: Phase, payloads: Set<string>): Set<string> {
  for (const path of check.missing.keys()) {
    const sha256 = check.hashOf(path);
    if (sha256 !== undefined) payloads.add(sha256);
  }
  return payloads;
}

function warnLocked(input: HostPlayInput, holder: string): void {
  input.emit({
    type: "message",
    time: input.clock.now().toISOString(),
    level: "warning",
    host: input.session.host.name,
    text: `another run holds this host (${holder}); what is shown may be half of its work`,
  });
}

function failedResult(input: HostPlayInput, call: CompiledCall, error: EdgeError): RunEvent {
  return {
    type: "task.result",
    time: input.clock.now().toISOString(),
    host: input.session.host.name,
    task: call.ref,
    ...(call.item === undefined ? {} : { item: call.item }),
    status: "failed",
    reason: error.hint === undefined ? error.message : `${error.message} ${error.hint}`,
    durationMs: 0,
  };
}
