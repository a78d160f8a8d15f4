import { safeLine, safeText } from "../util/safe-text.js";

/**
 * What a program says: lines of 0x1e, the run's nonce, a letter, and fields parted by tabs. A field is `=text`
 * (printable ASCII), `~base64`, or a bare number or word. Anything else on the stream is not ours and is dropped: the
 * host may be hostile, so lines and fields are bounded and control characters never get further.
 */
export type ProgramStatus = "ok" | "changed" | "failed" | "skipped" | "pending";

export type ProgramMessage =
  /** A call begins. */
  | { kind: "start"; call: number }
  /** `changed` of what failed all the same. */
  | { kind: "result"; call: number; status: ProgramStatus; reason: string; changed?: true }
  /** A field of a registered result. */
  | { kind: "field"; call: number; field: string; value: string }
  /** What a field goes on with. */
  | { kind: "more"; call: number; field: string; bytes: Buffer }
  /** Last output of a failed command. */
  | { kind: "output"; call: number; text: string }
  /** The present content of a file that differs, or the new one that the host made. */
  | { kind: "content"; call: number; which: "old" | "new"; bytes: Buffer }
  /** The call has work that does not count as a change. */
  | { kind: "due"; call: number }
  /** The host is about to boot anew; what its boot command says now. */
  | { kind: "reboots"; call: number; boot: string }
  /** A piece of the text that the controller makes fields of. */
  | { kind: "told"; call: number; bytes: Buffer }
  /** A piece of a job's log. */
  | { kind: "log"; call: number; bytes: Buffer }
  /** A file needs the payload, or would in apply; `path` when it is to be that file. */
  | { kind: "wants"; call: number; digest: string; path: string }
  /** The file that the next contents are about. */
  | { kind: "file"; call: number; path: string }
  /** The program ended because a payload was not with it. */
  | { kind: "need"; call: number; digest: string }
  /** A file begins to come: its bytes follow in pieces. */
  | { kind: "offer"; call: number; size: number; sha1: string }
  | { kind: "piece"; call: number; bytes: Buffer }
  /** The program's process id, to ask it to stop. */
  | { kind: "pid"; pid: number }
  /** Another run holds the host. */
  | { kind: "locked"; holder: string }
  /** Handlers notified and not run yet, by number. */
  | { kind: "handlers"; notified: number[] }
  | { kind: "end"; reason: "done" | "failed" | "stopped" | "locked" | "need" | "sent" | "reboot" | "library" }
  /** It ended before a handler that is notified, which is not in it. */
  | { kind: "end"; reason: "handler"; stop: number };

/** A field holds at most 128 KiB of file or 64 KiB of output, in base64. */
const MAX_LINE = 256 * 1024;
/** Modules give short reasons, with the last line that a command said. */
const MAX_REASON = 1000;
const MAX_HOLDER = 200;
const MARK = 0x1e;
const NEWLINE = 0x0a;

function bytesOf(field: string): Buffer {
  if (field.startsWith("=")) return Buffer.from(field.slice(1));
  if (field.startsWith("~")) return Buffer.from(field.slice(1), "base64");
  return Buffer.from(field);
}

/** No shell variable holds a NUL, and no word of a later program may. */
const textOf = (field: string): string => textOfBytes(bytesOf(field));
export const textOfBytes = (bytes: Buffer): string => bytes.toString("utf8").replaceAll("\0", "");
const shown = (field: string, most?: number): string => safeLine(textOf(field), most);

const STATUSES: readonly string[] = ["ok", "changed", "failed", "skipped", "pending"];
const ENDS: readonly string[] = ["done", "failed", "stopped", "locked", "need", "sent", "reboot", "library"];

/** Turns chunks of a program's stdout into messages, as they come. */
export class ProtocolParser {
  readonly #prefix: string;
  readonly #onMessage: (message: ProgramMessage) => void;
  #parts: Buffer[] = [];
  #length = 0;
  #overlong = false;
  #noise = 0;

  constructor(nonce: string, onMessage: (message: ProgramMessage) => void) {
    this.#prefix = nonce;
    this.#onMessage = onMessage;
  }

  /** Bytes that were not ours: a login shell says a few, and a host of ill will goes on for ever. */
  get noise(): number {
    return this.#noise + this.#length;
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
    if (piece.length === 0) return;
    this.#length += piece.length;
    this.#overlong ||= this.#length > MAX_LINE;
    if (this.#overlong) this.#parts = [];
    else this.#parts.push(piece);
  }

  #line(): void {
    const line = this.#overlong ? Buffer.alloc(0) : Buffer.concat(this.#parts);
    const length = this.#length + 1;
    this.#parts = [];
    this.#length = 0;
    this.#overlong = false;
    const message = this.#messageOf(line);
    if (message === undefined) this.#noise += length;
    else this.#onMessage(message);
  }

  #messageOf(line: Buffer): ProgramMessage | undefined {
    if (line[0] !== MARK) return undefined;
    const [nonce, letter = "", ...fields] = line.subarray(1).toString("latin1").split("\t");
    return nonce === this.#prefix ? parse(letter, fields) : undefined;
  }
}

function parse(letter: string, fields: readonly string[]): ProgramMessage | undefined {
  const [first = "", second = "", third = ""] = fields;
  if (letter === "k") return { kind: "locked", holder: shown(first, MAX_HOLDER) };
  if (letter === "p") return /^\d{1,9}$/.test(first) ? { kind: "pid", pid: Number(first) } : undefined;
  if (letter === "z") {
    const [, stop] = /^handler (\d{1,6})$/.exec(first) ?? [];
    if (stop !== undefined) return { kind: "end", reason: "handler", stop: Number(stop) };
    return ENDS.includes(first) ? ({ kind: "end", reason: first } as ProgramMessage) : undefined;
  }
  if (letter === "h") return { kind: "handlers", notified: fields.filter((f) => /^\d{1,6}$/.test(f)).map(Number) };
  if (!/^\d{1,6}$/.test(first)) return undefined;
  const call = Number(first);
  switch (letter) {
    case "s":
      return { kind: "start", call };
    case "u":
      return { kind: "due", call };
    case "B":
      return { kind: "reboots", call, boot: textOf(second) };
    case "a":
      return { kind: "told", call, bytes: bytesOf(second) };
    case "r":
      if (!STATUSES.includes(second)) return undefined;
      return {
        ...{ kind: "result", call, status: second as ProgramStatus, reason: shown(third, MAX_REASON) },
        ...(/^\d+$/.test(fields[3] ?? "") ? { changed: true } : {}),
      };
    case "v":
      return /^\w{1,80}$/.test(second) ? { kind: "field", call, field: second, value: textOf(third) } : undefined;
    case "V":
      return /^\w{1,80}$/.test(second) ? { kind: "more", call, field: second, bytes: bytesOf(third) } : undefined;
    case "o":
      return { kind: "output", call, text: safeText(textOf(second)) };
    case "d":
      return { kind: "content", call, which: "old", bytes: bytesOf(second) };
    case "D":
      return { kind: "content", call, which: "new", bytes: bytesOf(second) };
    case "f":
      return { kind: "file", call, path: shown(second) };
    case "b":
      return { kind: "piece", call, bytes: bytesOf(second) };
    case "g": {
      const sha1 = textOf(third);
      if (!/^\d{1,12}$/.test(second) || !/^[0-9a-f]{40}$/.test(sha1)) return undefined;
      return { kind: "offer", call, size: Number(second), sha1 };
    }
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
