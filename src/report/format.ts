import type { HostRecap, RunEvent } from "./events.js";

/** Ansible's recap line. */
export function recapLine(host: string, recap: HostRecap): string {
  const parts = [`ok=${recap.ok}`, `changed=${recap.changed}`, `failed=${recap.failed}`, `skipped=${recap.skipped}`];
  if (recap.pending > 0) parts.push(`would-run=${recap.pending}`);
  if (recap.ignored > 0) parts.push(`ignored=${recap.ignored}`);
  if (recap.rescued > 0) parts.push(`rescued=${recap.rescued}`);
  if (recap.unreachable > 0) parts.push(`unreachable=${recap.unreachable}`);
  return `${host}: ${parts.join(" ")}`;
}

/** A duration in words that a person reads at a glance: `0.4s`, `12s`, `4m12s`, `1h03m`. */
export function formatDuration(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)}s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole}s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}m${String(whole % 60).padStart(2, "0")}s`;
  return `${Math.floor(minutes / 60)}h${String(minutes % 60).padStart(2, "0")}m`;
}

/** Text of several lines, each moved in by two columns. */
export function indent(text: string): string {
  return text
    .replace(/\n$/, "")
    .split("\n")
    .map((line) => `  ${line}`)
    .join("\n");
}

const ESC = "\u001b";
const codes = { red: 31, green: 32, yellow: 33, cyan: 36, dim: 2, bold: 1 } as const;

export type Paint = (style: keyof typeof codes, text: string) => string;

/** A painter that colours, or leaves text alone. Colour never is the only sign: the word stands beside it. */
export function painter(enabled: boolean): Paint {
  return enabled ? (style, text) => `${ESC}[${codes[style]}m${text}${ESC}[0m` : (_style, text) => text;
}

/** Whether a result has a line: what is right already only when that is asked for, but for what a task was made to say. */
export function isShown(
  { status, pending, task }: Extract<RunEvent, { type: "task.result" }>,
  verbose: boolean,
): boolean {
  const said = status === "ok" && task.module === "debug";
  return said || status === "changed" || status === "failed" || pending === true || verbose;
}
