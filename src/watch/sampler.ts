import { randomBytes } from "node:crypto";
import { PassThrough } from "node:stream";
import { type Become, becomeCommand, diagnoseSudo, stdinWithPassword } from "../transport/become.js";
import type { Transport } from "../transport/transport.js";
import { InterruptedError, UnreachableError } from "../util/errors.js";
import type { Secret } from "../util/secret.js";
import { parseSample, type RawSample } from "./raw-sample.js";
import { samplerCommand } from "./sample-script.js";

/** A sample of 200 streams is about 200 KB; a host that says more is not asked again. Bytes. */
const LIMIT = 1024 * 1024;
const STDERR_LIMIT = 16 * 1024;

interface Waiting {
  readonly nonce: string;
  readonly lines: string[];
  begun: boolean;
  readonly resolve: (sample: RawSample) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The program on a host that answers with samples, for as long as the connection lasts: one channel, and one line over it
 * for each look.
 */
export class Sampler {
  readonly #stdin = new PassThrough();
  readonly #closing = new AbortController();
  #rest = "";
  #size = 0;
  #stderr = "";
  #waiting: Waiting | undefined;
  #ended: unknown;

  /**
   * @param becomePassword given to sudo, where it asks
   */
  constructor(transport: Transport, become: Become, becomePassword: Secret | undefined) {
    const stdin =
      becomePassword !== undefined && become.needsPassword
        ? stdinWithPassword(becomePassword, this.#stdin)
        : this.#stdin;
    transport
      .exec(becomeCommand(become, samplerCommand), {
        stdin,
        signal: this.#closing.signal,
        onStdout: (chunk) => this.#hear(chunk),
        onStderr: (chunk) => {
          this.#stderr = (this.#stderr + chunk.toString("utf8")).slice(-STDERR_LIMIT);
        },
      })
      .then(({ code }) => this.#end(this.#whyEnded(code)))
      .catch((error: unknown) => this.#end(error));
  }

  /**
   * One sample.
   * @param timeoutMs how long the host may take
   * @throws UnreachableError when the host does not answer, or says too much, or the program ended
   */
  async look(timeoutMs: number): Promise<RawSample> {
    if (this.#ended !== undefined) throw this.#ended;
    const nonce = randomBytes(12).toString("hex");
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<RawSample>((resolve, reject) => {
        this.#waiting = { nonce, lines: [], begun: false, resolve, reject };
        this.#size = 0;
        this.#rest = "";
        timer = setTimeout(() => {
          const seconds = Math.round(timeoutMs / 1000);
          reject(new UnreachableError("E_NO_SAMPLE", `The host has not answered for ${seconds} s.`));
        }, timeoutMs);
        this.#stdin.write(`${nonce}\n`);
      });
    } finally {
      clearTimeout(timer);
      this.#waiting = undefined;
    }
  }

  close(): void {
    this.#end(new InterruptedError("E_INTERRUPTED", "The watch is over."));
    this.#stdin.end();
    this.#closing.abort();
  }

  #end(error: unknown): void {
    this.#ended ??= error;
    this.#waiting?.reject(error);
  }

  #whyEnded(code: number | null): UnreachableError {
    const sudo = diagnoseSudo(code, this.#stderr);
    if (sudo !== undefined) return sudo;
    return new UnreachableError("E_NO_SAMPLE", `The program that reads the host's numbers ended with code ${code}.`, {
      hint: "It needs bash on the host.",
    });
  }

  #hear(chunk: Buffer): void {
    const waiting = this.#waiting;
    this.#size += chunk.length;
    if (this.#size > LIMIT) {
      this.#rest = "";
      const error = new UnreachableError("E_NO_SAMPLE", "The host says more than a sample can hold.");
      this.#end(error);
      this.close();
      return;
    }
    // What comes unasked is not kept, and counts: a hostile host could go on for ever.
    if (waiting === undefined) return;
    const lines = (this.#rest + chunk.toString("latin1")).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#line(line, waiting);
  }

  #line(line: string, waiting: Waiting): void {
    if (line === `begin\t${waiting.nonce}`) waiting.begun = true;
    else if (!waiting.begun) return;
    else if (line === `end\t${waiting.nonce}`) waiting.resolve(parseSample(waiting.lines, waiting.nonce));
    else waiting.lines.push(line);
  }
}
