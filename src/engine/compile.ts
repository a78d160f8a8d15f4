import { resolve } from "node:path";
import type { LibName } from "../modules/types.js";
import type { LookupReader, Scope } from "../playbook/scope.js";
import type { TaskNode, Value, Vars } from "../playbook/types.js";
import { InputError } from "../util/errors.js";
import { quote } from "../util/shell.js";
import type { CompileInput } from "./compile-input.js";
import { type BuildOptions, buildTask, decideAll, NeedsControllerError, notBeforeApply } from "./compile-task.js";
import type { CompiledCall, Segment, StepPosition, Target } from "./compiled.js";
import { compileControl, GROUP_BY, isControl } from "./control.js";
import { TaskLanguage, UnknownValueError } from "./language.js";
import type { RegisterShape } from "./shell-condition.js";
import type { BlockStep, Step, TaskStep } from "./steps.js";
import { itemLabel, loopItems } from "./task-loop.js";
import { playTarget, sameTarget, searchPath, targetOf, taskScope } from "./task-scope.js";
import {
  type CallItem,
  compileVerdict,
  countsAsChange,
  endFlag,
  itemVars,
  judgeOf,
  readOnly,
  retryLoop,
  type VerdictContext,
} from "./verdict.js";

/** The segment is full: what comes next needs its results, or another user. */
class SegmentEnd extends Error {}

/** Compiles one segment of a play for one host, beginning at `from`. */
export function compileSegment(input: CompileInput, from: StepPosition): Segment {
  return new SegmentCompiler(input).compile(from);
}

/** The error of a step that no program can begin with. */
function stuck(cause: unknown, step: Step): InputError {
  const node = step.kind === "flush" ? undefined : step.node;
  return new InputError("E_NEEDS_RESULT", "This needs a result that only a later program could give.", {
    ...(node === undefined ? {} : { position: node.position }),
    hint:
      step.kind === "block"
        ? "Inside a block with rescue or always, conditions on registered results must be simple (x is changed, x.rc == 0), and all tasks run on one host, as one user."
        : undefined,
    cause,
  });
}

class SegmentCompiler {
  readonly #input: CompileInput;
  readonly #libs = new Set<LibName>();
  readonly #realLibs = new Set<LibName>();
  readonly #calls: CompiledCall[] = [];
  readonly #shapes = new Map<string, RegisterShape>();
  readonly #registers: Record<string, Value> = {};
  readonly #facts: Record<string, Value> = {};
  readonly #probes = new Map<string, boolean>();
  readonly #units = new Set<string>();
  #body = "";
  #target: Target | undefined;
  #blocks = 0;
  /** The last call that every run of the program comes to. */
  #counted = 0;
  #depth = 0;
  #cached: { readonly directory: string; readonly scope: Scope } | undefined;
  /** Nothing after this call can run, or only the controller knows whether it can. */
  #closed = false;
  #meeting: number | undefined;
  /** Controller files that calls of this program bring. */
  readonly #brought = new Set<string>();
  #compiled = false;

  constructor(input: CompileInput) {
    this.#input = input;
  }

  compile(from: StepPosition): Segment {
    const { steps } = this.#input.steps;
    let position: StepPosition | undefined = from;
    while (position !== undefined && !this.#closed) {
      const { step: at, handler: first }: StepPosition = position;
      const step: Step | undefined = steps[at];
      if (step === undefined) {
        position = undefined;
        break;
      }
      const mark = this.#mark();
      try {
        if (step.kind === "flush") {
          for (let index = first; index < this.#input.steps.handlers.length; index++) {
            position = { step: at, handler: index };
            this.#handler(index);
          }
        } else this.#step(step);
        position = { step: at + 1, handler: 0 };
      } catch (error) {
        if (!this.#endsSegment(error)) throw error;
        this.#rewind(mark, step.kind === "flush");
        if (this.#calls.length === 0) throw stuck(error, step);
        break;
      }
    }
    if (position !== undefined && position.step >= steps.length) position = undefined;
    this.#compiled = true;
    return {
      from,
      target: this.#target ?? playTarget(this.#input),
      body: this.#body,
      libs: this.#libs,
      realLibs: this.#realLibs,
      calls: this.#calls,
      probes: this.#probes,
      units: this.#units,
      meeting: this.#meeting,
      next: position,
      registers: this.#registers,
      facts: this.#facts,
    };
  }

  #endsSegment(error: unknown): boolean {
    return error instanceof SegmentEnd || error instanceof UnknownValueError || error instanceof NeedsControllerError;
  }

  #mark() {
    return { body: this.#body.length, calls: this.#calls.length, counted: this.#counted };
  }

  /** Takes back what a step left before it turned out to belong to the next segment. */
  #rewind(mark: { body: number; calls: number; counted: number }, keep: boolean): void {
    // In a flush each handler is complete before the next begins, and #handler rewinds its own.
    if (keep) return;
    this.#body = this.#body.slice(0, mark.body);
    this.#calls.length = mark.calls;
    this.#counted = mark.counted;
  }

