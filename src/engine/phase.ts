import { findModule } from "../modules/registry.js";
import { type Play, taskOf, type Value } from "../playbook/types.js";
import type { EmitEvent, FileDiff, TaskRef, TaskStatus } from "../report/events.js";
import { InputError, InterruptedError, LockedError, TaskError } from "../util/errors.js";
import { Attempts } from "./attempts.js";
import { type Place, PlayEnded, UndecidedSource } from "./batch.js";
import { compileSegment } from "./compile.js";
import type { HostScope } from "./compile-input.js";
import { type BuildOptions, isMistake, mistakeReason, notBeforeApply } from "./compile-task.js";
import type { CallOutcome, CompiledCall, Segment, Target } from "./compiled.js";
import type { Delegates } from "./delegates.js";
import { type Moment, momentOf, type RunGroups } from "./groups.js";
import { HostLink } from "./host-link.js";
import { HostSteps } from "./host-steps.js";
import { FactsWantedError } from "./language.js";
import { library, libraryEntry } from "./library.js";
import { type Booted, programText } from "./program.js";
import { type CallState, emitStart, mergeDiffs, ProgramReader, stateOf } from "./program-reader.js";
import { ProtocolParser } from "./protocol.js";
import { RecapCounter } from "./recap.js";
import type { PlaceFile } from "./receiver.js";
import { hasFailed } from "./replay.js";
import type { ResultUses } from "./result-uses.js";
import { loopValue, resultValue } from "./results.js";
import type { Clock, HostSession } from "./session.js";
import type { SourceStore } from "./sources.js";
import type { PlaySteps, TaskStep } from "./steps.js";
import { BEGINNING, goOn, isRescued, type Way } from "./way.js";

export interface PhaseInput {
  /** The play's number, for what tells tasks of all plays apart. */
  readonly playNumber: number;
  readonly place: Place;
  readonly uses: ResultUses;
  readonly groups: RunGroups;
  readonly play: Play;
  readonly steps: PlaySteps;
  readonly host: HostScope;
  readonly session: HostSession;
  /** Functions of programs that the host keeps. */
  readonly libraries: Set<string>;
  readonly delegates: Delegates;
  readonly sources: SourceStore;
  readonly build: BuildOptions;
  /** Asks a host for facts that turn out to be needed. */
  readonly gather: (wanted: FactsWantedError) => Promise<void>;
  readonly check: boolean;
  /** The check is the look before an apply. */
  readonly looks: boolean;
  readonly diff: boolean;
  readonly emit: EmitEvent;
  readonly clock: Clock;
  readonly signal: AbortSignal | undefined;
  readonly run: string;
  readonly who: string;
  /** Lock of programs on this machine, where the operator names one. */
  readonly lockFile: string | undefined;
  readonly newNonce: () => string;
  /** Payloads to send from the start. */
  readonly payloads: ReadonlySet<string>;
  readonly resolveMissingSource: ((path: string) => Promise<void>) | undefined;
  readonly placeFile: PlaceFile | undefined;
}

/** How often a program may be sent again with a payload that it missed, beyond one for each call. */
const EXTRA_SENDS = 3;
/** What a program's channel may carry that is not the program's: a login shell's greeting, bytes. */
const MAX_NOISE = 4 << 20;
/** More than any program says in all, bytes. */
const MAX_ANSWER = 512 << 20;
/** Most bytes of registered results that one phase keeps of a host. */
const MAX_RESULT_BYTES = 32 << 20;

