import type { RunEvent } from "../report/events.js";
import type { Reporter } from "../report/reporter.js";
import { type DurationTable, durationsOf, rememberDuration, WORTH_MS } from "../store/durations.js";
import { configFolder, Preferences } from "../store/preferences.js";

interface Measured {
  readonly model: string;
  readonly task: string;
  readonly ms: number;
}

/** Remembers how long tasks take on a kind of machine, and tells it to displays. */
export class Durations implements Reporter {
  readonly #models = new Map<string, string>();
  readonly #measured: Measured[] = [];
  #preferences: Promise<Preferences> | undefined;
  #known: Preferences | undefined;
  #check = false;

  constructor(readonly warn: (text: string) => void = (text) => process.stderr.write(`edge-setup: ${text}\n`)) {}

  /** Reads what is remembered: conf costs a fifth of a second, so not before somebody asks. */
  async load(): Promise<Preferences> {
    this.#preferences ??= Preferences.open(configFolder(), this.warn);
    this.#known = await this.#preferences;
    return this.#known;
  }

  /** Milliseconds by task name; nothing before `load` has ended. */
  estimatesFor(model: string): Readonly<Record<string, number>> {
    return this.#known === undefined ? {} : durationsOf(this.#known.kept.durations, model);
  }

  event(event: RunEvent): void {
    if (event.type === "run.start") this.#check = event.check;
    else if (event.type === "host.facts" && event.model !== undefined) this.#models.set(event.host, event.model);
    else if (event.type === "task.result" && !this.#check) {
      const model = this.#models.get(event.host);
      if (model === undefined || event.status !== "changed" || event.durationMs < WORTH_MS) return;
      this.#measured.push({ model, task: event.task.name, ms: event.durationMs });
    }
  }

  end(): void {
    // Written by save, which takes its time.
  }

  /** Keeps what this run measured; nothing is opened where there is nothing to keep. */
  async save(): Promise<void> {
    if (this.#measured.length === 0) return;
    const preferences = await this.load();
    const measured = this.#measured.splice(0);
    const remember = (table: DurationTable) =>
      measured.reduce((now, { model, task, ms }) => rememberDuration(now, model, task, ms), table);
    preferences.update((kept) => ({ ...kept, durations: remember(kept.durations) }), this.warn);
  }
}
