import { startText } from "../../wizard/flow.js";
import type { Question, QuestionContext } from "../../wizard/question.js";
import type { Answers } from "../../wizard/types.js";
import { useKeys } from "../hooks/use-keys.js";
import { useLatest } from "../hooks/use-latest.js";
import { commandFor } from "../keymap.js";

export interface FormState {
  readonly active: number;
  readonly texts: Readonly<Record<string, string>>;
  readonly error: string;
  readonly reveal: boolean;
}

export interface FormOptions {
  readonly questions: readonly Question[];
  readonly context: QuestionContext;
  readonly generate: () => string;
  /** All fields hold what their questions take. */
  readonly onDone: (answers: Answers) => void;
  /** @param answers those of the fields that are right */
  readonly onBack: (answers: Answers) => void;
  readonly active: boolean;
  /** Takes keys before the form does; true when it has. */
  readonly intercept?: (command: string | undefined) => boolean;
}

/** The fields of a page: moved between, typed into, checked one by one on the way down. */
export function useForm({ questions, context, generate, onDone, onBack, active, intercept }: FormOptions) {
  const [state, setState, latest] = useLatest<FormState>({
    active: 0,
    texts: Object.fromEntries(questions.map((question) => [question.key, startText(question, context)])),
    error: "",
    reveal: false,
  });
  const problemOf = (question: Question): string | undefined =>
    question.validate((latest.current.texts[question.key] ?? "").trim(), context);
  const answers = (): Answers =>
    questions.reduce(
      (now, question) => question.write((latest.current.texts[question.key] ?? "").trim(), now),
      context.answers,
    );
  const rightAnswers = (): Answers =>
    questions
      .filter((question) => problemOf(question) === undefined)
      .reduce(
        (now, question) => question.write((latest.current.texts[question.key] ?? "").trim(), now),
        context.answers,
      );
  const setText = (text: string) => {
    const question = questions[latest.current.active];
    if (question === undefined) return;
    const { texts } = latest.current;
    setState({ ...latest.current, texts: { ...texts, [question.key]: text }, error: "" });
  };

  const goOn = () => {
    const at = latest.current.active;
    const question = questions[at];
    const problem = question === undefined ? undefined : problemOf(question);
    if (problem !== undefined) return setState({ ...latest.current, error: problem });
    if (at + 1 < questions.length) return setState({ ...latest.current, active: at + 1, error: "" });
    const wrong = questions.findIndex((one) => problemOf(one) !== undefined);
    const bad = questions[wrong];
    if (bad !== undefined) return setState({ ...latest.current, active: wrong, error: problemOf(bad) ?? "" });
    onDone(answers());
  };

  useKeys((input, key) => {
    const command = commandFor("wizard", input, key);
    if (intercept?.(command) === true) return;
    const now = latest.current;
    const question = questions[now.active];
    switch (command) {
      case "next":
        return goOn();
      case "back":
        return onBack(rightAnswers());
      case "previous":
        return now.active === 0 ? onBack(rightAnswers()) : setState({ ...now, active: now.active - 1, error: "" });
      case "following":
        return setState({ ...now, active: Math.min(questions.length - 1, now.active + 1), error: "" });
      case "less":
      case "more":
        if (question?.kind === "select") setText(neighbour(question, context, now.texts, command === "more" ? 1 : -1));
        return;
      case "reveal":
        return setState({ ...now, reveal: !now.reveal });
      case "generate":
        if (question?.kind === "secret") setText(generate());
        return;
    }
  }, active);
  return { state, setText, answers };
}

function neighbour(
  question: Question,
  context: QuestionContext,
  texts: Readonly<Record<string, string>>,
  step: number,
): string {
  const values = (question.choices?.(context) ?? []).map((choice) => choice.value);
  const at = values.indexOf(texts[question.key] ?? "");
  return values[(Math.max(0, at) + step + values.length) % Math.max(1, values.length)] ?? "";
}
