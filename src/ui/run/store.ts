import { type Modal, ModalQueue } from "../modal-queue.js";
import { emptyRun, type ReduceOptions, type RunAction, type RunState, reduceRun } from "./state.js";

/** Events of a busy run come by hundreds a second; the screen is told at most this often, milliseconds. */
const TICK_MS = 100;

export interface RunSnapshot {
  readonly run: RunState;
  readonly modal: Modal | undefined;
  /** Set while failed hosts may be tried again. */
  readonly after: ((wish: "quit" | "retry") => void) | undefined;
}

/** The state that the view shows, updated in batches. */
export class RunStore {
  #snapshot: RunSnapshot = { run: emptyRun, modal: undefined, after: undefined };
  #queue: RunAction[] = [];
  #timer: NodeJS.Timeout | undefined;
  readonly #modals = new ModalQueue((modal) => this.#set({ modal }));
  readonly #listeners = new Set<() => void>();

  constructor(readonly options: ReduceOptions) {}

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly snapshot = (): RunSnapshot => this.#snapshot;

  dispatch(action: RunAction): void {
    this.#queue.push(action);
    this.#timer ??= setTimeout(() => this.flush(), TICK_MS);
  }

  /** Applies what waits, and tells the view. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const actions = mergeLogs(this.#queue);
    this.#queue = [];
    if (actions.length === 0) return;
    const run = actions.reduce((state, action) => reduceRun(state, action, this.options), this.#snapshot.run);
    this.#set({ run });
  }

  confirm(text: string): Promise<boolean> {
    return this.#modals.confirm(text);
  }

  secret(text: string): Promise<string | undefined> {
    return this.#modals.line("secret", text);
  }

  /** Waits for what the operator wants after a run with failed hosts. */
  after(): Promise<"quit" | "retry"> {
    return new Promise((resolve) => {
      this.#set({
        after: (wish) => {
          this.#set({ after: undefined });
          resolve(wish);
        },
      });
    });
  }

  #set(part: Partial<RunSnapshot>): void {
    this.#snapshot = { ...this.#snapshot, ...part };
    for (const listener of this.#listeners) listener();
  }
}

/** One action for all lines that one host logged meanwhile: a line each would copy its log as often. */
function mergeLogs(actions: readonly RunAction[]): RunAction[] {
  const merged: RunAction[] = [];
  const lines = new Map<string, string[]>();
  for (const action of actions) {
    if (action.type !== "task.log") {
      merged.push(action);
      continue;
    }
    const known = lines.get(action.host);
    if (known !== undefined) known.push(action.line);
    else {
      const fresh = [action.line];
      lines.set(action.host, fresh);
      merged.push({ type: "ui.logs", host: action.host, lines: fresh });
    }
  }
  return merged;
}
