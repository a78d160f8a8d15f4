import { type CommandSpec, commandTable } from "./commands.js";
import { always, type MoreOptions, optionOf } from "./options.js";
import { questionOptions } from "./question-options.js";

export const shells = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof shells)[number];

/** Values that a flag takes, where they are words of ours. */
const flagWords: Readonly<Record<string, readonly string[]>> = {
  progress: ["auto", "tui", "plain", "json", "quiet"],
  release: ["trixie", "bookworm"],
  arch: ["amd64", "arm64", "armhf", "armel"],
  "hls-fragment": ["1s", "2s", "4s", "6s"],
  "nginx-sources": ["upstream", "debian"],
};

/** Host names of ./edges.yml, at two levels below `hosts:`; a shell has no YAML, and a wrong guess costs nothing. */
const HOSTS = "sed -n '/^ *hosts:/,/^[^ ]/{/^    [A-Za-z0-9_.-]*:/s/^ *\\([^:]*\\):.*/\\1/p}' edges.yml 2>/dev/null";

/** A script that completes commands, flags, their words, files, and the hosts of ./edges.yml. */
export function completionScript(shell: Shell): string {
  const more = questionOptions();
  switch (shell) {
    case "bash":
      return bashScript(more);
    case "zsh":
      // zsh runs bash's completions.
      return `autoload -U +X compinit && compinit -u\nautoload -U +X bashcompinit && bashcompinit\n${bashScript(more)}`;
    case "fish":
      return fishScript(more);
  }
}

function flagsOf(command: CommandSpec, more: MoreOptions): string[] {
  return [...(command.asks === true ? Object.keys(more) : []), ...command.options, ...always];
}

function takesHosts(command: CommandSpec): boolean {
  return /\bHOSTS?\b/.test(command.words?.label ?? "");
}

/** The words of a command that stand for themselves: `list|add|rotate [STREAM]`. */
function ownWords(command: CommandSpec): string[] {
  const [first = ""] = (command.words?.label ?? "").split(" ");
  return first.includes("|") ? first.split("|") : [];
}

function bashScript(more: MoreOptions): string {
  const names = commandTable.map((command) => command.name);
  const cases = commandTable.map((command) => {
    const flags = flagsOf(command, more).map((flag) => `--${flag}`);
    const hosts = takesHosts(command) ? ` $(${HOSTS})` : "";
    return `    ${command.name}) flags="${[...ownWords(command), ...flags].join(" ")}${hosts}" ;;`;
  });
  const words = Object.entries(flagWords).map(
    ([flag, values]) => `    --${flag}) COMPREPLY=($(compgen -W "${values.join(" ")}" -- "$word")); return ;;`,
  );
  return [
    '# edge-setup completion: eval "$(edge-setup completion bash)"',
    "_edge_setup() {",
    '  local word="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}" flags=""',
    '  case "$before" in',
    ...words,
    `    -l|--limit) COMPREPLY=($(compgen -W "$(${HOSTS})" -- "$word")); return ;;`,
    '    -i|--inventory|--private-key|--ssh-config|--vault-id|--*-file) COMPREPLY=($(compgen -f -- "$word")); return ;;',
    '    --source-dir) COMPREPLY=($(compgen -d -- "$word")); return ;;',
    "  esac",
    '  if [ "$COMP_CWORD" = 1 ] && [ "${word#-}" = "$word" ]; then',
    `    COMPREPLY=($(compgen -W "${[...names, "help"].join(" ")}" -- "$word"))`,
    "    return",
    "  fi",
    '  case "${COMP_WORDS[1]}" in',
    ...cases,
    `    help) flags="${names.join(" ")}" ;;`,
    "  esac",
    '  COMPREPLY=($(compgen -W "$flags" -- "$word"))',
    "}",
    "complete -F _edge_setup edge-setup",
    "",
  ].join("\n");
}

function fishScript(more: MoreOptions): string {
  const quoted = (text: string) => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
  const lines = commandTable.flatMap((command) => [
    `complete -c edge-setup -n __fish_use_subcommand -a ${command.name} -d ${quoted(command.summary)}`,
    ...ownWords(command).map(
      (word) => `complete -c edge-setup -n '__fish_seen_subcommand_from ${command.name}' -a ${word}`,
    ),
    ...(takesHosts(command)
      ? [`complete -c edge-setup -n '__fish_seen_subcommand_from ${command.name}' -a ${quoted(`(${HOSTS})`)}`]
      : []),
    ...flagsOf(command, more).map((flag) => {
      const { short, value, help } = optionOf(flag, more);
      const words = flagWords[flag];
      const takes = value === undefined ? "" : words === undefined ? " -r" : ` -x -a ${quoted(words.join(" "))}`;
      const letter = short === undefined ? "" : ` -s ${short}`;
      return `complete -c edge-setup -n '__fish_seen_subcommand_from ${command.name}' -l ${flag}${letter}${takes} -d ${quoted(help)}`;
    }),
  ]);
  return ["# edge-setup completion: edge-setup completion fish | source", ...lines, ""].join("\n");
}
