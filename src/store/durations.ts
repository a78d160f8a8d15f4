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
  const { [model]: known = {}, ...others } = table;
  const before = known[task];
  const mean = Math.round(before === undefined ? ms : before + (ms - before) * WEIGHT);
  const { [task]: _, ...rest } = known;
  const tasks = Object.fromEntries([...Object.entries(rest), [task, mean] as const].slice(-MAX_TASKS));
  return Object.fromEntries([...Object.entries(others), [model, tasks] as const].slice(-MAX_MODELS));
}
