import type { RunEvent } from "./events.js";
import { indent } from "./format.js";

/** Last lines of a failed task's output, or of its log where it said nothing, that are told again at the end. */
const LAST_LINES = 20;

interface Failure {
  readonly title: string;
  readonly lines: readonly string[];
  readonly hint: string | undefined;
}

/** Remembers what failed on which host, so that it can be said last, where it is seen. */
export class Failures {
  readonly #failures = new Map<string, Failure[]>();
  readonly #logs = new Map<string, string[]>();
  readonly #paths = new Map<string, string>();

  note(event: RunEvent): void {
    switch (event.type) {
      case "run.start":
        for (const kept of [this.#failures, this.#logs, this.#paths]) kept.clear();
        return;
      case "task.start":
        this.#logs.delete(event.host);
        return;
      case "task.log":
        this.#logs.set(event.host, [...(this.#logs.get(event.host) ?? []), event.line].slice(-LAST_LINES));
        return;
      case "task.result": {
        if (event.status !== "failed" || event.ignored === true) return;
        const said = (event.output ?? "").split("\n").filter((line) => line.trim() !== "");
        const lines = said.length > 0 ? said.slice(-LAST_LINES) : (this.#logs.get(event.host) ?? []);
        this.#add(event.host, `${event.task.name} (${event.task.module}, ${event.task.path}): ${event.reason}`, lines);
        return;
      }
      case "check.result":
        if (event.status === "fail") this.#add(event.host, `${event.check.title}: ${event.reason}`, [], event.hint);
        return;
      case "host.unreachable":
        this.#add(event.host, `${event.text} (${event.code})`, [], event.hint);
        return;
      case "host.end":
        if (event.log !== undefined) this.#paths.set(event.host, event.log);
        return;
      default:
        return;
    }
  }

  /** A block for each host on which something failed; empty when nothing did. */
  text(): string {
    return [...this.#failures]
      .map(([host, failures]) => {
        const path = this.#paths.get(host);
        const parts = failures.flatMap(({ title, lines, hint }) => [
          `  ${title}\n`,
          ...lines.map((line) => `    | ${line}\n`),
          ...(hint === undefined ? [] : [`${indent(indent(hint))}\n`]),
        ]);
        return `\n${host} FAILED\n${parts.join("")}${path === undefined ? "" : `  log: ${path}\n`}`;
      })
      .join("");
  }

  #add(host: string, title: string, lines: readonly string[], hint?: string): void {
    this.#failures.set(host, [...(this.#failures.get(host) ?? []), { title, lines, hint }]);
  }
}
