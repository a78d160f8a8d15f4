import type { Page, Question, QuestionContext } from "../../wizard/question.js";
import type { Answers, HostCheck, Questions, WizardServices } from "../../wizard/types.js";

/** What every page is given. */
export interface PageProps {
  readonly page: Page;
  readonly pages: readonly Page[];
  readonly questions: readonly Question[];
  readonly context: QuestionContext;
  readonly services: WizardServices;
  /** Questions of the transport, shown over the page. */
  readonly asks: Questions;
  /** false while something lies over the page: it keeps its state and hears no keys. */
  readonly active: boolean;
  readonly onCheck: (host: string, check: HostCheck) => void;
  readonly onNext: (answers?: Answers) => void;
  /** @param answers what the page has by then; answers stay */
  readonly onBack: (answers?: Answers) => void;
}
