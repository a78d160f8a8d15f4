import { quote } from "../util/shell.js";

/** One shell word, the empty one too. */
export const word = (text: string): string => (text === "" ? "''" : quote(text));

/** `$NAME` and `${NAME}`, as Python's os.path.expandvars sees them. */
const VARIABLE = /(\$[A-Za-z_]\w*|\$\{[A-Za-z_]\w*\})/;
/** `~` and `~user` at the start, as os.path.expanduser. */
const HOME = /^~[A-Za-z0-9_.-]*(?=\/|$)/;
/** What a shell sets for itself, and no program finds in its environment. */
const SHELLS_OWN = new Set(["IFS", "LINENO", "OPTARG", "OPTIND", "PPID", "PS1", "PS2", "PS4"]);

/** Shell that gives a text in which variables and a leading `~` are expanded as Ansible does; `plain` quotes the rest. */
function expanded(text: string, variable: (name: string, written: string) => string, plain = word): string {
  const home = HOME.exec(text)?.[0] ?? "";
  const tilde = home === "~" ? '"$HOME"' : home;
  const parts = text.slice(home.length).split(VARIABLE);
  const rest = parts.map((part, index) => {
    if (part === "") return "";
    return index % 2 === 0 ? plain(part) : variable(part.replace(/[${}]/g, ""), part);
  });
  return tilde + rest.join("") || "''";
}

const escaped = (written: string) => written.replace(/[$}]/g, "\\$&");

/** One word of `command:` as shell of a process of its own: literal, but expanded as Ansible does. */
export function commandWord(text: string): string {
  return expanded(text, (name, written) =>
    SHELLS_OWN.has(name) ? quote(written) : `"\${${name}-${escaped(written)}}"`,
  );
}

/** Expanded from the environment, which the program's own variables are no part of. */
const fromEnvironment = (name: string, written: string): string =>
  name === "HOME" ? '"$HOME"' : `"$(printenv ${name} || printf %s ${quote(written)})"`;

/** An argument that is a path: expanded, and relative to where a login begins. */
export function pathWord(text: string): string {
  const path = expanded(text, fromEnvironment);
  return text === "" || /^[/~$]/.test(text) ? path : `"$HD"/${path}`;
}

/** The same in a job, which begins there. */
export function jobPath(text: string): string {
  const path = expanded(text, fromEnvironment);
  return /^[/~$]/.test(text) ? path : `./${path}`;
}

/** Parts of a file name pattern that shell and Python read alike. */
const PATTERN = /(\*|\?|\[!?[A-Za-z0-9._-]+\])/;

/** A path that may be a pattern, as shell that is to be evaluated. */
export function globWord(text: string): string {
  if (text === "") return "";
  const plain = (part: string) =>
    part
      .split(PATTERN)
      .map((piece, index) => (piece === "" || index % 2 === 1 ? piece : quote(piece)))
      .join("");
  return expanded(text, fromEnvironment, plain);
}
