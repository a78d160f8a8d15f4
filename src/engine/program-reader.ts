import { existsSync } from "node:fs";
import { FETCH_LIMIT } from "../modules/from-host.js";
import type { FileDiff, RunEvent } from "../report/events.js";
import { InterruptedError, TaskError } from "../util/errors.js";
import { safeLine } from "../util/safe-text.js";
import { broughtOutcome } from "./brought.js";
import type { CallOutcome, CompiledCall, Segment } from "./compiled.js";
import { isText, unifiedDiff } from "./diff.js";
import { JobLog } from "./job-log.js";
import type { Phase, PhaseInput } from "./phase.js";
import { type ProgramMessage, textOfBytes } from "./protocol.js";
import { type Offer, Receiver } from "./receiver.js";

/** What a call has said so far. */
export interface CallState {
  readonly started: number;
  readonly fields: Record<string, string>;
  /** Pieces of long fields. */
  readonly pieces: Map<string, Buffer[]>;
  /** Their bytes. */
  pieceSize: number;
  /** What it tells, beside its fields. */
  readonly told: Buffer[];
  toldSize: number;
  output?: string;
  wants: { digest: string; path: string } | undefined;
  path: string;
  old?: Buffer;
  readonly diffs: FileDiff[];
  /** Characters of the diffs. */
  diffSize: number;
  log?: JobLog;
  /** Bytes of the job's log. */
  logSize: number;
  receiver?: Receiver;
  /** Bytes of files. */
  received: number;
}

/** Before a call has said anything. */
export function stateOf(started: number): CallState {
  return {
    started,
    fields: {},
    pieces: new Map(),
    pieceSize: 0,
    told: [],
    toldSize: 0,
    wants: undefined,
    path: "",
    diffs: [],
    diffSize: 0,
    logSize: 0,
    received: 0,
  };
}

export function emitStart({ clock, session, emit }: PhaseInput, call: CompiledCall): void {
  const item = call.item === undefined ? {} : { item: call.item };
  emit({ type: "task.start", time: clock.now().toISOString(), host: session.host.name, task: call.ref, ...item });
}

export function mergeDiffs(diffs: readonly FileDiff[]): FileDiff {
  const [first] = diffs;
  return { path: first?.path ?? "", unified: diffs.map((diff) => diff.unified).join("") };
}

/** The fields that a task's result has. */
function fieldsOf(call: CompiledCall): ReadonlySet<string> {
  return new Set(Object.keys(call.returns).map((path) => path.replaceAll(".", "_")));
}

/** Lines of a failed command's output that are shown, and characters of each. */
const SHOWN_LINES = 40;
const SHOWN_WIDTH = 2000;
/** Of the long fields of one result, bytes; the host cuts none below 8 MiB. */
const MAX_PIECES = 32 << 20;
/** More of a job's log, in bytes, is not followed: a compile writes a few megabytes. */
const MAX_LOG = 32 << 20;
/** Bytes that one call may tell: twenty thousand packages have two million. */
const MAX_TOLD = 8 << 20;
/** More differences of one task, in characters, are not shown. */
const MAX_DIFFS = 4 << 20;

/** What is made of a call's own text. @throws TaskError for more of it than any host has to say */
function toldBy({ tells }: CompiledCall, { told, toldSize }: CallState, status: string): Pick<CallOutcome, "more"> {
  const counts = status === "ok" || status === "changed" || (status === "failed" && tells?.always === true);
  if (tells === undefined || !counts) return {};
  if (toldSize > MAX_TOLD) throw new TaskError("E_TOLD", "The host tells without end.");
  return { more: tells.read(textOfBytes(Buffer.concat(told))) };
}

/** What a failed command said last, without the lines that were its progress. */
function lastLines(output: string): string {
  const lines = output.trimEnd().split("\n");
  return lines
    .filter((line) => !/^@@(step|progress) /.test(line))
    .slice(-SHOWN_LINES)
    .map((line) => safeLine(line, SHOWN_WIDTH))
    .join("\n");
}

/**
 * Reads one program's messages. The host may say what it wants, so each task is begun and ended once, nothing is said of
 * other tasks or of fields that they do not have, and what is kept is bounded.
 */
