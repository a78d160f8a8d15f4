import { spawnSync } from "node:child_process";
import { $ } from "zx";
import { InterruptedError, TaskError } from "../util/errors.js";

/** Administration tools live in sbin, which is not in every root shell's PATH (`su` without a dash). */
const ADMIN_PATH = "/usr/local/sbin:/usr/sbin:/sbin";
const SHOWN_ERROR_LINES = 15;

export interface RunOptions {
  readonly input?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
}

export interface RunResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The environment of every command of the lab: ours, with sbin and a language whose messages we can quote. */
export function labEnvironment(extra: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  return { ...process.env, PATH: `${process.env.PATH ?? "/usr/bin:/bin"}:${ADMIN_PATH}`, LC_ALL: "C.UTF-8", ...extra };
}

/**
 * Runs a command on this machine and gives its exit code and output.
 * @throws InterruptedError when the signal aborts it.
 */
export async function tryRun(command: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  if (options.signal?.aborted) throw new InterruptedError("E_INTERRUPTED", "interrupted");
  const shell = $({
    quiet: true,
    nothrow: true,
    env: labEnvironment(options.env),
    input: options.input ?? "",
    ...(options.signal ? { signal: options.signal } : {}),
  });
  const output = await shell`${command}`;
  if (options.signal?.aborted) throw new InterruptedError("E_INTERRUPTED", "interrupted");
  return { code: output.exitCode ?? 1, stdout: output.stdout, stderr: output.stderr };
}

/**
 * Runs a command that has to succeed and gives its standard output.
 * @throws TaskError E_LAB_COMMAND with the last lines it wrote.
 */
export async function run(command: readonly string[], options: RunOptions = {}): Promise<string> {
  const result = await tryRun(command, options);
  if (result.code === 0) return result.stdout;
  const tail = `${result.stdout}${result.stderr}`.trim().split("\n").slice(-SHOWN_ERROR_LINES).join("\n");
  throw new TaskError("E_LAB_COMMAND", `${command[0]} fails with code ${result.code}:\n${tail}`, {
    hint: `the command was: ${command.join(" ")}`,
  });
}

/** The same without an event loop, for teardown in exit handlers. Gives whether it succeeded. */
export function runSync(command: readonly [string, ...string[]]): boolean {
  const [program, ...words] = command;
  return spawnSync(program, words, { stdio: "ignore", env: labEnvironment() }).status === 0;
}
