import { basename } from "node:path/posix";
import type { ArgSpec, Value } from "../playbook/types.js";
import { type Args, flag, given, list, text } from "./args.js";
import { startReturns } from "./async-status.js";
import { sha256Hex } from "./digest.js";
import { call, commandWord, environmentLines, quote, quoteAll, splitWords } from "./fragments.js";
import { globWord, jobPath, pathWord, word } from "./path-words.js";
import { ArgumentError, type LibName, type ModuleCall, type ModuleContext, type TaskModule } from "./types.js";

/** `command: echo hi` reaches build() under this name. */
export const FREE_FORM = "_raw_params";

const placeArgs = {
  [FREE_FORM]: { type: "raw" },
  cmd: { type: "str" },
  creates: { type: "path" },
  removes: { type: "path" },
  chdir: { type: "path" },
} as const satisfies Record<string, ArgSpec>;

const commonArgs = {
  ...placeArgs,
  stdin: { type: "str" },
  stdin_add_newline: { type: "bool", default: true },
  strip_empty_ends: { type: "bool", default: true },
} as const satisfies Record<string, ArgSpec>;

const outputReturns = { rc: "int", stdout: "str", stderr: "str" } as const;
const commandReturns = {
  ...outputReturns,
  cmd: "known",
  msg: "str",
  start: "time",
  end: "time",
  delta: "str",
} as const;

/** How a command is run. */
interface Run {
  /** Shell that becomes the command, in a subshell. */
  readonly body: string;
  /** Shell before it, there. */
  readonly feed: string;
  /** The program's own word, where it is not a shell's line. */
  readonly program?: string;
  readonly cmd: Value;
}

/** The call that runs a command, in the foreground or, with `async`, detached. */
function run(args: Args, context: ModuleContext, { body, feed, program = "''", cmd }: Run): ModuleCall {
  const known = { cmd, start: null, end: null, delta: null };
  const chdir = pathWord(text(args, "chdir"));
  const conditions = [word(globWord(text(args, "creates"))), word(globWord(text(args, "removes")))];
  const setup = environmentLines(context.environment);
  if (context.async === undefined) {
    const options = `${flag(args, "strip_empty_ends") ? "" : "k"}${context.wants("start", "end", "delta") ? "t" : ""}`;
    const words = ["m_cmd", program, ...conditions, chdir, word(options)];
    while (words.at(-1) === "''") words.pop();
    const line = `${words.join(" ")}\n`;
    return { shell: `X() {\n${setup}${feed}${body}}\n${line}`, look: line, libs: ["command"], known };
  }
  const job =
    setup + (text(args, "chdir") === "" ? "" : `cd ${jobPath(text(args, "chdir"))} || exit 1\n`) + feed + body;
  const libs: LibName[] = ["command", "async"];
  const { seconds, poll } = context.async;
  const key = sha256Hex(job).slice(0, 16);
  if (poll === 0) {
    const words = [key, watched(seconds), quote(JSON.stringify(cmd)), ...conditions, chdir];
    while (words.at(-1) === "''") words.pop();
    const start = `m_start ${words.join(" ")}\n`;
    return { shell: `JOB=${quote(job)}\n${start}`, look: start, libs, returns: startReturns };
  }
  const most = Math.min(watched(seconds), Math.ceil(seconds / poll) * poll);
  const place = chdir === "''" ? [] : [chdir];
  const line = `m_job ${[key, most, poll, ...conditions, ...place].join(" ")}\n`;
  return { shell: `JOB=${quote(job)}\n${line}`, look: line, libs, known };
}

/** Seconds after which Ansible ends a job: its watcher begins to count after five, and looks every five. */
function watched(seconds: number): number {
  return 5 + Math.ceil(seconds / 5) * 5;
}

function stdin(args: Args, { async }: ModuleContext): string {
  const value = text(args, "stdin");
  if (value === "") return "";
  const ending = flag(args, "stdin_add_newline") ? "\\n" : "";
  // A job has a place of its own, and leaves nothing of it there.
  const [file, gone] = async === undefined ? ['"$W/in"', ""] : ['"$0.in"', '; rm -f "$0.in"'];
  return `printf '%s${ending}' ${quote(value)} >${file}; exec <${file}${gone}\n`;
}

/** The command line as it is written; a task without one has no command. */
function lineOf(args: Args): string {
  if (given(args, FREE_FORM) && given(args, "cmd")) throw new ArgumentError("the command is given twice", "cmd");
  return text(args, FREE_FORM) || text(args, "cmd");
}

