import type { RunEvent } from "./events.js";

/** A display: it sees run events and nothing else. */
export interface Reporter {
  event(event: RunEvent): void;
  /** Called once when no more events come: stops timers, flushes. */
  end(): void;
}

/** Where a reporter writes. */
export interface Output {
  /** The result: a plan, a recap. */
  readonly result: (text: string) => void;
  /** Everything else. */
  readonly progress: (text: string) => void;
}

/** One reporter of several. */
export function combine(reporters: readonly Reporter[]): Reporter {
  return {
    event(event) {
      for (const reporter of reporters) reporter.event(event);
    },
    end() {
      for (const reporter of reporters) reporter.end();
    },
  };
}
