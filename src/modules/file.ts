import { basename } from "node:path/posix";
import { type Args, bit, flag, given, text } from "./args.js";
import { attributeArgs, attributes, fileRefused, flagsCall } from "./fragments.js";
import { pathWord, word } from "./path-words.js";
import { dateText } from "./strptime.js";
import {
  ArgumentError,
  type LibName,
  type ModuleCall,
  type ModuleContext,
  type ReturnType,
  type TaskModule,
} from "./types.js";

/** What Ansible tells of a path beside all results that name one. */
export const pathReturns = {
  ...{ uid: "int", gid: "int", owner: "str", group: "str", mode: "str", state: "str", size: "int" },
} as const satisfies Record<string, ReturnType>;

const TIME_FORMAT = "%Y%m%d%H%M.%S";

/** `preserve`, `now`, or a date. */
function time(args: Args, name: "access_time" | "modification_time", otherwise: string): string {
  const value = text(args, name);
  if (!given(args, name) || value === "preserve" || value === "now") return value || otherwise;
  const format = text(args, `${name}_format`);
  try {
    const date = dateText(value, format);
    if (date !== undefined) return date;
  } catch (error) {
    if (error instanceof RangeError) throw new ArgumentError(error.message, `${name}_format`);
    throw error;
  }
  throw new ArgumentError(`${name} ${value} does not fit the format ${format}`, name);
}

/** The call behind the first one, for times that are not left alone. */
function timesCall(args: Args, state: string): string {
  const asked = given(args, "access_time") || given(args, "modification_time");
  if (!asked || state === "absent") return "";
  const otherwise = state === "touch" ? "now" : "preserve";
  const times = (["modification_time", "access_time"] as const).map((name) => time(args, name, otherwise));
  return times.every((one) => one === "preserve") ? "" : `m_times "$d" ${times.map(word).join(" ")}\n`;
}

/** The words of a call, without empty ones at its end. */
function line(name: string, ...words: string[]): string {
  while (words.at(-1) === "''") words.pop();
  return `${[name, ...words].join(" ")}\n`;
}

function mainCall(args: Args, state: string, path: string): string {
  const [owner, group, mode] = attributes(args).map(word) as [string, string, string];
  const nofollow = flag(args, "follow") ? "" : "n";
  const source = word(text(args, "src"));
  switch (state) {
    case "directory": {
      const main = line("m_dir", path, owner, group, mode, word(nofollow));
      return main + (flag(args, "recurse") ? line("within", '"$d"', owner, group, mode, nofollow || "''", "") : "");
    }
    case "absent":
      return line("m_absent", path);
    case "link":
    case "hard": {
      const flags = `${flag(args, "force") ? "f" : ""}${nofollow}${given(args, "src") ? "k" : "s"}`;
      return line(
        `m_${state}`,
        path,
        state === "hard" ? pathWord(text(args, "src")) : source,
        flags,
        owner,
        group,
        mode,
        "",
      );
    }
    case "touch": {
      const preserve = given(args, "access_time") || given(args, "modification_time");
      return line("m_touch", path, owner, group, mode, bit(preserve) || "''", word(nofollow));
    }
    default:
      return line("m_attr", path, owner, group, mode, word(`${state === "file" ? "f" : ""}${nofollow}`));
  }
}

/** What is told of the path behind the call, by state; PATH is the path as it was given. */
const TOLD: Record<string, string> = {
  absent: "R_path=PATH\npinfo PATH\n[ -e PATH ] || R_state=absent\n",
  directory: 'R_path=$d\npinfo "$d"\n',
  link: 'if [ -n "$BAD" ]; then R_path=PATH; else R_dest=PATH; fi\npinfo PATH\n',
  hard: 'R_dest=$d\npinfo "$d"\n',
  touch: "R_dest=PATH\npinfo PATH\n",
  file: 'R_path=$d\npinfo "$d"\n[ -e "$d" ] || R_state=absent\n',
  any: 'pnamed PATH\n[ -e "$d" ] || R_state=absent\n',
};

function build(args: Args, context: ModuleContext): ModuleCall {
  const given_ = text(args, "path").replace(/(?<=.)\/+$/, "");
  if (given_ === "") throw new ArgumentError("path is empty", "path");
  const recurse = flag(args, "recurse");
  const state = given(args, "state") ? text(args, "state") : recurse ? "directory" : "any";
  if (recurse && state !== "directory")
    throw new ArgumentError("recurse option requires state to be 'directory'", "recurse");
  if (given(args, "src") && state !== "link" && state !== "hard") {
    throw new ArgumentError("src option requires state to be 'link' or 'hard'", "src");
  }
  if (state === "absent" && given_ === "/") throw new ArgumentError("the root directory is not removed", "path");
  const path = pathWord(given_);
  const flags = state === "absent" ? { shell: "", libs: [] } : flagsCall(args, '"$d"');
  const libs: LibName[] = ["put", "file", ...flags.libs];
  const rest = timesCall(args, state) + flags.shell;
  const main = mainCall(args, state, path);
  // As in Ansible, a hard link goes into a directory.
  const inside =
    state === "hard" && given(args, "src")
      ? `d=${path}\nif [ -d "$d" ]; then d=$d/${word(basename(text(args, "src")))}; fi\n${main.replace(path, '"$d"')}`
      : main;
  const probes = [{ path: given_, hash: false }];
  if (!context.wantsResult) return { shell: inside + rest, libs, probes };
  const told = TOLD[state] ?? TOLD.file ?? "";
  const reset = "unset R_path R_dest R_src\npnone\n";
  return {
    shell: `${reset}${inside}${rest}${told.replaceAll("PATH", path)}`,
    libs: state === "absent" ? libs : [...libs, "pathinfo"],
    probes,
  };
}

/** ansible.builtin.file */
export const file: TaskModule = {
  spec: {
    name: "file",
    refused: fileRefused,
    args: {
      ...attributeArgs,
      path: { type: "path", required: true, aliases: ["dest", "name"] },
      state: { type: "str", choices: ["absent", "directory", "file", "hard", "link", "touch"] },
      src: { type: "path" },
      recurse: { type: "bool", default: false },
      force: { type: "bool", default: false },
      follow: { type: "bool", default: true },
      access_time: { type: "str" },
      access_time_format: { type: "str", default: TIME_FORMAT },
      modification_time: { type: "str" },
      modification_time_format: { type: "str", default: TIME_FORMAT },
    },
  },
  returns: { path: "str", dest: "str", src: "str", ...pathReturns },
  fieldNames: "$FF",
  diffs: "always",
  build,
};
