import { StringDecoder } from "node:string_decoder";
import { safeLine } from "../util/safe-text.js";

/** A line longer than this is cut. */
const MAX_LINE = 4000;
const STEP = /^@@step (.+)$/;
const PROGRESS = /^@@progress (\d{1,9}) (\d{1,9})(?: (.*))?$/;

export interface JobLogSink {
  line(text: string): void;
  /** `@@progress DONE TOTAL TEXT` in the log. */
  progress(done: number, total: number, text: string): void;
}

/** Puts the pieces of a job's log together to lines. */
export class JobLog {
  readonly #decoder = new StringDecoder("utf8");
  #rest = "";

  constructor(private readonly sink: JobLogSink) {}

  push(bytes: Buffer): void {
    const lines = (this.#rest + this.#decoder.write(bytes)).split(/\r?\n|\r/);
    this.#rest = (lines.pop() ?? "").slice(0, MAX_LINE);
    for (const line of lines) this.#say(line);
  }

  end(): void {
    if (this.#rest !== "") this.#say(this.#rest);
    this.#rest = "";
  }

  #say(raw: string): void {
    const line = safeLine(raw, MAX_LINE);
    const progress = PROGRESS.exec(line);
    if (progress === null) this.sink.line(line.replace(STEP, "step: $1"));
    else this.#count(Number(progress[1]), Number(progress[2]), progress[3] ?? "");
  }

  #count(done: number, total: number, text: string): void {
    this.sink.progress(Math.min(done, total), total, text);
  }
}
