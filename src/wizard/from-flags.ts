import { readFileSync } from "node:fs";
import { InputError, InputErrors } from "../util/errors.js";
import type { Question } from "./question.js";
import { noAnswers } from "./questions.js";
import type { Answers } from "./types.js";

/** Flags of the question table, as parsed. */
export type QuestionFlags = Readonly<Record<string, unknown>>;

/**
 * What the flags answer. A secret's flag names a file, so that no secret is on a command line.
 * @throws InputErrors with every flag that cannot be right
 */
export function answersFromFlags(
  questions: readonly Question[],
  flags: QuestionFlags,
  readText: (file: string) => string = (file) => readFileSync(file, "utf8"),
): Answers {
  const errors: InputError[] = [];
  let answers = noAnswers;
  for (const question of questions) {
    const given = flags[question.flag];
    if (typeof given !== "string") continue;
    const context = { answers, checks: {} };
    try {
      const text = question.kind === "secret" ? readText(given).replace(/\r?\n$/, "") : given.trim();
      const problem =
        text === "" && question.kind === "secret" ? "the file is empty" : question.validate(text, context);
      if (problem === undefined) answers = question.write(text, answers);
      else errors.push(new InputError("E_FLAG_VALUE", `--${question.flag}: ${problem}`, { hint: question.help }));
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      errors.push(new InputError("E_FLAG_VALUE", `--${question.flag} ${given} cannot be read: ${why}`));
    }
  }
  if (errors.length > 0) throw new InputErrors(errors);
  return answers;
}
