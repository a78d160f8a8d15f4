import { EVENT_VERSION } from "../report/events.js";

export type FindingLevel = "ok" | "note" | "problem" | "unreachable";

/** One thing that `doctor` found. */
export interface Finding {
  /** undefined: this machine and this package. */
  readonly host?: string;
  readonly level: FindingLevel;
  /** Stable name of the check, such as `clock` or `advisory`. */
  readonly check: string;
  readonly text: string;
  /** What to do about it. */
  readonly hint?: string;
  /** Of an advisory. */
  readonly id?: string;
  readonly url?: string;
}

/** How `doctor` calls this machine in its lines. */
const HERE = "here";
const WORDS: Readonly<Record<FindingLevel, string>> = {
  ok: "ok",
  note: "note",
  problem: "PROBLEM",
  unreachable: "unreachable",
};

/** A finding as lines for people. */
export function findingLines({ host = HERE, level, text, hint, url }: Finding): string[] {
  const more = level === "problem" || level === "unreachable" ? [hint, url] : [];
  return [`${host}  ${WORDS[level]}  ${text}`, ...more.flatMap((line) => (line === undefined ? [] : [`  ${line}`]))];
}

/** A finding as one line of JSON (docs/events.md). */
export function findingJson(finding: Finding, time: string): string {
  return JSON.stringify({ type: "doctor.finding", version: EVENT_VERSION, time, ...finding });
}
