import type { HostState } from "./state.js";

/** What the live region is made of: row counts that add up to at most rows - 2. */
export interface RunLayout {
  readonly kind: "summary" | "hosts";
  /** Hosts that are shown, in order. */
  readonly hosts: readonly HostState[];
  /** `3 more (2 done, 1 waiting)`, or nothing. */
  readonly more: string;
  /** Rows of the log's tail, 0 for none. */
  readonly tail: number;
  readonly bar: number;
  readonly detail: boolean;
}

const MIN_TAIL = 4;
const MAX_TAIL = 14;
/** Header, footer, and the tail's title. */
const FRAME_ROWS = 3;
const NARROW = 80;
const BAR = 12;
const SMALLEST = { columns: 40, rows: 10 };

const order = ["failed", "unreachable", "running", "connected", "waiting", "done"] as const;
const words = {
  failed: "failed",
  unreachable: "unreachable",
  running: "running",
  connected: "running",
  waiting: "waiting",
  done: "done",
} as const;

/** Deals the rows of a screen: failed hosts first, then those that run, and what is left to the log of the chosen host. */
export function layoutRun(
  hosts: readonly HostState[],
  { columns, rows }: { readonly columns: number; readonly rows: number },
): RunLayout {
  const sorted = [...hosts].sort((a, b) => order.indexOf(a.phase.kind) - order.indexOf(b.phase.kind));
  const room = rows - 2 - FRAME_ROWS;
  const wide = columns >= NARROW;
  if (columns < SMALLEST.columns || rows < SMALLEST.rows || room < 2) {
    return { kind: "summary", hosts: [], more: "", tail: 0, bar: 0, detail: false };
  }
  const wanted = room - MIN_TAIL >= Math.min(2, hosts.length) ? room - MIN_TAIL : room;
  const fits = sorted.length <= wanted;
  const shown = fits ? sorted : sorted.slice(0, Math.max(1, wanted - 1));
  const used = shown.length + (fits ? 0 : 1);
  const left = room - used;
  return {
    kind: "hosts",
    hosts: shown,
    more: fits ? "" : moreText(sorted.slice(shown.length)),
    tail: left >= MIN_TAIL ? Math.min(MAX_TAIL, left) : 0,
    bar: wide ? BAR : 0,
    detail: columns >= SMALLEST.columns + 20,
  };
}

function moreText(rest: readonly HostState[]): string {
  const counts = new Map<string, number>();
  for (const host of rest) {
    const word = words[host.phase.kind];
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return `${rest.length} more (${[...counts].map(([word, count]) => `${count} ${word}`).join(", ")})`;
}
