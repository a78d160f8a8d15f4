import { useEffect, useRef, useState } from "react";
import { questionsOf } from "../../wizard/flow.js";
import type { Answers, HostCheck, HostChoice } from "../../wizard/types.js";
import { Line } from "../components/line.js";
import { useSeconds } from "../hooks/use-seconds.js";
import { useTerminalSize } from "../hooks/use-terminal-size.js";
import { useTheme } from "../theme.js";
import { Fields } from "./fields.js";
import { FRAME_ROWS, PageFrame } from "./page-frame.js";
import type { PageProps } from "./page-props.js";
import { portraitLine } from "./portrait-line.js";
import { useForm } from "./use-form.js";
import { wrapped } from "./wrapped.js";

/** User and key, and a real connection to each host with what it is. */
export function LoginPage(props: PageProps) {
  const { context, onNext, onBack, questions: all } = props;
  const { rows, columns } = useTerminalSize();
  const { symbols } = useTheme();
  const questions = questionsOf(all, "login", context);
  const checks = useChecks(props);
  const goOn = (answers: Answers) => {
    if (checks.tested(answers)) onNext(answers);
    // Enter while that very login is tried must not begin it anew.
    else if (!checks.trying(answers)) checks.start(answers);
  };
  const { state, setText, answers } = useForm({
    questions,
    context,
    generate: () => "",
    onDone: goOn,
    active: props.active,
    onBack: (given) => {
      checks.cancel();
      onBack(given);
    },
    intercept: (command) => {
      if (command === "generate") {
        checks.start(answers());
        return true;
      }
      if (questions.length > 0 || command !== "next") return false;
      goOn(answers());
      return true;
    },
  });
  // the test begins once, when the page opens
  useEffect(() => {
    checks.start(answers());
    return checks.cancel;
  }, []);

  const seconds = useSeconds(context.answers.hosts.some((host) => checks.running(host)));
  const lines = context.answers.hosts
    .flatMap((host) => hostLines(host, checks.of(host), checks.running(host), seconds, symbols))
    .flatMap((line) => wrapped(line, columns - 1));
  const room = rows - 2 - FRAME_ROWS;
  const fieldRows = Math.min(questions.length + 2, Math.max(2, room - lines.length));
  const done = context.answers.hosts.every((host) => checks.of(host)?.status === "ok");
  return (
    <PageFrame
      {...props}
      footer={[
        { key: "enter", help: done ? "go on" : "test" },
        { key: "esc", help: "back" },
        { key: "ctrl-r", help: "test again" },
        { key: "ctrl-g", help: "keys" },
      ]}
    >
      {questions.length > 0 && (
        <Fields
          questions={questions}
          context={context}
          texts={state.texts}
          active={state.active}
          error={state.error}
          reveal={state.reveal}
          rows={fieldRows}
          onText={setText}
          listening={props.active}
        />
      )}
      {lines.slice(0, Math.max(1, room - (questions.length > 0 ? fieldRows : 0))).map((line) => (
        <Line key={line}>{line}</Line>
      ))}
    </PageFrame>
  );
}

/** Connections to the hosts, one test of all of them at a time. */
function useChecks({ asks, onCheck, context, services }: PageProps) {
  const [running, setRunning] = useState<readonly string[]>([]);
  const controller = useRef<AbortController>(undefined);
  /** Logins that were tested, as text. */
  const [login, setLogin] = useState("");
  const text = (one: Answers) => JSON.stringify([one.user ?? "", one.privateKey ?? "", one.hosts]);
  const cancel = () => controller.current?.abort();
  return {
    cancel,
    of: (host: HostChoice): HostCheck | undefined => context.checks[host.name],
    running: (host: HostChoice) => running.includes(host.name),
    trying: (one: Answers) => running.length > 0 && login === text(one),
    tested: (one: Answers) =>
      login === text(one) && one.hosts.every((host) => context.checks[host.name]?.status === "ok"),
    start(one: Answers) {
      cancel();
      const mine = new AbortController();
      controller.current = mine;
      setLogin(text(one));
      setRunning(one.hosts.map((host) => host.name));
      for (const host of one.hosts) {
        services
          .checkHost(host, one, asks, mine.signal)
          .catch((error: unknown): HostCheck => failed(error))
          .then((check) => {
            if (mine.signal.aborted) return;
            onCheck(host.name, check);
            setRunning((old) => old.filter((name) => name !== host.name));
          });
      }
    },
  };
}

function failed(error: unknown): HostCheck {
  return { status: "failed", code: "E_CHECK", text: error instanceof Error ? error.message : String(error) };
}

function hostLines(
  host: HostChoice,
  check: HostCheck | undefined,
  running: boolean,
  seconds: number,
  symbols: ReturnType<typeof useTheme>["symbols"],
): string[] {
  if (running || check === undefined) {
    const since = seconds > 0 ? ` ${seconds} s` : "";
    return [`${symbols.bullet} ${host.name}: connecting${symbols.ellipsis}${since}`];
  }
  if (check.status === "failed") {
    const hint = check.hint === undefined ? [] : check.hint.split("\n").map((line) => `    ${line}`);
    return [`${symbols.failed} ${host.name}: ${check.text}`, ...hint];
  }
  const { warnings, power } = check.portrait;
  return [
    `${symbols.ok} ${host.name}: ${portraitLine(check.portrait, ` ${symbols.separator} `)}`,
    ...[...warnings, ...power.filter((one) => !warnings.some((warning) => warning.includes(one)))].map(
      (text) => `  ${symbols.warning} ${text}`,
    ),
  ];
}
