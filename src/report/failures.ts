import { isFailure, type RunEvent } from "./events.js";

/** Last lines of a failed task's output, or of its log where it said nothing, that are told again at the end. */
export const LAST_LINES = 20;

/** What failed on a host, as every display says it last. */
export interface Failure {
  readonly title: string;
  /** Last lines of output. */
  readonly lines: readonly string[];
  readonly hint: string | undefined;
}

/** The block of one host on which something failed, line by line. @param path of its log, where there is one */
export function failureLines(host: string, failures: readonly Failure[], path: string | undefined): string[] {
  return [
    "",
    `${host} FAILED`,
    ...failures.flatMap(({ title, lines, hint }) => [
      `  ${title}`,
      ...lines.map((line) => `    | ${line}`),
      ...(hint === undefined ? [] : hint.split("\n").map((line) => `    ${line}`)),
    ]),
    ...(path === undefined ? [] : [`  log: ${path}`]),
  ];
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
        if (!isFailure(event)) return;
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
    const lines = [...this.#failures].flatMap(([host, failures]) =>
      failureLines(host, failures, this.#paths.get(host)),
    );
    return lines.map((line) => `${line}\n`).join("");
  }

  #add(host: string, title: string, lines: readonly string[], hint?: string): void {
    this.#failures.set(host, [...(this.#failures.get(host) ?? []), { title, lines, hint }]);
  }
}
