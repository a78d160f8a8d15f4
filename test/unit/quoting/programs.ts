import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Segment } from "../../../src/engine/compiled.js";
import { type ProgramOptions, programText } from "../../../src/engine/program.js";
import { inEnvironment } from "../../../src/engine/task-environment.js";
import { coerceArgs } from "../../../src/modules/args.js";
import { libTexts } from "../../../src/modules/registry.js";
import { ArgumentError, type ModuleContext, type TaskModule } from "../../../src/modules/types.js";
import type { ArgSpec, Value } from "../../../src/playbook/types.js";
import { InputError } from "../../../src/util/errors.js";
import type { Nasty, NastyWords } from "./nasty.js";
import type { Sandbox } from "./sandbox.js";

/** One call of a module with a word of ill will in one of its arguments. */
export interface NastyCall {
  /** `module.argument` */
  readonly where: string;
  readonly words: readonly Nasty[];
  readonly shell: string;
}

/** How often arguments are made anew until the module takes them: some contradict each other. */
const TRIES = 60;
const INFO = { digest: "5".repeat(32), size: 12, firstLine: "#!/bin/sh", mode: 0o755 };

/** Makes calls whose words stay below a sandbox. */
export class NastyCalls {
  constructor(
    readonly words: NastyWords,
    readonly sandbox: Sandbox,
  ) {}

  /** A call of `module` with an ill word in `name`; undefined when it takes none there. */
  call(module: TaskModule, name: string): NastyCall | undefined {
    for (let left = TRIES; left > 0; left--) {
      const used: Nasty[] = [];
      const given: Record<string, Value> = {};
      for (const [each, arg] of Object.entries(module.spec.args)) {
        if (each === name) given[each] = this.#nasty(arg, used);
        else if (arg.required === true || each === "timeout" || this.words.number(3) === 0)
          given[each] = this.#plain(each, arg);
      }
      try {
        const built = module.build(coerceArgs(module.spec, given), this.#context(used));
        // What only looks is made for check mode.
        const look = this.words.number(4) === 0 ? `K=1\n${built.look ?? built.shell}` : built.shell;
        return { where: `${module.spec.name}.${name}`, words: used, shell: look };
      } catch (error) {
        if (!(error instanceof ArgumentError) && !(error instanceof InputError)) throw error;
      }
    }
    return undefined;
  }

  /** A call in an environment of ill will. */
  environment(module: TaskModule): NastyCall {
    const word = this.words.word();
    const args = module.spec.freeForm === true ? { argv: ["record", "x"] } : { path: this.#path("env") };
    const environment = { ILL: word.text };
    const built = module.build(coerceArgs(module.spec, args), { ...this.#context([]), environment });
    return {
      where: `environment of ${module.spec.name}`,
      words: [word],
      shell: inEnvironment(environment)(built.shell),
    };
  }

  #path(name: string): string {
    return join(this.sandbox.work, name);
  }

  /** A path of ill will, at which there may be a file or a directory. */
  #nastyPath(used: Nasty[]): string {
    const word = this.words.fileName();
    used.push(word);
    if (this.words.number(4) === 0) return word.text;
    const path = join(this.sandbox.work, word.text);
    const what = this.words.number(3);
    if (what === 0) {
      writeFileSync(path, `first\n${word.text}\nlast\n`);
      this.sandbox.own(path);
    } else if (what === 1) {
      mkdirSync(path, { recursive: true });
      const inside = this.words.fileName();
      writeFileSync(join(path, inside.text), "inside\n");
      for (const one of [path, join(path, inside.text)]) this.sandbox.own(one);
    }
    return path;
  }

  #nasty(arg: ArgSpec, used: Nasty[]): Value {
    const word = () => {
      const one = this.words.number(40) === 0 ? this.words.long() : this.words.word();
      used.push(one);
      return one.text;
    };
    switch (arg.type) {
      case "path":
        return this.#nastyPath(used);
      case "list":
        return this.words.flip() ? [word()] : [word(), "plain", word()];
      case "dict":
        return { [`Name-${this.words.number(9)}`]: word(), ...(this.words.flip() ? { [word()]: "x" } : {}) };
      default:
        return word();
    }
  }

  #plain(name: string, arg: ArgSpec): Value {
    if (name === "paths") return [this.#path("plain")];
    if (arg.choices !== undefined) return this.words.pick(arg.choices);
    switch (arg.type) {
      case "bool":
        return this.words.flip();
      case "int":
      case "float":
        return this.words.number(3);
      case "mode":
        return this.words.pick(["0640", "u=rw,go=r", "0755"]);
      case "list":
        return [this.words.pick(["one", "two"])];
      case "dict":
        return { A: "b" };
      case "path":
        return this.#path(this.words.pick(["plain", "other", "deep/er"]));
      default:
        return name === "url" ? "http://127.0.0.1:9/x" : name === "name" ? "plain" : this.words.pick(["plain", "0:1"]);
    }
  }

  #context(used: Nasty[]): ModuleContext {
    const inTree = () => {
      const word = this.words.fileName();
      used.push(word);
      return word.text;
    };
    return {
      resolve: (path, folder) => `/play/${folder}/${path}`,
      describe: () => INFO,
      bytes: () => Buffer.from("x\n"),
      tree: () =>
        this.words.number(3) === 0
          ? [
              { path: "d", kind: "directory", mode: 0o755 },
              { path: `d/${inTree()}`, kind: "file", mode: 0o644 },
            ]
          : undefined,
      content: () => INFO,
      renderTemplate: () => "text",
      canFetch: () => this.words.flip(),
      comesFrom: () => undefined,
      controllerPath: (path) => `/play/${path}`,
      hashes: () => undefined,
      hostName: "host",
      wantsResult: true,
      wants: () => true,
      wantDiff: this.words.flip(),
      environment: {},
      ...(this.words.number(5) === 0 ? { async: { seconds: 1, poll: 1 } } : {}),
    };
  }
}

const SEGMENT: Segment = {
  target: { local: false, user: undefined },
  body: "",
  libs: new Set(libTexts.keys()),
  realLibs: new Set(libTexts.keys()),
  calls: [],
  probes: new Map(),
  units: new Set(),
  acts: true,
  meeting: undefined,
  once: undefined,
  awaits: undefined,
  ends: undefined,
  next: undefined,
  known: [],
  bails: new Set(),
  stops: [],
};

/** A program of calls, each of which may fail without ending it. */
export function programOf(
  shells: readonly string[],
  options: Partial<ProgramOptions> = {},
  segment: Partial<Segment> = {},
) {
  const sent = `mkdir "$W/p"; echo sent >"$W/p/${INFO.digest}"\n`;
  const calls = shells.map((shell, index) => `if B ${index + 1}; then\n${shell}E i\nfi\n`);
  return programText(
    { ...SEGMENT, body: sent + calls.join(""), ...segment },
    {
      ...{ nonce: "nonce", run: "run", check: false, diff: true, later: false, start: 1, alone: true, own: false },
      ...{ lockFile: undefined, who: "who", host: "host", handlerNames: [], notified: new Set(), ended: new Map() },
      ...options,
    },
  );
}
