import { UndefinedVariableError } from "../playbook/scope.js";
import type { TaskNode } from "../playbook/types.js";
import type { TaskRef } from "../report/events.js";
import { InputError, InputErrors } from "../util/errors.js";
import { quote } from "../util/shell.js";
import type { CompileInput } from "./compile-input.js";
import { isMistake, NeedsControllerError, notBeforeApply } from "./compile-task.js";
import type { Segment, StepPosition } from "./compiled.js";
import { GROUP_BY } from "./control.js";
import { Draft, SegmentEnd } from "./draft.js";
import type { HandlerTurn, Inclusion } from "./host-steps.js";
import { UnknownValueError, UnsentResultError } from "./language.js";
import type { Block, IncludeStep, Step, TaskStep } from "./steps.js";
import { HOSTVARS, TaskCompiler } from "./task-compiler.js";
import { playTarget } from "./task-scope.js";
import { behindRescue, landing, nextMark, type Way } from "./way.js";

/** Compiles one segment of a play for one host, beginning at `from`. */
export function compileSegment(input: CompileInput, from: Way): Segment {
  return new SegmentCompiler(input, from).compile();
}

/** The error of a step that no program can begin with. */
function stuck(cause: unknown, step: Step | HandlerTurn["step"]): InputError {
  const node = step.kind === "task" ? step.node : undefined;
  return new InputError("E_NEEDS_RESULT", "This needs a result that only a later program could give.", {
    ...(node === undefined ? {} : { position: node.position }),
    cause,
  });
}

function endsSegment(error: unknown): boolean {
  return error instanceof SegmentEnd || error instanceof UnknownValueError || error instanceof NeedsControllerError;
}

/** An error that knows no place of its own is the task's. */
function placed(error: unknown, { position }: TaskNode): unknown {
  if (!(error instanceof InputError) || error.position !== undefined) return error;
  return new InputError(error.code, error.message, { position, hint: error.hint, cause: error });
}

class SegmentCompiler {
  readonly #draft = new Draft();
  readonly #bails = new Set<number>();
  readonly #stops: StepPosition[] = [];
  readonly #tasks: TaskCompiler;
  #blocks = 0;
  /** Blocks that begin in this program behind what may have failed, by the number of the variable that says so. */
  readonly #begun = new Map<Block, number>();
  #meeting: TaskStep | undefined;
  #once: TaskStep | undefined;
  #awaits: TaskStep | undefined;
  #meetingBefore: number | undefined;

  constructor(
    readonly input: CompileInput,
    readonly from: Way,
  ) {
    this.#tasks = new TaskCompiler(input, this.#draft);
  }

