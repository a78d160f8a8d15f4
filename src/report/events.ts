/**
 * Run events, version 1: the only thing that a display, a log file or `--json` sees of a run. Published in
 * docs/events.md; fields may be added, never renamed or removed within a version.
 */
export const EVENT_VERSION = 1;

export type TaskStatus = "ok" | "changed" | "failed" | "skipped";

/** One task of the playbook, as displays name it. */
export interface TaskRef {
  /** Stable within the run: position of the task in the play, handlers after tasks. */
  readonly id: number;
  readonly name: string;
  readonly module: string;
  /** `file:line` of the task in its playbook. */
  readonly path: string;
  readonly handler: boolean;
}

export type CheckStatus = "pass" | "warn" | "fail" | "skip";

/** One proof of `verify`, e.g. "publish with a wrong token is refused". */
export interface CheckRef {
  /** Stable identifier such as `publish-wrong-token`. */
  readonly id: string;
  readonly title: string;
}

export interface FileDiff {
  readonly path: string;
  /** Unified diff, secrets masked; empty when the content may not be shown. */
  readonly unified: string;
}

export interface HostRecap {
  ok: number;
  changed: number;
  failed: number;
  skipped: number;
  ignored: number;
  unreachable: number;
  /** Failed tasks after which the play went on with a block's rescue or always. */
  rescued: number;
  /** Commands that check mode did not run and that would run in apply. */
  pending: number;
}

export type RunEvent =
  | { type: "run.start"; version: 1; time: string; run: string; command: string; check: boolean; hosts: string[] }
  | { type: "message"; time: string; level: "info" | "warning" | "error"; host?: string; text: string; hint?: string }
  | { type: "play.start"; time: string; play: string; hosts: string[]; tasks: number }
  | { type: "host.connected"; time: string; host: string; description: string }
  | {
      type: "host.facts";
      time: string;
      host: string;
      summary: string;
      /** The same for all machines of one kind: `Raspberry Pi 4 Model B`, `x86_64, 4 CPU`. */
      model?: string;
    }
  | { type: "host.unreachable"; time: string; host: string; code: string; text: string; hint?: string }
  | { type: "task.start"; time: string; host: string; task: TaskRef; item?: string }
  | { type: "task.progress"; time: string; host: string; task: TaskRef; done: number; total: number; text: string }
  | { type: "task.log"; time: string; host: string; task: TaskRef; line: string }
  | {
      type: "task.result";
      time: string;
      host: string;
      task: TaskRef;
      item?: string;
      status: TaskStatus;
      /** Why: "sha256 equal", "ffmpeg: missing", "when: edge_https is false". Never empty. */
      reason: string;
      /** A failed task whose failure the playbook ignores. */
      ignored?: boolean;
      /** A failed task after which the play goes on with a block's rescue or always. */
      rescued?: boolean;
      /** skipped by check mode only; apply would run it. */
      pending?: boolean;
      diff?: FileDiff;
      /** Last lines of output of a failed command. */
      output?: string;
      durationMs: number;
    }
  | { type: "check.start"; time: string; host: string; check: CheckRef }
  | {
      type: "check.result";
      time: string;
      host: string;
      check: CheckRef;
      status: CheckStatus;
      /** What was seen. Never empty, never a secret. */
      reason: string;
      hint?: string;
      durationMs: number;
    }
  | { type: "host.end"; time: string; host: string; recap: HostRecap; log?: string }
  | {
      type: "run.end";
      time: string;
      recap: Record<string, HostRecap>;
      exitCode: number;
      durationMs: number;
      /** By host that let us in. */
      traffic?: Record<string, HostTraffic>;
    };

/** What travelled between this machine and a host. */
export interface HostTraffic {
  /** Commands executed: each is one round trip of the run. */
  execs: number;
  bytesUp: number;
  bytesDown: number;
}

/** Whether a task's result is a failure that the playbook has no answer to. */
export function isFailure({ status, ignored, rescued }: Extract<RunEvent, { type: "task.result" }>): boolean {
  return status === "failed" && ignored !== true && rescued !== true;
}

/** The time of an event that happens now. */
export function nowText(): string {
  return new Date().toISOString();
}

/** Where the engine puts events. */
export type EmitEvent = (event: RunEvent) => void;
