/** A role's files: where it is, and what stands in them. */
import { posix } from "node:path";
import type { Position } from "../util/errors.js";
import type { LoadContext } from "./load-context.js";
import type { TemplatedVars } from "./types.js";
import { readYaml, type YamlNode } from "./yaml-nodes.js";

/** As Ansible: of these the first that is there. */
const ENDINGS = [".yml", ".yaml", ".json", ""];
/** A role is where one of them is. */
const PARTS = ["tasks", "handlers", "defaults", "vars", "meta", "templates", "files"] as const;

export type RolePart = "tasks" | "handlers" | "defaults" | "vars" | "meta";

export interface RoleFile {
  readonly path: string;
  /** undefined for an empty file. */
  readonly node: YamlNode | undefined;
}

export class RoleFiles {
  /** @param directory the role's own */
  constructor(
    readonly directory: string,
    private readonly context: LoadContext,
  ) {}

  /** Whether there is anything of a role. */
  get exists(): boolean {
    return PARTS.some((part) => this.#list(part) !== undefined || this.#main(part) !== undefined);
  }

  #list(part: string): readonly string[] | undefined {
    return this.context.options.listFolder?.(posix.join(this.directory, part));
  }

  /** The path of `main`, or of the file that is asked for by name. */
  #main(part: string, name?: string): string | undefined {
    const endings = name === undefined ? ENDINGS : ["", ...ENDINGS.slice(0, -1)];
    const paths = endings.map((ending) => posix.join(this.directory, part, `${name ?? "main"}${ending}`));
    return paths.find((path) => this.context.options.readFile(path) !== undefined);
  }

  has(part: RolePart, name: string): boolean {
    return this.#main(part, name) !== undefined;
  }

  /** A file of the role; undefined when it is not there, which is a mistake where it is asked for by name. */
  file(part: RolePart, name: string | undefined, from: Position): RoleFile | undefined {
    const path = this.#main(part, name);
    if (path !== undefined) return this.#read(path);
    if (name !== undefined) {
      this.context.problem(from, `the role has no file ${posix.join(this.directory, part, name)}`);
    }
    return undefined;
  }

  /** Variables of a file, or of all files of a directory of its name. */
  vars(part: "defaults" | "vars", name: string | undefined, from: Position): TemplatedVars {
    const inner = name ?? "main";
    const several = this.#main(part, name) === undefined ? this.#list(posix.join(part, inner)) : undefined;
    const files =
      several === undefined
        ? [this.file(part, name, from)]
        : [...several]
            .filter((one) => /\.(?:ya?ml|json)$/.test(one))
            .sort()
            .map((one) => this.#read(posix.join(this.directory, part, inner, one)));
    return Object.assign({}, ...files.map((file) => this.#varsOf(file)));
  }

  #varsOf(file: RoleFile | undefined): TemplatedVars {
    return file?.node === undefined ? {} : this.context.vars(file.node, `the file ${file.path}`);
  }

  #read(path: string): RoleFile {
    const text = this.context.options.readFile(path) ?? "";
    return { path, node: readYaml(path, text, this.context.report) };
  }
}
