import { findModule } from "../modules/registry.js";
import type { Scope } from "../playbook/scope.js";
import type { TaskNode, Vars } from "../playbook/types.js";
import { quote } from "../util/shell.js";
import { decideAll, isMistake, mistakeReason, NeedsControllerError } from "./compile-task.js";
import type { CallOutcome, CompiledCall, Retry } from "./compiled.js";
import { TaskLanguage } from "./language.js";
import { isSent, type SentFields } from "./result-uses.js";
import { resultValue } from "./results.js";
import type { RegisterShape } from "./shell-condition.js";

export type CallItem = Pick<CompiledCall, "last" | "item" | "itemValue" | "turnVars" | "counts">;

/** What the verdict on a call is made from. */
export interface VerdictContext {
  readonly shapes: ReadonlyMap<string, RegisterShape>;
  /** The language of a task, with values of its own; `own` is a result that is still to come. */
  readonly language: (node: TaskNode, extra: Vars, own: string) => TaskLanguage;
  readonly scope: (node: TaskNode, extra: Vars) => Scope;
  readonly mistakesFirst: boolean;
}

/** The loop's variables. */
export function itemVars({ turnVars }: CallItem): Vars {
  return turnVars ?? {};
}

/** What attempts in vain leave where `failed_when` decides whether the task has failed: that its result says so. */
const VAIN = "failed";

/** Fields that a task's keywords add to what its module gives. */
export function keywordReturns({ until, failedWhen }: TaskNode): CompiledCall["returns"] {
  if (until === undefined) return {};
  return { attempts: "int", ...(failedWhen === undefined ? {} : { [VAIN]: "bool" }) };
}

/** The words that name a result's fields in a program. */
function fieldNames(node: TaskNode, returns: CompiledCall["returns"], sent: SentFields): readonly string[] {
  const travel = Object.entries(returns).filter(
    ([path, type]) => type !== "known" && (path === VAIN || isSent(sent, path)),
  );
  const names = travel.map(([path]) => path.replaceAll(".", "_"));
  const module = findModule(node.module);
  const word = module?.fieldNames;
  const others = Object.keys(returns).some((path) => path !== "attempts" && module?.returns[path] === undefined);
  if (word === undefined || sent !== "all" || names.length === 0 || others) return names;
  return node.until === undefined ? [word] : [word, "attempts"];
}

/** register, changed_when, failed_when. @param sent undefined where nobody asks for the result */
export function compileVerdict(
  context: VerdictContext,
  node: TaskNode,
  returns: CompiledCall["returns"],
  about: CallItem,
  sent: SentFields,
): { shell: string; judged: boolean } {
  const conditional = node.changedWhen !== undefined || node.failedWhen !== undefined;
  if (sent === undefined) return { shell: "", judged: false };
  const name = node.register ?? "_";
  const fields = fieldNames(node, returns, sent);
  // The end of a loop says what became of it.
  if (!conditional && fields.length === 0 && about.itemValue !== undefined) return { shell: "", judged: false };
  let shell = `D\n${fields.length === 0 ? "RS" : "RF"} ${[name, ...fields].join(" ")}\n`;
  if (!conditional) return { shell, judged: false };
  const shapes = new Map(context.shapes).set(name, { returns, loop: false });
  // The task's own result is to come: an older one of that name must not decide.
  const bound = context.language(node, itemVars(about), name);
  const gateShell = (conditions: TaskNode["changedWhen"], call: string, reason: string) => {
    if (conditions === undefined) return "";
    const gate = decideAll(conditions, bound, shapes);
    const holds = gate.kind === "open" ? gate.shell : gate.value ? ":" : "false";
    const judges = `if ${holds}; then ${call} 1 ${quote(reason)}; else ${call} 0; fi`;
    if (node.timeout !== undefined) return `[ -n "$LATE" ] || ${judges}\n`;
    if (gate.kind === "known") return gate.value ? `${call} 1 ${quote(reason)}\n` : `${call} 0\n`;
    return `${judges}\n`;
  };
  const source = (conditions: TaskNode["changedWhen"]) => (conditions ?? []).map((c) => c.source).join(" and ");
  try {
    shell += gateShell(node.failedWhen, "FW", `failed_when: ${source(node.failedWhen)}`);
    shell += gateShell(node.changedWhen, "CW", `changed_when: ${source(node.changedWhen)}`);
  } catch (error) {
    // A mistake in it is one of a task that has run.
    if (!(error instanceof NeedsControllerError) && (context.mistakesFirst || !isMistake(error))) throw error;
    return { shell, judged: true };
  }
  if (node.register === undefined) return { shell, judged: false };
  const vain = returns[VAIN] === undefined ? "" : `[ -z "\${R_${VAIN}-}" ] || V_${name}_${VAIN}=true\n`;
  return { shell: `${shell}RS ${name}\n${vain}`, judged: false };
}

