const CONTEXT = 3;
/** Above this many differing lines the shortest edit is not looked for: one block out, one block in. */
const MAX_EDITS = 500;

interface Edit {
  readonly kind: " " | "-" | "+";
  readonly line: string;
}

/** Myers, An O(ND) Difference Algorithm (1986): the shortest script from `a` to `b`. */
function edits(a: readonly string[], b: readonly string[]): Edit[] {
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  const same = (lines: readonly string[]): Edit[] => lines.map((line) => ({ kind: " ", line }));
  return [
    ...same(a.slice(0, head)),
    ...middle(a.slice(head, a.length - tail), b.slice(head, b.length - tail)),
    ...same(a.slice(a.length - tail)),
  ];
}

function middle(a: readonly string[], b: readonly string[]): Edit[] {
  const trace = search(a, b);
  if (trace === undefined) {
    return [...a.map((line): Edit => ({ kind: "-", line })), ...b.map((line): Edit => ({ kind: "+", line }))];
  }
  const result: Edit[] = [];
  let x = a.length;
  let y = b.length;
  for (let d = trace.length - 1; d >= 0; d--) {
    const v = trace[d] ?? new Map<number, number>();
    const k = x - y;
    const down = k === -d || (k !== d && (v.get(k - 1) ?? -1) < (v.get(k + 1) ?? -1));
    const before = down ? k + 1 : k - 1;
    const startX = d === 0 ? 0 : (v.get(before) ?? 0);
    const startY = startX - before;
    while (x > (d === 0 ? 0 : down ? startX : startX + 1) && y > 0 && a[x - 1] === b[y - 1]) {
      result.push({ kind: " ", line: a[x - 1] ?? "" });
      x--;
      y--;
    }
    if (d === 0) break;
    if (down) result.push({ kind: "+", line: b[startY] ?? "" });
    else result.push({ kind: "-", line: a[startX] ?? "" });
    x = startX;
    y = startY;
  }
  return result.reverse();
}

/** The furthest points per number of edits, or undefined when there are too many. */
function search(a: readonly string[], b: readonly string[]): Map<number, number>[] | undefined {
  const trace: Map<number, number>[] = [];
  const v = new Map<number, number>([[1, 0]]);
  for (let d = 0; d <= Math.min(a.length + b.length, MAX_EDITS); d++) {
    trace.push(new Map(v));
    for (let k = -d; k <= d; k += 2) {
      const down = k === -d || (k !== d && (v.get(k - 1) ?? -1) < (v.get(k + 1) ?? -1));
      let x = down ? (v.get(k + 1) ?? 0) : (v.get(k - 1) ?? 0) + 1;
      let y = x - k;
      while (x < a.length && y < b.length && a[x] === b[y]) {
        x++;
        y++;
      }
      v.set(k, x);
      if (x >= a.length && y >= b.length) return trace;
    }
  }
  return undefined;
}

function lines(text: string): string[] {
  if (text === "") return [];
  const parts = text.split("\n");
  if (parts.at(-1) === "") parts.pop();
  else parts.push(`${parts.pop() ?? ""}\n\\ No newline at end of file`);
  return parts;
}

/** A unified diff with three lines of context; empty when the texts are equal. */
export function unifiedDiff(path: string, before: string, after: string): string {
  if (before === after) return "";
  const script = edits(lines(before), lines(after));
  const hunks: string[] = [];
  let a = 1;
  let b = 1;
  let index = 0;
  while (index < script.length) {
    if (script[index]?.kind === " ") {
      index++;
      a++;
      b++;
      continue;
    }
    const lead = Math.min(CONTEXT, index);
    let end = index;
    let quiet = 0;
    for (let i = index; i < script.length && quiet <= 2 * CONTEXT; i++) {
      if (script[i]?.kind === " ") quiet++;
      else {
        quiet = 0;
        end = i + 1;
      }
    }
    const stop = Math.min(script.length, end + CONTEXT);
    const part = script.slice(index - lead, stop);
    const removed = part.filter((edit) => edit.kind !== "+").length;
    const added = part.filter((edit) => edit.kind !== "-").length;
    const start = (at: number, count: number) => (count === 0 ? at - lead - 1 : at - lead);
    const range = (at: number, count: number) => `${start(at, count)}${count === 1 ? "" : `,${count}`}`;
    hunks.push(`@@ -${range(a, removed)} +${range(b, added)} @@`, ...part.map((edit) => edit.kind + edit.line));
    a += removed - lead;
    b += added - lead;
    index = stop;
  }
  return `--- ${path} (on the host)\n+++ ${path}\n${hunks.join("\n")}\n`;
}

/** False for what is no text: a NUL, or bytes that are not UTF-8. */
export function isText(bytes: Uint8Array): boolean {
  if (bytes.includes(0)) return false;
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}
