import { quoteAll } from "../util/shell.js";
import { questions } from "./questions.js";
import type { Answers } from "./types.js";

const DEFAULT_INVENTORY = "edges.yml";

export interface CommandOptions {
  readonly inventoryFile: string;
  /** Also apply. */
  readonly apply: boolean;
}

/** The command that gives the same answers without a question. Secrets stay in the secrets file, not in a command. */
export function equivalentCommand(answers: Answers, { inventoryFile, apply }: CommandOptions): string {
  const words = ["edge-setup", "init"];
  const context = { answers, checks: {} };
  for (const question of questions) {
    const text = question.read(answers);
    if (text === undefined || question.kind === "secret" || !question.when(context)) continue;
    words.push(`--${question.flag}`, text);
  }
  if (inventoryFile !== DEFAULT_INVENTORY) words.push("--inventory", inventoryFile);
  if (answers.sshPassword !== undefined) words.push("--ask-pass");
  if (answers.becomePassword !== undefined) words.push("--ask-become-pass");
  if (apply) words.push("--apply", "--yes");
  return quoteAll(words);
}
