/** Milliseconds that tasks took, by kind of machine and task name. */
export type DurationTable = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** Shorter tasks tell nothing about how long a run takes, milliseconds. */
export const WORTH_MS = 500;
const MAX_MODELS = 40;
const MAX_TASKS = 100;
/** A new measurement counts as much as all before it: a board with a better card is believed after two runs. */
const WEIGHT = 0.5;

/** The table with one more measurement; the kind of machine that was not seen for longest goes first. */
export function rememberDuration(table: DurationTable, model: string, task: string, ms: number): DurationTable {
  // Names come from hosts and playbooks: "constructor" is one like any other.
  const own = Object.hasOwn(table, model) ? table[model] : undefined;
  const { [model]: _old, ...others } = table;
  const known = own ?? {};
  const before = Object.hasOwn(known, task) ? known[task] : undefined;
  const mean = Math.round(before === undefined ? ms : before + (ms - before) * WEIGHT);
  const { [task]: _, ...rest } = known;
  const tasks = Object.fromEntries([...Object.entries(rest), [task, mean] as const].slice(-MAX_TASKS));
  return Object.fromEntries([...Object.entries(others), [model, tasks] as const].slice(-MAX_MODELS));
}

/** Milliseconds by task name for a kind of machine; empty where nothing is known. */
export function durationsOf(table: DurationTable, model: string): Readonly<Record<string, number>> {
  return (Object.hasOwn(table, model) ? table[model] : undefined) ?? {};
}