/** One way of a play through one host: all its segments, in check mode or for real. */
export class Phase {
  readonly counter = new RecapCounter();
  /** Payloads that files of the host differ from, or that commands need. */
  readonly wanted = new Set<string>();
  /** Controller files that have to be fetched, or verified, for it. */
  readonly missing = new Map<string, CompiledCall>();
  /** Controller files that other hosts bring, and that it needs. */
  readonly awaited = new Set<string>();
  /** Something changed, or would in apply. */
  dirty = false;
  failed = false;
  /** It failed by a task that ends the play for all hosts. */
  fatal = false;
  /** Another run holds the host: who. */
  holder: string | undefined;
  readonly #input: PhaseInput;
  readonly #notified = new Set<number>();
  /** Those that calls which were judged here have notified since the program began. */
  readonly #notifiedHere = new Set<number>();
  readonly #loops = new Map<number, readonly Value[]>();
  /** The task before which all hosts have met last. */
  #metBefore: number | undefined;
  /** Files that were waited for in vain, and why. */
  readonly #lost = new Map<string, string>();
  #resultBytes = 0;
  readonly #attempts = new Attempts(() => this.#input.host.registers);
  /** Where the task at which all hosts met last is behind. */
  #met = 0;
  readonly #steps: HostSteps;
  readonly #link: HostLink;
  /** Steps of the segment at hand in which a task failed that nothing forgave. */
  #fatal = new Set<number>();
  /** Those of them behind which no forced handler runs, as in Ansible: handlers, and tasks that fail for all hosts. */
  #final = new Set<number>();
  /** Tasks of the segment at hand of which a call failed, forgiven or not: they give no facts. */
  #failing = new Set<number>();
  /** What items of a loop have given as facts so far. */
  readonly #gains = new Map<number, CallOutcome["more"]>();
  /** A task ended the host's play before its end. */
  #over = false;
  /** By name, the step whose result is the last that the segment at hand has given. */
  #given = new Map<string, number>();

  constructor(input: PhaseInput) {
    this.#input = input;
    this.#steps = new HostSteps(input.steps);
    this.#link = new HostLink(input);
  }

