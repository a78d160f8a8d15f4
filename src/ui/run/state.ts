import { type HostRecap, isFailure, type RunEvent, type TaskRef } from "../../report/events.js";
import { failureLines, LAST_LINES } from "../../report/failures.js";
import { formatDuration, isShown, recapLine } from "../../report/format.js";
import { cleanLine } from "../sanitize.js";
import type { Status } from "../theme.js";

/** Lines of a host's log that the view keeps; the whole log is in its file. */
const LOG_LINES = 2000;

export type HostPhase =
  | { readonly kind: "waiting" }
  | { readonly kind: "connected" }
  | {
      readonly kind: "running";
      readonly label: string;
      readonly task?: TaskRef;
      readonly startedAt: number;
      readonly progress?: Progress;
    }
  | { readonly kind: "done" }
  | { readonly kind: "failed"; readonly label: string; readonly reason: string }
  | { readonly kind: "unreachable"; readonly reason: string };

export interface Progress {
  readonly done: number;
  readonly total: number;
  /** The file that is compiled. */
  readonly text: string;
  /** First count of this run, for the pace: a resumed build starts with files that cost nothing now. */
  readonly first: { readonly at: number; readonly done: number };
  readonly at: number;
}

export interface HostState {
  readonly name: string;
  readonly phase: HostPhase;
  readonly model: string;
  /** Tasks with a result, of so many of the play; conditions may make it more or fewer. */
  readonly done: number;
  readonly total: number;
  /** Names of tasks that ended, for the remaining time. */
  readonly ended: ReadonlySet<string>;
  readonly log: readonly string[];
  /** Lines that were dropped from the beginning of the log. */
  readonly dropped: number;
  readonly failures: readonly Failure[];
}

export interface Failure {
  readonly label: string;
  readonly reason: string;
  readonly hint?: string;
  /** Last lines of a failed task. */
  readonly output: readonly string[];
}

/** One line of the scrollback: written once, never again. */
export interface FinishedLine {
  readonly id: number;
  readonly status: Status | "text";
  readonly time: string;
  readonly host: string;
  readonly text: string;
  readonly duration: string;
}

export interface RunState {
  readonly run: string;
  readonly command: string;
  readonly startedAt: number;
  readonly endedAt: number | undefined;
  readonly exitCode: number | undefined;
  readonly hosts: readonly HostState[];
  readonly finished: readonly FinishedLine[];
  /** Said once a stop was asked for. */
  readonly notice: string;
}

export interface ReduceOptions {
  /** Also tasks that found everything right. */
  readonly verbose: boolean;
  /** Where a host's log of this run is kept. */
  readonly logPath: (run: string, host: string) => string;
}

export type RunAction =
  | RunEvent
  | { readonly type: "ui.notice"; readonly text: string }
  | { readonly type: "ui.logs"; readonly host: string; readonly lines: readonly string[] };

export const emptyRun: RunState = {
  run: "",
  command: "",
  startedAt: 0,
  endedAt: undefined,
  exitCode: undefined,
  hosts: [],
  finished: [],
  notice: "",
};

