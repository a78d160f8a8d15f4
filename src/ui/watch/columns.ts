/** One value of a row; the highest rank is left out first where the terminal is narrow. */
export interface Column {
  readonly text: string;
  /** Columns that it is padded to, so that rows line up. */
  readonly width: number;
  readonly rank: number;
}

const GAP = "  ";

/** The columns that fit, in their order, in one line. Pure. */
export function fitColumns(columns: readonly Column[], width: number): string {
  const byRank = [...columns].sort((a, b) => b.rank - a.rank);
  const left = new Set(columns);
  const size = () =>
    [...left].reduce((sum, column) => sum + Math.max(column.width, column.text.length) + GAP.length, 0);
  for (const column of byRank) {
    if (size() - GAP.length <= width) break;
    if (left.size > 1) left.delete(column);
  }
  return columns
    .filter((column) => left.has(column))
    .map(({ text, width: wanted }) => text.padEnd(wanted))
    .join(GAP)
    .trimEnd();
}

/**
 * The newest values as signs of eight heights, scaled from 0 to the highest.
 * @param width at most so many signs
 */
export function sparkline(values: readonly number[], signs: readonly string[], width: number): string {
  const shown = values.slice(-width);
  const highest = Math.max(1, ...shown);
  return shown
    .map((value) => signs[Math.min(signs.length - 1, Math.floor((value / highest) * (signs.length - 1) + 0.5))] ?? "")
    .join("");
}
