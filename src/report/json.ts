import type { Output, Reporter } from "./reporter.js";

/** Every event as one line of JSON on stdout (docs/events.md). */
export function jsonReporter(output: Output): Reporter {
  return {
    event: (event) => output.result(`${JSON.stringify(event)}\n`),
    end: () => undefined,
  };
}