  /** Begins the next call. The program counts for itself where it cannot have passed over the call before. */
  #begin(letter: "B" | "N" | "O"): string {
    const number = this.#calls.length + 1;
    const follows = this.#depth === 0 && this.#counted === number - 1;
    if (this.#depth === 0) this.#counted = number;
    return follows ? letter : `${letter} ${number}`;
  }

  #step(step: Step): void {
    if (step.kind === "task" && step.node.module === GROUP_BY) this.#groupBy(step);
    else if (step.kind === "task") this.#taskOrLater(step, undefined);
    else if (step.kind === "block") this.#block(step);
    else throw new InputError("E_FLUSH_IN_BLOCK", "flush_handlers does not work inside a block with rescue or always.");
  }

  /** Its segment holds only what the controller decides, and ends with it: all hosts meet there. */
  #groupBy(step: TaskStep): void {
    this.#atTop(step.node);
    if (step.node.runOnce) {
      throw new InputError("E_GROUP_BY", "group_by does not work with run_once.", { position: step.node.position });
    }
    if (this.#calls.some((call) => call.decided === undefined)) throw new SegmentEnd();
    this.#taskOrLater(step, undefined);
    this.#meeting = step.ref.id;
    this.#closed = true;
  }

  #atTop({ position, module }: TaskNode): void {
    if (module !== GROUP_BY || this.#depth === 0) return;
    const text = "group_by does not work in a handler, or inside a block with rescue or always.";
    throw new InputError("E_GROUP_BY", text, { position });
  }

  #block(step: BlockStep): void {
    const n = ++this.#blocks;
    this.#depth++;
    const first = this.#calls.length;
    for (const part of step.block) this.#step(part);
    if (step.rescue.length > 0) {
      for (let index = first; index < this.#calls.length; index++) {
        const call = this.#calls[index];
        if (call !== undefined) this.#calls[index] = { ...call, rescued: true };
      }
    }
    if (step.rescue.length > 0) {
      this.#body += `if [ -n "$DEAD" ]; then DEAD=\n`;
      for (const part of step.rescue) this.#step(part);
      this.#body += "fi\n";
    }
    if (step.always.length > 0) {
      this.#body += `BK${n}=$DEAD DEAD=\n`;
      for (const part of step.always) this.#step(part);
      this.#body += `if [ -n "$BK${n}" ]; then DEAD=1; fi\n`;
    }
    this.#depth--;
  }

  #handler(index: number): void {
    const step = this.#input.steps.handlers[index];
    if (step === undefined) return;
    const number = index + 1;
    const mark = this.#mark();
    this.#body += `if [ -n "$H${number}" ] && [ -z "$DEAD" ]; then\n`;
    this.#depth++;
    try {
      this.#atTop(step.node);
      this.#taskOrLater(step, index);
    } catch (error) {
      this.#body = this.#body.slice(0, mark.body);
      this.#calls.length = mark.calls;
      throw error;
    } finally {
      this.#depth--;
    }
    this.#body += `hdone ${number}\nfi\n`;
  }

  #scope(node: TaskNode, extra: Vars): Scope {
    const plain = Object.keys(node.vars).length === 0 && Object.keys(extra).length === 0;
    if (plain && this.#cached?.directory === node.directory) return this.#cached.scope;
    const scope = taskScope(this.#input, this.#reader, node, extra, this.#facts, this.#registers);
    // Lazy variables are computed once for all tasks that see the same ones.
    if (plain) this.#cached = { directory: node.directory, scope };
    return scope;
  }

  #language(node: TaskNode, extra: Vars = {}, own?: string): TaskLanguage {
    const unknown = new Set(this.#shapes.keys());
    if (own !== undefined) unknown.add(own);
    return new TaskLanguage(this.#scope(node, extra), unknown);
  }

  #taskOrLater(step: TaskStep, handler: number | undefined): void {
    const mark = this.#mark();
    try {
      this.#task(step, handler);
    } catch (error) {
      if (!this.#input.lenient || !(error instanceof InputError)) throw error;
      this.#rewind(mark, false);
      const reason = notBeforeApply(error);
      this.#body += `if ${this.#begin("B")}; then\nPEND=${quote(reason)}\nE i\nfi\n`;
      const { ref, node } = step;
      this.#calls.push({
        ...{ ref, node, payloads: [], missing: [], returns: {}, last: true },
        ...{ reason, ...this.#status("pending") },
      });
      this.#setRegister(step.node, { changed: false, failed: false, skipped: true });
    }
  }

  #task(step: TaskStep, handler: number | undefined): void {
    const { node } = step;
    const { host } = this.#input;
    if (node.runOnce && !host.first) return;
    if (node.runOnce && node.register !== undefined) {
      throw new InputError("E_RUN_ONCE", "run_once with register is not supported.", { position: node.position });
    }
    const language = this.#language(node);
    const items = loopItems(node, language, this.#shapes);
    if (items !== undefined && items.length === 0) {
      this.#decided(step, { last: true }, "N", "no items in the list");
      this.#setRegister(node, { results: [], changed: false, skipped: true, skipped_reason: "No items in the list" });
      return;
    }
    if (items !== undefined) this.#body += "LS\n";
    const known: (Value | undefined)[] = [];
    for (const [index, item] of (items ?? [undefined]).entries()) {
      const extra: Record<string, Value> = item === undefined ? {} : { [node.loopVar]: item.value };
      const bound = item === undefined ? language : this.#language(node, extra);
      const last = items === undefined || index === items.length - 1;
      const place = `${index + 1} of ${items?.length}`;
      const label = item === undefined ? undefined : itemLabel(node, item.value, place, bound, this.#shapes);
      const about = {
        ...(item === undefined ? {} : { item: label ?? "", itemValue: item.value }),
        last,
      };
      known.push(this.#call(step, bound, about, items !== undefined, handler));
    }
    if (items !== undefined) this.#body += `LE ${node.ignoreErrors ? "i" : "''"} ${this.#shellRegister(node)}\n`;
    if (this.#calls.some((call) => call.ref.id === step.ref.id && call.brings !== undefined)) {
      this.#body += '[ -z "$SENT" ] || fin sent\n';
    }
    this.#afterCalls(step, items, known);
  }

  /** Keeps what is known of the task's result. */
  #afterCalls(step: TaskStep, items: readonly unknown[] | undefined, known: readonly (Value | undefined)[]): void {
    const { node } = step;
    const judged = this.#calls.some((call) => call.ref.id === step.ref.id && call.judge !== undefined);
    if (judged) this.#closed = true;
    if (node.register === undefined) return;
    if (known.every((value) => value !== undefined)) {
      const values = known.filter((value): value is Value => value !== undefined);
      const whole = { results: values, changed: false, skipped: true, msg: "All items skipped" };
      const value = items === undefined ? values[0] : whole;
      if (value !== undefined) this.#setRegister(node, value);
      return;
    }
    delete this.#registers[node.register];
    const returns = Object.assign({}, ...this.#calls.filter((c) => c.ref.id === step.ref.id).map((c) => c.returns));
    this.#shapes.set(node.register, { returns, loop: items !== undefined });
  }

  #setRegister(node: TaskNode, value: Value): void {
    if (node.register === undefined) return;
    this.#registers[node.register] = value;
    this.#shapes.delete(node.register);
    this.#cached = undefined;
  }

  #shellRegister(node: TaskNode): string {
    return node.register ?? "''";
  }

  #takeTarget(target: Target): void {
    if (this.#target !== undefined && !sameTarget(this.#target, target)) throw new SegmentEnd();
    this.#target = target;
  }

  /** A call that needs nothing of the host but its turn. */
  #decided(step: TaskStep, about: CallItem, letter: "N" | "O", reason: string): void {
    this.#body += `${this.#begin(letter)}\n`;
    this.#calls.push({
      ref: step.ref,
      node: step.node,
      payloads: [],
      missing: [],
      returns: {},
      reason,
      ...this.#status(letter === "N" ? "skipped" : "ok"),
      ...about,
    });
  }

  /** A call's status, unless the way through a block or a handler's turn decides whether it is made. */
  #status(decided: NonNullable<CompiledCall["decided"]>): Pick<CompiledCall, "decided"> {
    return this.#depth === 0 ? { decided } : {};
  }

  /** One call; gives its registered value when that is known already. */
  #call(
    step: TaskStep,
    language: TaskLanguage,
    about: CallItem,
    loop: boolean,
    handler: number | undefined,
  ): Value | undefined {
    const { node } = step;
    const gate = decideAll(node.when, language, this.#shapes);
    if (gate.kind === "known" && !gate.value) {
      this.#decided(step, about, "N", `when: ${gate.source} is false`);
      const skipped = { changed: false, failed: false, skipped: true, skip_reason: "Conditional result was False" };
      return about.itemValue === undefined
        ? skipped
        : { ...skipped, [node.loopVar]: about.itemValue, ansible_loop_var: node.loopVar };
    }
    if (isControl(node.module)) return this.#control(step, language, about, gate, loop);
    this.#takeTarget(targetOf(node, language, this.#input));
    let made: { shell: string; libs: readonly LibName[] };
    let rest: Pick<CompiledCall, "payloads" | "missing" | "awaited" | "brings" | "returns" | "known">;
    try {
      const built = buildTask(
        node,
        language,
        { ...this.#input.play.environment, ...node.environment },
        this.#options(node),
      );
      // Where nothing may be run, what would be run stays here.
      made = this.#input.check && node.checkMode !== false ? { ...built, shell: built.look ?? built.shell } : built;
      for (const { path, hash } of built.probes ?? []) {
        // A file is not hashed ahead for a task that may be skipped.
        const sure = hash && gate.kind === "known" && handler === undefined;
        if (path.startsWith("/")) this.#probes.set(path, sure || this.#probes.get(path) === true);
      }
      for (const unit of built.units ?? []) this.#units.add(unit);
      const { payloads = [], missing = [], awaited, brings, known } = built;
      rest = { payloads, missing, returns: built.module.returns };
      if (known !== undefined) rest = { ...rest, known };
      if (awaited !== undefined) rest = { ...rest, awaited };
      if (brings !== undefined) rest = { ...rest, brings };
      if (brings !== undefined && !(this.#input.check && node.checkMode !== false)) {
        this.#brought.add(brings.dest);
        this.#cached = undefined;
      }
    } catch (error) {
      // Where it is not sure that the task runs, its mistake counts only if it does.
      if (!(error instanceof InputError) || (gate.kind === "known" && handler === undefined)) throw error;
      made = { shell: `bad ${quote(error.message)}\n`, libs: [] };
      rest = { payloads: [], missing: [], returns: {} };
    }
    for (const lib of made.libs) {
      this.#libs.add(lib);
      if (node.checkMode === false) this.#realLibs.add(lib);
    }
    const verdict = compileVerdict(this.#verdictContext(), node, rest.returns, about);
    const shell =
      node.until === undefined && node.retries === undefined
        ? made.shell
        : retryLoop(this.#verdictContext(), node, language, made.shell, rest.returns, about);
    const open = gate.kind === "open";
    this.#body +=
      `if ${this.#begin("B")}; then\n` +
      (node.checkMode === undefined ? "" : node.checkMode ? "K=1\n" : "K=\n") +
      (open ? `if ${gate.shell}; then\n` : "") +
      (verdict.judged ? "" : this.#notify(node)) +
      (node.noLog || node.diff === false ? "NODIFF=1\n" : "") +
      // What never counts as a change only reads, says the playbook.
      (readOnly(node) ? "RO=1\n" : "") +
      shell +
      (open ? "else skip -; fi\n" : "") +
      verdict.shell +
      `E ${endFlag(node, loop, verdict.judged)}\nfi\n`;
    this.#calls.push({
      ref: step.ref,
      node,
      ...rest,
      ...about,
      ...(open ? { when: gate.source } : {}),
      ...(verdict.judged ? { judge: judgeOf(this.#verdictContext(), node, rest, about) } : {}),
    });
    return undefined;
  }

  #judged(node: TaskNode, about: CallItem): Pick<CompiledCall, "judge"> {
    if (node.changedWhen === undefined && node.failedWhen === undefined) return {};
    return { judge: judgeOf(this.#verdictContext(), node, { returns: {} }, about) };
  }

  /** Reads this machine's files as they are when a task's turn has come. */
  get #reader(): LookupReader {
    const { reader } = this.#input.options;
    return {
      ...reader,
      readFile: (path) => {
        this.#beforeRead(path);
        return reader.readFile(path);
      },
      kindOf: (path, follow) => {
        this.#beforeRead(resolve(path));
        if (this.#worksHere()) throw new NeedsControllerError();
        return reader.kindOf(path, follow);
      },
    };
  }

  #beforeRead(path: string): void {
    if (this.#compiled) return;
    for (const dest of this.#brought) {
      if (dest === path || dest.startsWith(`${path.replace(/\/+$/, "")}/`)) throw new NeedsControllerError();
    }
  }

  /** Whether calls of this program may make or remove any file of this machine. */
  #worksHere(): boolean {
    const works = this.#calls.some((call) => call.decided === undefined && call.brings === undefined);
    return !this.#compiled && !this.#input.check && this.#target?.local === true && works;
  }

  #options(node: TaskNode): BuildOptions {
    const { options, play } = this.#input;
    return { ...options, directories: searchPath(node, play), beforeRead: (path) => this.#beforeRead(path) };
  }

  #notify(node: TaskNode): string {
    const numbers = new Set(node.notify.flatMap((name) => this.#input.steps.handlerIndex.get(name) ?? []));
    return numbers.size === 0 ? "" : `NT='${[...numbers].map((index) => index + 1).join(" ")}'\n`;
  }

  #verdictContext(): VerdictContext {
    return {
      shapes: this.#shapes,
      nested: this.#depth > 0,
      language: (node, extra, own) => this.#language(node, extra, own),
      scope: (node, extra) => this.#scope(node, extra),
    };
  }

  #control(
    step: TaskStep,
    language: TaskLanguage,
    about: CallItem,
    gate: ReturnType<typeof decideAll>,
    loop: boolean,
  ): Value | undefined {
    const { node } = step;
    const decided = compileControl(node, {
      language,
      shapes: this.#shapes,
      later: (registers) => new TaskLanguage(this.#scope(node, itemVars(node, about)).withValues(registers), new Set()),
    });
    if (decided.facts !== undefined) {
      if (gate.kind === "open") throw new NeedsControllerError();
      Object.assign(this.#facts, decided.facts);
      this.#cached = undefined;
      // A later set_fact hides a registered result of the same name.
      for (const name of Object.keys(decided.facts)) this.#shapes.delete(name);
    }
    const common = { ref: step.ref, node, payloads: [], missing: [], returns: {}, ...about };
    const say = decided.say === undefined ? {} : { say: decided.say };
    const reason = decided.reason === undefined ? {} : { reason: decided.reason };
    if (decided.joins !== undefined) {
      if (gate.kind === "open") throw new NeedsControllerError();
      this.#calls.push({ ...common, ...reason, decided: "ok", joins: decided.joins, ...this.#judged(node, about) });
      return undefined;
    }
    const change = countsAsChange(node);
    if (gate.kind === "known" && decided.shell === undefined && !decided.fails && !change) {
      this.#body += `${this.#begin("O")}\n`;
      this.#calls.push({ ...common, ...say, ...reason, ...this.#status("ok") });
      return { changed: false, failed: false, ...(decided.reason === undefined ? {} : { msg: decided.reason }) };
    }
    const shell =
      decided.shell ??
      `${decided.fails ? "bad" : change ? "chg" : "fine"} ${quote(decided.reason ?? (decided.fails ? "failed" : "-"))}\n`;
    const open = gate.kind === "open";
    this.#body +=
      `if ${this.#begin("B")}; then\n` +
      (open ? `if ${gate.shell}; then\n` : "") +
      shell +
      (open ? "else skip -; fi\n" : "") +
      (node.register === undefined ? "" : `D\nRF ${node.register}\n`) +
      `E ${endFlag(node, loop, false)}\nfi\n`;
    const failed =
      decided.fails && decided.shell === undefined && !open ? { ...reason, ...this.#status("failed") } : {};
    this.#calls.push({ ...common, ...say, ...failed, ...(open ? { when: gate.source } : {}) });
    if (decided.fails && !open && !node.ignoreErrors && this.#depth === 0 && !loop) this.#closed = true;
    return undefined;
  }
}
