import { Box, Text } from "ink";
import { useSyncExternalStore } from "react";
import { HelpOverlay } from "../components/help-overlay.js";
import { KeyFooter } from "../components/key-footer.js";
import { Line } from "../components/line.js";
import { ModalView } from "../components/modal.js";
import { TextInput } from "../components/text-input.js";
import { useKeys } from "../hooks/use-keys.js";
import { useLatest } from "../hooks/use-latest.js";
import { useSuspend } from "../hooks/use-suspend.js";
import { useTerminalSize } from "../hooks/use-terminal-size.js";
import { commandFor } from "../keymap.js";
import { LogPane } from "../run/log-pane.js";
import { initialView, reduceView, type ViewFacts, type ViewState } from "../run/view-state.js";
import { useTheme } from "../theme.js";
import { windowOf } from "../window.js";
import { DETAIL_LINES, Detail } from "./detail.js";
import { Row } from "./row.js";
import { type WatchRow, type WatchState, watchRows } from "./state.js";
import type { WatchSnapshot, WatchStore } from "./store.js";

const MAX_NAME = 24;
/** Header and footer. */
const FRAME_ROWS = 2;

/** What the view asks of the one who watches. */
export interface WatchActions {
  /** Follows the log of a host until it is closed. */
  openLog(host: string): void;
  closeLog(): void;
  kick(host: string, stream: string): void;
  rotate(host: string): void;
  quit(): void;
}

export interface WatchViewProps extends WatchActions {
  readonly store: WatchStore;
}

/** The dashboard: a line for each host and each of its streams, and all about the chosen one below. */
export function WatchView(props: WatchViewProps) {
  const { store } = props;
  const snapshot = useSyncExternalStore(store.subscribe, store.snapshot);
  const { watch, modal, notice } = snapshot;
  const size = useTerminalSize();
  const columns = size.columns - 1;
  const [view, setView, latest] = useLatest(initialView);
  const rows = watchRows(watch, { filter: view.screen === "log" ? "" : view.filter, problemsOnly: view.failedOnly });
  const chosen = rows.find((row) => row.key === view.host) ?? rows[0];
  useWatchKeys(props, snapshot, latest, setView, factsOf(snapshot, view, rows, size.rows), chosen, modal !== undefined);
  if (modal !== undefined) return <ModalView modal={modal} onInterrupt={props.quit} />;
  if (view.screen === "help") return <HelpOverlay screen="watch" rows={size.rows - 2} />;
  if (view.screen === "log") {
    const { host, lines, dropped } = snapshot.log;
    return (
      <LogPane
        notice={notice}
        host={{ name: host, log: lines, dropped }}
        view={view}
        rows={size.rows - 2}
        onFilter={(filter) => setView({ ...view, filter })}
      />
    );
  }
  const room = Math.max(1, size.rows - 2 - FRAME_ROWS);
  const detail = room - rows.length > 2 ? Math.min(DETAIL_LINES, room - rows.length - 1) : 0;
  const list = Math.max(1, detail > 0 ? rows.length : room);
  const { shown } = windowOf(rows, chosen === undefined ? 0 : rows.indexOf(chosen), list);
  const nameWidth = Math.min(MAX_NAME, Math.max(0, ...rows.map((row) => nameLength(row))));
  return (
    <Box flexDirection="column" width={columns}>
      <Header watch={watch} hidden={rows.length - shown.length} />
      {shown.map((row) => (
        <Row key={row.key} row={row} chosen={row.key === chosen?.key} nameWidth={nameWidth} columns={columns} />
      ))}
      {rows.length === 0 && <Line>{emptyText(view)}</Line>}
      {detail > 0 && chosen !== undefined && <Detail row={chosen} rows={detail} columns={columns} />}
      {view.typing ? (
        <Box>
          <Text>/</Text>
          <TextInput value={view.filter} onChange={(filter) => setView({ ...view, filter })} isActive />
        </Box>
      ) : notice !== "" ? (
        <Line>{notice}</Line>
      ) : (
        <KeyFooter screen="watch" />
      )}
    </Box>
  );
}

