import { exitCodes } from "../util/errors.js";

/**
 * A signal that aborts at the first Ctrl-C, which lets the running task end; the second Ctrl-C ends the process at once.
 * SIGTERM aborts as well.
 */
export function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  const onSignal = (name: "SIGINT" | "SIGTERM"): void => {
    const code = name === "SIGINT" ? exitCodes.interrupted : exitCodes.terminated;
    if (controller.signal.aborted) process.exit(code);
    process.stderr.write("\nStopping: what runs now may end first. Press Ctrl-C again to stop at once.\n");
    process.exitCode = code;
    controller.abort();
  };
  process.on("SIGINT", () => onSignal("SIGINT"));
  process.on("SIGTERM", () => onSignal("SIGTERM"));
  return controller.signal;
}
