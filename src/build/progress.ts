/** What build.sh tells on stdout. */
export type BuildLine =
  | { readonly kind: "step"; readonly name: string }
  | { readonly kind: "progress"; readonly done: number; readonly total: number; readonly file: string };

/** Files compiled before a rate is worth telling, and seconds: the first files are the small ones. */
const MIN_FILES = 5;
const MIN_SECONDS = 3;

/** Reads one line of build.sh's output; undefined for any other text. */
export function parseBuildLine(line: string): BuildLine | undefined {
  const step = /^@@step (.+?)\s*$/.exec(line);
  if (step?.[1] !== undefined) return { kind: "step", name: step[1] };
  const progress = /^@@progress (\d+) (\d+)(?: (.*?))?\s*$/.exec(line);
  if (progress === null) return undefined;
  const done = Number(progress[1]);
  const total = Number(progress[2]);
  if (total === 0) return undefined;
  return { kind: "progress", done: Math.min(done, total), total, file: progress[3] ?? "" };
}

export interface BuildState {
  readonly step: string;
  readonly done: number;
  /** 0 before the number of files is known. */
  readonly total: number;
  readonly file: string;
  /** Seconds to the end of the compile at the pace of this run; undefined while that is a guess. */
  readonly etaSeconds: number | undefined;
}

/**
 * Follows a build by its lines. The pace counts only what this run compiled: a resumed build starts with files that
 * cost nothing now.
 * @param now milliseconds of a steady clock
 */
export class BuildProgress {
  #state: BuildState = { step: "", done: 0, total: 0, file: "", etaSeconds: undefined };
  #first: { readonly at: number; readonly done: number } | undefined;

  constructor(private readonly now: () => number) {}

  get state(): BuildState {
    return this.#state;
  }

  /** Takes one line; gives the new state, or undefined when the line says nothing. */
  feed(line: string): BuildState | undefined {
    const parsed = parseBuildLine(line);
    if (parsed === undefined) return undefined;
    if (parsed.kind === "step") {
      this.#state = { ...this.#state, step: parsed.name, etaSeconds: undefined };
      return this.#state;
    }
    // Parallel compilers may finish writing their lines in another order than they counted.
    const done = parsed.total === this.#state.total ? Math.max(parsed.done, this.#state.done) : parsed.done;
    this.#first ??= { at: this.now(), done };
    const { total, file } = parsed;
    this.#state = { step: this.#state.step, done, total, file, etaSeconds: this.#eta(done, total) };
    return this.#state;
  }

  #eta(done: number, total: number): number | undefined {
    if (this.#first === undefined) return undefined;
    const seconds = (this.now() - this.#first.at) / 1000;
    const files = done - this.#first.done;
    if (files < MIN_FILES || seconds < MIN_SECONDS) return undefined;
    return Math.ceil((seconds / files) * (total - done));
  }
}
