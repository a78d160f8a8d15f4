/**
 * The entries of a list in a JSON answer, which is the edge's word: nothing is known of them but that they are records.
 * @param key of the list; the answer itself is the list without
 * @throws Error for what is no such JSON
 */
export function recordsIn(body: Buffer, path: string, key?: string): Readonly<Record<string, unknown>>[] {
  let answer: unknown;
  try {
    answer = JSON.parse(body.toString("utf8"));
  } catch {
    throw new Error(`${path} is not JSON`);
  }
  const list = key === undefined ? answer : isRecord(answer) ? answer[key] : undefined;
  if (!Array.isArray(list) || !list.every(isRecord)) throw new Error(`${path} is not the JSON of an edge`);
  return list;
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
