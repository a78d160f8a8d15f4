#!/usr/bin/env node
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import { type ExitCode, exitCodes, InputError } from "../util/errors.js";
import { printError } from "./print-error.js";

const OLDEST_NODE = 20;
const major = Number(process.versions.node.split(".")[0]);

/**
 * V8 makes a function fast once it has run for so long (bytes of bytecode; its own default is about 130,000). A run is over before
 * that pays: an apply that changes nothing spent four tenths of its processor time on code which it then hardly used. Node 22 has no such flag, and would say so at each start.
 */
const INTERRUPT_BUDGET = 10_000_000;

/** Runs one command line and gives the exit code; the process is left to end by itself so that output is flushed. */
async function main(argv: readonly string[]): Promise<ExitCode> {
  if (major < OLDEST_NODE) {
    throw new InputError(
      "E_NODE_VERSION",
      `edge-setup needs Node.js ${OLDEST_NODE} or newer; this is ${process.version}`,
    );
  }
  const [first, ...rest] = argv;
  if (first === "--version" || first === "-V") {
    const { versionText } = await import("./version.js");
    process.stdout.write(versionText());
    return exitCodes.ok;
  }
  const chunks = join(dirname(fileURLToPath(import.meta.url)), "../chunks");
  if (existsSync(chunks)) {
    const { keepCompiledCode } = await import("./code-cache.js");
    keepCompiledCode(chunks, /^[a-z]{1,16}$/.test(first ?? "") ? `${first}` : "help", process.env);
  }
  const { dispatch } = await import("./dispatch.js");
  return dispatch(first, rest);
}

// Collected as often as in the beginning, what is new stays in 2 MB instead of 32, and nothing takes longer for it.
setFlagsFromString("--semi-space-growth-factor=1");
if (major < 22) setFlagsFromString(`--interrupt-budget=${INTERRUPT_BUDGET}`);
process.stdout.on("error", onOutputError);
process.stderr.on("error", onOutputError);
// All is done by then: to take a heap apart that the kernel drops anyway takes longer than to leave it.
process.once("beforeExit", () => process.exit());

/** `edge-setup plan | head` is not an error. A terminal that was closed is no reason to drop a run: the log files go on. */
function onOutputError(error: NodeJS.ErrnoException): void {
  if (error.code === "EIO") return;
  if (error.code !== "EPIPE") throw error;
  process.exit(exitCodes.ok);
}

main(process.argv.slice(2)).then(
  (code) => {
    // A command may only know that it was interrupted; the signal knows whether that was SIGTERM.
    const terminated = code === exitCodes.interrupted && process.exitCode === exitCodes.terminated;
    if (!terminated) process.exitCode = code;
  },
  (error: unknown) => {
    // Before the flags are parsed too: an error in them may be the one to be looked into.
    process.exitCode = printError(error, undefined, process.argv.includes("--debug"));
  },
);
