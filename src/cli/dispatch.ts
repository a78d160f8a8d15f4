import { type ExitCode, exitCodes, InputError } from "../util/errors.js";
import { suggest } from "../util/suggest.js";
import { type CommandSpec, commandTable } from "./commands.js";
import { commandHelp, mainHelp } from "./help.js";
import { type MoreOptions, parseFlags } from "./options.js";
import { Interruption } from "./signals.js";

/** What `edge-setup` alone, or with flags only, is. */
const WIZARD = "init";

/**
 * Finds the command, parses its flags, runs it.
 * @throws InputError for an unknown command, flag or word
 */
export async function dispatch(first: string | undefined, rest: readonly string[]): Promise<ExitCode> {
  if (first === "--help" || first === "-h") return print(mainHelp());
  if (first === "help") {
    const command = rest[0] === undefined ? undefined : findCommand(rest[0]);
    return print(command === undefined ? mainHelp() : commandHelp(command, await moreOptions(command)));
  }
  // Without a command, and with nobody to ask, the help says more than a missing flag.
  if (first === undefined && process.stdin.isTTY !== true) return print(mainHelp());
  if (first === undefined) return run(findCommand(WIZARD), []);
  if (first.startsWith("-")) return run(findCommand(WIZARD), [first, ...rest]);
  return run(findCommand(first), rest);
}

async function run(command: CommandSpec, rest: readonly string[]): Promise<ExitCode> {
  const more = await moreOptions(command);
  const { flags, words } = parseFlags(rest, command.options, more);
  if (flags["no-color"] === true) {
    // Libraries ask the environment, and Node warns where both are set.
    process.env.NO_COLOR = "1";
    delete process.env.FORCE_COLOR;
  }
  if (flags.help === true) return print(commandHelp(command, more));
  const extra = words[command.words?.max ?? 0];
  if (extra !== undefined) {
    throw new InputError("E_EXTRA_WORD", `\`${command.name}\` does not take the word "${extra}"`, {
      hint: `\`edge-setup help ${command.name}\` shows what it takes.`,
    });
  }
  if ((flags.inventories?.length ?? 0) > 1 && command.inventories !== true) {
    throw new InputError("E_FLAG_VALUE", "--inventory is given twice: the settings of edges come from one inventory", {
      hint: "`edge-setup play` takes several.",
    });
  }
  const loaded = await command.load();
  const interruption = new Interruption().listen();
  return loaded.run({ flags, words, signal: interruption.signal, interruption });
}

/** Flags from the question table, read only where they are needed. */
async function moreOptions(command: CommandSpec): Promise<MoreOptions> {
  if (command.asks !== true) return {};
  const { questionOptions } = await import("./question-options.js");
  return questionOptions();
}

function findCommand(name: string): CommandSpec {
  const command = commandTable.find((candidate) => candidate.name === name);
  if (command !== undefined) return command;
  const near = suggest(
    name,
    commandTable.map((candidate) => candidate.name),
  );
  throw new InputError("E_UNKNOWN_COMMAND", `unknown command "${name}"`, {
    hint: near === undefined ? "`edge-setup --help` lists the commands." : `Did you mean \`edge-setup ${near}\`?`,
  });
}

function print(text: string): ExitCode {
  process.stdout.write(text);
  return exitCodes.ok;
}
