import type { Test } from "tap";
import { commandTable } from "../../../src/cli/commands.js";
import { parseFlags } from "../../../src/cli/options.js";
import { printError } from "../../../src/cli/print-error.js";
import { Interruption } from "../../../src/cli/signals.js";

/** What a command writes, and its exit code. */
export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command of edge-setup within this process, its errors printed as the program prints them. */
export async function runCommand(t: Test, name: string, words: readonly string[]): Promise<Outcome> {
  const command = commandTable.find((one) => one.name === name);
  if (command === undefined) throw new Error(`there is no command ${name}`);
  const [stdout, stderr] = [t.capture(process.stdout, "write"), t.capture(process.stderr, "write")];
  const textOf = (captured: typeof stdout) =>
    captured()
      .map(({ args }) => String(args[0]))
      .join("");
  let said = "";
  let code: number;
  try {
    const interruption = new Interruption();
    const parsed = parseFlags(words, command.options);
    code = await (await command.load()).run({ ...parsed, signal: interruption.signal, interruption });
  } catch (error) {
    code = printError(error, (part) => {
      said += part;
    });
  } finally {
    stdout.restore();
    stderr.restore();
  }
  return { code, out: textOf(stdout), err: textOf(stderr) + said };
}