  async run(): Promise<void> {
    let way: Way | undefined = BEGINNING;
    while (way !== undefined && !this.failed && !this.#over) {
      if (this.#input.signal?.aborted) throw new InterruptedError("E_INTERRUPTED", "The run is interrupted.");
      if (this.#input.place.stop.aborted) throw new PlayEnded();
      this.#fatal = new Set();
      this.#final = new Set();
      this.#failing = new Set();
      this.#given = new Map();
      let segment: Segment = await this.#compile(way, this.#input.check && this.dirty);
      if (this.#needsNoProgram(segment, way)) this.#decided(segment);
      else segment = await this.#segment(segment, way);
      this.#input.host.known.stale ||= this.dirty && !this.#input.check;
      if (segment.awaits !== undefined && !(await this.#awaitOnce(segment.awaits))) continue;
      way = this.#goOn(segment, way);
      if (segment.once !== undefined) this.#shareOnce(segment.once, segment);
      this.#reach(way);
      if (segment.meetingBefore !== undefined && !this.failed) {
        await this.#input.place.meetBefore(segment.meetingBefore);
        this.#metBefore = segment.meetingBefore;
      }
      if (segment.meeting !== undefined && !this.failed) {
        await this.#input.place.meet(segment.meeting.order);
        this.#met = segment.meeting.before;
      }
    }
    this.counter.flush();
  }

  /** The last step of a segment. */
  #lastOf(from: Way, next: Segment["next"]): number {
    return Math.max(from.position.step, (next?.step ?? this.#steps.list.length) - 1);
  }

  /** Tells the other hosts of the batch what came of a task that was done for all. */
  #shareOnce(once: TaskStep, { known, ends }: Segment): void {
    const { node, order } = once;
    const { registers } = this.#input.host;
    const at = this.#steps.list.indexOf(once);
    const value = node.register === undefined ? undefined : registers[node.register];
    this.#input.place.share(order, {
      registers: node.register === undefined || value === undefined ? {} : { [node.register]: value },
      facts: Object.assign({}, ...known.filter((one) => one.at === at).map((one) => one.facts)),
      failed: this.#fatal.has(at),
      dirty: this.dirty,
      ...(this.#over && ends !== undefined ? { ends } : {}),
    });
  }

  /** Takes what another host did for all; false when it turned out to be this host's turn. */
  async #awaitOnce(step: TaskStep): Promise<boolean> {
    const { host, place } = this.#input;
    const once = await place.once(step.order);
    if (once === undefined) return false;
    Object.assign(host.registers, once.registers);
    Object.assign(host.facts, once.facts);
    this.dirty ||= once.dirty;
    this.#over ||= once.ends !== undefined;
    const at = this.#steps.list.indexOf(step);
    if (once.failed) for (const steps of [this.#fatal, this.#final]) steps.add(at);
    return true;
  }

  /** A handler that runs, or has run, is taken off the list of those that are notified. */
  #needsNoProgram({ calls, bails, stops }: Segment, { position }: Way): boolean {
    if (position.notified !== undefined || position.handled !== undefined) return false;
    return bails.size === 0 && stops.length === 0 && calls.every((call) => call.decided !== undefined);
  }

  /** Keeps what is known of the steps that were come to, and gives the place of the next. */
  #goOn({ known, next, bails, ends }: Segment, from: Way): Way | undefined {
    const { host } = this.#input;
    const visited = new Set<number>();
    const [fatal, final] = [this.#fatal, this.#final];
    const after = goOn(this.#steps.list, from, { fatal, final, next, bails, visit: (step) => visited.add(step) });
    for (const { at, of, registers, facts, sights = [], included } of known) {
      if (!visited.has(at) || (of !== undefined && this.#failing.has(of))) continue;
      if (sights.length > 0) host.sights = [...host.sights, ...sights];
      if (included !== undefined) host.included = { ...host.included, ...included };
      for (const [name, value] of Object.entries(registers)) {
        if ((this.#given.get(name) ?? -1) < at) host.registers[name] = value;
      }
      Object.assign(host.facts, facts);
    }
    this.failed ||= after.failed;
    this.#over ||= ends !== undefined && visited.has(this.#lastOf(from, next));
    return after.way;
  }

  /** Compiles a segment, as soon as it is known which missing files other hosts bring. */
  async #compile(from: Way, lenient: boolean): Promise<Segment> {
    const { play, host, build, check, place } = this.#input;
    const steps = this.#steps;
    const options: BuildOptions = {
      ...build,
      comesFrom: (path) => this.#comesFrom(path),
      foretell: (path) => place.foretell(path),
    };
    for (;;) {
      try {
        const isChosen = (order: number) => place.isChosen(order);
        const [now, met] = [this.#now(), this.#metBefore];
        const { looks, uses } = this.#input;
        return compileSegment({ play, steps, host, options, check, uses, looks, lenient, isChosen, now, met }, from);
      } catch (error) {
        if (error instanceof FactsWantedError) await this.#input.gather(error);
        else if (error instanceof UndecidedSource) await place.decide(error.path);
        else throw error;
      }
    }
  }

  #comesFrom(path: string): ReturnType<BuildOptions["comesFrom"]> {
    const why = this.#lost.get(path);
    if (why !== undefined) return { kind: "lost", why };
    const hosts = this.#input.place.whoBrings(path);
    return hosts.length === 0 ? undefined : { kind: "host", host: hosts.join(" or ") };
  }

  /** Tells the others how far this host is. */
  #reach(way: Way | undefined): void {
    const step = way === undefined ? undefined : this.#steps.list[way.position.step];
    if (step !== undefined && "order" in step) this.#input.place.reach(step.order);
  }

  /** Behind the last meeting: it ended the segment before. */
  #now(): Moment {
    return momentOf(this.#input.playNumber, this.#met);
  }

  /** Tells the results of a segment that the host is not needed for. */
  #decided(segment: Segment): void {
    const news = this.#join(segment.calls);
    for (const call of segment.calls) {
      const started = this.#input.clock.now().getTime();
      emitStart(this.#input, call);
      const { joins, decided = "ok" } = call;
      const changed = joins !== undefined && news.get(call) === true;
      const status = changed ? "changed" : decided;
      const more =
        joins === undefined ? {} : { more: { changed, add_group: joins.group, parent_groups: joins.parents } };
      this.settle(call, stateOf(started), { status, reason: "-", fields: {}, ...more });
      if (call.last && this.#fatal.size > 0) return;
    }
  }

  /** Puts the host into the groups that calls name; gives which of them are news. */
  #join(calls: readonly CompiledCall[]): Map<CompiledCall, boolean> {
    const { groups, session, playNumber } = this.#input;
    const naming = calls.flatMap((call) => (call.joins === undefined ? [] : [{ call, joins: call.joins }]));
    const [first] = naming;
    if (first === undefined) return new Map();
    const { at, node } = first.call;
    const joined = naming.map(({ joins }) => joins);
    const step = this.#steps.list[at];
    const moment = momentOf(playNumber, step?.kind === "task" ? step.order : 0);
    const news = groups.join(session.host.name, moment, joined, node.position);
    return new Map(naming.map(({ call }, index) => [call, news[index] === true]));
  }

  /** Runs a segment to its end, and gives it as it was compiled last. */
  async #segment(segment: Segment, from: Way): Promise<Segment> {
    const { session, sources, steps } = this.#input;
    const payloads = new Set(this.#input.payloads);
    const ended = new Map<number, { call: CompiledCall; outcome: CallOutcome }>();
    let current = segment;
    let start = 1;
    let booted: Booted | undefined;
    for (let sends = 0; ; sends++) {
      if (sends > segment.calls.length + EXTRA_SENDS)
        throw new TaskError("E_PAYLOAD", "The host asks for the same file again and again.");
      const nonce = this.#input.newNonce();
      const sent = new Set(current.calls.flatMap((call) => call.payloads.filter((digest) => payloads.has(digest))));
      const payload = [...sent].flatMap((digest) => sources.entry(digest) ?? []);
      const keeps = this.#keepsLibrary(current.target);
      const entries = keeps ? [...payload, libraryEntry()] : payload;
      if (keeps) this.#input.libraries.add(library().name);
      const text = programText(current, {
        nonce,
        run: this.#input.run,
        check: this.#input.check,
        looks: this.#input.looks,
        diff: this.#input.diff,
        later: this.#input.check && this.dirty,
        start,
        alone: entries.length === 0,
        // Tasks delegated by several hosts at once do not hold up each other, nor the run of the host that does them.
        own: current.target.delegate === undefined && (!current.target.local || session.isLocal),
        who: this.#input.who,
        host: session.host.name,
        lockFile: current.target.local ? this.#input.lockFile : undefined,
        handlerNames: steps.handlers.map((handler) =>
          handler.kind === "leave" ? handler.name : taskOf(handler.node).name,
        ),
        notified: this.#notified,
        booted,
        ended,
        libraries: this.#libraries(current.target),
        keepsLibrary: keeps,
      });
      this.#notifiedHere.clear();
      const reader = new ProgramReader(current, this.#input, this, ended);
      const parser = new ProtocolParser(nonce, (message) => reader.take(message));
      let heard = 0;
      const hear = (chunk: Buffer) => {
        heard += chunk.length;
        parser.push(chunk);
        if (parser.noise > MAX_NOISE || heard - reader.receivedChars > MAX_ANSWER) throw floodError();
      };
      const listener = {
        hear,
        stop: this.#input.place.stop,
        get spoke() {
          return reader.spoke;
        },
        get pid() {
          return reader.pid;
        },
        get reboots() {
          return reader.reboots !== undefined;
        },
      };
      const lost = await this.#link
        .run(current.target, text, entries, listener)
        .catch((error: unknown) => this.#link.awaited(current.calls[reader.nextCall - 1], current.target, error))
        .finally(() => reader.close());
      const boot = reader.reboots;
      if (boot !== undefined && (lost || reader.end === "reboot" || reader.end === undefined)) {
        start = boot.call;
        booted = await this.#link.reboot(current, boot);
        continue;
      }
      if (reader.again !== undefined) {
        start = reader.again.call;
        sends--;
        await this.#input.clock.sleep(reader.again.delay * 1000, this.#input.signal);
        continue;
      }
      if (lost) {
        start = Math.max(start, reader.nextCall);
        continue;
      }
      const end = reader.end;
      if (end === "done") return current;
      if (end === "handler") return stoppedAt(current, reader.stop ?? 0);
      if (end === "failed") {
        // A failure that no task told of is the program's own.
        this.failed ||= this.#fatal.size === 0;
        return current;
      }
      if (end === "library") {
        this.#input.libraries.clear();
        continue;
      }
      if (end === "locked") throw lockedError(this.holder);
      if (end === "stopped") throw this.#input.place.stop.aborted ? new PlayEnded() : reader.interruption();
      if (end === "sent") {
        start = Math.max(start, reader.nextCall);
        // A failure of this side leads into a rescue, or to the end, which the program knows how to do.
        const failed = [...ended.values()].some(({ call, outcome }) => hasFailed(call, outcome));
        if (start > current.calls.length && !failed) return current;
        continue;
      }
      if (end === "need" && reader.need !== undefined) {
        const { call, digest } = reader.need;
        start = call;
        if (digest === "") {
          const compiled = current.calls[call - 1];
          for (const path of compiled?.missing ?? []) await this.fetch(path);
          for (const path of compiled?.awaited ?? []) await this.#await(path);
          current = await this.#compile(from, false);
          for (const again of current.calls[call - 1]?.payloads ?? []) payloads.add(again);
        } else payloads.add(digest);
        continue;
      }
      throw new TaskError("E_PROGRAM_ENDED", "The program on the host ended without a word.", {
        hint: "It may have been killed, or the host restarted. Run again: what is done is done.",
      });
    }
  }

  /** What changes a host may leave something there, what looks at it may not; and it is root's. */
  #keepsLibrary(target: Target): boolean {
    const { host, check } = this.#input;
    const root = target.user === undefined ? host.uid === 0 : target.user === "root";
    return !check && root && this.#libraries(target)?.has(library().name) === false;
  }

  /** The libraries that the host has on which a program runs, as far as that is known. */
  #libraries(target: Target): ReadonlySet<string> | undefined {
    const { session, libraries, lockFile } = this.#input;
    if (target.delegate !== undefined || target.local !== session.isLocal) return undefined;
    return target.local && lockFile !== undefined ? undefined : libraries;
  }

  /** Waits for a file that another host brings. One that does not come is the task's failure. */
  async #await(path: string): Promise<void> {
    const { sources, place } = this.#input;
    if (sources.describe(path) !== undefined) return;
    const hosts = place.whoBrings(path).filter((host) => host !== place.host);
    const from = hosts.join(" or ");
    if (hosts.length > 0) this.#link.say("info", `waits for ${from}, from which ${path} is fetched`);
    if ((await place.arrival(path)) && sources.describe(path) !== undefined) return;
    const why = hosts.length === 0 ? "no other host brings it" : `${from} ended without bringing it`;
    this.#lost.set(path, `src ${path} does not exist on this machine: ${why}`);
  }

  /** Lets the build room fetch a source. @throws InputError when nobody can */
  async fetch(path: string): Promise<void> {
    const resolve = this.#input.resolveMissingSource;
    if (resolve === undefined) throw new InputError("E_SOURCE_MISSING", `${path} does not exist on this machine.`);
    await resolve(path);
    if (this.#input.sources.describe(path) === undefined) {
      throw new InputError("E_SOURCE_MISSING", `${path} does not exist on this machine, even after fetching it.`);
    }
  }

  /** Hash of a controller file that is there now. */
  hashOf(path: string): string | undefined {
    return this.#input.sources.describe(path)?.digest;
  }

  /** Counts an attempt; whether another one is to come. */
  fails(call: CompiledCall, raw: CallOutcome): boolean {
    return this.#attempts.fails(call, raw);
  }

  /** A call has ended. */
  settle(call: CompiledCall, state: CallState, raw: CallOutcome): void {
    const { clock, session } = this.#input;
    this.#resultBytes += Object.values(raw.fields).reduce((total, value) => total + value.length, 0);
    if (this.#resultBytes > MAX_RESULT_BYTES) throw new TaskError("E_RESULTS", "The host's results are too large.");
    const { outcome, said } = this.#said(call, this.#attempts.end(call, raw));
    // A handler that an earlier run did not get to is work, whatever its own probe says.
    const due = call.ref.handler && outcome.status !== "skipped";
    if (due || outcome.status === "changed" || outcome.status === "pending") this.dirty = true;
    if (outcome.status === "changed") {
      const numbers = call.node.notify.flatMap((name) => this.#input.steps.handlerIndex.get(name) ?? []);
      for (const index of numbers) this.#notified.add(index + 1);
      const isJudged = call.judge !== undefined || call.retry !== undefined;
      if (isJudged) for (const index of numbers) this.#notifiedHere.add(index + 1);
    }
    const ignored = outcome.status === "failed" && call.node.ignoreErrors;
    if (call.ref.handler && call.last && (outcome.status !== "failed" || ignored)) this.#handled(call.ref);
    if (outcome.status === "failed" && !call.node.ignoreErrors) {
      this.#fatal.add(call.at);
      if (this.#failsForAll(call)) this.#final.add(call.at);
      this.fatal ||= call.node.anyErrorsFatal === true && !isRescued(this.#steps.list, call.at);
    }
    if (outcome.status === "failed") this.#failing.add(call.ref.id);
    if (call.tells?.facts !== undefined) this.#gain(call, outcome);
    this.#keep(call, outcome);
    const status: TaskStatus = outcome.status === "pending" ? "skipped" : outcome.status;
    const pending = outcome.status === "pending";
    const rescued = status === "failed" && !ignored && isRescued(this.#steps.list, call.at);
    const changed = outcome.status === "changed" || outcome.changed === true;
    const last = call.last || call.counts === "alone";
    if (call.counts === "whole") this.counter.forget();
    if (call.counts !== "never") this.counter.add(status, { pending, ignored, rescued, changed, last });
    const hidden = call.node.noLog;
    let reason = said ?? outcome.reason;
    if (call.reason !== undefined && (outcome.reason === "-" || outcome.reason === "")) reason = call.reason;
    if (call.when !== undefined && status === "skipped" && outcome.reason === "-")
      reason = `when: ${call.when} is false`;
    if (hidden) reason = status === "failed" ? "failed (no_log hides why)" : `${status} (no_log)`;
    const diff = status === "failed" ? undefined : this.#diff(call, state, outcome);
    this.#input.emit({
      type: "task.result",
      time: clock.now().toISOString(),
      host: session.host.name,
      task: call.ref,
      ...(call.item === undefined ? {} : { item: call.item }),
      status,
      reason: reason.trim() || status,
      ...(ignored ? { ignored: true } : {}),
      ...(rescued ? { rescued: true } : {}),
      ...(pending ? { pending: true } : {}),
      ...(diff === undefined || hidden ? {} : { diff }),
      ...(state.output === undefined || hidden ? {} : { output: state.output }),
      durationMs: Math.max(0, clock.now().getTime() - state.started),
    });
  }

  /** Keeps the facts that a module gives, once none of its task's calls can fail any more. */
  #gain({ ref, last }: CompiledCall, { more }: CallOutcome): void {
    const facts = Object.assign({}, this.#gains.get(ref.id), more?.ansible_facts);
    this.#gains.delete(ref.id);
    if (!last) this.#gains.set(ref.id, facts);
    else if (!this.#failing.has(ref.id)) Object.assign(this.#input.host.given, facts);
  }

  #failsForAll({ ref, node }: CompiledCall): boolean {
    return ref.handler || node.runOnce || (node.anyErrorsFatal ?? this.#input.play.anyErrorsFatal);
  }

  /** A notified handler has run; what an include among them comes to is notified with it. */
  #handled({ id }: TaskRef): void {
    const { handlers } = this.#input.steps;
    const index = handlers.findIndex((handler) => handler.kind !== "leave" && handler.ref.id === id);
    this.#notified.delete(index + 1);
    if (handlers[index]?.kind === "include") this.#notified.add(index + 2);
  }

  /** The difference of texts; an empty one where owners and modes differ, of which the reason tells. */
  #diff({ node }: CompiledCall, { diffs }: CallState, { status, reason }: CallOutcome): FileDiff | undefined {
    if (diffs.length > 0) return mergeDiffs(diffs);
    if (!this.#input.diff || node.diff === false || status !== "changed" || node.args.remote_src !== undefined)
      return undefined;
    const kind = findModule(node.module)?.diffs;
    const shown = kind === "always" || (kind === "attributes" && /\b(owner|group|mode) \S+ -> /.test(reason));
    return shown ? { path: "", unified: "" } : undefined;
  }

  /** What debug or fail say. In a check it may need what only apply gives. */
  #said(call: CompiledCall, outcome: CallOutcome): { readonly outcome: CallOutcome; readonly said?: string } {
    const passed = outcome.status === "skipped" && call.decided !== "skipped";
    if (passed || outcome.status === "pending") return { outcome };
    if (call.say === undefined) return { outcome: call.more === undefined ? outcome : withMore(outcome, call.more) };
    try {
      const { text, more } = call.say(this.#input.host.registers);
      return { outcome: withMore(outcome, more), said: text };
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      if (this.#input.check && this.dirty)
        return { outcome: { ...outcome, status: "pending", reason: notBeforeApply(error) } };
      if (this.#input.build.mistakesFirst || !isMistake(error)) throw error;
      return { outcome: { ...outcome, status: "failed", reason: mistakeReason(error) } };
    }
  }

  /** Keeps a task's result, where something may ask for it. */
  #keep(call: CompiledCall, outcome: CallOutcome): void {
    const { registers } = this.#input.host;
    const { register, name } = call.node;
    const rescued = isRescued(this.#steps.list, call.at);
    if (register === undefined && !rescued) return;
    let value = resultValue(call, outcome);
    if (call.itemValue !== undefined) {
      const values = [...(this.#loops.get(call.ref.id) ?? []), value];
      this.#loops.set(call.ref.id, values);
      if (!call.last) return;
      value = loopValue(values);
    }
    this.#loops.delete(call.ref.id);
    if (register !== undefined) {
      this.#given.set(register, call.at);
      registers[register] = value;
    }
    if (rescued && this.#fatal.has(call.at)) {
      registers.ansible_failed_task = { name };
      registers.ansible_failed_result = value;
    }
  }

  /** Handlers that the host says are notified, the journaled ones among them. */
  noteHandlers(numbers: readonly number[]): void {
    this.#notified.clear();
    for (const number of [...numbers, ...this.#notifiedHere]) this.#notified.add(number);
  }
}

/** What was left of a segment is another one. */
function stoppedAt(segment: Segment, stop: number): Segment {
  const next = segment.stops[stop - 1];
  if (next === undefined) throw new TaskError("E_PROTOCOL", "The host tells of a handler that there is not.");
  return { ...segment, next, ends: undefined, meeting: undefined, meetingBefore: undefined, once: undefined };
}

function withMore(outcome: CallOutcome, more: NonNullable<CallOutcome["more"]>): CallOutcome {
  return { ...outcome, more: { ...more, ...outcome.more } };
}

function floodError(): TaskError {
  return new TaskError(
    "E_PROTOCOL",
    "The host answers without end with what is not of edge-setup's protocol; it was not listened to any further.",
    { hint: "Look at what the login shell of the host prints (its profile), and whether this host can be trusted." },
  );
}

export function lockedError(holder: string | undefined): LockedError {
  return new LockedError("E_LOCKED", `Another run holds this host: ${holder ?? "unknown"}.`, {
    hint: "Wait until it has ended, then run again.",
  });
}
