import { InputError, type Position } from "../util/errors.js";
import type { GroupGraph, VarMap } from "./group-graph.js";
import { expandHosts } from "./host-range.js";
import { iniValue } from "./ini-value.js";
import { ANY_GROUP_NAME, HOST_NAME, splitPort } from "./inventory-file.js";
import { shlexWords } from "./shlex-words.js";

const SECTION = /^\[([^:\]\s]+)(?::(\w+))?\]\s*(?:#.*)?$/;
const CHILD = /^([^:\]\s]+)\s*(?:#.*)?$/;
const KINDS = ["hosts", "vars", "children"];

/** Puts an INI inventory, as Ansible reads it, into a graph, and gives what is wrong with it. */
export function readIni(text: string, file: string, graph: GroupGraph): InputError[] {
  const reader = new IniReader(file, graph);
  for (const [index, line] of text.split(/\r?\n/).entries()) reader.line(line, index + 1);
  return reader.end();
}

class IniReader {
  readonly #errors: InputError[] = [];
  /** Groups that a section for hosts or children makes; others are only named. */
  readonly #declared = new Set<string>(["all", "ungrouped"]);
  /** Groups that others name, and how. */
  readonly #named: { readonly name: string; readonly section: string; readonly position: Position }[] = [];
  #group = "ungrouped";
  #kind = "hosts";

  constructor(
    private readonly file: string,
    private readonly graph: GroupGraph,
  ) {
    for (const name of graph.groups.keys()) this.#declared.add(name);
  }

  line(written: string, number: number): void {
    const line = written.trim();
    if (line === "" || /^[;#]/.test(line)) return;
    const position = { file: this.file, line: number, column: written.length - written.trimStart().length + 1 };
    try {
      this.#read(line, position);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      this.#errors.push(error);
    }
  }

  end(): InputError[] {
    for (const { name, section, position } of this.#named) {
      if (this.#declared.has(name)) continue;
      const message = `the section [${section}] names the group ${name}, which has none of its own`;
      this.#errors.push(problem(message, position, `add [${name}]`));
    }
    return this.#errors;
  }

  #read(line: string, position: Position): void {
    const section = SECTION.exec(line);
    if (section !== null) this.#section(section[1] ?? "", section[2] ?? "hosts", position);
    else if (line.startsWith("[") && line.endsWith("]"))
      throw problem(`${line} is not a section`, position, "write [group], [group:vars] or [group:children]");
    else if (this.#kind === "hosts") this.#hosts(line, position);
    else if (this.#kind === "vars") this.#groupVariable(line, position);
    else this.#child(line, position);
  }

  #section(name: string, kind: string, position: Position): void {
    if (!ANY_GROUP_NAME.test(name))
      throw problem(`${JSON.stringify(name)} is not a name for a group`, position, "use letters, digits and _");
    if (!KINDS.includes(kind))
      throw problem(
        `[${name}:${kind}] is no kind of section`,
        position,
        "write [group], [group:vars] or [group:children]",
      );
    this.#group = name;
    this.#kind = kind;
    this.graph.group(name, position);
    if (kind === "vars") this.#named.push({ name, section: `${name}:vars`, position });
    else this.#declared.add(name);
  }

  #child(line: string, position: Position): void {
    const [, name] = CHILD.exec(line) ?? [];
    if (name === undefined || !ANY_GROUP_NAME.test(name))
      throw problem(`${JSON.stringify(line)} is not a name for a group`, position);
    this.#named.push({ name, section: `${this.#group}:children`, position });
    this.graph.group(name, position);
    this.graph.group(this.#group, position).children.add(name);
  }

  #groupVariable(line: string, position: Position): void {
    const at = line.indexOf("=");
    if (at < 1) throw problem(`${JSON.stringify(line)} has no value`, position, "write key=value");
    const group = this.graph.group(this.#group, position);
    const key = line.slice(0, at).trim();
    const text = line.slice(at + 1).trim();
    const place = { ...position, column: position.column + at + 1 };
    if (key !== "ansible_group_priority") setVariable(group.vars, key, text, place);
    else if (/^-?\d+$/.test(text)) group.priority = Number(text);
    else throw problem("ansible_group_priority is not a whole number", place);
  }

  #hosts(line: string, position: Position): void {
    const place = (at: number) => ({ ...position, column: position.column + at });
    const [first, ...rest] = attempt(position, () => shlexWords(line));
    if (first === undefined) return;
    for (const written of attempt(position, () => expandHosts(first.word))) {
      const { name, port } = splitPort(written);
      if (!HOST_NAME.test(name)) {
        const hint = name.includes("@") ? "write the user as ansible_user=" : "use letters, digits, . _ -";
        throw problem(`${JSON.stringify(written)} is not a name for a host`, position, hint);
      }
      const host = this.graph.host(name, position);
      this.graph.group(this.#group, position).hosts.add(name);
      if (port !== undefined) host.vars.set("ansible_port", { value: port, position });
      for (const { word, at } of rest) {
        const equals = word.indexOf("=");
        if (equals < 1)
          throw problem(`${JSON.stringify(word)} is not a variable of the host`, place(at), "write key=value");
        setVariable(host.vars, word.slice(0, equals), word.slice(equals + 1), place(at));
      }
    }
  }
}

function setVariable(vars: VarMap, key: string, text: string, position: Position): void {
  const value = attempt(position, () => iniValue(text), `quote it twice: ${key}="'${text}'"`);
  vars.set(key, { value, position });
}

/** A RangeError of `read` gets its place. */
function attempt<T>(position: Position, read: () => T, hint?: string): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw problem(error.message, position, hint);
  }
}

function problem(message: string, position: Position, hint?: string): InputError {
  return new InputError("E_INVENTORY", message, { position, hint });
}
