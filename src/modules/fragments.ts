import type { ArgSpec } from "../playbook/types.js";
import { quote, quoteAll } from "../util/shell.js";
import { type Args, text } from "./args.js";
import { commandWord, word } from "./path-words.js";
import { ArgumentError, type ModuleCall } from "./types.js";

/** owner, group, mode: Ansible's file_common_arguments, as far as they make sense without SELinux. */
export const attributeArgs = {
  owner: { type: "str" },
  group: { type: "str" },
  mode: { type: "mode" },
  attributes: { type: "str", aliases: ["attr"] },
  unsafe_writes: { type: "bool", default: false },
} as const satisfies Record<string, ArgSpec>;

const NO_SELINUX = "Hosts of Debian's kind have no SELinux contexts: leave it out.";
/** Arguments of the same family that nothing here can do. */
export const fileRefused = { selevel: NO_SELINUX, serole: NO_SELINUX, setype: NO_SELINUX, seuser: NO_SELINUX } as const;

/** File flags (chattr), behind the call that has made the file. @param path shell that gives its path */
export function flagsCall(args: Args, path: string): Pick<ModuleCall, "shell" | "libs"> {
  const flags = text(args, "attributes");
  if (flags === "") return { shell: "", libs: [] };
  if (!/^[-+=]?[A-Za-z]*$/.test(flags)) throw new ArgumentError("attributes are letters of chattr", "attributes");
  return { shell: `m_flags ${path} ${quote(flags)}\n`, libs: ["flags"] };
}

/** The words OWNER GROUP MODE. @throws ArgumentError for a name that chown would take for an option */
export function attributes(args: Args): [string, string, string] {
  if (args.unsafe_writes === true)
    throw new ArgumentError("files are replaced whole, never rewritten", "unsafe_writes");
  for (const name of ["owner", "group"]) {
    const value = text(args, name);
    if (value.startsWith("-")) throw new ArgumentError(`${name} is ${JSON.stringify(value)}, no account name`, name);
  }
  return [text(args, "owner"), text(args, "group"), text(args, "mode")];
}

/** A call of a library function, each word quoted; an empty word stays a word. */
export function call(name: string, ...words: string[]): string {
  return `${name} ${words.map(word).join(" ")}\n`;
}

/**
 * Splits as Python's shlex (POSIX mode) does: quotes group, a backslash escapes, no expansion.
 * @throws ArgumentError for an open quote.
 */
export function splitWords(line: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let mark = "";
  for (let i = 0; i < line.length; i++) {
    const c = line.charAt(i);
    if (mark === "'") {
      if (c === "'") mark = "";
      else word = (word ?? "") + c;
    } else if (mark === '"') {
      if (c === '"') mark = "";
      else if (c === "\\" && /["\\$`\n]/.test(line.charAt(i + 1))) word = (word ?? "") + line.charAt(++i);
      else word = (word ?? "") + c;
    } else if (c === "'" || c === '"') {
      mark = c;
      word ??= "";
    } else if (c === "\\" && i + 1 < line.length) word = (word ?? "") + line.charAt(++i);
    else if (/\s/.test(c)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? "") + c;
  }
  if (mark !== "") throw new ArgumentError(`the command has an open quote: ${line}`);
  if (word !== undefined) words.push(word);
  return words;
}

/** Lines that set the environment of a command. @throws ArgumentError for what is no variable's name */
export function environmentLines(environment: Readonly<Record<string, string>>): string {
  const lines = Object.entries(environment).map(([name, value]) => {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) throw new ArgumentError(`environment: ${name} is no variable name`);
    return `export ${name}=${word(value)}\n`;
  });
  return lines.join("");
}

/**
 * `validate:` as the function V, whose first argument is the file to check.
 * @throws ArgumentError when it does not hold `%s`.
 */
export function validator(template: string): string {
  if (template === "") return "";
  if (!template.includes("%s"))
    throw new ArgumentError("validate does not say where the file goes: %s is missing", "validate");
  const words = splitWords(template).map((word) =>
    word
      .split("%s")
      .map((part) => (part === "" ? "" : quote(part)))
      .join('"$1"'),
  );
  return `VLD=1\nV() { ${words.map((word) => word || "''").join(" ")}; }\n`;
}

export { commandWord, quote, quoteAll };

const PYTHON_ONLY = /\(\?(?!:)|\\[bBAZz]|\*\?|\+\?|\?\?/;

/**
 * A Python regular expression as POSIX extended, for grep -E.
 * @throws ArgumentError for what has no counterpart (look-around, lazy repeats, word boundaries).
 */
export function posixRegex(source: string, argument: string): string {
  if (PYTHON_ONLY.test(source)) {
    throw new ArgumentError(
      `${argument} uses a part of Python's regular expressions that POSIX lacks: ${source}`,
      argument,
    );
  }
  let result = "";
  let inClass = false;
  for (let i = 0; i < source.length; i++) {
    const c = source.charAt(i);
    if (c === "\\") {
      const next = source.charAt(++i);
      const set = { s: "[:space:]", d: "0-9", w: "[:alnum:]_" }[next];
      const not = { S: "[:space:]", D: "0-9", W: "[:alnum:]_" }[next];
      if (set !== undefined) result += inClass ? set : `[${set}]`;
      else if (not !== undefined && !inClass) result += `[^${not}]`;
      else if (next === "t") result += "\t";
      else if (inClass) result += next;
      else result += /[A-Za-z0-9_/"' #%&,:;<=>@`~!-]/.test(next) ? next : `\\${next}`;
    } else if (c === "[" && !inClass) {
      inClass = true;
      result += c;
      if (source.charAt(i + 1) === "^") result += source.charAt(++i);
      if (source.charAt(i + 1) === "]") result += source.charAt(++i);
    } else if (c === "]" && inClass) {
      inClass = false;
      result += c;
    } else if (c === "(" && source.startsWith("(?:", i)) {
      i += 2;
      result += "(";
    } else result += c;
  }
  return result;
}
