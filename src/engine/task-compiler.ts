import { ArgumentError, type LibName } from "../modules/types.js";
import { INCLUDE_ROLE } from "../playbook/load-tasks.js";
import type { HostVarsSource, Scope } from "../playbook/scope.js";
import type { TaskNode, Value, Vars } from "../playbook/types.js";
import { InputError, type InputErrors } from "../util/errors.js";
import { quote } from "../util/shell.js";
import type { CompileInput } from "./compile-input.js";
import {
  type BuildOptions,
  buildTask,
  decideAll,
  isMistake,
  mistakeReason,
  NeedsControllerError,
} from "./compile-task.js";
import type { CompiledCall } from "./compiled.js";
import { compileControl, isControl } from "./control.js";
import type { Draft } from "./draft.js";
import type { FactGroup } from "./facts-script.js";
import type { Inclusion } from "./host-steps.js";
import { hostVarsScope } from "./host-vars.js";
import { includeVars } from "./include-vars.js";
import { FactsWantedError, TaskLanguage, UnknownValueError } from "./language.js";
import { factNames, withFacts } from "./module-facts.js";
import type { SentFields } from "./result-uses.js";
import { itemFields, loopValue } from "./results.js";
import type { IncludeStep, TaskStep } from "./steps.js";
import { isOnce, limitOf, looking, resolved } from "./task-keywords.js";
import { itemLabel, loopItems, loopVars } from "./task-loop.js";
import { TaskReader } from "./task-reader.js";
import { searchPath, targetOf, taskScope } from "./task-scope.js";
import {
  type CallItem,
  compileVerdict,
  countsAsChange,
  endFlag,
  itemVars,
  judgeOf,
  keywordReturns,
  readOnly,
  retryLoop,
  type VerdictContext,
} from "./verdict.js";
import { isRescued, landing } from "./way.js";

type Gate = ReturnType<typeof decideAll>;

/** What a call's condition came to, where it is skipped. */
const SKIPPED = { changed: false, failed: false, skipped: true, skip_reason: "Conditional result was False" } as const;
const NO_ITEMS = { results: [], changed: false, skipped: true, skipped_reason: "No items in the list" } as const;
/** The next item is for when it is known whether this one is tried again. */
const JUDGED = "case $S in skipped | pending) ;; *) fin sent ;; esac\n";
const NO_FIELDS: ReadonlySet<string> = new Set();
/** What a rescue knows of the failure before it. */
const FAILURE = ["ansible_failed_task", "ansible_failed_result"];

/** Libraries of calls that wait, or ask others, and count as no change: what was seen before may be another by then. */
const ACTS: readonly LibName[] = ["uri", "wait"];

/** What is not known before the hosts have met. */
export const HOSTVARS = "hostvars";

/** Compiles tasks into a draft. */
export class TaskCompiler {
  readonly #input: CompileInput;
  readonly #draft: Draft;
  readonly #reader: TaskReader;
  #cached: { readonly like: TaskNode; readonly version: number; readonly scope: Scope } | undefined;
  #finished = false;

  constructor(input: CompileInput, draft: Draft) {
    this.#input = input;
    this.#draft = draft;
    this.#reader = new TaskReader(input, draft);
  }

  /** What is asked of this machine from now on is asked while the program runs, or later. */
  finish(): void {
    this.#finished = true;
    this.#reader.finish();
  }

