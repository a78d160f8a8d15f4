import type { ArgSpec } from "../playbook/types.js";
import { type Args, flag, given, list, text } from "./args.js";
import { sha256Hex } from "./digest.js";
import { call, commandSetup, commandWord, quote, quoteAll, splitWords } from "./fragments.js";
import { ArgumentError, type LibName, type ModuleCall, type ModuleContext, type TaskModule } from "./types.js";

/** `command: echo hi` reaches build() under this name. */
export const FREE_FORM = "_raw_params";

const commonArgs = {
  [FREE_FORM]: { type: "raw" },
  cmd: { type: "str" },
  creates: { type: "path" },
  removes: { type: "path" },
  chdir: { type: "path" },
  stdin: { type: "raw" },
  stdin_add_newline: { type: "bool", default: true },
} as const satisfies Record<string, ArgSpec>;

const commandReturns = { rc: "int", stdout: "str", stderr: "str" } as const;

/** The call that runs `body`, in the foreground or, with `async`, detached. */
function run(args: Args, context: ModuleContext, body: string, feed: string): ModuleCall {
  const conditions = [text(args, "creates"), text(args, "removes")];
  const setup = commandSetup(context.environment, text(args, "chdir"));
  if (context.async === undefined) {
    return {
      shell: `X() {\n${setup}${feed}${body}}\n${call("m_cmd", ...conditions)}`,
      look: call("m_cmd", ...conditions),
      libs: ["command"],
    };
  }
  if (feed !== "") throw new ArgumentError("a task with async takes no stdin", "stdin");
  const job = setup + body;
  const libs: LibName[] = ["command", "async"];
  const words = [sha256Hex(job).slice(0, 16), String(context.async.seconds), String(context.async.poll), ...conditions];
  return { shell: `JOB=${quote(job)}\n${call("m_job", ...words)}`, look: call("m_job", ...words), libs };
}

function stdin(args: Args): string {
  if (!given(args, "stdin")) return "";
  const ending = flag(args, "stdin_add_newline") ? "\\n" : "";
  const value = text(args, "stdin");
  return `printf '%s${ending}' ${value === "" ? "''" : quote(value)} >"$W/in"; exec <"$W/in"\n`;
}

/** ansible.builtin.command */
export const command: TaskModule = {
  spec: {
    name: "command",
    freeForm: true,
    args: { ...commonArgs, argv: { type: "list" } },
  },
  returns: commandReturns,
  build(args, context) {
    const line = text(args, FREE_FORM) || text(args, "cmd");
    const words = given(args, "argv") ? list(args, "argv") : splitWords(line);
    if (words.length === 0) throw new ArgumentError("no command given");
    const body = `exec ${words.map(given(args, "argv") ? quoteWord : commandWord).join(" ")}\n`;
    return run(args, context, body, stdin(args));
  },
};

const quoteWord = (word: string) => (word === "" ? "''" : quote(word));

/** ansible.builtin.shell. The text is run from a file: what it holds stays out of the process list. */
export const shell: TaskModule = {
  spec: {
    name: "shell",
    freeForm: true,
    args: { ...commonArgs, executable: { type: "path" } },
  },
  returns: commandReturns,
  build(args, context) {
    const script = text(args, FREE_FORM) || text(args, "cmd");
    if (script.trim() === "") throw new ArgumentError("no command given");
    const interpreter = text(args, "executable") || "/bin/sh";
    if (context.async !== undefined) {
      // The unit outlives the program and its directory, so the text goes along in the job's own 0600 file.
      if (interpreter !== "/bin/sh") throw new ArgumentError("a task with async runs in /bin/sh", "executable");
      return run(args, context, `${script}\n`, stdin(args));
    }
    const save = `printf '%s\\n' ${quote(script)} >"$W/x"\n`;
    return run(args, context, `exec ${quote(interpreter)} "$W/x"\n`, save + stdin(args));
  },
};

/** ansible.builtin.script. Its interpreter is called by name: /run may be mounted noexec. */
export const script: TaskModule = {
  spec: {
    name: "script",
    freeForm: true,
    args: { ...commonArgs, executable: { type: "path" } },
  },
  returns: commandReturns,
  build(args, context) {
    const [name, ...words] = splitWords(text(args, FREE_FORM) || text(args, "cmd"));
    if (name === undefined) throw new ArgumentError("no script given");
    if (context.async !== undefined) throw new ArgumentError("a script task takes no async");
    const source = context.resolve(name, "files");
    const info = context.describe(source);
    if (info === undefined) throw new ArgumentError(`script ${source} does not exist on this machine`);
    const bang = /^#!\s*(\S+(?:[ \t]+\S+)*)/.exec(info.firstLine)?.[1];
    const interpreter = given(args, "executable") ? [text(args, "executable")] : (bang?.split(/[ \t]+/) ?? ["/bin/sh"]);
    const body = `exec ${quoteAll(interpreter)} "$W/p/${info.digest}" ${words.map(commandWord).join(" ")}\n`;
    const made = run(args, context, body, stdin(args));
    const wanted = `emit w "$C" =${info.digest}\n`;
    return {
      ...made,
      shell: `${wanted}PAY=${info.digest}\n${made.shell}PAY=\n`,
      look: wanted + (made.look ?? ""),
      payloads: [info.digest],
    };
  },
};