  get #steps(): readonly Step[] {
    return this.input.steps.list;
  }

  get #isEmpty(): boolean {
    return this.#draft.calls.length === 0 && this.#bails.size === 0 && this.#stops.length === 0;
  }

  compile(): Segment {
    const draft = this.#draft;
    let position: StepPosition | undefined = this.from.position;
    if (position.handled !== undefined) draft.body += `hdone ${position.handled}\n`;
    while (position !== undefined && !draft.closed) {
      const { step: at }: StepPosition = position;
      const step: Step | undefined = this.#steps[at];
      if (step === undefined) {
        position = undefined;
        break;
      }
      const mark = draft.mark();
      draft.at = at;
      try {
        if (step.kind === "flush") {
          position = this.#flush(position) ?? { step: at + 1, handler: 0 };
        } else position = { step: this.#step(step, at), handler: 0 };
      } catch (error) {
        if (!endsSegment(error)) throw error;
        if (error instanceof UnknownValueError && error.register === HOSTVARS && "order" in step) {
          draft.rewind(mark);
          this.#meetingBefore = step.order;
          break;
        }
        draft.rewind(mark);
        if (this.#isEmpty) throw stuck(error, step);
        break;
      }
    }
    if (position !== undefined && position.step >= this.#steps.length) position = undefined;
    this.#tasks.finish();
    const { libs, realLibs, calls, probes, acts, known } = draft;
    return {
      target: draft.target ?? playTarget(this.input),
      ...draft.finished(),
      ...{ libs, realLibs, calls, probes, acts, known },
      meeting: this.#meeting,
      once: this.#once,
      awaits: this.#awaits,
      meetingBefore: this.#meetingBefore,
      ends: draft.ends,
      next: position,
      bails: this.#bails,
      stops: this.#stops,
    };
  }

  /** Compiles a step, and gives the one that comes behind it. */
  #step(step: Step, at: number): number {
    const draft = this.#draft;
    draft.at = at;
    switch (step.kind) {
      case "task":
        if (this.#tasks.isOnce(step.node)) this.#doneOnce(step);
        else if (step.node.module === GROUP_BY) this.#groupBy(step);
        else this.#task(step);
        if (this.#failsForSure(step, at)) draft.closed = true;
        return at + 1;
      case "include":
        if (draft.unsure > 0) throw new NeedsControllerError();
        this.#include(step, (inclusions) => this.input.steps.include(at, step, inclusions));
        return at + 1;
      case "flush":
        throw new SegmentEnd();
      case "open":
        this.#open(step.block);
        return at + 1;
      case "rescue":
        return this.#rescue(step.block, at);
      case "always":
        return this.#always(step.block, at);
      case "close":
        // What failed before its `always` fails on here: the controller knows where to.
        if (this.from.failing.has(step.block)) draft.closed = true;
        return at + 1;
    }
  }

  /** Whether all ends here, or only the controller knows how it goes on without a program. */
  #failsForSure({ ref }: TaskStep, at: number): boolean {
    const draft = this.#draft;
    const fails = draft.calls.some((call) => call.ref === ref && call.decided === "failed" && !call.node.ignoreErrors);
    if (!fails) return false;
    return draft.decided || landing(this.#steps, at) === undefined;
  }

  /** One host of the batch does it, and its segment ends with it; those of the others begin behind it, with its result. */
  #doneOnce(step: TaskStep): void {
    const draft = this.#draft;
    if (draft.unsure > 0) throw new NeedsControllerError();
    if (step.node.module === GROUP_BY) this.#groupBy(step);
    else if (this.input.isChosen(step.order)) {
      this.#task(step);
      this.#once = step;
    } else {
      if (!this.#isEmpty) throw new SegmentEnd();
      this.#awaits = step;
    }
    draft.closed = true;
  }

  /** Its segment holds only what the controller decides, and ends with it: all hosts meet there. */
  #groupBy(step: TaskStep): void {
    const { position } = step.node;
    if (step.node.runOnce) throw new InputError("E_GROUP_BY", "group_by does not work with run_once.", { position });
    if (this.#draft.unsure > 0 || !this.#draft.decided) throw new SegmentEnd();
    this.#task(step);
    this.#meeting = step;
    this.#draft.closed = true;
  }

  /** Runs `part` where the program may pass over it; false, and no trace of it, when it cannot be part of this program. */
  #maybe(part: () => void): boolean {
    const draft = this.#draft;
    const back = draft.snapshot();
    const before = new Map(draft.shapes);
    draft.unsure++;
    try {
      part();
    } catch (error) {
      if (!endsSegment(error)) throw error;
      back();
      return false;
    } finally {
      draft.unsure--;
    }
    for (const [name, shape] of draft.shapes) {
      if (before.get(name) !== shape) draft.shapes.set(name, { ...shape, maybe: true });
    }
    return true;
  }

  #walk(from: number, to: number): void {
    for (let at = from; at < to; ) {
      const step = this.#steps[at];
      if (step === undefined) return;
      at = this.#step(step, at);
    }
  }

  #open(block: Block): void {
    const draft = this.#draft;
    this.#begun.delete(block);
    if (draft.decided) return;
    const n = ++this.#blocks;
    this.#begun.set(block, n);
    draft.body += `OB${n}=$DEAD\n`;
  }

  /** The condition of a block's part: what failed before the block passes over all of it. */
  #within(block: Block): string {
    const n = this.#begun.get(block);
    return n === undefined ? "" : `[ -z "$OB${n}" ] && `;
  }

  #rescue(block: Block, at: number): number {
    const draft = this.#draft;
    const behind = behindRescue(this.#steps, at);
    if (draft.decided) return behind;
    const inline = this.#maybe(() => {
      draft.body += `if ${this.#within(block)}[ -n "$DEAD" ]; then DEAD=\n`;
      this.#walk(at + 1, behind);
      draft.body += "fi\n";
    });
    if (!inline) this.#bail(block, at);
    return behind;
  }

  #always(block: Block, at: number): number {
    const draft = this.#draft;
    if (draft.decided) return at + 1;
    const end = nextMark(this.#steps, at + 1, ["close"]) ?? this.#steps.length;
    const n = ++this.#blocks;
    const within = this.#within(block);
    const inline = this.#maybe(() => {
      draft.body += `${within === "" ? "" : `if ${within}:; then `}BK${n}=$DEAD DEAD=\n`;
      this.#walk(at + 1, end);
      draft.body += `if [ -n "$BK${n}" ]; then DEAD=1; fi\n${within === "" ? "" : "fi\n"}`;
    });
    if (inline) return end;
    this.#bail(block, at);
    return at + 1;
  }

  /** A failure before it ends the program, as what comes then is not in it. */
  #bail(block: Block, at: number): void {
    this.#draft.body += `if ${this.#within(block)}[ -n "$DEAD" ]; then fin failed; fi\n`;
    this.#bails.add(at);
  }

  /** Compiles the handlers of a flush, and gives where the next segment begins, unless behind them. */
  #flush({ step, handler, notified }: StepPosition): StepPosition | undefined {
    const turns = this.input.steps.handlers(step);
    // What is included comes to be among them.
    for (let index = handler; index < turns.length; index++) {
      const next = this.#handler({ step, handler: index }, turns[index] as HandlerTurn, notified);
      if (next !== undefined) return next;
    }
    return undefined;
  }

  /**
   * Compiles a handler, and gives where the next segment begins, if it cannot go on behind it. One that is not known to be notified
   * is passed over by the program, or ends it where it cannot be part of it.
   */
  #handler(position: StepPosition, turn: HandlerTurn, notified: number | undefined): StepPosition | undefined {
    const { number } = turn;
    const draft = this.#draft;
    const back = draft.snapshot();
    const sure = number === notified;
    const isStop = (stop: StepPosition) => stop.step === position.step && stop.notified === number;
    if (!sure && this.#stops.some(isStop)) return undefined;
    if (!sure) {
      draft.body += `if [ -n "$H${number}" ] && [ -z "$DEAD" ]; then\n`;
      draft.unsure++;
    }
    try {
      this.#turn(position.step, turn);
    } catch (error) {
      if (!endsSegment(error)) throw error;
      back();
      if (sure) {
        if (draft.calls.length === 0) throw stuck(error, turn.step);
        return { ...position, notified: number };
      }
      this.#stops.push({ ...position, notified: number });
      draft.body += `[ -z "$H${number}" ] || [ -n "$DEAD" ] || fin 'handler ${this.#stops.length}'\n`;
      return undefined;
    } finally {
      if (!sure) draft.unsure--;
    }
    const isOwn = turn.isIncluded !== true;
    if (draft.closed) {
      const next = { ...position, handler: position.handler + 1 };
      return isOwn ? { ...next, handled: number } : { ...next, notified: number };
    }
    if (isOwn) draft.body += `${turn.step.kind === "include" ? "hinto" : "hdone"} ${number}\n`;
    if (!sure) draft.body += "fi\n";
    return undefined;
  }

  #turn(at: number, turn: HandlerTurn): void {
    const { step } = turn;
    if (step.kind === "leave") return;
    if (step.kind === "include") {
      this.#include(step, (inclusions) => this.input.steps.includeHandlers(at, turn, step, inclusions));
      return;
    }
    if (step.node.module === GROUP_BY) {
      const text = "group_by does not work in a handler.";
      throw new InputError("E_GROUP_BY", text, { position: step.node.position });
    }
    this.#task(step);
  }

  #include(step: IncludeStep, put: (inclusions: readonly Inclusion[]) => void): void {
    this.#orLater(step.ref, step.node.task, () => this.#tasks.include(step, put));
  }

  #task(step: TaskStep): void {
    this.#orLater(step.ref, step.node, () => this.#tasks.task(step));
  }

  /** Whether no task of any host can give what is missing. */
  #neverThere(error: InputError | InputErrors): boolean {
    if (!(error instanceof UndefinedVariableError) || error.variable === undefined) return false;
    return !this.input.host.hostvars.settable(error.variable);
  }

  /** What a check cannot make of what it has seen is left for apply; any other mistake is the task's failure. */
  #orLater(ref: TaskRef, node: TaskNode, compile: () => void): void {
    const draft = this.#draft;
    const mark = draft.mark();
    try {
      compile();
    } catch (cause) {
      const error = placed(cause, node);
      const unsent = error instanceof UnsentResultError;
      if (!(unsent || error instanceof InputError || error instanceof InputErrors)) throw error;
      if (!unsent && (!this.input.lenient || this.#neverThere(error))) {
        if (this.input.options.mistakesFirst || !isMistake(error)) throw error;
        draft.rewind(mark);
        this.#tasks.fails({ ref, node }, error);
        return;
      }
      draft.rewind(mark);
      const reason = notBeforeApply(error);
      draft.body += `if ${draft.begin("B")}; then\nPEND=${quote(reason)}\nE i\n${this.#tasks.keepText(node)}fi\n`;
      draft.calls.push({
        ...{ at: draft.at, ref, node, payloads: [], missing: [], returns: {}, last: true },
        ...{ reason, ...draft.status("pending") },
      });
      this.#tasks.keep(node, { changed: false, failed: false, skipped: true });
    }
  }
}
