import { spawn } from "node:child_process";
import { connect as connectTcp } from "node:net";
import type { Duplex, Readable } from "node:stream";
import { Collected, MAX_COLLECTED, tooMuch } from "../util/bounded-answer.js";
import { UnreachableError } from "../util/errors.js";
import { interrupted } from "../util/semaphore.js";
import type { ExecOptions, ExecResult, Transport, TransportStats } from "./transport.js";

/** This very machine. Commands run by `sh -c`, in a session of their own as they would over SSH. */
export class LocalTransport implements Transport {
  readonly description = "local";
  readonly remoteHost = undefined;
  readonly #stats: TransportStats = { execs: 0, bytesUp: 0, bytesDown: 0 };

  get stats(): Readonly<TransportStats> {
    return { ...this.#stats };
  }

  exec(command: string, options: ExecOptions = {}): Promise<ExecResult> {
    const { signal: abortSignal, stdin } = options;
    const stats = this.#stats;
    return new Promise((resolve, reject) => {
      if (abortSignal?.aborted) return reject(interrupted());
      stats.execs += 1;
      stats.bytesUp += Buffer.byteLength(command);
      const child = spawn("sh", ["-c", command], { detached: true, stdio: "pipe" });
      const flood = () => fail(tooMuch("local", MAX_COLLECTED));
      const stdout = new Collected(flood);
      const stderr = new Collected(flood);
      const end = (settle: () => void) => {
        abortSignal?.removeEventListener("abort", abort);
        if (stdin !== undefined && !(stdin instanceof Uint8Array)) stdin.destroy();
        settle();
      };
      const fail = (error: unknown) => {
        end(() => reject(error));
        if (child.pid !== undefined && child.exitCode === null) terminateGroup(child.pid);
      };
      const abort = () => fail(interrupted());
      abortSignal?.addEventListener("abort", abort, { once: true });
      const receive = (into: Collected, callback: ((chunk: Buffer) => void) | undefined) => (chunk: Buffer) => {
        stats.bytesDown += chunk.length;
        if (callback === undefined) into.push(chunk);
        else callback(chunk);
      };
      child.stdout.on("data", receive(stdout, options.onStdout));
      child.stderr.on("data", receive(stderr, options.onStderr));
      // EPIPE: a command may end without reading all its input.
      child.stdin.on("error", () => {});
      child.on("error", (error) =>
        fail(new UnreachableError("E_LOCAL_SHELL", `sh does not start: ${error.message}.`, { cause: error })),
      );
      child.on("close", (code, signal) =>
        end(() => resolve({ code, signal, stdout: stdout.bytes(), stderr: stderr.bytes() })),
      );
      if (stdin === undefined) child.stdin.end();
      else if (stdin instanceof Uint8Array) {
        stats.bytesUp += stdin.length;
        child.stdin.end(stdin);
      } else pump(stdin, child.stdin, stats, fail);
    });
  }

  openTcp(host: string, port: number): Promise<Duplex> {
    return new Promise((resolve, reject) => {
      const socket = connectTcp({ host, port });
      socket.once("connect", () => {
        socket.removeListener("error", refuse);
        resolve(socket);
      });
      const refuse = (error: Error) =>
        reject(
          new UnreachableError("E_FORWARD", `local: ${host} port ${port} cannot be reached: ${error.message}.`, {
            hint: "Check that the service runs.",
            cause: error,
          }),
        );
      socket.once("error", refuse);
    });
  }

  async close(): Promise<void> {}
}

function pump(from: Readable, to: NodeJS.WritableStream, stats: TransportStats, fail: (error: unknown) => void): void {
  from.on("data", (chunk: Buffer | string) => {
    stats.bytesUp += Buffer.byteLength(chunk);
  });
  from.on("error", fail).pipe(to);
}

function terminateGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGTERM");
  } catch {
    // It ended meanwhile.
  }
}
