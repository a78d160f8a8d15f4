import type { Answers, CheckVerdict, HostCheck, WizardServices } from "./types.js";

/** Pages of the wizard, in order. */
export const pages = ["hosts", "login", "stream", "secrets", "domain", "review"] as const;
export type Page = (typeof pages)[number];

/** What is known while questions are asked. */
export interface QuestionContext {
  readonly answers: Answers;
  /** Results of the live connection test by host name. */
  readonly checks: Readonly<Record<string, HostCheck>>;
}

export interface Choice {
  readonly value: string;
  readonly label: string;
  /** Shown beside it: where it comes from, what it means. */
  readonly note?: string;
}

/**
 * One question: the Ink wizard, the linear wizard, the flags of `init`, `--help`, completion, edges.yml and the
 * equivalent command are all made from this row. Values are texts, as typed; `read` and `write` go between them and
 * the answers.
 */
export interface Question {
  /** Stable identifier: `hosts`, `user`, `hls_fragment`. */
  readonly key: string;
  readonly page: Page;
  /** Flag of `init` without the dashes: `host`, `hls-fragment`. */
  readonly flag: string;
  /** Placeholder of the flag's value; absent for yes/no questions. */
  readonly value?: string;
  readonly label: string;
  /** One sentence under the field and in `--help`. */
  readonly help: string;
  readonly kind: "hosts" | "text" | "secret" | "select" | "confirm";
  readonly choices?: (context: QuestionContext) => readonly Choice[];
  /** What Enter takes; empty where nothing is a fine answer. */
  readonly default: (context: QuestionContext) => string;
  /** What is wrong with the text, in words, or undefined. */
  readonly validate: (text: string, context: QuestionContext) => string | undefined;
  readonly when: (context: QuestionContext) => boolean;
  /** Takes time, may be cancelled; what it says is shown and holds nobody back. */
  readonly check?: (
    text: string,
    context: QuestionContext,
    services: WizardServices,
    signal: AbortSignal,
  ) => Promise<CheckVerdict>;
  /** The text of what is answered; undefined when it is not. */
  readonly read: (answers: Answers) => string | undefined;
  readonly write: (text: string, answers: Answers) => Answers;
}
