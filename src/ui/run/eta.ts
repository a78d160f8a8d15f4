import type { HostState } from "./state.js";

/** Files compiled, and milliseconds, before a pace is worth telling: the first files are the small ones. */
const MIN_FILES = 5;
const MIN_MS = 3000;

/**
 * Milliseconds that a host's run will still take, or undefined where nothing is known: of the compile by its own pace,
 * of the rest by what such machines took before.
 * @param estimates remembered milliseconds by task name
 * @param now milliseconds since the epoch
 */
export function remainingMs(
  host: HostState,
  estimates: Readonly<Record<string, number>>,
  now: number,
): number | undefined {
  const { phase } = host;
  if (phase.kind === "done" || phase.kind === "failed" || phase.kind === "unreachable") return undefined;
  const current = phase.kind === "running" ? phase.task?.name : undefined;
  const known = Object.entries(estimates).filter(([task]) => !host.ended.has(task) && task !== current);
  const later = known.reduce((sum, [, ms]) => sum + ms, 0);
  const pace = phase.kind === "running" ? paceMs(phase.progress) : undefined;
  const expected = current === undefined ? undefined : estimates[current];
  if (pace !== undefined) return pace + later;
  if (expected !== undefined && phase.kind === "running")
    return Math.max(0, expected - (now - phase.startedAt)) + later;
  return known.length === 0 ? undefined : later;
}

function paceMs(
  progress: { done: number; total: number; first: { at: number; done: number }; at: number } | undefined,
) {
  if (progress === undefined) return undefined;
  const files = progress.done - progress.first.done;
  const ms = progress.at - progress.first.at;
  if (files < MIN_FILES || ms < MIN_MS) return undefined;
  return (ms / files) * (progress.total - progress.done);
}
