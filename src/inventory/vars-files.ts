import { extname, join } from "node:path";
import { InputError } from "../util/errors.js";
import { suggest } from "../util/suggest.js";
import type { VarMap } from "./group-graph.js";
import { type DirectoryEntry, type Readers, readProblem } from "./readers.js";
import { openFile } from "./vault/open-file.js";
import type { Vault } from "./vault/vault.js";
import { parseSource } from "./yaml-source.js";

/** Ansible's YAML_FILENAME_EXTENSIONS, after the plain name: the first that exists is read, and no other. */
const EXTENSIONS = ["", ".yml", ".yaml", ".json"];

/** Reads `group_vars` or `host_vars` beside the inventory, as Ansible finds its files. Errors are collected. */
export class VarsDirectory {
  readonly errors: InputError[] = [];
  readonly #path: string;
  readonly #readers: Readers;
  readonly #vault: Vault;
  readonly #entries: readonly DirectoryEntry[];

  private constructor(path: string, readers: Readers, vault: Vault, entries: readonly DirectoryEntry[]) {
    this.#path = path;
    this.#readers = readers;
    this.#vault = vault;
    this.#entries = entries;
  }

  static async open(path: string, readers: Readers, vault: Vault): Promise<VarsDirectory> {
    return new VarsDirectory(path, readers, vault, (await readers.list(path)) ?? []);
  }

  /** Variables of one group or host; later files win. */
  async varsOf(name: string): Promise<VarMap> {
    const vars: VarMap = new Map();
    for (const file of await this.#filesOf(name))
      for (const [key, entry] of await this.#read(file)) vars.set(key, entry);
    return vars;
  }

  /** Files whose names are nearly those of a group or host would be ignored without a word. */
  reportStrays(names: readonly string[]): void {
    for (const entry of this.#entries) {
      const stem = entry.directory ? entry.name : entry.name.slice(0, entry.name.length - extname(entry.name).length);
      if (names.includes(stem) || names.includes(entry.name) || entry.name.startsWith(".")) continue;
      const near = suggest(stem, names);
      if (near !== undefined)
        this.#report(join(this.#path, entry.name), "belongs to no group or host", `rename it to ${near}`);
    }
  }

  async #filesOf(name: string): Promise<readonly string[]> {
    const found = EXTENSIONS.flatMap((ext) => this.#entries.filter((entry) => entry.name === name + ext));
    const [first, ...ignored] = found;
    if (first === undefined) return [];
    const path = join(this.#path, first.name);
    for (const { name: other } of ignored)
      this.#report(
        join(this.#path, other),
        `is ignored by Ansible, as ${path} exists`,
        first.directory ? `move it into the directory: ${join(path, `main${extname(other)}`)}` : "keep one of the two",
      );
    return first.directory ? await this.#filesBelow(path) : [path];
  }

  async #filesBelow(directory: string): Promise<string[]> {
    const entries = [...((await this.#readers.list(directory)) ?? [])].sort((a, b) => (a.name < b.name ? -1 : 1));
    const files: string[] = [];
    for (const { name, directory: isDirectory } of entries) {
      if (name.startsWith(".") || name.endsWith("~")) continue;
      const path = join(directory, name);
      if (isDirectory && extname(name) === "") files.push(...(await this.#filesBelow(path)));
      else if (!isDirectory && EXTENSIONS.includes(extname(name))) files.push(path);
    }
    return files;
  }

  async #read(file: string): Promise<VarMap> {
    const vars: VarMap = new Map();
    const { text, secret } = await this.#open(file);
    if (text === undefined) return vars;
    const { root, errors } = parseSource(text, file, { secret });
    this.errors.push(...errors);
    if (root === undefined || root.value === null || errors.length > 0) return vars;
    if (root.entries === undefined) this.#report(file, "is not a mapping of variables");
    for (const { key, node } of root.entries?.values() ?? [])
      vars.set(key, { value: node.value, position: node.position });
    return vars;
  }

  /** The file's text, decrypted; undefined when it cannot be had, which is reported. */
  async #open(file: string): Promise<{ readonly text: string | undefined; readonly secret: boolean }> {
    try {
      return await openFile(await this.#readers.readText(file), file, this.#vault);
    } catch (error) {
      if (error instanceof InputError) this.errors.push(error);
      else this.#report(file, `cannot be read: ${readProblem(error)}`);
      return { text: undefined, secret: false };
    }
  }

  #report(file: string, message: string, hint?: string): void {
    const position = { file, line: 1, column: 1 };
    this.errors.push(new InputError("E_VARS_FILE", `${file} ${message}`, { position, hint }));
  }
}