export class ProgramReader {
  spoke = false;
  end: Extract<ProgramMessage, { kind: "end" }>["reason"] | undefined;
  /** A boot that has begun: the call, and what was before it. */
  reboots: { readonly call: number; readonly boot: string; readonly since: number } | undefined;
  need: { call: number; digest: string } | undefined;
  /** A call that is made again, after some seconds. */
  again: { readonly call: number; readonly delay: number } | undefined;
  /** The place among the segment's stops at which the program has ended, from 1. */
  stop: number | undefined;
  /** First call without a result. */
  nextCall = 1;
  /** Characters of files that were taken, and that no limit of answers counts. */
  receivedChars = 0;
  readonly #states = new Map<number, CallState>();
  readonly #begun = new Set<number>();
  /** The program's process id. */
  pid: number | undefined;

  constructor(
    private readonly segment: Segment,
    private readonly input: PhaseInput,
    private readonly phase: Phase,
    private readonly ended: Map<number, { call: CompiledCall; outcome: CallOutcome }>,
  ) {}

  /** Leaves nothing behind of files that did not come whole. */
  close(): void {
    for (const state of this.#states.values()) state.receiver?.drop();
  }

  /** What became of the task at hand. */
  interruption(): InterruptedError {
    const open = [...this.#states.keys()].map((number) => this.segment.calls[number - 1]);
    const job = open.find((call) => call?.node.async !== undefined);
    return job === undefined
      ? new InterruptedError("E_INTERRUPTED", "The run is interrupted; the task at hand was finished.")
      : new InterruptedError(
          "E_INTERRUPTED",
          `The run is interrupted; its job "${job.ref.name}" keeps running on the host.`,
          {
            hint: "Run the same command again to follow it.",
          },
        );
  }

  take(message: ProgramMessage): void {
    // A program says nothing after its end.
    if (this.end !== undefined) return;
    this.spoke = true;
    switch (message.kind) {
      case "pid":
        this.pid ??= message.pid;
        return;
      case "locked":
        this.phase.holder = message.holder;
        return;
      case "handlers":
        this.phase.noteHandlers(message.notified);
        return;
      case "end":
        this.end = message.reason;
        if (message.reason === "handler") this.stop = message.stop;
        return;
      case "need":
        this.need = message;
        return;
      default:
        this.#ofCall(message);
    }
  }

  #ofCall(message: Exclude<ProgramMessage, { kind: "pid" | "locked" | "handlers" | "end" | "need" }>): void {
    const call = this.segment.calls[message.call - 1];
    if (call === undefined) return;
    if (message.kind === "start") {
      this.#start(message.call, call);
      return;
    }
    const state = this.#states.get(message.call);
    if (state === undefined) return;
    switch (message.kind) {
      case "field":
        if (fieldsOf(call).has(message.field)) state.fields[message.field] = message.value;
        state.pieces.delete(message.field);
        return;
      case "more":
        this.#more(state, message.field, message.bytes);
        return;
      case "output":
        state.output = lastLines(message.text);
        return;
      case "due":
        this.phase.dirty = true;
        return;
      case "reboots":
        if (call.reboots === undefined) return;
        this.reboots = { call: message.call, boot: message.boot, since: this.input.clock.now().getTime() };
        return;
      case "told":
        state.toldSize += message.bytes.length;
        if (call.tells !== undefined && state.toldSize <= MAX_TOLD) state.told.push(message.bytes);
        return;
      case "wants":
        this.#finishDiff(state);
        state.wants = message;
        state.path = message.path;
        if (message.digest !== "" && call.payloads.includes(message.digest)) this.phase.wanted.add(message.digest);
        for (const path of call.missing) this.phase.missing.set(path, call);
        for (const path of call.awaited ?? []) this.phase.awaited.add(path);
        return;
      case "offer":
        this.#offer(call, state, message);
        return;
      case "piece":
        this.#piece(state, message.bytes);
        return;
      case "file":
        state.path = message.path;
        return;
      case "content":
        if (message.which === "old") state.old = message.bytes;
        else this.#addDiff(state, state.old, message.bytes);
        return;
      case "log":
        this.#log(call, state, message.bytes);
        return;
      case "result":
        state.log?.end();
        this.#finishDiff(state, message.status);
        this.#states.delete(message.call);
        for (const [field, pieces] of state.pieces) state.fields[field] = textOfBytes(Buffer.concat(pieces));
        this.nextCall = message.call + 1;
        this.reboots = undefined;
        this.#result(message.call, call, state, {
          status: message.status,
          reason: message.reason,
          ...(message.changed === true ? { changed: true } : {}),
          fields: state.fields,
          ...toldBy(call, state, message.status),
        });
    }
  }

  #more(state: CallState, field: string, bytes: Buffer): void {
    state.pieceSize += bytes.length;
    if (state.fields[field] === undefined || state.pieceSize > MAX_PIECES) return;
    state.pieces.set(field, [...(state.pieces.get(field) ?? []), bytes]);
  }

  #result(number: number, call: CompiledCall, state: CallState, said: CallOutcome): void {
    const outcome =
      call.brings === undefined ? said : broughtOutcome(call.brings, said, state.receiver, this.#brings(call));
    if (this.phase.fails(call, outcome)) {
      this.again = { call: number, delay: call.retry?.delay ?? 0 };
      return;
    }
    this.ended.set(number, { call, outcome });
    this.phase.settle(call, state, outcome);
    if (call.brings !== undefined && this.#brings(call) && existsSync(call.brings.dest)) {
      this.input.place.arrive(call.brings.dest);
    }
  }

  /** A check takes no file, whatever the host says. */
  #brings({ node, brings }: CompiledCall): boolean {
    return brings !== undefined && !(this.input.check && node.checkMode !== false);
  }

  #offer(call: CompiledCall, state: CallState, offer: Offer): void {
    if (call.brings === undefined || !this.#brings(call) || offer.size > FETCH_LIMIT) return;
    state.receiver?.drop();
    state.receiver = new Receiver(call.brings.dest, offer, this.input.placeFile);
  }

  #piece(state: CallState, bytes: Buffer): void {
    const { receiver } = state;
    if (receiver === undefined) return;
    receiver.write(bytes);
    state.received += bytes.length;
    // A task that tries again and again sends its file again; what is beyond the limit counts as answers do.
    if (state.received <= FETCH_LIMIT) this.receivedChars += Math.floor((bytes.length * 4) / 3);
  }

  #start(number: number, call: CompiledCall): void {
    if (this.#begun.has(number)) return;
    this.#begun.add(number);
    this.nextCall = number;
    this.#states.set(number, stateOf(this.input.clock.now().getTime()));
    emitStart(this.input, call);
  }

  #log(call: CompiledCall, state: CallState, bytes: Buffer): void {
    state.log ??= new JobLog(this.#sink(call));
    if (call.node.noLog || state.logSize > MAX_LOG) return;
    state.logSize += bytes.length;
    if (state.logSize <= MAX_LOG) state.log.push(bytes);
    else this.#sink(call).line(`more than ${MAX_LOG >> 20} MB of log: the rest is not followed`);
  }

  #sink(call: CompiledCall) {
    const { clock, session, emit } = this.input;
    const about = () => ({ time: clock.now().toISOString(), host: session.host.name, task: call.ref });
    return {
      line: (line: string) => emit({ type: "task.log", ...about(), line } satisfies RunEvent),
      progress: (done: number, total: number, text: string) =>
        emit({ type: "task.progress", ...about(), done, total, text } satisfies RunEvent),
    };
  }

  /** A payload that a file is to become gives the new side of a diff. */
  #finishDiff(state: CallState, status?: string): void {
    const { wants } = state;
    state.wants = undefined;
    if (wants === undefined || wants.path === "" || !this.input.diff) return;
    const after = this.input.sources.bytes(wants.digest);
    if (after !== undefined && (status === undefined || status === "changed")) this.#addDiff(state, state.old, after);
    delete state.old;
  }

  #addDiff(state: CallState, before: Buffer | undefined, after: Uint8Array): void {
    const old = before ?? Buffer.alloc(0);
    delete state.old;
    if (after.length > 131072 || state.diffSize > MAX_DIFFS || !isText(old) || !isText(after)) return;
    const unified = unifiedDiff(state.path, old.toString("utf8"), Buffer.from(after).toString("utf8"));
    state.diffSize += unified.length;
    if (unified !== "") state.diffs.push({ path: state.path, unified });
  }
}
