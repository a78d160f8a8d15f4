import { EdgeError, type ExitCode, exitCodes, formatPosition, InputErrors } from "../util/errors.js";

/**
 * Prints an error as the user needs it: what, where, what to do next. Only a bug of ours shows a stack.
 * @returns the exit code of the process
 */
export function printError(
  error: unknown,
  write: (text: string) => void = (text) => process.stderr.write(text),
): ExitCode {
  if (error instanceof InputErrors) {
    for (const one of error.errors) write(describe(one));
    return error.exitCode;
  }
  if (error instanceof EdgeError) {
    write(describe(error));
    return error.exitCode;
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  write(`edge-setup: internal error, please report it with these lines:\n${stack}\n`);
  return exitCodes.internal;
}

function describe(error: EdgeError): string {
  const where = error.position === undefined ? "" : `${formatPosition(error.position)}: `;
  const hint = error.hint === undefined ? "" : `  ${error.hint.replaceAll("\n", "\n  ")}\n`;
  return `edge-setup: ${where}${error.message} (${error.code})\n${hint}`;
}
