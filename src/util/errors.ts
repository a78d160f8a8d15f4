/** A place in a file the user wrote: 1-based line and column. */
export interface Position {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** Process exit codes, the published contract (docs/cli.md). */
export const exitCodes = {
  ok: 0,
  taskFailed: 1,
  usage: 2,
  unreachable: 3,
  changesPending: 4,
  hostKey: 5,
  locked: 6,
  internal: 70,
  interrupted: 130,
  terminated: 143,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

interface EdgeErrorOptions {
  /** What to do next, as one sentence or a command to paste. */
  readonly hint?: string | undefined;
  readonly position?: Position | undefined;
  readonly cause?: unknown;
}

/**
 * Every error a user can meet. `message` says what and why in the present tense; `hint` says what to do next.
 * Anything thrown that is not an EdgeError is a bug of ours and exits 70.
 */
export abstract class EdgeError extends Error {
  /** Stable, documented identifier such as `E_HOST_KEY_CHANGED`. */
  readonly code: string;
  abstract readonly exitCode: ExitCode;
  readonly hint: string | undefined;
  readonly position: Position | undefined;

  constructor(code: string, message: string, options: EdgeErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.hint = options.hint;
    this.position = options.position;
  }
}

/** Wrong flags, files, values: nothing was touched. */
export class InputError extends EdgeError {
  override readonly exitCode = exitCodes.usage;
}

/** Several InputErrors found in one pass over a file, reported together. */
export class InputErrors extends EdgeError {
  override readonly exitCode = exitCodes.usage;
  readonly errors: readonly InputError[];
  constructor(errors: readonly InputError[]) {
    super("E_INPUT", `${errors.length} problems found`);
    this.errors = errors;
  }
}

/** The host does not answer, or does not let us in. */
export class UnreachableError extends EdgeError {
  override readonly exitCode = exitCodes.unreachable;
}

/** The host's key is not the one that is known. */
export class HostKeyError extends EdgeError {
  override readonly exitCode = exitCodes.hostKey;
}

/** Another run holds the host. */
export class LockedError extends EdgeError {
  override readonly exitCode = exitCodes.locked;
}

/** Work on a host was begun and did not succeed. */
export class TaskError extends EdgeError {
  override readonly exitCode = exitCodes.taskFailed;
}

/** The operator pressed Ctrl-C. */
export class InterruptedError extends EdgeError {
  override readonly exitCode = exitCodes.interrupted;
}

/** `file:line:column` of a position. */
export function formatPosition(position: Position): string {
  return `${position.file}:${position.line}:${position.column}`;
}
