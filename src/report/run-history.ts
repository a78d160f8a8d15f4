import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type HostRecap, isFailure, type RunEvent } from "./events.js";
import type { Reporter } from "./reporter.js";

/** Runs whose logs are kept; older ones go with the end of a new one. */
const KEPT_RUNS = 100;
const FILE = "run.json";
const VERSION = 1;

/** How one run ended, as `run.json` beside its logs says. */
export interface PastRun {
  readonly run: string;
  readonly command: string;
  /** ISO 8601, UTC. */
  readonly time: string;
  readonly exitCode: number;
  readonly durationMs: number;
  /** How each host came out. */
  readonly hosts: Readonly<Record<string, "ok" | "failed" | "unreachable">>;
}

/** Writes `run.json` at the end of each run, and drops the logs of runs long past. */
export function runHistory(folder: string): Reporter {
  let start: Extract<RunEvent, { type: "run.start" }> | undefined;
  const failed = new Set<string>();
  const unreachable = new Set<string>();
  return {
    event(event) {
      if (event.type === "run.start") {
        start = event;
        failed.clear();
        unreachable.clear();
      } else if (event.type === "host.unreachable") unreachable.add(event.host);
      else if (hasFailed(event)) failed.add(event.host);
      else if (event.type === "run.end" && start !== undefined) {
        for (const [host, recap] of Object.entries(event.recap)) noteRecap(host, recap);
        const outcome = (host: string) =>
          unreachable.has(host) ? "unreachable" : failed.has(host) ? "failed" : ("ok" as const);
        const { run, command, time, hosts } = start;
        const { exitCode, durationMs } = event;
        const past = { run, command, time, exitCode, durationMs };
        save(folder, { ...past, hosts: Object.fromEntries(hosts.map((host) => [host, outcome(host)])) });
      }
    },
    end: () => undefined,
  };

  function noteRecap(host: string, recap: HostRecap): void {
    if (recap.unreachable > 0) unreachable.add(host);
    if (recap.failed > 0) failed.add(host);
  }
}

function hasFailed(event: RunEvent): event is Extract<RunEvent, { type: "task.result" | "check.result" }> {
  if (event.type === "check.result") return event.status === "fail";
  return event.type === "task.result" && isFailure(event);
}

/** History is a help: where it cannot be written, the run has not failed. */
function save(folder: string, past: PastRun): void {
  try {
    const runs = join(folder, "runs");
    mkdirSync(join(runs, past.run), { recursive: true, mode: 0o700 });
    writeFileSync(join(runs, past.run, FILE), `${JSON.stringify({ version: VERSION, ...past })}\n`, { mode: 0o600 });
    const old = readdirSync(runs)
      .map((name) => ({ name, at: statSync(join(runs, name)).mtimeMs }))
      .sort((a, b) => b.at - a.at)
      .slice(KEPT_RUNS);
    for (const { name } of old) rmSync(join(runs, name), { recursive: true, force: true });
  } catch {
    // As above.
  }
}

/** Past runs, newest first. A damaged `run.json` is passed over. */
export function pastRuns(folder: string): readonly PastRun[] {
  const runs = join(folder, "runs");
  let names: string[];
  try {
    names = readdirSync(runs);
  } catch {
    return [];
  }
  return names.flatMap((name) => readRun(join(runs, name, FILE), name)).sort((a, b) => (a.time < b.time ? 1 : -1));
}

function readRun(file: string, name: string): PastRun[] {
  try {
    const past: unknown = JSON.parse(readFileSync(file, "utf8"));
    return isPastRun(past) && past.run === name ? [past] : [];
  } catch {
    return [];
  }
}

function isPastRun(value: unknown): value is PastRun {
  if (typeof value !== "object" || value === null) return false;
  const { run, command, time, hosts } = value as Record<string, unknown>;
  return [run, command, time].every((text) => typeof text === "string") && typeof hosts === "object" && hosts !== null;
}
