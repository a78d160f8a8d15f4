import { Text } from "ink";
import { useEffect, useState } from "react";
import { formatDuration } from "../../report/format.js";
import { equivalentCommand } from "../../wizard/to-command.js";
import type { HostPlan, WizardOutcome } from "../../wizard/types.js";
import { Line } from "../components/line.js";
import { useKeys } from "../hooks/use-keys.js";
import { useLatest } from "../hooks/use-latest.js";
import { useTerminalSize } from "../hooks/use-terminal-size.js";
import { commandFor } from "../keymap.js";
import { useTheme } from "../theme.js";
import { FRAME_ROWS, PageFrame } from "./page-frame.js";
import type { PageProps } from "./page-props.js";
import { wrapped } from "./wrapped.js";

type Planning =
  | { readonly status: "running"; readonly text: string }
  | { readonly status: "done"; readonly plans: readonly HostPlan[] }
  | { readonly status: "failed"; readonly text: string };

/** A plan that has just come is not confirmed by a key that was meant for the page before, milliseconds. */
const SEEN_MS = 500;

const actions = ["apply", "save", "print", "back"] as const;
type Action = (typeof actions)[number];

export interface ReviewProps extends PageProps {
  readonly onEnd: (outcome: WizardOutcome) => void;
}

/** What would happen, by a real plan; and what to do with it. Until here nothing was written or changed. */
export function ReviewPage(props: ReviewProps) {
  const { context, onBack, onEnd, services } = props;
  const { answers } = context;
  const { rows, columns } = useTerminalSize();
  const { symbols } = useTheme();
  const throwAway = answers.hosts.some((host) => host.kind === "throw-away");
  const planning = usePlan(props, throwAway);
  const seen = useSeen(planning.status === "done" && isPossible(planning.plans));
  const [view, setView, latest] = useLatest<{ chosen: Action; top: number }>({ chosen: "apply", top: 0 });
  const menu: readonly Action[] = throwAway ? ["apply", "back"] : actions;
  const lines = planLines(planning, throwAway, symbols).flatMap((line) => wrapped(line, columns - 1));
  const room = Math.max(1, rows - 2 - FRAME_ROWS - 3);
  const most = Math.max(0, lines.length - room);

  useKeys((input, key) => {
    const now = latest.current;
    const at = menu.indexOf(now.chosen);
    switch (commandFor("wizard", input, key)) {
      case "back":
        return onBack();
      case "previous":
        return setView({ ...now, top: Math.max(0, Math.min(now.top, most) - 1) });
      case "following":
        return setView({ ...now, top: Math.min(most, now.top + 1) });
      case "less":
        return setView({ ...now, chosen: menu[Math.max(0, at - 1)] ?? "apply" });
      case "more":
        return setView({ ...now, chosen: menu[Math.min(menu.length - 1, at + 1)] ?? "back" });
      case "next":
        if (now.chosen === "back") return onBack();
        // An unfinished or impossible plan is nothing to apply; nor is one that came under a finger on Enter.
        if (now.chosen === "apply" && !seen) return;
        return onEnd({ action: now.chosen, answers });
    }
  }, props.active);

  const words: Record<Action, string> = {
    apply: planning.status === "done" ? "Apply" : "Apply (after the plan)",
    save: `Save ${services.inventoryFile} only`,
    print: "Print the command",
    back: "Back",
  };
  const command = equivalentCommand(answers, { inventoryFile: services.inventoryFile, apply: true });
  return (
    <PageFrame
      {...props}
      footer={[
        { key: "left right", help: "choose" },
        { key: "enter", help: "do it" },
        { key: "up down", help: "scroll" },
        { key: "esc", help: "back" },
      ]}
    >
      {lines.slice(Math.min(view.top, most), Math.min(view.top, most) + room).map((line, index) => (
        <Line key={`${index} ${line}`}>{line === "" ? " " : line}</Line>
      ))}
      {lines.length > room ? (
        <Line>{`  ${symbols.ellipsis} ${lines.length - room} more lines: down`}</Line>
      ) : (
        <Line> </Line>
      )}
      {throwAway ? <Line> </Line> : <Line>{`the same again: ${command}`.slice(0, columns)}</Line>}
      <Text wrap="truncate">
        {menu.map((action) => (
          <Text key={action} inverse={action === view.chosen} bold={action === view.chosen}>
            {action === view.chosen ? `[ ${words[action]} ]` : `  ${words[action]}  `}
          </Text>
        ))}
      </Text>
    </PageFrame>
  );
}

/** A host that cannot be an edge is no reason to leave the others alone; only such hosts are nothing to apply to. */
function isPossible(plans: readonly HostPlan[]): boolean {
  return plans.length === 0 || plans.some((plan) => plan.problem === undefined);
}

/** true once something has been on the screen for long enough to be noticed. */
function useSeen(shown: boolean): boolean {
  const [seen, setSeen] = useState(false);
  useEffect(() => {
    if (!shown) return;
    const timer = setTimeout(() => setSeen(true), SEEN_MS);
    return () => clearTimeout(timer);
  }, [shown]);
  return seen;
}

function usePlan({ context, services, asks }: PageProps, throwAway: boolean): Planning {
  const [planning, setPlanning] = useState<Planning>(
    throwAway ? { status: "done", plans: [] } : { status: "running", text: "connecting" },
  );
  // one plan for each time that the page opens
  useEffect(() => {
    if (throwAway) return;
    const controller = new AbortController();
    services
      .plan(
        context.answers,
        asks,
        (event) => {
          if (event.type === "task.start")
            setPlanning({ status: "running", text: `${event.host}: ${event.task.name}` });
        },
        controller.signal,
      )
      .then(
        (plans) => setPlanning({ status: "done", plans }),
        (error: unknown) => {
          if (!controller.signal.aborted) setPlanning({ status: "failed", text: messagesOf(error) });
        },
      );
    return () => controller.abort();
  }, []);
  return planning;
}

/** Several mistakes of one file come as one error with parts. */
function messagesOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const parts = "errors" in error && Array.isArray(error.errors) ? error.errors : [error];
  return parts.map((part) => (part instanceof Error ? part.message : String(part))).join("\n");
}

function planLines(planning: Planning, throwAway: boolean, symbols: ReturnType<typeof useTheme>["symbols"]): string[] {
  if (throwAway) {
    return [
      "A Debian host is booted on this machine, made an edge, and proven with a test stream.",
      "It is gone, with everything of it, when you press Ctrl-C.",
    ];
  }
  if (planning.status === "running")
    return [`${symbols.bullet} looking, changing nothing${symbols.ellipsis} ${planning.text}`];
  if (planning.status === "failed") return planning.text.split("\n").map((line) => `${symbols.failed} ${line}`);
  return planning.plans.flatMap((plan) => hostLines(plan, symbols));
}

function hostLines(plan: HostPlan, symbols: ReturnType<typeof useTheme>["symbols"]): string[] {
  if (plan.problem !== undefined) return [`${symbols.failed} ${plan.host}: ${plan.problem}`];
  const { host, create, change, keep, estimateMs, tasks } = plan;
  if (tasks.length === 0) return [`${symbols.ok} ${host}: nothing would change, ${keep} tasks are right already`];
  const time =
    estimateMs === undefined
      ? "how long it takes on this kind of machine is not known yet"
      : `about ${formatDuration(estimateMs)} on this kind of machine`;
  return [
    `${host}: + ${create} create  ~ ${change} change  = ${keep} keep ${symbols.separator} ${time}`,
    ...tasks.map((task) => `  ~ ${task.name}: ${task.reason}`),
  ];
}
