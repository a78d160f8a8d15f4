import type { Become } from "../transport/become.js";
import { becomeCommand, stdinWithPassword } from "../transport/become.js";
import type { Transport } from "../transport/transport.js";
import { EdgeError, UnreachableError } from "../util/errors.js";
import { safeLine } from "../util/safe-text.js";
import type { Secret } from "../util/secret.js";
import { quote } from "../util/shell.js";
import { hostSample, type SampleMemory } from "./host-sample.js";
import { Sampler } from "./sampler.js";
import type { HostSample } from "./types.js";

/** Pauses before a host that was lost is tried again, milliseconds. */
const RETRY_AFTER = [1000, 2000, 5000, 10_000, 30_000];
/** A host may take so many intervals to answer, and never less than the time below, before its link is given up. */
const PATIENCE_INTERVALS = 3;
const MIN_PATIENCE_MS = 10_000;
/** Between the first two looks: only then there are rates. */
const FIRST_PAUSE_MS = 1000;
/** Lines of the journal that a log begins with. */
const LOG_LINES = 200;
const MAX_LOG_LINE = 4000;
const STREAM = /^[A-Za-z0-9_-]{1,64}$/;

export interface WatchedHost {
  readonly name: string;
  readonly connect: (signal: AbortSignal) => Promise<Transport>;
  readonly become: Become;
  readonly becomePassword: Secret | undefined;
}

export interface WatchOptions {
  /** Milliseconds between two looks. */
  readonly intervalMs: number;
  readonly signal: AbortSignal;
  readonly onSample: (sample: HostSample) => void;
  readonly now: () => number;
}

/** One host under watch: looked at until the signal, connected again whenever it is lost. */
export class HostWatch {
  #transport: Transport | undefined;

  constructor(
    readonly host: WatchedHost,
    private readonly options: WatchOptions,
  ) {}

  /**
   * Looks until the signal.
   * @throws whatever is no EdgeError: a bug
   */
  async run(): Promise<void> {
    let failures = 0;
    while (!this.options.signal.aborted) {
      try {
        await this.#follow(() => {
          failures = 0;
        });
      } catch (error) {
        if (!(error instanceof EdgeError)) throw error;
        if (this.options.signal.aborted) return;
        const retryMs = RETRY_AFTER[Math.min(failures, RETRY_AFTER.length - 1)] ?? 0;
        failures += 1;
        this.options.onSample(unreachable(this.host.name, this.options.now(), error, retryMs));
        await pause(retryMs, this.options.signal);
      }
    }
  }

  /** Looks over one connection until it is lost. @throws EdgeError */
  async #follow(onAnswer: () => void): Promise<void> {
    const { intervalMs, signal, onSample, now } = this.options;
    const { become, becomePassword, name } = this.host;
    const transport = await this.host.connect(signal);
    this.#transport = transport;
    const sampler = new Sampler(transport, become, becomePassword);
    const stop = () => sampler.close();
    signal.addEventListener("abort", stop, { once: true });
    const patience = Math.max(MIN_PATIENCE_MS, PATIENCE_INTERVALS * intervalMs);
    let memory: SampleMemory | undefined;
    try {
      while (!signal.aborted) {
        const begun = now();
        const raw = await sampler.look(patience);
        const first = memory === undefined;
        const looked = hostSample(name, now(), raw, memory);
        memory = looked.memory;
        onAnswer();
        onSample(looked.sample);
        await pause(first ? FIRST_PAUSE_MS : Math.max(0, intervalMs - (now() - begun)), signal);
      }
    } finally {
      signal.removeEventListener("abort", stop);
      sampler.close();
      this.#transport = undefined;
      // A link that hangs closes in its own time; the next one does not wait for it.
      void transport.close().catch(() => undefined);
    }
  }

  /**
   * Follows the journal of the edge's units until the signal.
   * @throws EdgeError when the host is not connected, or the journal cannot be read
   */
  async log(onLine: (line: string) => void, signal: AbortSignal): Promise<void> {
    let rest = "";
    const said = await this.#run(
      `exec journalctl --no-pager -q -o short-iso -n ${LOG_LINES} -f -u edge-rtmp -u edge-http -u edge-rtmps`,
      signal,
      (chunk) => {
        const lines = (rest + chunk.toString("utf8")).split("\n");
        rest = (lines.pop() ?? "").slice(0, MAX_LOG_LINE);
        for (const line of lines) onLine(line.slice(0, MAX_LOG_LINE));
      },
    );
    throw new UnreachableError("E_NO_LOG", `The journal ended: ${said}`);
  }

  /**
   * Ends the connection of a stream's publisher. Its encoder may come back at once.
   * @returns whether there was one
   * @throws EdgeError when the host is not connected or the edge refuses
   */
  async kick(stream: string): Promise<boolean> {
    if (!STREAM.test(stream)) throw new UnreachableError("E_KICK", `"${stream}" is no name of a stream.`);
    let answer = "";
    // The secret of the relay stays on the host, and out of every argv there.
    const said = await this.#run(
      [
        "s=$(sed -n 's|.*tcUrl=rtmp://127.0.0.1:[0-9]*/out/\\([0-9a-f]*\\);.*|\\1|p' /etc/edge/live/rtmp-relay.conf)",
        `printf 'header = "X-Edge-Secret: %s"\\n' "$s" | curl -fsS --max-time 5 -K - -X POST ${quote(`http://127.0.0.1:1980/drop?name=${stream}`)}`,
        "echo; echo done",
      ].join("; "),
      this.options.signal,
      (chunk) => {
        answer = (answer + chunk.toString("latin1")).slice(0, 1000);
      },
    );
    const [dropped = ""] = answer.split("\n");
    if (!/^\d+$/.test(dropped)) throw new UnreachableError("E_KICK", `The edge does not end it: ${said}`);
    return dropped !== "0";
  }

  /** One more command beside the sampler. Gives what it wrote to stderr. */
  async #run(command: string, signal: AbortSignal, onStdout: (chunk: Buffer) => void): Promise<string> {
    const transport = this.#transport;
    if (transport === undefined) throw new UnreachableError("E_NOT_CONNECTED", `${this.host.name} is not connected.`);
    const { become, becomePassword } = this.host;
    const password = become.needsPassword ? becomePassword : undefined;
    const result = await transport.exec(becomeCommand(become, command), {
      ...(password === undefined ? {} : { stdin: stdinWithPassword(password) }),
      signal,
      onStdout,
    });
    const said = result.stderr.toString("utf8").trim().split("\n").at(-1) ?? "";
    return said === "" ? `code ${result.code}` : safeLine(said, 200);
  }
}

function unreachable(host: string, at: number, error: EdgeError, retryMs: number): HostSample {
  return {
    host,
    at,
    status: "unreachable",
    problem: safeLine(error.message),
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    retryMs,
    power: [],
    units: [],
    notes: [],
    streams: [],
  };
}

/** Waits, or returns at once when the signal aborts. */
function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener("abort", done, { once: true });
  });
}
