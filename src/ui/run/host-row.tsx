import { Text } from "ink";
import { formatDuration } from "../../report/format.js";
import { ProgressBar } from "../components/progress-bar.js";
import { statusLook, useTheme } from "../theme.js";
import type { HostState } from "./state.js";

export interface HostRowProps {
  readonly host: HostState;
  readonly chosen: boolean;
  readonly nameWidth: number;
  readonly bar: number;
  readonly detail: boolean;
  readonly frame: number;
  readonly now: number;
  readonly remaining: number | undefined;
  /** Also the module and the place of the task. */
  readonly command: boolean;
}

/** One host of the live region, in one row. */
export function HostRow(props: HostRowProps) {
  const { host, chosen, nameWidth, bar, detail, remaining } = props;
  const { symbols } = useTheme();
  const { sign, color, bold } = useLook(props);
  const fraction = fractionOf(host);
  return (
    <Text wrap="truncate">
      {chosen ? symbols.pointer : " "}{" "}
      <Text {...(color === undefined ? {} : { color })} bold={bold}>
        {sign}
      </Text>{" "}
      {host.name.padEnd(nameWidth)}{" "}
      {bar > 0 && (
        <>
          <ProgressBar fraction={fraction} width={bar} />{" "}
        </>
      )}
      {counted(host)} {phaseText(props)}
      {detail && remaining !== undefined ? `  ~${formatDuration(remaining)} left` : ""}
    </Text>
  );
}

function useLook({ host, frame }: HostRowProps): { sign: string; color: string | undefined; bold: boolean } {
  const { symbols } = useTheme();
  const kind = host.phase.kind;
  if (kind === "running" || kind === "connected") {
    return { sign: symbols.frames[frame % symbols.frames.length] ?? "", color: "cyan", bold: false };
  }
  const status = kind === "waiting" ? "queued" : kind === "done" ? "ok" : kind;
  const { symbol, color, bold } = statusLook(status, symbols);
  return { sign: symbol, color, bold: bold === true };
}

function fractionOf({ phase, done, total }: HostState): number {
  if (phase.kind === "done") return 1;
  if (total === 0) return 0;
  const part =
    phase.kind === "running" && phase.progress !== undefined
      ? phase.progress.done / Math.max(1, phase.progress.total)
      : 0;
  return (done + part) / total;
}

function counted({ done, total }: HostState): string {
  return total === 0 ? "" : `${Math.min(done, total)}/${total}`.padStart(5);
}

function phaseText({ host, now, detail, command }: HostRowProps): string {
  const { phase } = host;
  switch (phase.kind) {
    case "waiting":
      return "waiting";
    case "connected":
      return "working";
    case "done":
      return "done";
    case "failed":
      return `FAILED ${phase.label}: ${phase.reason}`;
    case "unreachable":
      return `UNREACHABLE ${phase.reason}`;
    case "running": {
      const place = command && phase.task !== undefined ? ` [${phase.task.module} ${phase.task.path}]` : "";
      const spent = detail ? ` ${formatDuration(Math.max(0, now - phase.startedAt))}` : "";
      const { progress } = phase;
      if (progress === undefined || progress.total === 0) return `${phase.label}${place}${spent}`;
      const percent = `${Math.floor((progress.done / progress.total) * 100)}%`;
      const file = detail && progress.text !== "" ? `  ${progress.text}` : "";
      return `${phase.label}${place} ${percent} ${progress.done}/${progress.total}${spent}${file}`;
    }
  }
}
