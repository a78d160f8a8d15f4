import { useEffect, useState } from "react";
import { questionsOf } from "../../wizard/flow.js";
import type { Question } from "../../wizard/question.js";
import type { CheckVerdict } from "../../wizard/types.js";
import { Line } from "../components/line.js";
import { useTerminalSize } from "../hooks/use-terminal-size.js";
import { statusLook, useTheme } from "../theme.js";
import { Fields } from "./fields.js";
import { FRAME_ROWS, PageFrame } from "./page-frame.js";
import type { PageProps } from "./page-props.js";
import { useForm } from "./use-form.js";

/** Milliseconds without a key before a slow check begins. */
const PAUSE_MS = 400;

/** A page that is a form: stream settings, secrets, domain. */
export function FormPage(props: PageProps) {
  const { page, context, services, onNext, onBack, questions: all } = props;
  const { rows } = useTerminalSize();
  const { symbols } = useTheme();
  const questions = questionsOf(all, page, context);
  const { state, setText } = useForm({
    questions,
    context,
    generate: () => services.generateSecret().reveal(),
    onDone: onNext,
    onBack,
    active: props.active,
  });
  const verdict = useVerdict(questions[state.active], state.texts, props);
  const capabilities = page === "stream" ? capabilityLines(props) : [];
  const room = rows - 2 - FRAME_ROWS - (verdict === undefined ? 0 : 1);
  const said = capabilities.slice(0, Math.max(0, room - questions.length - 2));
  const look = verdict === undefined ? undefined : statusLook(verdict.status, symbols);
  return (
    <PageFrame
      {...props}
      footer={[
        { key: "enter", help: "next" },
        { key: "esc", help: "back" },
        ...(page === "secrets"
          ? [
              { key: "ctrl-r", help: "generate" },
              { key: "ctrl-v", help: "show" },
            ]
          : page === "stream"
            ? [{ key: "left right", help: "choose" }]
            : []),
        { key: "ctrl-g", help: "keys" },
      ]}
    >
      {said.map((text) => (
        <Line key={text}>{`  ${text}`}</Line>
      ))}
      <Fields
        questions={questions}
        context={context}
        texts={state.texts}
        active={state.active}
        error={state.error}
        reveal={state.reveal}
        rows={room - said.length}
        onText={setText}
        listening={props.active}
      />
      {verdict !== undefined && look !== undefined && (
        <Line {...(look.color === undefined ? {} : { color: look.color })}>{`  ${look.symbol} ${verdict.text}`}</Line>
      )}
    </PageFrame>
  );
}

function capabilityLines({ context }: PageProps): string[] {
  return context.answers.hosts.flatMap((host) => {
    const check = context.checks[host.name];
    return check?.status === "ok" ? [`${host.name}: ${check.portrait.capability}`] : [];
  });
}

/** What a slow check says of the active field, once typing has paused; a new key cancels it. */
function useVerdict(
  question: Question | undefined,
  texts: Readonly<Record<string, string>>,
  { context, services }: PageProps,
): CheckVerdict | undefined {
  const [verdict, setVerdict] = useState<CheckVerdict>();
  const text = (question === undefined ? "" : (texts[question.key] ?? "")).trim();
  // the context changes with every answer, the check only with the text
  useEffect(() => {
    setVerdict(undefined);
    const check = question?.check;
    if (check === undefined || text === "" || question?.validate(text, context) !== undefined) return;
    const controller = new AbortController();
    const timer = setTimeout(() => {
      const show = (said: CheckVerdict) => {
        if (!controller.signal.aborted) setVerdict(said);
      };
      check(text, context, services, controller.signal).then(show, () => undefined);
    }, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [question?.key, text]);
  return verdict;
}
