import { Box, Text } from "ink";
import { Line } from "../components/line.js";
import { TextInput } from "../components/text-input.js";
import { useTerminalSize } from "../hooks/use-terminal-size.js";
import { useTheme } from "../theme.js";
import type { HostState } from "./state.js";
import type { ViewState } from "./view-state.js";

export interface LogPaneProps {
  readonly host: Pick<HostState, "name" | "log" | "dropped">;
  readonly view: Pick<ViewState, "top" | "filter" | "typing">;
  readonly rows: number;
  /** What was said last, such as that a stop was asked for. */
  readonly notice: string;
  readonly onFilter: (text: string) => void;
}

/** The log of one host over the whole live region. It follows the end until it is scrolled. */
export function LogPane({ host, view, rows, notice, onFilter }: LogPaneProps) {
  const { symbols } = useTheme();
  const { columns } = useTerminalSize();
  const page = Math.max(1, rows - 2);
  const end = Math.max(0, host.log.length - page);
  const from = view.top === undefined ? end : Math.min(end, Math.max(0, view.top - host.dropped));
  const lines = host.log.slice(from, from + page);
  const place =
    view.top === undefined
      ? "follows"
      : `line ${host.dropped + from + 1} of ${host.dropped + host.log.length}, paused: G follows`;
  return (
    <Box flexDirection="column" width={columns - 1}>
      <Text wrap="truncate" bold>
        {`${host.name} ${symbols.separator} log ${symbols.separator} ${place}`}
      </Text>
      {lines.map((line, index) => (
        <Line key={host.dropped + from + index}>
          {view.filter !== "" && line.includes(view.filter) ? (
            <Text bold>{`${symbols.pointer} ${line}`}</Text>
          ) : line === "" ? (
            " "
          ) : (
            line
          )}
        </Line>
      ))}
      {view.typing ? (
        <Box>
          <Text>/</Text>
          <TextInput value={view.filter} onChange={onFilter} isActive />
        </Box>
      ) : (
        <Line>{notice === "" ? "esc back  g top  G end  / find  n N next and previous" : notice}</Line>
      )}
    </Box>
  );
}
