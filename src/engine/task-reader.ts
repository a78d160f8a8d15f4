import { resolve } from "node:path";
import type { LookupReader } from "../playbook/scope.js";
import { InputError } from "../util/errors.js";
import type { CompileInput } from "./compile-input.js";
import { NeedsControllerError } from "./compile-task.js";
import type { Draft } from "./draft.js";
import { AskedFacts } from "./facts-asked.js";
import { FactsWantedError, UnsentResultError } from "./language.js";

/** What tasks that are compiled read of this machine. */
export class TaskReader {
  readonly #input: CompileInput;
  readonly #draft: Draft;
  #finished = false;

  constructor(input: CompileInput, draft: Draft) {
    this.#input = input;
    this.#draft = draft;
  }

  /** What is read from now on is read while the program runs, or later. */
  finish(): void {
    this.#finished = true;
  }

  /** Reads this machine's files as they are when a task's turn has come. */
  get reader(): LookupReader {
    const { reader } = this.#input.options;
    return {
      ...reader,
      readFile: (path) => {
        this.beforeRead(path);
        const text = reader.readFile(path);
        if (text !== undefined) {
          this.#beforeUse(text);
          this.beforeText(text);
        }
        return text;
      },
      kindOf: (path, follow) => {
        this.beforeRead(resolve(path));
        if (this.#worksHere()) throw new NeedsControllerError();
        return reader.kindOf(path, follow);
      },
    };
  }

  /** What a template that is read by another names is known when it is read. */
  #beforeUse(text: string): void {
    if (this.#finished) return;
    const asked = new AskedFacts();
    asked.text(text);
    if (asked.groups.size === 0) return;
    const { known, sights } = this.#input.host;
    const all = [...sights, ...this.#draft.sights];
    const owed = known
      .lacks((fact) => all.some((sight) => sight.shows(fact)))
      .filter((group) => asked.groups.has(group));
    if (owed.length > 0) throw new FactsWantedError(owed);
  }

  /** @throws NeedsControllerError where a call of this program brings the file */
  beforeRead(path: string): void {
    if (this.#finished) return;
    for (const dest of this.#draft.brought) {
      if (dest === path || dest.startsWith(`${path.replace(/\/+$/, "")}/`)) throw new NeedsControllerError();
    }
  }

  /** @throws UnsentResultError where a file asks for more of a result than a look has sent */
  beforeText(text: string): void {
    const register = this.#input.check ? this.#input.uses.asksForMore(text) : undefined;
    if (register === undefined) return;
    if (!this.#finished) throw new UnsentResultError(register);
    throw new InputError("E_NEEDS_RESULT", `This needs fields of ${register}, which are not there before apply.`);
  }

  /** Whether calls of this program may make or remove any file of this machine. */
  #worksHere(): boolean {
    const works = this.#draft.calls.some((call) => call.decided === undefined && call.brings === undefined);
    return !this.#finished && !this.#input.check && this.#draft.target?.local === true && works;
  }
}
