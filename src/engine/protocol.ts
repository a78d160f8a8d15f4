/**
 * What a program says: lines of 0x1e, the run's nonce, a letter, and fields parted by tabs. A field is `=text`
 * (printable ASCII), `~base64`, or a bare number or word. Anything else on the stream is not ours and is dropped: the
 * host may be hostile, so lines and fields are bounded and control characters never get further.
 */
export type ProgramStatus = "ok" | "changed" | "failed" | "skipped" | "pending";

export type ProgramMessage =
  /** A call begins. */
  | { kind: "start"; call: number }
  | { kind: "result"; call: number; status: ProgramStatus; reason: string }
  /** A field of a registered result. */
  | { kind: "field"; call: number; field: string; value: string }
  /** Last output of a failed command. */
  | { kind: "output"; call: number; text: string }
  /** The present content of a file that differs, or the new one that the host made. */
  | { kind: "content"; call: number; which: "old" | "new"; bytes: Buffer }
  /** A piece of a job's log. */
  | { kind: "log"; call: number; bytes: Buffer }
  /** A file needs the payload, or would in apply; `path` when it is to be that file. */
  | { kind: "wants"; call: number; digest: string; path: string }
  /** The file that the next contents are about. */
  | { kind: "file"; call: number; path: string }
  /** The program ended because a payload was not with it. */
  | { kind: "need"; call: number; digest: string }
  /** The program's process id, to ask it to stop. */
  | { kind: "pid"; pid: number }
  /** Another run holds the host. */
  | { kind: "locked"; holder: string }
  /** Handlers notified and not run yet, by number. */
  | { kind: "handlers"; notified: number[] }
  | { kind: "end"; reason: "done" | "failed" | "stopped" | "locked" | "need" };

/** A field holds at most 128 KiB of file or 64 KiB of output, in base64. */
const MAX_LINE = 256 * 1024;
const MARK = 0x1e;
const NEWLINE = 0x0a;

/** Removes what could drive a terminal: C0 and C1 controls but newline and tab, and Unicode's direction marks. */
export function printable(text: string): string {
  return text.replace(/\r\n?/g, "\n").replace(/[^\P{Cc}\n\t]|[\u202a-\u202e\u2066-\u2069]/gu, "");
}

function bytesOf(field: string): Buffer {
  if (field.startsWith("=")) return Buffer.from(field.slice(1));
  if (field.startsWith("~")) return Buffer.from(field.slice(1), "base64");
  return Buffer.from(field);
}

const textOf = (field: string): string => bytesOf(field).toString("utf8");
const shown = (field: string): string => printable(textOf(field));

const STATUSES: readonly string[] = ["ok", "changed", "failed", "skipped", "pending"];
const ENDS: readonly string[] = ["done", "failed", "stopped", "locked", "need"];

/** Turns chunks of a program's stdout into messages, as they come. */
export class ProtocolParser {
  readonly #prefix: string;
  readonly #onMessage: (message: ProgramMessage) => void;
  #parts: Buffer[] = [];
  #length = 0;
  #overlong = false;

  constructor(nonce: string, onMessage: (message: ProgramMessage) => void) {
    this.#prefix = nonce;
    this.#onMessage = onMessage;
  }

  push(chunk: Buffer): void {
    let from = 0;
    for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, from)) {
      this.#keep(chunk.subarray(from, at));
      this.#line();
      from = at + 1;
    }
    this.#keep(chunk.subarray(from));
  }

  #keep(piece: Buffer): void {
    if (this.#overlong || piece.length === 0) return;
    if (this.#length + piece.length > MAX_LINE) {
      this.#overlong = true;
      this.#parts = [];
      return;
    }
    this.#parts.push(piece);
    this.#length += piece.length;
  }

  #line(): void {
    const line = this.#overlong ? Buffer.alloc(0) : Buffer.concat(this.#parts);
    this.#parts = [];
    this.#length = 0;
    this.#overlong = false;
    if (line[0] !== MARK) return;
    const [nonce, letter = "", ...fields] = line.subarray(1).toString("latin1").split("\t");
    if (nonce !== this.#prefix) return;
    const message = parse(letter, fields);
    if (message !== undefined) this.#onMessage(message);
  }
}

function parse(letter: string, fields: readonly string[]): ProgramMessage | undefined {
  const [first = "", second = "", third = ""] = fields;
  if (letter === "k") return { kind: "locked", holder: shown(first).slice(0, 200) };
  if (letter === "p") return /^\d{1,9}$/.test(first) ? { kind: "pid", pid: Number(first) } : undefined;
  if (letter === "z") {
    return ENDS.includes(first) ? ({ kind: "end", reason: first } as ProgramMessage) : undefined;
  }
  if (letter === "h") return { kind: "handlers", notified: fields.filter((f) => /^\d{1,6}$/.test(f)).map(Number) };
  if (!/^\d{1,6}$/.test(first)) return undefined;
  const call = Number(first);
  switch (letter) {
    case "s":
      return { kind: "start", call };
    case "r":
      if (!STATUSES.includes(second)) return undefined;
      return { kind: "result", call, status: second as ProgramStatus, reason: shown(third) };
    case "v":
      return /^\w{1,80}$/.test(second) ? { kind: "field", call, field: second, value: textOf(third) } : undefined;
    case "o":
      return { kind: "output", call, text: shown(second) };
    case "d":
      return { kind: "content", call, which: "old", bytes: bytesOf(second) };
    case "D":
      return { kind: "content", call, which: "new", bytes: bytesOf(second) };
    case "f":
      return { kind: "file", call, path: shown(second) };
    case "l":
      return { kind: "log", call, bytes: bytesOf(second) };
    case "w":
    case "n": {
      const digest = textOf(second);
      if (!/^([0-9a-f]{32})?$/.test(digest)) return undefined;
      return letter === "w" ? { kind: "wants", call, digest, path: shown(third) } : { kind: "need", call, digest };
    }
    default:
      return undefined;
  }
}
