import type { Duplex, Readable } from "node:stream";
import type { ClientChannel } from "ssh2";
import { Collected, MAX_COLLECTED, tooMuch } from "../util/bounded-answer.js";
import { UnreachableError } from "../util/errors.js";
import { safeLine } from "../util/safe-text.js";
import { interrupted, Semaphore } from "../util/semaphore.js";
import { quote } from "../util/shell.js";
import { lostError } from "./connect-errors.js";
import { likeSocket, OPEN_MS } from "./like-socket.js";
import { firstLine, fits, SpareShell, WAIT } from "./spare-shell.js";
import { lossOf, type SshSession } from "./ssh-session.js";
import type { ExecOptions, ExecResult, Transport, TransportStats } from "./transport.js";

/**
 * sshd allows ten sessions on a connection (MaxSessions), but frees one only a little after the client saw it close:
 * seven busy workers are already refused now and then.
 */
const CHANNELS = 5;
/** BSD's csh, as a login shell, takes words of 8 KB; bytes, before base64. */
const MOST_INLINED = 4096;
const NOTHING = Buffer.alloc(0);
/** Characters of a reason that the host gives. */
const MAX_REASON = 200;

/** A host over SSH. */
export class SshTransport implements Transport {
  readonly description: string;
  readonly remoteHost: string;
  readonly #session: SshSession;
  readonly #release: () => void;
  readonly #channels = new Semaphore(CHANNELS);
  #spare: SpareShell<ClientChannel> | undefined;
  #execs = 0;
  #closed = false;

  /** `release` gives back what carries the session, such as a shared jump host. */
  constructor(session: SshSession, release: () => void) {
    this.#session = session;
    this.#release = release;
    this.description = `ssh ${session.label}`;
    this.remoteHost = session.hostname;
  }

  get stats(): Readonly<TransportStats> {
    const { up, down } = this.#session.bytes();
    return { execs: this.#execs, bytesUp: up, bytesDown: down };
  }

  exec(command: string, options: ExecOptions = {}): Promise<ExecResult> {
    return this.#channels.run(async () => {
      this.#execs += 1;
      const { stdin } = options;
      if (options.inlined === true && stdin instanceof Uint8Array && stdin.length <= MOST_INLINED) {
        return execOn(this.#session, withInput(command, stdin), { ...options, stdin: NOTHING }, undefined);
      }
      return execOn(
        this.#session,
        command,
        options,
        options.plain && fits(command) ? await this.#waiting() : undefined,
      );
    }, options.signal);
  }

  openAhead(): void {
    // What is run already comes first: a host may allow a single session.
    setImmediate(() => {
      if (!this.#closed) this.#spare ??= waitingShell(this.#session);
    });
  }

  async #waiting(): Promise<ClientChannel | undefined> {
    const spare = this.#spare;
    this.#spare = undefined;
    return spare?.take();
  }

  openTcp(host: string, port: number): Promise<Duplex> {
    return inTime(forward(this.#session, host, port)).then(likeSocket, (error: Error) => {
      if (error instanceof UnreachableError) throw error;
      throw new UnreachableError(
        "E_FORWARD",
        `${this.description}: ${host} port ${port} cannot be reached from the host: ${reasonOf(error)}.`,
        { hint: "Check that the service runs there, and that sshd has AllowTcpForwarding yes.", cause: error },
      );
    });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#session.close();
    this.#release();
  }
}

/** Opens a connection as seen from the host at the other end. Rejects with ssh2's error when that host cannot. */
export function forward(session: SshSession, host: string, port: number): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    if (session.lost.aborted) return reject(lossOf(session));
    const lose = () => reject(lossOf(session));
    session.lost.addEventListener("abort", lose, { once: true });
    session.client.forwardOut("127.0.0.1", 0, host, port, (error, channel) => {
      session.lost.removeEventListener("abort", lose);
      if (error) reject(error);
      else resolve(channel);
    });
  });
}

/** A host may leave a request without an answer; what it opens too late is closed. */
function inTime(opening: Promise<Duplex>): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Error(`no answer in ${OPEN_MS / 1000} s`));
      opening.then(
        (late) => late.destroy(),
        () => {},
      );
    }, OPEN_MS);
    opening.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** What the host gives as a reason, behind ssh2's own words. */
function reasonOf(error: Error): string {
  return safeLine(error.message.replace(/^\(SSH\) Channel open failure: /, ""), MAX_REASON);
}

function waitingShell(session: SshSession): SpareShell<ClientChannel> {
  const start = (give: (channel: ClientChannel) => void) => {
    if (session.lost.aborted) return;
    session.client.exec(WAIT, (error, channel) => {
      if (!error) give(channel);
    });
  };
  return new SpareShell(start, (channel) => channel.close());
}