/** What the run looks like after an event. Pure: times come from the events. */
export function reduceRun(state: RunState, event: RunAction, options: ReduceOptions): RunState {
  switch (event.type) {
    case "ui.notice":
      return { ...state, notice: event.text };
    case "run.start":
      return {
        ...emptyRun,
        finished: state.finished,
        run: event.run,
        command: event.command,
        startedAt: Date.parse(event.time),
        hosts: event.hosts.map(newHost),
      };
    case "play.start":
      return {
        ...state,
        hosts: state.hosts.map((host) =>
          event.hosts.includes(host.name) ? { ...host, total: host.total + event.tasks } : host,
        ),
      };
    case "message":
      return message(state, event);
    case "host.connected":
      return onHost(state, event.host, (host) => ({ ...host, phase: { kind: "connected" } }));
    case "host.facts":
      return onHost(
        finish(state, { status: "info", time: event.time, host: event.host, text: cleanLine(event.summary) }),
        event.host,
        (host) => ({ ...host, model: event.model ?? "" }),
      );
    case "host.unreachable": {
      const reason = cleanLine(event.text);
      const failed = onHost(state, event.host, (host) => ({
        ...host,
        phase: { kind: "unreachable", reason },
        failures: [...host.failures, { label: event.code, reason, output: [], ...hintOf(event.hint) }],
      }));
      return finish(failed, { status: "unreachable", time: event.time, host: event.host, text: reason });
    }
    case "task.start":
      return onHost(state, event.host, (host) => ({
        ...host,
        phase: {
          kind: "running",
          label: label(event.task, event.item),
          task: event.task,
          startedAt: Date.parse(event.time),
        },
      }));
    case "task.progress":
      return onHost(state, event.host, (host) => ({ ...host, phase: progressed(host.phase, event) }));
    case "task.log":
      return onHost(state, event.host, (host) => logged(host, [event.line]));
    case "ui.logs":
      return onHost(state, event.host, (host) => logged(host, event.lines));
    case "task.result":
      return taskResult(state, event, options);
    case "check.start":
      return onHost(state, event.host, (host) => ({
        ...host,
        phase: { kind: "running", label: event.check.title, startedAt: Date.parse(event.time) },
      }));
    case "check.result":
      return checkResult(state, event);
    case "host.end":
      return hostEnd(state, event.host, event.recap);
    case "run.end":
      return runEnd(state, event, options);
  }
}

function newHost(name: string): HostState {
  return {
    name,
    phase: { kind: "waiting" },
    model: "",
    done: 0,
    total: 0,
    ended: new Set(),
    log: [],
    dropped: 0,
    failures: [],
  };
}

function onHost(state: RunState, name: string, change: (host: HostState) => HostState): RunState {
  const at = state.hosts.findIndex((host) => host.name === name);
  const host = state.hosts[at];
  return host === undefined ? state : { ...state, hosts: state.hosts.with(at, change(host)) };
}

function finish(
  state: RunState,
  line: { status: FinishedLine["status"]; time?: string; host?: string; text: string; durationMs?: number },
): RunState {
  const { status, time, host = "", text, durationMs } = line;
  const next: FinishedLine = {
    id: state.finished.length,
    status,
    time: time === undefined ? "" : clock(time),
    host,
    text,
    duration: durationMs === undefined ? "" : formatDuration(durationMs),
  };
  return { ...state, finished: [...state.finished, next] };
}

/** `12:04:11` of this machine's day. */
function clock(time: string): string {
  const date = new Date(time);
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => String(part).padStart(2, "0")).join(":");
}

function label(task: TaskRef, item: string | undefined): string {
  return item === undefined ? task.name : `${task.name} (${cleanLine(item)})`;
}

function hintOf(hint: string | undefined): { hint?: string } {
  return hint === undefined ? {} : { hint };
}

function message(state: RunState, event: Extract<RunEvent, { type: "message" }>): RunState {
  const status = event.level === "error" ? "failed" : event.level === "warning" ? "warning" : "info";
  const host = event.host ?? "";
  const said = finish(state, { status, time: event.time, host, text: cleanLine(event.text) });
  const hinted =
    event.hint === undefined ? said : finish(said, { status: "text", text: `    ${cleanLine(event.hint)}` });
  if (event.level !== "error") return hinted;
  return onHost(hinted, host, (one) => ({
    ...one,
    failures: [...one.failures, { label: "error", reason: cleanLine(event.text), output: [], ...hintOf(event.hint) }],
  }));
}

function progressed(phase: HostPhase, event: Extract<RunEvent, { type: "task.progress" }>): HostPhase {
  if (phase.kind !== "running") return phase;
  const at = Date.parse(event.time);
  const first = phase.progress?.first ?? { at, done: event.done };
  const { done, total } = event;
  return { ...phase, progress: { done, total, text: cleanLine(event.text), first, at } };
}

function logged(host: HostState, lines: readonly string[]): HostState {
  const log = [...host.log, ...lines.slice(-LOG_LINES).map(cleanLine)];
  const dropped = host.dropped + Math.max(0, lines.length - LOG_LINES);
  // Cut in steps, so that not every batch copies the whole list twice.
  if (log.length <= LOG_LINES * 1.25) return { ...host, log, dropped };
  return { ...host, log: log.slice(-LOG_LINES), dropped: dropped + log.length - LOG_LINES };
}

