import type { Question } from "../../wizard/question.js";
import type { Answers, WizardOutcome, WizardServices } from "../../wizard/types.js";
import { type InkOptions, withInk } from "../terminal.js";
import { WizardApp } from "./wizard-app.js";

/**
 * Asks the questions on pages, until the operator applies, saves, prints or leaves.
 * @param initial what flags have answered already
 */
export function runInkWizard(
  questions: readonly Question[],
  services: WizardServices,
  initial: Answers,
  options: InkOptions,
): Promise<WizardOutcome> {
  return withInk<WizardOutcome>(
    (exit) => <WizardApp questions={questions} services={services} initial={initial} onEnd={exit} />,
    options,
  );
}
