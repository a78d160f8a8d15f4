import { type Page, pages, type Question, type QuestionContext } from "./question.js";

/** The questions of a page that matter with these answers. */
export function questionsOf(questions: readonly Question[], page: Page, context: QuestionContext): readonly Question[] {
  return questions.filter((question) => question.page === page && question.when(context));
}

/** Pages that have something to ask or to show with these answers, in order. */
export function pagesOf(questions: readonly Question[], context: QuestionContext): readonly Page[] {
  const throwAway = context.answers.hosts.some((host) => host.kind === "throw-away");
  return pages.filter((page) => {
    if (page === "hosts" || page === "review") return true;
    // This machine has no login, and its test is worth seeing all the same.
    if (page === "login") return !throwAway;
    return questionsOf(questions, page, context).length > 0;
  });
}

/** The text that a field begins with: what was answered before, else the default. */
export function startText(question: Question, context: QuestionContext): string {
  return question.read(context.answers) ?? question.default(context);
}
