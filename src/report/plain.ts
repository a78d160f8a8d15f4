import { isFailure, type RunEvent } from "./events.js";
import { Failures } from "./failures.js";
import { formatDuration, indent, isShown, type Paint, recapLine } from "./format.js";
import type { Output, Reporter } from "./reporter.js";

/** A long task says that it lives at least this often. */
const HEARTBEAT_MS = 30_000;
/** How often that is looked at. */
const TICK_MS = 1000;
/** A compile reports each file; a line for every tenth of it is enough. */
const PROGRESS_STEPS = 10;

export interface PlainOptions {
  readonly paint: Paint;
  /** Also tasks that found everything right, with the reason. */
  readonly verbose: boolean;
  /** Task lines are the result of `plan`, and progress of everything else. */
  readonly tasksAreResult: boolean;
  readonly setInterval?: (callback: () => void, milliseconds: number) => { unref(): unknown };
  readonly now?: () => number;
}

interface RunningTask {
  readonly name: string;
  readonly startedAt: number;
  saidAt: number;
  shownStep: number;
  /** ` 120/340`, where the task counts. */
  counted: string;
}

type TaskResult = Extract<RunEvent, { type: "task.result" }>;

/** Stable lines, one an event, each with its host: for scripts, CI logs and terminals without a display. */
export function plainReporter(output: Output, options: PlainOptions): Reporter {
  const now = options.now ?? Date.now;
  const failures = new Failures();
  const running = new Map<string, RunningTask>();
  const heartbeat = (options.setInterval ?? setInterval)(() => {
    for (const [host, one] of running) {
      if (now() - one.saidAt < HEARTBEAT_MS) continue;
      one.saidAt = now();
      output.progress(`${host}  still running  ${one.name}${one.counted}  ${formatDuration(now() - one.startedAt)}\n`);
    }
  }, TICK_MS);
  heartbeat.unref();

  function taskResult(event: TaskResult): void {
    running.delete(event.host);
    if (!isShown(event, options.verbose)) return;
    const write = options.tasksAreResult ? output.result : output.progress;
    write(taskLine(event, options.paint));
    if (event.diff !== undefined && event.diff.unified !== "") {
      write(`${indent(paintDiff(event.diff.unified, options.paint))}\n`);
    }
    // What an ignored failure said is told nowhere else; of all others it comes at the end, where it is seen.
    if (event.status === "failed" && !isFailure(event) && event.output !== undefined && event.output !== "") {
      write(`${indent(event.output)}\n`);
    }
  }

  function begin(host: string, name: string): void {
    running.set(host, { name, startedAt: now(), saidAt: now(), shownStep: 0, counted: "" });
  }

  return {
    event(event) {
      failures.note(event);
      switch (event.type) {
        case "message":
          output.progress(messageLines(event, options.paint));
          return;
        case "host.connected":
          output.progress(`${event.host}  connected  ${event.description}\n`);
          return;
        case "host.facts":
          output.progress(`${event.host}  facts  ${event.summary}\n`);
          return;
        case "host.unreachable":
          output.progress(
            `${event.host}  ${options.paint("red", "unreachable")}  ${event.text} (${event.code})\n${
              event.hint === undefined ? "" : `${indent(event.hint)}\n`
            }`,
          );
          return;
        case "task.start":
          begin(event.host, event.task.name);
          return;
        case "check.start":
          begin(event.host, event.check.title);
          return;
        case "task.progress": {
          const one = running.get(event.host);
          const fraction = event.total > 0 ? event.done / event.total : 0;
          if (one !== undefined && event.total > 0) one.counted = `  ${event.done}/${event.total}`;
          const step = Math.floor(fraction * PROGRESS_STEPS);
          if (one === undefined || step <= one.shownStep) return;
          one.shownStep = step;
          one.saidAt = now();
          const percent = `${Math.floor(fraction * 100)}%`;
          output.progress(`${event.host}  ${percent.padStart(4)}  ${event.task.name}  ${event.done}/${event.total}\n`);
          return;
        }
        case "task.result":
          taskResult(event);
          return;
        case "check.result":
          running.delete(event.host);
          (options.tasksAreResult ? output.result : output.progress)(checkLine(event, options.paint));
          return;
        case "host.end":
          running.delete(event.host);
          output.result(`${recapLine(event.host, event.recap)}\n`);
          return;
        case "run.end":
          output.progress(failures.text());
          output.progress(`done in ${formatDuration(event.durationMs)}\n`);
          return;
        default:
          return;
      }
    },
    end: () => clearInterval(heartbeat as NodeJS.Timeout),
  };
}

function taskLine(event: TaskResult, paint: Paint): string {
  const [word, style] = statusWord(event);
  const item = event.item === undefined ? "" : ` [${event.item}]`;
  const time = event.durationMs >= 1000 ? `  ${formatDuration(event.durationMs)}` : "";
  return `${event.host}  ${paint(style, word.padEnd(9))}  ${event.task.name}${item}  ${paint("dim", event.reason)}${time}\n`;
}

function checkLine(event: Extract<RunEvent, { type: "check.result" }>, paint: Paint): string {
  const style = ({ pass: "green", warn: "yellow", fail: "red", skip: "cyan" } as const)[event.status];
  const hint = event.hint === undefined ? "" : `${indent(event.hint)}\n`;
  return `${event.host}  ${paint(style, event.status.padEnd(9))}  ${event.check.title}  ${paint("dim", event.reason)}\n${hint}`;
}

function statusWord(event: TaskResult): [string, "green" | "yellow" | "red" | "cyan"] {
  if (event.pending === true) return ["would run", "yellow"];
  switch (event.status) {
    case "ok":
      return ["ok", "green"];
    case "changed":
      return ["changed", "yellow"];
    case "skipped":
      return ["skipped", "cyan"];
    case "failed":
      if (event.rescued === true) return ["rescued", "cyan"];
      return event.ignored === true ? ["ignored", "cyan"] : ["failed", "red"];
  }
}

function messageLines(event: Extract<RunEvent, { type: "message" }>, paint: Paint): string {
  const host = event.host === undefined ? "" : `${event.host}  `;
  const level = event.level === "info" ? "" : `${paint(event.level === "error" ? "red" : "yellow", event.level)}  `;
  return `${host}${level}${event.text}\n${event.hint === undefined ? "" : `${indent(event.hint)}\n`}`;
}

function paintDiff(unified: string, paint: Paint): string {
  return unified
    .split("\n")
    .map((line) => {
      if (line.startsWith("+")) return paint("green", line);
      if (line.startsWith("-")) return paint("red", line);
      return line;
    })
    .join("\n");
}
