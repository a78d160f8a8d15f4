import type { HostSample } from "../../watch/types.js";
import { type Modal, ModalQueue } from "../modal-queue.js";
import { cleanLine } from "../sanitize.js";
import { emptyWatch, reduceWatch, type WatchState } from "./state.js";

/** Samples of many hosts come at any time; the screen is told at most this often, milliseconds. */
const TICK_MS = 100;
/** Lines of a log that are kept. */
const LOG_LINES = 2000;

export interface WatchSnapshot {
  readonly watch: WatchState;
  readonly modal: Modal | undefined;
  readonly notice: string;
  /** The log that is open, or was last. */
  readonly log: { readonly host: string; readonly lines: readonly string[]; readonly dropped: number };
}

/** The state that the dashboard shows, updated in batches. */
export class WatchStore {
  #snapshot: WatchSnapshot;
  #samples: HostSample[] = [];
  #lines: string[] = [];
  #timer: NodeJS.Timeout | undefined;
  readonly #listeners = new Set<() => void>();
  readonly questions = new ModalQueue((modal) => this.#set({ modal }));

  constructor(hosts: readonly string[]) {
    this.#snapshot = {
      watch: emptyWatch(hosts),
      modal: undefined,
      notice: "",
      log: { host: "", lines: [], dropped: 0 },
    };
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly snapshot = (): WatchSnapshot => this.#snapshot;

  sample(sample: HostSample): void {
    this.#samples.push(sample);
    this.#later();
  }

  notice(text: string): void {
    this.#set({ notice: text });
  }

  /** Begins the log of a host. */
  openLog(host: string): void {
    this.#lines = [];
    this.#set({ log: { host, lines: [], dropped: 0 } });
  }

  logLine(host: string, line: string): void {
    if (host !== this.#snapshot.log.host) return;
    this.#lines.push(cleanLine(line));
    this.#later();
  }

  /** Applies what waits, and tells the view. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const watch = this.#samples.reduce(reduceWatch, this.#snapshot.watch);
    this.#samples = [];
    const { log } = this.#snapshot;
    const lines = [...log.lines, ...this.#lines];
    this.#lines = [];
    const cut = Math.max(0, lines.length - LOG_LINES);
    this.#set({ watch, log: { ...log, lines: lines.slice(cut), dropped: log.dropped + cut } });
  }

  #later(): void {
    this.#timer ??= setTimeout(() => this.flush(), TICK_MS);
  }

  #set(part: Partial<WatchSnapshot>): void {
    this.#snapshot = { ...this.#snapshot, ...part };
    for (const listener of this.#listeners) listener();
  }
}