/** Decides changed_when and failed_when once the result is there, as Ansible would. */
export function judgeOf(
  context: VerdictContext,
  node: TaskNode,
  fields: Pick<CompiledCall, "returns" | "known" | "late">,
  about: CallItem,
): NonNullable<CompiledCall["judge"]> {
  return (raw, registers) => {
    if (fields.late !== undefined && raw.reason === fields.late) return raw;
    if (raw.status === "skipped" || raw.status === "pending") return raw;
    const result = resultValue({ node, ...fields, ...about }, raw);
    const own = node.register === undefined ? {} : { [node.register]: result };
    const scope = context.scope(node, itemVars(about)).withValues({ ...registers, ...own });
    return judged(node, raw, new TaskLanguage(scope, new Set()));
  };
}

/** A mistake in a condition is a failure of what has been done. */
function judged(node: TaskNode, raw: CallOutcome, language: TaskLanguage): CallOutcome {
  const holds = (conditions: TaskNode["changedWhen"]) => {
    const decision = language.decide(conditions ?? []);
    return decision.kind === "known" && decision.value;
  };
  const because = (conditions: TaskNode["changedWhen"]) => (conditions ?? []).map((c) => c.source).join(" and ");
  let changed = raw.status === "changed" || raw.changed === true;
  const failed = (reason: string): CallOutcome => {
    const { changed: _, ...rest } = raw;
    return { ...rest, ...(changed ? { changed } : {}), status: "failed", reason };
  };
  try {
    if (node.changedWhen !== undefined) changed = holds(node.changedWhen);
    if (node.failedWhen === undefined && raw.status === "failed") return failed(raw.reason);
    if (node.failedWhen !== undefined && holds(node.failedWhen))
      return failed(`failed_when: ${because(node.failedWhen)}`);
  } catch (error) {
    if (!isMistake(error)) throw error;
    return failed(mistakeReason(error));
  }
  return {
    ...raw,
    status: changed ? "changed" : "ok",
    reason: raw.status === "failed" ? "failure not counted" : raw.reason,
  };
}

/** until, retries, delay: a loop in the program, or of programs. Ansible's count: `retries` more attempts after the first. */
export function retryLoop(
  context: VerdictContext,
  node: TaskNode,
  language: TaskLanguage,
  made: string,
  call: Pick<CompiledCall, "returns" | "known">,
  about: CallItem,
  sent: SentFields,
): { shell: string; retry?: Retry } {
  const { returns } = call;
  const shell = returns[VAIN] === undefined ? made : `unset R_${VAIN}\n${made}`;
  const attempts = node.retries === undefined ? 3 : Math.max(0, Number(language.render(node.retries))) + 1;
  if (node.until === undefined || attempts === 1) return { shell: `${shell}R_attempts=1\n` };
  const delay = node.delay === undefined ? 5 : Math.max(0, Number(language.render(node.delay)));
  const name = node.register ?? "_";
  const shapes = new Map(context.shapes).set(name, { returns, loop: false });
  let done: string;
  try {
    const gate = decideAll(node.until, context.language(node, itemVars(about), name), shapes);
    done = gate.kind === "open" ? gate.shell : gate.value ? ":" : "false";
  } catch (error) {
    if (!(error instanceof NeedsControllerError)) throw error;
    return { shell, retry: { attempts, delay, done: untilOf(context, node, call, about) } };
  }
  const fields = fieldNames(node, returns, sent);
  const loop =
    `TRY=1\nwhile :; do\n${shell}R_attempts=$TRY\nD\nRF ${[name, ...fields].join(" ")}\n` +
    `case $S in skipped | pending) break ;; esac\nif ${done}; then break; fi\n` +
    `if [ "$TRY" -ge ${attempts} ]; then S='' R_attempts=${attempts - 1} R_${VAIN}=true FCH=\${FCH:-\${NCH#0}}; bad "not so after ${attempts} attempts"; break; fi\n` +
    `[ -z "$STOP" ] || fin stopped\n` +
    `TRY=$((TRY + 1)) S='' BAD='' CH='' NCH=0 OKW='' FCH=''\nsleep ${delay}\nlook\ndone\n`;
  return { shell: loop };
}

/** Whether `until` holds of a result. */
function untilOf(
  context: VerdictContext,
  node: TaskNode,
  fields: Pick<CompiledCall, "returns" | "known">,
  about: CallItem,
): Retry["done"] {
  return (outcome, registers) => {
    const own = { [node.register ?? "_"]: resultValue({ node, ...fields, ...about }, outcome) };
    const scope = context.scope(node, itemVars(about)).withValues({ ...registers, ...own });
    const decision = new TaskLanguage(scope, new Set()).decide(node.until ?? []);
    return decision.kind === "known" && decision.value;
  };
}

/** What never counts as a change: of a command, the playbook says that it only reads. */
export function readOnly(node: TaskNode): boolean {
  return node.changedWhen?.some(({ expr }) => expr.kind === "literal" && expr.value === false) === true;
}

/** `changed_when: true` of a task that only says something, so that it is told. */
export function countsAsChange(node: TaskNode): boolean {
  return node.changedWhen?.every(({ expr }) => expr.kind === "literal" && expr.value === true) === true;
}

/** The word after E that says what a failure means. */
export function endFlag(node: TaskNode, loop: boolean, judged: boolean): string {
  return loop ? "l" : node.ignoreErrors || judged ? "i" : "''";
}
