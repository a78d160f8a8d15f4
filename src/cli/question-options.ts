import { questions } from "../wizard/questions.js";
import { type MoreOptions, optionTable } from "./options.js";

/** A flag for each question of the wizard, but for those that every command has. */
export function questionOptions(): MoreOptions {
  const own = questions.filter((question) => !(question.flag in optionTable));
  return Object.fromEntries(
    own.map((question) => {
      const choices = question.choices?.({ answers: { hosts: [], settings: {} }, checks: {} });
      const words = choices === undefined ? "" : `: ${choices.map((choice) => choice.value).join(", ")}`;
      const standard = question.default({ answers: { hosts: [], settings: {} }, checks: {} });
      const usual = standard === "" ? "" : `. Default: ${standard}`;
      const value = question.value === undefined ? {} : { value: question.value };
      return [question.flag, { type: "string", ...value, help: `${question.label}${words}. ${question.help}${usual}` }];
    }),
  );
}