/** ansible.builtin.command */
export const command: TaskModule = {
  spec: {
    name: "command",
    freeForm: true,
    args: { ...commonArgs, argv: { type: "list" } },
    refused: {
      executable: "command runs the program itself: use shell, which takes executable.",
      warn: "Leave it out: ansible-core has it no more.",
      expand_argument_vars: "ansible-core has it from 2.16 on: use shell where the expansion must be another.",
    },
  },
  returns: commandReturns,
  fieldNames: "$CF",
  build(args, context) {
    const line = lineOf(args);
    if (line.trim() !== "" && given(args, "argv")) throw new ArgumentError("only command or argv can be given", "argv");
    const words = given(args, "argv") ? list(args, "argv") : splitWords(line);
    if (words.length === 0) throw new ArgumentError("no command given");
    const [program = "''", ...rest] = words.map(commandWord);
    const exec = `exec ${[program, ...rest].join(" ")}`;
    // Variables of this program are none of the command's: what is expanded is what a program of its own sees.
    const body = words.some((one) => one.includes("$")) ? `exec /bin/sh -c ${quote(exec)}\n` : `${exec}\n`;
    return run(args, context, { body, feed: stdin(args, context), program, cmd: words });
  },
};

/** Shells that read a file of commands by `.`, so that `$0` is their own name, as after -c. */
const SHELLS = ["sh", "dash", "bash", "ash", "ksh", "zsh"];

/** ansible.builtin.shell. The text is run from a file: what it holds stays out of the process list. */
export const shell: TaskModule = {
  spec: {
    name: "shell",
    freeForm: true,
    args: { ...commonArgs, executable: { type: "path" } },
    refused: { warn: "Leave it out: ansible-core has it no more." },
  },
  returns: commandReturns,
  fieldNames: "$CF",
  build(args, context) {
    const script = lineOf(args);
    if (script.trim() === "") throw new ArgumentError("no command given");
    const interpreter = text(args, "executable") || "/bin/sh";
    const cmd = script;
    if (context.async !== undefined) {
      // The unit outlives the program and its directory, so the text goes along in the job's own 0600 file.
      if (interpreter !== "/bin/sh") throw new ArgumentError("a task with async runs in /bin/sh", "executable");
      return run(args, context, { body: `${script}\n`, feed: stdin(args, context), cmd });
    }
    const save = `printf %s ${quote(script)} >"$W/x"\n`;
    const reads = SHELLS.includes(basename(interpreter)) ? `-c ". $W/x"` : `"$W/x"`;
    return run(args, context, {
      body: `exec ${quote(interpreter)} ${reads}\n`,
      feed: save + stdin(args, context),
      cmd,
    });
  },
};

/** ansible.builtin.raw: a line for /bin/sh, which has no stdin and no conditions. */
export const raw: TaskModule = {
  spec: { name: "raw", freeForm: true, args: { [FREE_FORM]: { type: "raw" }, executable: { type: "path" } } },
  returns: outputReturns,
  build(args, context) {
    if (Object.keys(context.environment).length > 0) {
      throw new ArgumentError("raw takes no environment: use shell, which does", FREE_FORM);
    }
    const made = shell.build({ ...args, strip_empty_ends: false }, { ...context, wants: () => false });
    return { shell: made.shell, look: "unset R_rc\nlater 'check mode does not run raw'\n", libs: made.libs };
  },
};

/**
 * ansible.builtin.script. Its interpreter is called by name: /run may be mounted noexec. What stands behind the script's name is
 * the shell's, as in Ansible, and the script goes by its name.
 */
export const script: TaskModule = {
  spec: {
    name: "script",
    freeForm: true,
    args: { ...placeArgs, executable: { type: "path" } },
    refused: { decrypt: "Secrets go into variables: a script from a vault is not taken." },
  },
  returns: { ...outputReturns, msg: "str" },
  build(args, context) {
    const line = lineOf(args).trim();
    const [name] = splitWords(line);
    if (name === undefined) throw new ArgumentError("no script given");
    if (context.async !== undefined) throw new ArgumentError("a script task takes no async");
    if (given(args, "chdir") && !text(args, "chdir").startsWith("/")) {
      throw new ArgumentError("chdir of a script is an absolute path", "chdir");
    }
    const source = context.resolve(name, "files");
    const info = context.describe(source);
    if (info === undefined) throw new ArgumentError(`script ${source} does not exist on this machine`);
    const bang = /^#!\s*(\S+(?:[ \t]+\S+)*)/.exec(info.firstLine)?.[1];
    const interpreter = given(args, "executable")
      ? text(args, "executable")
      : quoteAll(bang?.split(/[ \t]+/) ?? ["/bin/sh"]);
    const file = `$W/script/${quote(basename(source))}`;
    const [head = "", ...tail] = line.split(name).map((part) => (part === "" ? "" : quote(part)));
    const words = `${quote(`${interpreter} `)}${[head, ...tail].join(`"$F"`)}`;
    const body = `[ -d "$W/script" ] || mkdir "$W/script"
F=${file}
ln -sf "$W/p/${info.digest}" "$F"
printf %s ${words} >"$W/x"
exec /bin/sh -c ". $W/x"
`;
    const setup = environmentLines(context.environment);
    const made = call("m_script", info.digest, ...["creates", "removes", "chdir"].map((one) => text(args, one)));
    const wanted = `emit w "$C" =${info.digest}\n`;
    return {
      shell: `${wanted}X() {\n${setup}${body}}\n${made}`,
      look: wanted + made,
      libs: ["command"],
      payloads: [info.digest],
    };
  },
};