function taskResult(
  state: RunState,
  event: Extract<RunEvent, { type: "task.result" }>,
  { verbose }: ReduceOptions,
): RunState {
  const { host, task, status, pending, durationMs, time } = event;
  const failed = isFailure(event);
  const name = label(task, event.item);
  const reason = cleanLine(event.reason);
  const said = (event.output ?? "")
    .split("\n")
    .map(cleanLine)
    .filter((line) => line !== "")
    .slice(-LAST_LINES);
  const next = onHost(state, host, (one) => ({
    ...one,
    done: event.item === undefined ? one.done + 1 : one.done,
    ended: new Set(one.ended).add(task.name),
    log: [...one.log, `${status}: ${name}: ${reason}`],
    phase: failed ? { kind: "failed", label: name, reason } : { kind: "connected" },
    failures: failed
      ? [...one.failures, { label: name, reason, output: said.length > 0 ? said : one.log.slice(-LAST_LINES) }]
      : one.failures,
  }));
  const shown = isShown(event, verbose);
  if (!shown) return next;
  const look = pending === true ? "pending" : status === "failed" && !failed ? "warning" : status;
  return finish(next, { status: look, time, host, text: `${name}: ${reason}`, durationMs });
}

const checkStatus = { pass: "ok", warn: "warning", fail: "failed", skip: "skipped" } as const;

function checkResult(state: RunState, event: Extract<RunEvent, { type: "check.result" }>): RunState {
  const { host, check, status, durationMs, time, hint } = event;
  const reason = cleanLine(event.reason);
  const failure = { label: check.title, reason, output: [], ...hintOf(hint) };
  const next = onHost(state, host, (one) => ({
    ...one,
    phase: { kind: "connected" },
    log: [...one.log, `${status}: ${check.title}: ${reason}`],
    failures: status === "fail" ? [...one.failures, failure] : one.failures,
  }));
  return finish(next, { status: checkStatus[status], time, host, text: `${check.title}: ${reason}`, durationMs });
}

function hostEnd(state: RunState, name: string, recap: HostRecap): RunState {
  const bad = recap.failed > 0 || recap.unreachable > 0;
  return onHost(state, name, (host) => {
    if (host.phase.kind === "failed" || host.phase.kind === "unreachable") return host;
    const last = host.failures.at(-1);
    return bad && last !== undefined
      ? { ...host, phase: { kind: "failed", label: last.label, reason: last.reason } }
      : { ...host, phase: { kind: "done" } };
  });
}

/** The end in the scrollback: the recap, and what failed with its last lines and its log, so that it is seen last. */
function runEnd(state: RunState, event: Extract<RunEvent, { type: "run.end" }>, { logPath }: ReduceOptions): RunState {
  const ended: RunState = {
    ...state,
    endedAt: Date.parse(event.time),
    exitCode: event.exitCode,
    hosts: state.hosts.map((host) =>
      host.failures.length > 0 && host.phase.kind !== "unreachable"
        ? {
            ...host,
            phase: {
              kind: "failed",
              label: host.failures.at(-1)?.label ?? "",
              reason: host.failures.at(-1)?.reason ?? "",
            },
          }
        : { ...host, phase: host.phase.kind === "unreachable" ? host.phase : { kind: "done" } },
    ),
  };
  const lines = Object.entries(event.recap).map(([host, recap]) => recapLine(host, recap));
  const failed = state.hosts.filter((host) => host.failures.length > 0);
  const details = failed.flatMap((host) =>
    failureLines(
      host.name,
      host.failures.map(({ label: what, reason, output, hint }) => ({
        title: `${what}: ${reason}`,
        lines: output,
        hint: hint?.split("\n").map(cleanLine).join("\n"),
      })),
      logPath(state.run, host.name),
    ),
  );
  const texts = [...lines, `done in ${formatDuration(event.durationMs)}, exit ${event.exitCode}`, ...details];
  return texts.reduce((now, text) => finish(now, { status: "text", text }), ended);
}
