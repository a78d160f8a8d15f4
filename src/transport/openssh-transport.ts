import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { Duplex, type Readable } from "node:stream";
import { Collected, MAX_COLLECTED, tooMuch } from "../util/bounded-answer.js";
import { UnreachableError } from "../util/errors.js";
import { interrupted, Semaphore } from "../util/semaphore.js";
import { lostError, type Place } from "./connect-errors.js";
import { likeSocket, OPEN_MS } from "./like-socket.js";
import { lastLine } from "./openssh-errors.js";
import type { OpenSshMaster } from "./openssh-master.js";
import { firstLine, fits, SpareShell, WAIT } from "./spare-shell.js";
import type { ExecOptions, ExecResult, Transport, TransportStats } from "./transport.js";

/** As with ssh2: sshd frees a session only a little after the client saw it close. */
const CHANNELS = 5;
/** ssh's own exit code; a command may have it as well. */
const SSH_FAILED = 255;
/** While it waits for an answer of the host, ssh ends at no other signal. */
const NOW = "SIGKILL";
/** What is kept of stderr to tell the one from the other, characters. */
const TAIL = 2000;

/** A host through a connection of OpenSSH: each command is an ssh that goes through it. */
export class OpenSshTransport implements Transport {
  readonly description: string;
  readonly remoteHost: string;
  readonly #channels = new Semaphore(CHANNELS);
  readonly #stats: TransportStats = { execs: 0, bytesUp: 0, bytesDown: 0 };
  #spare: SpareShell<ChildProcessWithoutNullStreams> | undefined;
  #wantsSpare = false;
  #closed = false;

  /** @param reason why OpenSSH has it, for who looks at the log */
  constructor(
    private readonly master: OpenSshMaster,
    private readonly place: Place,
    reason: string,
  ) {
    this.description = `ssh ${place.label} by OpenSSH (${reason})`;
    this.remoteHost = place.hostname;
  }

  /** Bytes are those of commands and their input and output, without what SSH adds. */
  get stats(): Readonly<TransportStats> {
    return { ...this.#stats };
  }

  exec(command: string, options: ExecOptions = {}): Promise<ExecResult> {
    return this.#channels.run(async () => {
      this.#stats.execs += 1;
      this.#stats.bytesUp += Buffer.byteLength(command);
      if (this.#closed) throw this.#lost("it was closed from here");
      const spare = options.plain && fits(command) ? await this.#waiting() : undefined;
      const { result, tail } = await this.#run(command, options, spare);
      if (result.code !== SSH_FAILED) return result;
      if (!(await this.master.isAlive())) throw this.#lost(lastLine(tail));
      if (/^mux_client_request_session: |Session open refused by peer/m.test(tail)) throw this.#refused(tail);
      return result;
    }, options.signal);
  }

  openAhead(): void {
    this.#wantsSpare = this.#spare === undefined;
  }

