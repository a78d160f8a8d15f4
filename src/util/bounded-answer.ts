import { UnreachableError } from "./errors.js";

/** The most that a transport collects of a command's stdout, and of its stderr, for who asked for it whole; bytes. */
export const MAX_COLLECTED = 8 << 20;

/** The host says more than anybody could want to know. */
export function tooMuch(label: string, most: number): UnreachableError {
  const size = most >= 1 << 20 ? `${most >> 20} MB` : `${most >> 10} KB`;
  return new UnreachableError(
    "E_ANSWER",
    `${label}: the host answers with more than ${size}, which is not an answer to what edge-setup asks.`,
    { hint: "Look at what the login shell of the host prints (its profile), and whether this host can be trusted." },
  );
}

/** What a command printed so far; `onFull` is called once when it is more than MAX_COLLECTED. */
export class Collected {
  #chunks: Buffer[] = [];
  #size = 0;

  constructor(private readonly onFull: () => void) {}

  push(chunk: Buffer): void {
    const wasFull = this.#size > MAX_COLLECTED;
    this.#size += chunk.length;
    if (this.#size <= MAX_COLLECTED) this.#chunks.push(chunk);
    else if (!wasFull) this.onFull();
  }

  bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }
}

/** What runs commands on a host. */
interface Runner {
  readonly description: string;
  exec(
    command: string,
    options: {
      readonly stdin: Uint8Array;
      readonly inlined: boolean;
      readonly onStdout: (chunk: Buffer) => void;
      readonly onStderr: (chunk: Buffer) => void;
      readonly signal: AbortSignal;
    },
  ): Promise<unknown>;
}

interface Bounds {
  readonly stdin: Uint8Array;
  /** It is short, and everybody on the host may see it. */
  readonly inlined?: boolean;
  /** Bytes. */
  readonly most: number;
  readonly onStderr?: (chunk: Buffer) => void;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * The stdout of a command that has a short answer, whatever the host makes of that.
 * @throws UnreachableError E_ANSWER for one that is longer, E_TIMEOUT for one that does not end; InterruptedError
 */
export async function boundedAnswer(host: Runner, command: string, bounds: Bounds): Promise<Buffer> {
  const { stdin, inlined = false, most, onStderr, timeoutMs, signal } = bounds;
  const chunks: Buffer[] = [];
  let size = 0;
  let complaints = 0;
  let refusal: UnreachableError | undefined;
  const end = new AbortController();
  const giveUp = (error?: UnreachableError) => {
    refusal ??= error;
    end.abort();
  };
  const timer = setTimeout(() => giveUp(tooSlow(host.description, timeoutMs)), timeoutMs);
  const stop = () => giveUp();
  if (signal?.aborted) stop();
  signal?.addEventListener("abort", stop, { once: true });
  try {
    await host.exec(command, {
      stdin,
      inlined,
      onStdout: (chunk) => {
        size += chunk.length;
        if (size <= most) chunks.push(chunk);
        else giveUp(tooMuch(host.description, most));
      },
      onStderr: (chunk) => {
        complaints += chunk.length;
        if (complaints > MAX_COLLECTED) giveUp(tooMuch(host.description, MAX_COLLECTED));
        else onStderr?.(chunk);
      },
      signal: end.signal,
    });
  } catch (error) {
    throw refusal ?? error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", stop);
  }
  if (refusal !== undefined) throw refusal;
  return Buffer.concat(chunks);
}

function tooSlow(label: string, timeoutMs: number): UnreachableError {
  return new UnreachableError(
    "E_TIMEOUT",
    `${label}: the host has not finished its answer within ${timeoutMs / 1000} s.`,
    { hint: "Look at what the login shell of the host does (its profile), and at the host's load." },
  );
}
