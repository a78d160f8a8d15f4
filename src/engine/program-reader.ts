import type { FileDiff, RunEvent } from "../report/events.js";
import { InterruptedError } from "../util/errors.js";
import type { CompiledCall, Segment } from "./compiled.js";
import { isText, unifiedDiff } from "./diff.js";
import { JobLog } from "./job-log.js";
import type { Phase, PhaseInput } from "./phase.js";
import type { ProgramMessage } from "./protocol.js";

/** What a call has said so far. */
export interface CallState {
  readonly started: number;
  readonly fields: Record<string, string>;
  output?: string;
  wants: { digest: string; path: string } | undefined;
  path: string;
  old?: Buffer;
  readonly diffs: FileDiff[];
  log?: JobLog;
}

export function mergeDiffs(diffs: readonly FileDiff[]): FileDiff {
  const [first] = diffs;
  return { path: first?.path ?? "", unified: diffs.map((diff) => diff.unified).join("") };
}

/** Lines of a failed command's output that are shown. */
const SHOWN_LINES = 40;

/** What a failed command said last, without the lines that were its progress. */
function lastLines(output: string): string {
  const lines = output.trimEnd().split("\n");
  return lines
    .filter((line) => !/^@@(step|progress) /.test(line))
    .slice(-SHOWN_LINES)
    .join("\n");
}

/** Reads one program's messages. */
export class ProgramReader {
  spoke = false;
  end: Extract<ProgramMessage, { kind: "end" }>["reason"] | undefined;
  need: { call: number; digest: string } | undefined;
  /** First call without a result. */
  nextCall = 1;
  readonly #states = new Map<number, CallState>();

  constructor(
    private readonly segment: Segment,
    private readonly input: PhaseInput,
    private readonly phase: Phase,
  ) {}

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
    this.spoke = true;
    switch (message.kind) {
      case "pid":
        this.input.session.noteProgram(message.pid, this.segment.target);
        return;
      case "locked":
        this.phase.holder = message.holder;
        return;
      case "handlers":
        this.phase.noteHandlers(message.notified);
        return;
      case "end":
        this.end = message.reason;
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
        state.fields[message.field] = message.value;
        return;
      case "output":
        state.output = lastLines(message.text);
        return;
      case "wants":
        this.#finishDiff(state);
        state.wants = message;
        state.path = message.path;
        if (message.digest !== "" && call.payloads.includes(message.digest)) this.phase.wanted.add(message.digest);
        for (const path of call.missing) this.phase.missing.set(path, call);
        return;
      case "file":
        state.path = message.path;
        return;
      case "content":
        if (message.which === "old") state.old = message.bytes;
        else this.#addDiff(state, state.old, message.bytes);
        return;
      case "log":
        state.log ??= new JobLog(this.#sink(call));
        if (!call.node.noLog) state.log.push(message.bytes);
        return;
      case "result":
        state.log?.end();
        this.#finishDiff(state, message.status);
        this.#states.delete(message.call);
        this.nextCall = message.call + 1;
        this.phase.settle(call, state, { status: message.status, reason: message.reason, fields: state.fields });
    }
  }

  #start(number: number, call: CompiledCall): void {
    this.nextCall = number;
    const { clock, session, emit } = this.input;
    this.#states.set(number, { started: clock.now().getTime(), fields: {}, wants: undefined, path: "", diffs: [] });
    const item = call.item === undefined ? {} : { item: call.item };
    emit({ type: "task.start", time: clock.now().toISOString(), host: session.host.name, task: call.ref, ...item });
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
    if (after.length > 131072 || !isText(old) || !isText(after)) return;
    const unified = unifiedDiff(state.path, old.toString("utf8"), Buffer.from(after).toString("utf8"));
    if (unified !== "") state.diffs.push({ path: state.path, unified });
  }
}