function nameLength(row: WatchRow): number {
  return row.kind === "host" ? row.host.name.length : row.stream.name.length + 2;
}

function emptyText({ filter, failedOnly }: ViewState): string {
  if (filter !== "") return `Nothing here has "${filter}" in its name: esc shows all.`;
  return failedOnly ? "No host and no stream has a problem: f shows all." : "No hosts.";
}

function factsOf(snapshot: WatchSnapshot, view: ViewState, rows: readonly WatchRow[], height: number): ViewFacts {
  const { lines, dropped } = snapshot.log;
  const matches =
    view.filter === "" ? [] : lines.flatMap((line, index) => (line.includes(view.filter) ? [index + dropped] : []));
  return {
    hosts: rows.map((row) => row.key),
    logLength: dropped + lines.length,
    dropped,
    page: Math.max(1, height - 4),
    matches,
  };
}

function useWatchKeys(
  { store, ...actions }: WatchViewProps,
  snapshot: WatchSnapshot,
  latest: { readonly current: ViewState },
  setView: (view: ViewState) => void,
  facts: ViewFacts,
  chosen: WatchRow | undefined,
  modal: boolean,
): void {
  const suspend = useSuspend();
  useKeys((input, key) => {
    const view = latest.current;
    if (key.ctrl && input === "c") return actions.quit();
    if (view.typing) {
      if (key.return || key.escape) setView({ ...view, typing: false, filter: key.escape ? "" : view.filter });
      return;
    }
    if (view.screen === "help") return setView({ ...view, screen: "hosts" });
    const command = commandFor("watch", input, key);
    if (command === undefined) return;
    if (snapshot.notice !== "") store.notice("");
    // Keys between two renders: the row is the one that the newest view names.
    const host = (facts.hosts.includes(view.host ?? "") ? view.host : chosen?.key)?.split("/")[0];
    const leavesLog = view.screen === "log" && (command === "quit" || (command === "back" && view.filter === ""));
    if (leavesLog) {
      actions.closeLog();
      return setView({ ...view, screen: "hosts" });
    }
    switch (command) {
      case "suspend":
        return suspend();
      case "quit":
        return actions.quit();
      case "kick":
        if (chosen?.kind === "stream") actions.kick(chosen.host.name, chosen.stream.name);
        else store.notice("Choose a stream first: x ends the connection of its publisher.");
        return;
      case "rotate":
        if (host !== undefined) actions.rotate(host);
        return;
      case "open":
        if (host === undefined || view.screen === "log") return;
        actions.openLog(host);
        return setView({ ...reduceView(view, command, facts), filter: "" });
      default:
        setView(reduceView(view, command, facts));
    }
  }, !modal);
}

function Header({ watch, hidden }: { readonly watch: WatchState; readonly hidden: number }) {
  const { symbols } = useTheme();
  const all = watchRows(watch, { filter: "", problemsOnly: false });
  const streams = all.filter((row) => row.kind === "stream");
  const viewers = streams.map((row) => row.stream.viewers).filter((count) => count !== undefined);
  const problems = all.filter((row) => row.problems.length > 0).length;
  const newest = Math.max(0, ...watch.hosts.map((host) => host.sample?.at ?? 0));
  const parts = [
    "watch",
    counted(watch.hosts.length, "host"),
    counted(streams.length, "stream"),
    ...(viewers.length > 0 ? [`${viewers.reduce((sum, count) => sum + count, 0)} watching`] : []),
    problems === 0 ? "no problem" : counted(problems, "PROBLEM"),
    ...(newest === 0 ? [] : [new Date(newest).toTimeString().slice(0, 8)]),
    ...(hidden > 0 ? [`${hidden} rows more`] : []),
  ];
  return (
    <Text wrap="truncate" bold>
      {parts.join(` ${symbols.separator} `)}
    </Text>
  );
}

function counted(count: number, word: string): string {
  const plural = word === word.toUpperCase() ? "S" : "s";
  return `${count} ${word}${count === 1 ? "" : plural}`;
}