  /** Called when a command runs: a host may allow a single session, and what is run already comes first. */
  #openSpare(): void {
    if (!this.#wantsSpare || this.#closed) return;
    this.#wantsSpare = false;
    this.#spare = new SpareShell(
      (give) => give(spawn("ssh", [...this.master.through, "--", "x", WAIT], { stdio: "pipe" })),
      (child) => child.kill(NOW),
    );
  }

  async #waiting(): Promise<ChildProcessWithoutNullStreams | undefined> {
    const spare = this.#spare;
    this.#spare = undefined;
    this.#wantsSpare = false;
    return spare?.take();
  }

  openTcp(host: string, port: number): Promise<Duplex> {
    const target = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
    // At this level ssh says when the other side has opened the connection.
    const args = [...this.master.through, "-o", "LogLevel=DEBUG1", "-W", target, "--", "x"];
    const child = spawn("ssh", args, { stdio: "pipe" });
    return new Promise((resolve, reject) => {
      let said = "";
      let isOpen = false;
      child.stderr.on("data", (chunk: Buffer) => {
        said = (said + chunk.toString("utf8")).slice(-TAIL);
        if (isOpen || !/mux_client_request_stdio_fwd: master session id|master session id: \d/.test(said)) return;
        isOpen = true;
        clearTimeout(timer);
        resolve(pipesOf(child));
      });
      child.on("error", reject);
      const timer = setTimeout(() => {
        if (!isOpen) child.kill(NOW);
      }, OPEN_MS);
      // Not `close`: the master has these pipes as well.
      child.on("exit", (code) => {
        clearTimeout(timer);
        if (isOpen) return;
        // It was opened and ended before we heard of it.
        if (code === 0) return resolve(pipesOf(child));
        this.master
          .isAlive()
          .then(
            (alive) => reject(alive ? this.#unreachable(host, port) : this.#lost("the connection is gone")),
            reject,
          );
      });
    });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#spare?.close();
    await this.master.close();
  }

  /** @param spare a shell that waits for a command line, in place of one to be opened */
  #run(
    command: string,
    options: ExecOptions,
    spare: ChildProcessWithoutNullStreams | undefined,
  ): Promise<{ readonly result: ExecResult; readonly tail: string }> {
    const { signal, stdin } = options;
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(interrupted());
      const child = spare ?? spawn("ssh", [...this.master.through, "--", "x", command], { stdio: "pipe" });
      let isOver = false;
      let tail = "";
      const end = (settle: () => void) => {
        if (isOver) return;
        isOver = true;
        signal?.removeEventListener("abort", abort);
        if (isStream(stdin)) stdin.destroy();
        settle();
      };
      const fail = (error: unknown) => {
        end(() => reject(error));
        child.kill(NOW);
      };
      const abort = () => fail(interrupted());
      signal?.addEventListener("abort", abort, { once: true });
      const flood = () => fail(tooMuch(this.place.label, MAX_COLLECTED));
      const stdout = new Collected(flood);
      const stderr = new Collected(flood);
      const hear = (collected: Collected, callback: ExecOptions["onStdout"]) => (chunk: Buffer) => {
        if (isOver) return;
        this.#openSpare();
        this.#stats.bytesDown += chunk.length;
        if (callback === undefined) collected.push(chunk);
        else callback(chunk);
      };
      child.stdout.on("data", hear(stdout, options.onStdout));
      const onStderr = hear(stderr, options.onStderr);
      child.stderr.on("data", (chunk: Buffer) => {
        tail = (tail + chunk.toString("latin1")).slice(-TAIL);
        onStderr(chunk);
      });
      // EPIPE: a command may end without reading all its input.
      child.stdin.on("error", () => {});
      child.on("error", fail);
      child.on("close", (code, killedBy) =>
        end(() => {
          const result = { code, signal: killedBy, stdout: stdout.bytes(), stderr: stderr.bytes() };
          resolve({ result, tail });
        }),
      );
      if (spare !== undefined) spare.stdin.write(firstLine(command));
      this.#feed(child, stdin, fail);
    });
  }

  #feed(child: ChildProcess, stdin: ExecOptions["stdin"], fail: (error: unknown) => void): void {
    const { stdin: input } = child;
    if (input === null) return;
    if (stdin === undefined) input.end();
    else if (!isStream(stdin)) {
      this.#stats.bytesUp += stdin.length;
      input.end(stdin);
    } else {
      stdin.on("data", (chunk: Buffer | string) => {
        this.#stats.bytesUp += Buffer.byteLength(chunk);
      });
      stdin.on("error", fail).pipe(input);
    }
  }

  #lost(reason: string): UnreachableError {
    return lostError(this.place.label, reason);
  }

  #refused(tail: string): UnreachableError {
    return new UnreachableError(
      "E_EXEC_REFUSED",
      `${this.place.label}: the host does not run commands: ${lastLine(tail)}.`,
      { hint: "Check the user's login shell, and ForceCommand and MaxSessions in the host's sshd_config." },
    );
  }

  #unreachable(host: string, port: number): UnreachableError {
    return new UnreachableError(
      "E_FORWARD",
      `${this.description}: ${host} port ${port} cannot be reached from the host: the host refuses it.`,
      { hint: "Check that the service runs there, and that sshd has AllowTcpForwarding yes." },
    );
  }
}

/** A child's stdin and stdout as one stream. */
function pipesOf(child: ChildProcessWithoutNullStreams): Duplex {
  const { stdin, stdout } = child;
  const stream = new Duplex({
    read: () => void stdout.resume(),
    // What cannot be written any more is told by the end of what is read.
    write: (chunk, _encoding, done) => void stdin.write(chunk, () => done()),
    final: (done) => void stdin.end(() => done()),
    destroy: (error, done) => {
      child.kill();
      done(error);
    },
  });
  stdin.on("error", () => {});
  stdout.on("data", (chunk: Buffer) => {
    if (!stream.push(chunk)) stdout.pause();
  });
  stdout.on("end", () => stream.push(null));
  return likeSocket(stream);
}

function isStream(stdin: ExecOptions["stdin"]): stdin is Readable {
  return stdin !== undefined && !(stdin instanceof Uint8Array);
}
