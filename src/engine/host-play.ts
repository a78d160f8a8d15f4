import type { Value, Vars } from "../playbook/types.js";
import type { EmitEvent, HostRecap, RunEvent, TaskRef } from "../report/events.js";
import { EdgeError, InterruptedError } from "../util/errors.js";
import { PlayEnded } from "./batch.js";
import { lockedError, Phase, type PhaseInput } from "./phase.js";
import { emptyRecap } from "./recap.js";

export interface HostPlayInput extends Omit<PhaseInput, "check" | "looks" | "payloads" | "emit"> {
  readonly emit: EmitEvent;
  /** Plan only. */
  readonly planOnly: boolean;
  readonly onRecap: (recap: HostRecap) => void;
  readonly guards: Guards;
  /** Of the host, for guards. */
  readonly facts: Vars;
}

/** What the check of a host has found. */
export interface Findings {
  readonly facts: Vars;
  /** Registered results. */
  readonly results: Readonly<Record<string, Value>>;
}

/**
 * Questions of the controller that come before a task changes anything on a host, by the task's name: asked only when the check
 * found that the task has something to do. One that throws an EdgeError is that task's failure, and the host stays as it is.
 */
export type Guards = Readonly<Record<string, (found: Findings) => Promise<void>>>;

/**
 * One play on one host: a program in check mode, and, when it finds something to do and that is wanted, one more that
 * does it, with just the payloads that the first one asked for. The recap is told even when an error cuts the play off.
 * @returns whether a task failed
 * @throws EdgeError for what is no task's failure: a lost host, a lock, a mistake in the playbook
 */
export async function runHostPlay(input: HostPlayInput): Promise<boolean> {
  const { host, planOnly, emit } = input;
  const facts = { ...host.facts };
  const registers = { ...host.registers };
  const given = { ...host.given };
  const { included, sights } = host;
  const held: RunEvent[] = [];
  const check = new Phase({
    ...input,
    check: true,
    looks: !planOnly,
    payloads: new Set(),
    emit: planOnly
      ? emit
      : (event) => {
          if (event.type === "message") emit(event);
          else held.push(event);
        },
  });
  if (planOnly) {
    await told(check, input);
    if (check.holder !== undefined) warnLocked(input, check.holder);
    return failed(check, input);
  }
  await check.run();
  if (check.holder !== undefined) throw lockedError(check.holder);
  if (!check.dirty) {
    // What the check saw is the truth: there is nothing to do, or nothing may be done.
    for (const event of held) emit(event);
    input.onRecap(check.counter.recap);
    return failed(check, input);
  }
  await input.place.looked();
  if (input.place.stop.aborted) throw new PlayEnded();
  const questions = [...guarded(held, input), ...fetches(check)];
  for (const { ref, item, ask } of questions) {
    try {
      await ask();
    } catch (error) {
      if (!(error instanceof EdgeError) || error instanceof InterruptedError) throw error;
      emit(failedResult(input, ref, item, error));
      input.onRecap({ ...emptyRecap(), failed: 1 });
      return true;
    }
  }
  host.facts = facts;
  host.registers = registers;
  host.given = given;
  host.included = included;
  host.sights = sights;
  input.place.applies();
  const payloads = withFetched(check, new Set(check.wanted));
  const apply = new Phase({ ...input, check: false, looks: false, payloads, emit });
  await told(apply, input);
  return failed(apply, input);
}

/** Whether a host's play failed, which may be all hosts' failure. */
function failed({ failed, fatal }: Phase, { place }: HostPlayInput): boolean {
  if (failed && fatal) place.failAll();
  return failed;
}

/** What has to go well before anything is changed. */
interface Question {
  readonly ref: TaskRef;
  readonly item: string | undefined;
  readonly ask: () => Promise<void>;
}

function guarded(results: readonly RunEvent[], { guards, facts, host }: HostPlayInput): Question[] {
  const found = { facts, results: host.registers };
  return results.flatMap((event) => {
    if (event.type !== "task.result" || !(event.status === "changed" || event.pending)) return [];
    const guard = guards[event.task.name];
    return guard === undefined ? [] : [{ ref: event.task, item: event.item, ask: () => guard(found) }];
  });
}

function fetches(check: Phase): Question[] {
  return [...check.missing].map(([path, { ref, item }]) => ({ ref, item, ask: () => check.fetch(path) }));
}

async function told(phase: Phase, input: HostPlayInput): Promise<void> {
  try {
    await phase.run();
  } finally {
    phase.counter.flush();
    input.onRecap(phase.counter.recap);
  }
}

/** Sources that were just fetched, or came from another host meanwhile, have a hash now, and are sent at once. */
function withFetched(check: Phase, payloads: Set<string>): Set<string> {
  for (const path of [...check.missing.keys(), ...check.awaited]) {
    const digest = check.hashOf(path);
    if (digest !== undefined) payloads.add(digest);
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

/** Before the program that changes things has begun. */
function failedResult(input: HostPlayInput, ref: TaskRef, item: string | undefined, error: EdgeError): RunEvent {
  return {
    type: "task.result",
    time: input.clock.now().toISOString(),
    host: input.session.host.name,
    task: ref,
    ...(item === undefined ? {} : { item }),
    status: "failed",
    reason: error.message,
    output: [...(error.hint === undefined ? [] : [error.hint]), "Nothing was changed on this host."].join("\n"),
    durationMs: 0,
  };
}
