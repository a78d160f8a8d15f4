/** The part of a list that fits, with the chosen line in it. */
export function windowOf<T>(
  items: readonly T[],
  chosen: number,
  rows: number,
): { readonly from: number; readonly shown: readonly T[] } {
  if (items.length <= rows) return { from: 0, shown: items };
  const from = Math.min(Math.max(0, chosen - Math.floor(rows / 2)), items.length - rows);
  return { from, shown: items.slice(from, from + Math.max(1, rows)) };
}
