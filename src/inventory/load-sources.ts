import { dirname, extname, join } from "node:path";
import { InputError, InputErrors } from "../util/errors.js";
import { GroupGraph } from "./group-graph.js";
import { readIni } from "./ini-inventory.js";
import { INLINE_FILE, isInlineInventory, readInline } from "./inline-inventory.js";
import { looksLikeIni, readGroups, settled } from "./inventory-file.js";
import { isListInventory, readList } from "./list-inventory.js";
import { buildInventory, type FileVars, type LoadOptions, readFileVars, readInventory } from "./load-inventory.js";
import { fileReaders } from "./readers.js";
import type { Inventory } from "./types.js";
import { noVault } from "./vault/vault.js";
import { parseSource } from "./yaml-source.js";

/** Endings that Ansible's YAML reader takes; others are INI. */
const YAML_ENDINGS = ["", ".yml", ".yaml", ".json"];
/** Names and endings that Ansible leaves out of a directory of inventories. */
const LEFT_OUT =
  /^\.|^host_vars$|^group_vars$|^vars_plugins$|\.(pyc|pyo|swp|bak|rpm|md|txt|rst|orig|ini|cfg|retry)$|~$/;

export interface SourcesOptions extends LoadOptions {
  /** Its `group_vars` and `host_vars` are read, too. */
  readonly playbookDirectory?: string;
}

/**
 * Reads an inventory as `ansible-playbook -i` does: files (YAML, INI, the JSON of `ansible-inventory --list`), directories of such
 * files, hosts with commas between them, and several of these, of which a later one wins; with `group_vars` and `host_vars`
 * beside each and beside the playbook.
 * @throws InputErrors with every problem of all files
 */
export async function loadSources(sources: readonly string[], options: SourcesOptions = {}): Promise<Inventory> {
  const { readers = fileReaders, vault = noVault, playbookDirectory } = options;
  const loader = new SourceLoader({ readers, vault });
  for (const source of sources) await loader.read(source);
  const errors = [...loader.errors, ...settled(loader.graph)];
  const varsOf = async (directories: Iterable<string>): Promise<FileVars[]> => {
    const found: FileVars[] = [];
    for (const directory of directories) {
      const read = await readFileVars(directory, loader.graph, { readers, vault, strays: false });
      errors.push(...read.errors);
      found.push(read.vars);
    }
    return found;
  };
  const beside = await varsOf(loader.directories);
  const playbook = await varsOf(playbookDirectory === undefined ? [] : [playbookDirectory]);
  if (errors.length > 0) throw new InputErrors(errors);
  return { ...buildInventory(loader.files[0] ?? INLINE_FILE, loader.graph, beside, playbook), sources };
}

class SourceLoader {
  readonly graph = new GroupGraph({ file: INLINE_FILE, line: 1, column: 1 });
  readonly errors: InputError[] = [];
  readonly files: string[] = [];
  /** Where `group_vars` and `host_vars` may be. */
  readonly directories = new Set<string>();

  constructor(private readonly options: Required<LoadOptions>) {}

  async read(source: string): Promise<void> {
    if (isInlineInventory(source)) {
      this.errors.push(...readInline(source, this.graph, "ungrouped"));
      return;
    }
    const entries = await this.options.readers.list(source);
    this.directories.add(entries === undefined ? dirname(source) : source);
    if (entries === undefined) await this.#file(source);
    else await this.#directory(source);
  }

  async #directory(path: string): Promise<void> {
    const entries = [...((await this.options.readers.list(path)) ?? [])].sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const { name, directory } of entries) {
      if (LEFT_OUT.test(name)) continue;
      if (directory) await this.#directory(join(path, name));
      else await this.#file(join(path, name));
    }
  }

  async #file(file: string): Promise<void> {
    this.files.push(file);
    const { readers, vault } = this.options;
    const { text, secret } = await readInventory(file, readers, vault);
    this.errors.push(...this.#content(file, text, secret));
  }

  #content(file: string, text: string, secret: boolean): readonly InputError[] {
    if (/^#!|^\x7fELF|\0/.test(text)) return [isProgram(file)];
    const ending = extname(file);
    if (ending === ".toml") return [isToml(file)];
    if (!YAML_ENDINGS.includes(ending) || looksLikeIni(text)) return readIni(text, file, this.graph);
    const { root, errors } = parseSource(text, file, { secret });
    if (root?.entries !== undefined && isListInventory(root)) return readList(root, this.graph);
    const isYaml = errors.length === 0 && root?.entries !== undefined;
    if (ending === "" && !isYaml) return readIni(text, file, this.graph);
    return errors.length > 0 ? errors : readGroups(root, this.graph, file);
  }
}

function isProgram(file: string): InputError {
  return new InputError("E_INVENTORY", `the inventory ${file} is a program, and those are not run`, {
    position: { file, line: 1, column: 1 },
    hint: `keep what it prints: ansible-inventory -i ${file} --list > inventory.json`,
  });
}

function isToml(file: string): InputError {
  return new InputError("E_INVENTORY", `the inventory ${file} is TOML, which is not read`, {
    position: { file, line: 1, column: 1 },
    hint: `convert it: ansible-inventory -i ${file} --list --yaml --export > inventory.yml`,
  });
}
