import { type CommandSpec, commandTable } from "./commands.js";
import { always, type MoreOptions, optionOf } from "./options.js";

/** The text of `edge-setup --help`. */
export function mainHelp(): string {
  const width = Math.max(...commandTable.map((command) => command.name.length));
  return [
    "edge-setup: a bare Linux host becomes a live-streaming edge, over SSH.",
    "",
    "Examples",
    "  edge-setup                                      ask what is needed, show the plan, do it",
    "  edge-setup try                                  see it work on a throw-away host on this machine",
    "  edge-setup apply -i pi@raspberrypi.local,       make that Raspberry Pi an edge",
    "  edge-setup plan -i edges.yml -D                 what would change, and why",
    "",
    "Commands",
    ...commandTable.map((command) => `  ${command.name.padEnd(width)}  ${command.summary}`),
    "",
    "`edge-setup help COMMAND` lists a command's flags. `edge-setup --version` names the versions.",
    "",
  ].join("\n");
}

/** The text of `edge-setup help COMMAND`. */
export function commandHelp(command: CommandSpec, more: MoreOptions = {}): string {
  const words = command.words === undefined ? "" : ` ${command.words.label}`;
  return [
    `${command.summary}.`,
    "",
    `Usage: edge-setup ${command.name}${words} [flags]`,
    "",
    "Examples",
    ...command.examples.map((example) => `  ${example}`),
    "",
    "Flags",
    ...optionLines([...Object.keys(more), ...command.options, ...always], more),
    "",
  ].join("\n");
}

function optionLines(names: readonly string[], more: MoreOptions): string[] {
  const left = names.map((name) => {
    const spec = optionOf(name, more);
    const short = spec.short === undefined ? "    " : `-${spec.short}, `;
    return `  ${short}--${name}${spec.value === undefined ? "" : ` ${spec.value}`}`;
  });
  const width = Math.max(...left.map((text) => text.length));
  return names.map((name, index) => `${(left[index] ?? "").padEnd(width)}  ${optionOf(name, more).help}`);
}
