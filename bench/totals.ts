/** Names under which an event may hold what travelled (TransportStats). */
const TOTALS = ["execs", "bytesUp", "bytesDown"];

/** Finds totals of round trips and bytes in run events, wherever an event carries them; one line each. */
export function runTotals(ndjson: string): string[] {
  const events = ndjson.split("\n").filter((line) => line.startsWith("{"));
  return events.flatMap((line) => findTotals(JSON.parse(line)));
}

function findTotals(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  const entries = Object.entries(value);
  const here = entries.filter(([key, item]) => TOTALS.includes(key) && typeof item === "number");
  const own = here.length > 0 ? [here.map(([key, item]) => `${key} ${item}`).join(", ")] : [];
  return [...own, ...entries.flatMap(([, item]) => findTotals(item))];
}
