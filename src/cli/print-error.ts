import { EdgeError, type ExitCode, exitCodes, formatPosition, InputErrors } from "../util/errors.js";
import { safeText } from "../util/safe-text.js";

/**
 * Prints an error as the user needs it: what, where, what to do next. Only a bug of ours shows a stack.
 * @param debug also where the error arose, and what caused it (--debug)
 * @returns the exit code of the process
 */
export function printError(
  error: unknown,
  write: (text: string) => void = (text) => process.stderr.write(text),
  debug = false,
): ExitCode {
  if (debug && error instanceof EdgeError) write(trace(error));
  if (error instanceof InputErrors) {
    for (const one of error.errors) write(describe(one));
    return error.exitCode;
  }
  if (error instanceof EdgeError) {
    write(describe(error));
    return error.exitCode;
  }
  const stack = safeText(error instanceof Error ? (error.stack ?? error.message) : String(error));
  write(`edge-setup: internal error, please report it with these lines:\n${stack}\n`);
  return exitCodes.internal;
}

function trace(error: EdgeError): string {
  const parts: string[] = [];
  for (let one: unknown = error; one instanceof Error; one = one.cause) parts.push(one.stack ?? one.message);
  return `${safeText(parts.join("\ncaused by "))}\n`;
}

function describe(error: EdgeError): string {
  const where = error.position === undefined ? "" : `${formatPosition(error.position)}: `;
  const hint = error.hint === undefined ? "" : `  ${error.hint.replaceAll("\n", "\n  ")}\n`;
  return safeText(`edge-setup: ${where}${error.message} (${error.code})\n${hint}`);
}