  #scope(node: TaskNode, extra: Vars): Scope {
    const { version, facts, registers, sights, included } = this.#draft;
    const plain = isPlain(node) && Object.keys(extra).length === 0;
    const cached = this.#cached;
    const { like } = cached ?? {};
    const alike = plain && like?.directory === node.directory && like.role === node.role;
    if (alike && cached?.version === version) return cached.scope;
    const { shapes } = this.#draft;
    // The user who logs in may be a template, of what is below the whole.
    let seen = this.#input.host.base(this.#input.host.sights);
    const waits = (name: string): Error | undefined => {
      if (this.#finished) return undefined;
      const owed = this.#owes(name, seen);
      if (owed.length > 0) return new FactsWantedError(owed);
      return shapes.has(name) ? new UnknownValueError(name) : undefined;
    };
    const options = { reader: this.#reader.reader, waits, hostvars: this.#hostvars() };
    const scope = taskScope(this.#input, options, node, extra, { facts, registers, sights, included });
    seen = scope;
    // Lazy variables are computed once for all tasks that see the same ones.
    if (plain) this.#cached = { like: node, version, scope };
    return scope;
  }

  /** Facts that a variable needs, and that the host was not asked for. */
  #owes(name: string, scope: Scope): readonly FactGroup[] {
    const { known, sights } = this.#input.host;
    return known.owes(name, [...sights, ...this.#draft.sights], (variable) => scope.lookup(variable) !== undefined);
  }

  /** Variables of another host are read when it has come to the same task, if it may have given them until then. */
  #hostvars(): HostVarsSource {
    const { host, met, now } = this.#input;
    const draft = this.#draft;
    const { names, scopeOf, meets, settable } = host.hostvars;
    const waits = (other: string, variable: string) => {
      if (this.#finished) return undefined;
      const owed = host.hostvars.owes(other, variable);
      if (owed.length > 0) return new FactsWantedError(owed, { host: other });
      if (other === host.name) return draft.shapes.has(variable) ? new UnknownValueError(variable) : undefined;
      if (!meets || !settable(variable)) return undefined;
      const step = this.#input.steps.list[draft.at];
      return step !== undefined && "order" in step && step.order !== met ? new UnknownValueError(HOSTVARS) : undefined;
    };
    const own = () =>
      hostVarsScope(
        host.base([...host.sights, ...draft.sights]),
        {
          given: host.given,
          included: { ...host.included, ...draft.included },
          facts: { ...host.facts, ...draft.facts },
          registers: { ...host.registers, ...draft.registers },
        },
        { extraVars: host.extraVars, magic: host.magic(now) },
      );
    return { names, scopeOf: (name) => (name === host.name ? own() : scopeOf(name, now)), waits };
  }

  #language(node: TaskNode, extra: Vars = {}, own?: string): TaskLanguage {
    const unknown = new Set([...this.#draft.shapes.keys(), ...this.#draft.coming]);
    if (own !== undefined) unknown.add(own);
    if (this.#draft.unsure > 0) for (const name of FAILURE) unknown.add(name);
    return new TaskLanguage(
      this.#scope(node, extra),
      unknown,
      (name, scope) => this.#owes(name, scope),
      (text) => this.#reader.beforeText(text),
    );
  }

  /** Keeps a result that is known; where the program may pass the task over, the program keeps it. */
  keep(node: TaskNode, value: Value): void {
    if (node.register === undefined) return;
    if (this.#draft.unsure === 0) this.#draft.setRegister(node.register, value);
    else this.#draft.expect(node.register, { returns: {}, loop: false });
  }

  keepText(node: TaskNode): string {
    return node.register === undefined || this.#draft.unsure === 0 ? "" : `RS ${node.register}\n`;
  }

  /** @param put takes what the include comes to */
  include(step: IncludeStep, put: (inclusions: readonly Inclusion[]) => void): void {
    const { node } = step;
    const { task } = node;
    const turn: TaskStep = { ...step, kind: "task", node: task };
    const language = this.#language(task);
    const items = loopItems(task, language, this.#draft.shapes);
    if (items?.length === 0) this.#decided(turn, { last: true }, "N", "no items in the list", NO_ITEMS);
    const gates = [...this.#turns(task, language, items)].map(({ bound, about }) => {
      const gate = decideAll(task.when, bound, this.#draft.shapes);
      if (gate.kind === "open") throw new NeedsControllerError();
      return { bound, about, gate };
    });
    const some = gates.some(({ gate }) => gate.value);
    const inclusions = gates.flatMap(({ bound, about, gate }): Inclusion[] => {
      if (!gate.value) {
        const counted = some ? { ...about, counts: "never" as const } : about;
        this.#decided(turn, counted, "N", `when: ${gate.source} is false`, SKIPPED);
        return [];
      }
      const included = node.tasks((value) => String(bound.render(value)));
      const counts = task.module === INCLUDE_ROLE ? "never" : "alone";
      this.#decided(turn, { ...about, counts }, "O", `included ${included.path}`);
      return [{ ...included, values: itemVars(about) }];
    });
    put(inclusions);
  }

  /** The items of a loop, each with its language as the turn before has left it; one turn without a loop. */
  *#turns(
    node: TaskNode,
    language: TaskLanguage,
    items: readonly Value[] | undefined,
  ): Generator<{ readonly bound: TaskLanguage; readonly about: CallItem }> {
    if (items === undefined) return yield { bound: language, about: { last: true } };
    for (const [index, itemValue] of items.entries()) {
      const turnVars = loopVars(node, items, index);
      const bound = this.#language(node, turnVars);
      const item = itemLabel(node, itemValue, `${index + 1} of ${items.length}`, bound, this.#draft.shapes);
      yield { bound, about: { item, itemValue, turnVars, last: index === items.length - 1 } };
    }
  }

  task(given: TaskStep): void {
    const draft = this.#draft;
    const step = { ...given, node: this.#asIs(given.node) };
    const { node } = step;
    const language = this.#language(node);
    const items = loopItems(node, language, draft.shapes);
    if (items?.length === 0) {
      this.#decided(step, { last: true }, "N", "no items in the list", NO_ITEMS);
      this.keep(node, NO_ITEMS);
      return;
    }
    if (items !== undefined) draft.body += "LS\n";
    const begin = draft.calls.length;
    const known: (Value | undefined)[] = [];
    // Items see the facts of those before them; of a loop in which one fails none stay.
    const takeBack = items === undefined ? undefined : draft.taker();
    let broken = false;
    const pause = node.loopPause === undefined ? 0 : Number(language.render(node.loopPause));
    for (const { bound, about } of this.#turns(node, language, items)) {
      if (pause > 0 && known.length > 0 && !this.#input.check) {
        const next = draft.calls.length + 1;
        draft.body += `[ -n "$STOP$DEAD" ] || [ "$START" -gt ${next} ] || sleep ${pause}\nlook\n`;
        draft.act();
      }
      try {
        known.push(this.#call(step, bound, about, items !== undefined));
      } catch (error) {
        if (items === undefined || !isMistake(error) || this.#ends(node, error)) throw error;
        takeBack?.();
        this.fails(step, error);
        broken = true;
        break;
      }
    }
    const calls = draft.calls.slice(begin);
    // What a failure of items comes to is known where they are judged.
    const goesOn = node.ignoreErrors || calls.some((call) => call.judge !== undefined);
    if (items !== undefined) draft.body += `LE ${goesOn ? "i" : "''"} ${node.register ?? "''"}\n`;
    if (broken) return;
    if (calls.some((call) => call.decided === "failed")) takeBack?.();
    if (calls.some((call) => call.brings !== undefined)) draft.body += '[ -z "$SENT" ] || fin sent\n';
    this.#afterCalls(node, items !== undefined, known, calls);
  }

  /** A task as its keywords and this run have it. */
  #asIs(node: TaskNode): TaskNode {
    return looking(
      resolved(node, () => this.#language(node)),
      this.#input.looks,
    );
  }

  /** `run_once`, which may be a template. */
  isOnce(node: TaskNode): boolean {
    return isOnce(node, () => this.#language(node));
  }

  #checkNotify(name: string, { position }: TaskNode): void {
    const known = this.#input.steps.play.handlerIndex;
    if (known.has(name)) return;
    const text = `The task notifies ${JSON.stringify(name)}, and no handler has that name.`;
    throw new InputError("E_UNKNOWN_HANDLER", text, { position, hint: `Handlers: ${[...known.keys()].join(", ")}.` });
  }

  /** Keeps what is known of the task's result. */
  #afterCalls(
    node: TaskNode,
    loop: boolean,
    known: readonly (Value | undefined)[],
    calls: readonly CompiledCall[],
  ): void {
    // Of a loop in which attempts were in vain the program does not know whether its result says so.
    const vain = loop && node.until !== undefined && node.failedWhen !== undefined;
    if (vain || calls.some((call) => call.judge !== undefined || call.retry !== undefined)) {
      // What comes behind it in a part that may be passed over would not know how it was judged.
      if (this.#draft.unsure > 0) throw new NeedsControllerError();
      this.#draft.closed = true;
    }
    if (node.register === undefined) return;
    if (known.every((value) => value !== undefined) && this.#draft.unsure === 0) {
      const values = known.filter((value): value is Value => value !== undefined);
      const value = loop ? loopValue(values) : values[0];
      if (value !== undefined) this.#draft.setRegister(node.register, value);
      return;
    }
    const returns = Object.assign({}, ...calls.map((call) => call.returns));
    this.#draft.expect(node.register, { returns, loop });
  }

  /** A task that cannot be made from its variables, in all its turns. */
  fails({ ref, node }: Pick<TaskStep, "ref" | "node">, error: InputError | InputErrors): void {
    const draft = this.#draft;
    const reason = mistakeReason(error);
    draft.body += `if ${draft.begin("B")}; then\nbad ${quote(reason)}\nD\n${this.keepText(node)}E ${endFlag(node, false, false)}\nfi\n`;
    draft.calls.push({
      ...{
        at: draft.at,
        ref,
        node,
        payloads: [],
        missing: [],
        returns: {},
        last: true,
        counts: "whole" as const,
        reason,
      },
      ...draft.status("failed"),
    });
    this.keep(node, { changed: false, failed: true, msg: reason });
  }

  /** A call that needs nothing of the host but its turn. */
  #decided(step: TaskStep, about: CallItem, letter: "N" | "O", reason: string, more?: CompiledCall["more"]): void {
    const draft = this.#draft;
    const { ref, node } = step;
    const text = this.keepText(node);
    draft.body += text === "" ? `${draft.begin(letter)}\n` : `if ${draft.begin("B")}; then\nskip -\nE\n${text}fi\n`;
    draft.calls.push({
      ...{ at: draft.at, ref, node, payloads: [], missing: [], returns: {}, reason },
      ...draft.status(letter === "N" ? "skipped" : "ok"),
      ...about,
      ...(more === undefined ? {} : { more }),
    });
  }

  /** One call; gives its registered value when that is known already. */
  #call(step: TaskStep, language: TaskLanguage, about: CallItem, loop: boolean): Value | undefined {
    const { node } = step;
    const gate = decideAll(node.when, language, this.#draft.shapes);
    if (gate.kind === "known" && !gate.value) {
      const counted = node.module === "meta" ? { ...about, counts: "never" as const } : about;
      this.#decided(step, counted, "N", `when: ${gate.source} is false`, SKIPPED);
      return about.itemValue === undefined ? SKIPPED : { ...SKIPPED, ...itemFields(node, about) };
    }
    if (isControl(node.module)) return this.#control(step, language, about, gate, loop);
    this.#draft.take(targetOf(node, language, this.#input));
    const runs = !this.#input.check || node.checkMode === false;
    let made: { shell: string; libs: readonly LibName[] };
    /** Only a task that has run is judged. */
    let judged = node;
    let rest: Pick<
      CompiledCall,
      | "payloads"
      | "missing"
      | "awaited"
      | "brings"
      | "tells"
      | "reboots"
      | "waits"
      | "returns"
      | "known"
      | "late"
      | "reason"
      | "decided"
    >;
    try {
      const built = buildTask(
        node,
        language,
        [...this.#input.play.environment, ...node.environment],
        this.#options(node),
        this.#sent(node, false),
      );
      // Where nothing may be run, what would be run stays here.
      made = runs ? built : { ...built, shell: built.look ?? built.shell };
      for (const { path, hash } of built.probes ?? []) {
        // A file is not hashed ahead for a task that may be skipped.
        const sure = hash && gate.kind === "known" && this.#draft.unsure === 0;
        if (path.startsWith("/")) this.#draft.probes.set(path, sure || this.#draft.probes.get(path) === true);
      }
      for (const unit of built.units ?? []) this.#draft.units.add(unit);
      const { payloads = [], missing = [], awaited, brings, tells, reboots, waits, known } = built;
      const returns = built.returns ?? built.module.returns;
      rest = { payloads, missing, returns: { ...returns, ...keywordReturns(node) } };
      if (known !== undefined) rest = { ...rest, known };
      const limit = limitOf(node, language);
      if (limit !== undefined && runs) {
        const { seconds, late } = limit;
        const fields = Object.keys(returns).map((path) => path.replaceAll(".", "_"));
        const over = ["over", quote(late), ...fields].join(" ");
        made = { shell: `limit ${seconds}\n${made.shell}${over}\n`, libs: [...made.libs, "limit"] };
        rest = { ...rest, late };
      }
      if (awaited !== undefined) rest = { ...rest, awaited };
      if (brings !== undefined) rest = { ...rest, brings };
      if (tells !== undefined) rest = { ...rest, tells };
      if (reboots !== undefined) rest = { ...rest, reboots };
      if (waits !== undefined) rest = { ...rest, waits };
      if (brings !== undefined && runs) {
        this.#draft.brought.add(brings.dest);
        this.#draft.version++;
      }
    } catch (error) {
      const sure = gate.kind === "known" && this.#draft.unsure === 0;
      if (!(error instanceof InputError) || (sure && this.#ends(node, error))) throw error;
      // One of the task's own ends its loop, one that the module finds does not.
      if (sure && loop && !(error.cause instanceof ArgumentError)) throw error;
      const reason = mistakeReason(error);
      made = { shell: `bad ${quote(reason)}\n`, libs: [] };
      const { changedWhen: _, failedWhen: __, ...unjudged } = node;
      judged = unjudged;
      rest = { payloads: [], missing: [], returns: {} };
      if (sure) rest = { ...rest, reason, decided: "failed" };
    }
    for (const name of factNames(rest.tells?.facts)) this.#draft.coming.add(name);
    for (const lib of made.libs) {
      this.#draft.libs.add(lib);
      if (node.checkMode === false) this.#draft.realLibs.add(lib);
    }
    const { play, list } = this.#input.steps;
    const asked = play.asksFailure && isRescued(list, this.#draft.at);
    const sent = this.#sent(node, asked);
    const verdict = compileVerdict(this.#verdictContext(), judged, rest.returns, about, sent);
    const { shell, retry } =
      node.until === undefined
        ? { shell: made.shell }
        : retryLoop(this.#verdictContext(), node, language, made.shell, rest, about, sent);
    // A part that may be passed over would not know how often it was tried.
    if (retry !== undefined && this.#draft.unsure > 0) throw new NeedsControllerError();
    const later = verdict.judged || retry !== undefined;
    const open = gate.kind === "open";
    const reads = readOnly(node) && made.libs.includes("command");
    const acts = node.until !== undefined || made.libs.some((lib) => ACTS.includes(lib)) || (reads && runs);
    this.#draft.body +=
      `if ${this.#draft.begin("B")}; then\n` +
      (node.checkMode === undefined ? "" : node.checkMode ? "K=1\n" : "K=\n") +
      (open ? `if ${gate.shell}; then\n` : "") +
      (later ? "" : this.#notify(node)) +
      (node.noLog || node.diff === false ? "NODIFF=1\n" : "") +
      (reads ? "RO=1\n" : "") +
      (acts ? "look\n" : "") +
      shell +
      (open ? "else skip -; fi\n" : "") +
      verdict.shell +
      `E ${endFlag(node, loop, later)}\n${retry !== undefined && loop ? JUDGED : ""}fi\n`;
    if (acts) this.#draft.act();
    this.#draft.calls.push({
      ...{ at: this.#draft.at, ref: step.ref, node },
      ...rest,
      ...about,
      ...(open ? { when: gate.source } : {}),
      ...(retry === undefined ? {} : { retry }),
      ...(verdict.judged ? { judge: judgeOf(this.#verdictContext(), node, rest, about) } : {}),
    });
    return undefined;
  }

  /** Whether a mistake is more than the failure of a task that runs for sure. */
  #ends(node: TaskNode, error: unknown): boolean {
    const { options, lenient, steps } = this.#input;
    const forgiven = node.ignoreErrors || landing(steps.list, this.#draft.at) !== undefined;
    return !forgiven && (options.mistakesFirst || lenient || !isMistake(error));
  }

  #judged(node: TaskNode, about: CallItem): Pick<CompiledCall, "judge"> {
    if (node.changedWhen === undefined && node.failedWhen === undefined) return {};
    return { judge: judgeOf(this.#verdictContext(), node, { returns: {} }, about) };
  }

  #options(node: TaskNode): BuildOptions {
    const { options, play } = this.#input;
    return { ...options, directories: searchPath(node, play), beforeRead: (path) => this.#reader.beforeRead(path) };
  }

  /** Which fields of its result a task sends. @param asked a rescue asks for them all */
  #sent(node: TaskNode, asked: boolean): SentFields {
    if (asked) return "all";
    const { register, until, changedWhen, failedWhen } = node;
    if (register !== undefined) return this.#input.check ? this.#input.uses.of(register) : "all";
    return [until, changedWhen, failedWhen].some((use) => use !== undefined) ? NO_FIELDS : undefined;
  }

  #notify(node: TaskNode): string {
    for (const name of node.notify) this.#checkNotify(name, node);
    const numbers = new Set(node.notify.flatMap((name) => this.#input.steps.play.handlerIndex.get(name) ?? []));
    return numbers.size === 0 ? "" : `NT='${[...numbers].map((index) => index + 1).join(" ")}'\n`;
  }

  #verdictContext(): VerdictContext {
    return {
      shapes: this.#draft.shapes,
      language: (node, extra, own) => this.#language(node, extra, own),
      scope: (node, extra) => this.#scope(node, extra),
      mistakesFirst: this.#input.options.mistakesFirst,
    };
  }

  #control(step: TaskStep, language: TaskLanguage, about: CallItem, gate: Gate, loop: boolean): Value | undefined {
    const { node } = step;
    const { shapes, registers: known } = this.#draft;
    const scope = this.#scope(node, itemVars(about));
    const later = (results: Vars) => {
      const { given } = this.#input.host;
      return new TaskLanguage(withFacts(scope.withValues({ ...given, ...results, ...known }), given), new Set());
    };
    const { host, play } = this.#input;
    const decided = compileControl(node, {
      ...{ language, shapes, later },
      known: host.known,
      changed: !this.#input.check && !this.#draft.decided,
      readVars: (args) => includeVars(node, args, searchPath(node, play), this.#reader.reader),
    });
    if (decided.facts !== undefined || decided.sight !== undefined || decided.included !== undefined) {
      if (gate.kind === "open" || this.#draft.unsure > 0) throw new NeedsControllerError();
      const { id } = step.ref;
      if (decided.facts !== undefined) this.#draft.setFacts(decided.facts, id);
      this.#draft.learn(id, decided.sight === undefined ? [] : [decided.sight], decided.included);
    }
    const { more } = decided;
    if (decided.skips === true) {
      this.#decided(step, about, "N", decided.reason ?? "-", more);
      return { changed: false, failed: false, ...more, ...itemFields(node, about) };
    }
    const judged =
      node.failedWhen !== undefined || !(countsAsChange(node) || readOnly(node) || node.changedWhen === undefined);
    const common = {
      ...(judged ? this.#judged(node, about) : {}),
      ...{ at: this.#draft.at, ref: step.ref, node, payloads: [], missing: [], returns: {}, ...about },
      ...(more === undefined ? {} : { more }),
      // Ansible counts no `meta`.
      ...(node.module === "meta" ? { counts: "never" as const } : {}),
    };
    const say = decided.say === undefined ? {} : { say: decided.say };
    const reason = decided.reason === undefined ? {} : { reason: decided.reason };
    if (decided.joins !== undefined) {
      if (gate.kind === "open") throw new NeedsControllerError();
      this.#draft.calls.push({
        ...common,
        ...reason,
        decided: "ok",
        joins: decided.joins,
        ...this.#judged(node, about),
      });
      return undefined;
    }
    if (decided.ends !== undefined) {
      if (gate.kind === "open" || this.#draft.unsure > 0) throw new NeedsControllerError();
      this.#draft.ends = decided.ends;
      this.#draft.closed = true;
    }
    const change = countsAsChange(node);
    const told = node.register !== undefined && (this.#draft.unsure > 0 || decided.say !== undefined);
    if (gate.kind === "known" && decided.shell === undefined && !decided.fails && !change && !told) {
      this.#draft.body += `${this.#draft.begin("O")}\n`;
      this.#draft.calls.push({ ...common, ...say, ...reason, ...this.#draft.status("ok") });
      return judged ? undefined : { changed: false, failed: false, ...decided.more, ...itemFields(node, about) };
    }
    const shell =
      decided.shell ??
      `${decided.fails ? "bad" : change ? "chg" : "fine"} ${quote(decided.reason ?? (decided.fails ? "failed" : "-"))}\n`;
    const open = gate.kind === "open";
    this.#draft.body +=
      `if ${this.#draft.begin("B")}; then\n` +
      (open ? `if ${gate.shell}; then\n` : "") +
      shell +
      (open ? "else skip -; fi\n" : "") +
      (node.register === undefined ? "" : `D\nRF ${node.register}\n`) +
      `E ${endFlag(node, loop, judged)}\nfi\n`;
    const failed =
      decided.fails && decided.shell === undefined && !open ? { ...reason, ...this.#draft.status("failed") } : {};
    this.#draft.calls.push({ ...common, ...say, ...failed, ...(open ? { when: gate.source } : {}) });
    return undefined;
  }
}

/** Whether a task sees what all tasks beside it see. */
function isPlain({ vars, includeVars, remoteUser }: TaskNode): boolean {
  return Object.keys(vars).length === 0 && includeVars === undefined && remoteUser === undefined;
}