/** A command line that brings the command's input; any login shell takes it. */
function withInput(command: string, stdin: Uint8Array): string {
  return `sh -c ${quote(`echo ${Buffer.from(stdin).toString("base64")} | base64 -d | ${command}`)}`;
}

/** @param spare a shell that waits for a command line, in place of one to be opened */
function execOn(
  session: SshSession,
  command: string,
  options: ExecOptions,
  spare: ClientChannel | undefined,
): Promise<ExecResult> {
  const { signal, stdin } = options;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(interrupted());
    if (session.lost.aborted) return reject(lossOf(session));
    let channel: ClientChannel | undefined;
    let isOver = false;
    const end = (settle: () => void) => {
      if (isOver) return;
      isOver = true;
      signal?.removeEventListener("abort", abort);
      session.lost.removeEventListener("abort", lose);
      if (isStream(stdin)) stdin.destroy();
      settle();
    };
    const fail = (error: unknown) => {
      end(() => reject(error));
      channel?.close();
    };
    const abort = () => fail(interrupted());
    const lose = () => fail(lossOf(session));
    signal?.addEventListener("abort", abort, { once: true });
    session.lost.addEventListener("abort", lose, { once: true });

    const begin = (opened: ClientChannel) => {
      channel = opened;
      const flood = () => fail(tooMuch(session.label, MAX_COLLECTED));
      const heard = { ...options, isOver: () => isOver, flood };
      collect(opened, heard, (result) => {
        // A channel that closes without exit status or signal was cut off.
        if (result.code !== null || result.signal !== null) return end(() => resolve(result));
        setImmediate(() =>
          fail(
            session.lost.aborted
              ? lossOf(session)
              : lostError(session.label, "the host closes the channel before the command ends"),
          ),
        );
      });
    };
    if (spare !== undefined) {
      begin(spare);
      feed(spare, firstLine(command), stdin, fail);
      return;
    }
    session.client.exec(command, (error, opened) => {
      // On a broken link ssh2 reports open requests before it says that the link is gone.
      if (error) setImmediate(() => fail(session.lost.aborted ? lossOf(session) : refused(session, error)));
      else if (isOver) opened.close();
      else {
        begin(opened);
        feed(opened, NOTHING, stdin, fail);
      }
    });
  });
}

interface Listener extends Pick<ExecOptions, "onStdout" | "onStderr"> {
  /** Nobody waits for the command any more; a host may talk on. */
  isOver(): boolean;
  flood(): void;
}

function collect(channel: ClientChannel, listener: Listener, done: (result: ExecResult) => void): void {
  const stdout = new Collected(listener.flood);
  const stderr = new Collected(listener.flood);
  const hear = (collected: Collected, callback: ExecOptions["onStdout"]) => (chunk: Buffer) => {
    if (listener.isOver()) return;
    if (callback === undefined) collected.push(chunk);
    else callback(chunk);
  };
  let code: number | null = null;
  let signal: string | null = null;
  let open = 2;
  const close = () => {
    open -= 1;
    if (open === 0) done({ code, signal, stdout: stdout.bytes(), stderr: stderr.bytes() });
  };
  channel.on("data", hear(stdout, listener.onStdout));
  channel.stderr.on("data", hear(stderr, listener.onStderr));
  channel.on("exit", (exitCode: number | null, signalName?: string) => {
    code = exitCode;
    signal = signalName ?? null;
  });
  // A command may end without reading all its input; what is written then is lost, and no error.
  channel.on("error", () => {});
  channel.on("close", close);
  channel.stderr.on("end", close);
}

/** Writes what comes before the command's input, and that. */
function feed(channel: ClientChannel, head: Buffer, stdin: ExecOptions["stdin"], fail: (error: unknown) => void): void {
  if (isStream(stdin)) {
    if (head.length > 0) channel.write(head);
    stdin.on("error", fail).pipe(channel);
    return;
  }
  const input = Buffer.concat([head, stdin ?? NOTHING]);
  if (input.length === 0) channel.end();
  else channel.end(input);
}

function isStream(stdin: ExecOptions["stdin"]): stdin is Readable {
  return stdin !== undefined && !(stdin instanceof Uint8Array);
}

function refused(session: SshSession, error: Error): UnreachableError {
  return new UnreachableError(
    "E_EXEC_REFUSED",
    `${session.label}: the host does not run commands: ${reasonOf(error)}.`,
    {
      hint: "Check the user's login shell, and ForceCommand and MaxSessions in the host's sshd_config.",
      cause: error,
    },
  );
}
