import { exitCodes } from "../util/errors.js";
import { commandTable } from "./commands.js";
import { commandHelp } from "./help.js";
import { questionOptions } from "./question-options.js";

const exitMeanings: Record<keyof typeof exitCodes, string> = {
  ok: "done, or nothing to do",
  taskFailed: "a task or a proof failed on a host",
  usage: "wrong flag, file or value; nothing was touched",
  unreachable: "a host does not answer or does not let us in",
  changesPending: "`plan --exit-code`: changes are pending",
  hostKey: "a host's key is unknown and not accepted, changed, or revoked",
  locked: "another run holds the host",
  internal: "a bug of ours",
  interrupted: "Ctrl-C",
  terminated: "SIGTERM",
};

/** docs/cli.md, from the tables that the program itself uses. */
export function cliReference(): string {
  return [
    "# The command line",
    "",
    "Made by `npm run docs` from the tables in `src/cli`; edit those.",
    "",
    "stdout carries the result, stderr the rest. Without a terminal, or with `--no-input`, nothing is asked: the missing flag",
    "is named and the exit code is 2.",
    "",
    "| exit code | meaning |",
    "|---|---|",
    ...Object.entries(exitCodes).map(([name, code]) => `| ${code} | ${exitMeanings[name as keyof typeof exitCodes]} |`),
    ...commandTable.flatMap((command) => [
      "",
      `## edge-setup ${command.name}`,
      "",
      "```",
      commandHelp(command, command.asks === true ? questionOptions() : {}).trimEnd(),
      "```",
    ]),
    "",
  ].join("\n");
}
