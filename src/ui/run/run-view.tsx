import { Box, Static, Text } from "ink";
import { useEffect, useState, useSyncExternalStore } from "react";
import { formatDuration } from "../../report/format.js";
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
import { useTheme } from "../theme.js";
import { remainingMs } from "./eta.js";
import { FinishedRow } from "./finished-line.js";
import { HostRow } from "./host-row.js";
import { layoutRun } from "./layout.js";
import { LogPane } from "./log-pane.js";
import type { HostState, RunState } from "./state.js";
import type { RunSnapshot, RunStore } from "./store.js";
import { initialView, reduceView, type ViewFacts, type ViewState } from "./view-state.js";

/** Milliseconds between two frames of what moves by itself: elapsed times and the signs of running hosts. */
const FRAME_MS = 250;
const MAX_NAME = 24;

export interface RunViewProps {
  readonly store: RunStore;
  readonly onStop: () => void;
  readonly onDetach: () => void;
  readonly estimatesFor: (model: string) => Readonly<Record<string, number>>;
  readonly now: () => number;
}

/** The run: finished lines scroll away above, what runs now is below them. */
export function RunView(props: RunViewProps) {
  const snapshot = useSyncExternalStore(props.store.subscribe, props.store.snapshot);
  const { run } = snapshot;
  const nameWidth = Math.min(MAX_NAME, Math.max(0, ...run.hosts.map((host) => host.name.length)));
  return (
    <>
      <Static items={[...run.finished]}>
        {(line) => <FinishedRow key={line.id} line={line} hostWidth={nameWidth} />}
      </Static>
      <Live {...props} snapshot={snapshot} nameWidth={nameWidth} />
    </>
  );
}

interface LiveProps extends RunViewProps {
  readonly snapshot: RunSnapshot;
  readonly nameWidth: number;
}

function Live(props: LiveProps) {
  const { snapshot, now, nameWidth, estimatesFor } = props;
  const { run, modal, after } = snapshot;
  const size = useTerminalSize();
  const [view, setView, latest] = useLatest(initialView);
  const active = run.endedAt === undefined && run.run !== "";
  const frame = useFrames(active && modal === undefined);
  const shownHosts = visibleHosts(run, view);
  const layout = layoutRun(shownHosts, size);
  const chosen = layout.hosts.find((host) => host.name === view.host) ?? layout.hosts[0];
  const facts = factsOf(view, layout.hosts, chosen, size.rows);
  useRunKeys(props, latest, setView, facts, modal !== undefined);
  if (modal !== undefined) return <ModalView modal={modal} onInterrupt={props.onStop} />;
  if (run.run === "" || (!active && after === undefined)) return null;
  if (view.screen === "help") return <HelpOverlay screen="run" rows={size.rows - 2} />;
  if (view.screen === "log" && chosen !== undefined) {
    return (
      <LogPane
        notice={view.said || run.notice}
        host={chosen}
        view={view}
        rows={size.rows - 2}
        onFilter={(filter) => setView({ ...view, filter })}
      />
    );
  }
  return (
    <Box flexDirection="column" width={size.columns - 1}>
      <Header run={run} now={now()} remaining={longest(run.hosts, estimatesFor, now())} />
      {layout.hosts.map((host) => (
        <HostRow
          key={host.name}
          host={host}
          chosen={host.name === chosen?.name}
          nameWidth={nameWidth}
          bar={layout.bar}
          detail={layout.detail}
          frame={frame}
          now={now()}
          remaining={remainingMs(host, estimatesFor(host.model), now())}
          command={view.command}
        />
      ))}
      {shownHosts.length === 0 && run.hosts.length > 0 && <Line>{nothingText(view)}</Line>}
      {layout.more !== "" && <Line>{`    ${layout.more}`}</Line>}
      {layout.tail > 0 && chosen !== undefined && <Tail host={chosen} rows={layout.tail} columns={size.columns - 1} />}
      <Footer run={run} view={view} asked={after !== undefined} onFilter={(filter) => setView({ ...view, filter })} />
    </Box>
  );
}

/** A number that grows while something runs; without a timer otherwise. */
function useFrames(active: boolean): number {
  const [frame, setFrame] = useState(0);
  useEffect(() => {
    if (!active) return;
    const timer = setInterval(() => setFrame((old) => old + 1), FRAME_MS);
    return () => clearInterval(timer);
  }, [active]);
  return frame;
}

function visibleHosts(run: RunState, { failedOnly, filter, screen }: ViewState): readonly HostState[] {
  const failed = (host: HostState) => host.failures.length > 0;
  const named = (host: HostState) => screen === "log" || filter === "" || host.name.includes(filter);
  return run.hosts.filter((host) => named(host) && (!failedOnly || failed(host)));
}

function nothingText({ filter }: ViewState): string {
  return filter === "" ? "No host has failed: f shows all." : `No host has "${filter}" in its name: esc shows all.`;
}

function factsOf(
  { filter }: ViewState,
  hosts: readonly HostState[],
  chosen: HostState | undefined,
  rows: number,
): ViewFacts {
  const log = chosen?.log ?? [];
  const dropped = chosen?.dropped ?? 0;
  const matches = filter === "" ? [] : log.flatMap((line, index) => (line.includes(filter) ? [index + dropped] : []));
  return {
    hosts: hosts.map((host) => host.name),
    logLength: dropped + log.length,
    dropped,
    page: Math.max(1, rows - 4),
    matches,
  };
}

function useRunKeys(
  { store, snapshot, onStop, onDetach }: LiveProps,
  latest: { readonly current: ViewState },
  setView: (view: ViewState) => void,
  facts: ViewFacts,
  modal: boolean,
): void {
  const suspend = useSuspend();
  const { run, after } = snapshot;
  useKeys((input, key) => {
    const view = { ...latest.current, said: "" };
    const command = commandFor("run", input, key);
    if (command === "stop") {
      if (after !== undefined) after("quit");
      else onStop();
      return;
    }
    if (view.typing) {
      if (key.return || key.escape) setView({ ...view, typing: false, filter: key.escape ? "" : view.filter });
      return;
    }
    if (view.screen === "help") {
      setView({ ...view, screen: "hosts" });
      return;
    }
    if (view.quitting) {
      setView({ ...view, quitting: false });
      if (input === "y") onStop();
      return;
    }
    switch (command) {
      case undefined:
        if (latest.current.said !== "") setView(view);
        return;
      case "suspend":
        suspend();
        return;
      case "detach":
        if (after === undefined) onDetach();
        return;
      case "retry":
        after?.("retry");
        return;
      case "quit":
        if (view.screen === "log") setView({ ...view, screen: "hosts" });
        else if (after !== undefined) after("quit");
        else setView({ ...view, quitting: true });
        return;
      case "path": {
        const name = view.host ?? facts.hosts[0];
        if (name !== undefined) setView({ ...view, said: store.options.logPath(run.run, name) });
        return;
      }
      default:
        setView(reduceView(view, command, facts));
    }
  }, !modal);
}

function longest(
  hosts: readonly HostState[],
  estimatesFor: RunViewProps["estimatesFor"],
  now: number,
): number | undefined {
  const all = hosts.map((host) => remainingMs(host, estimatesFor(host.model), now)).filter((ms) => ms !== undefined);
  return all.length === 0 ? undefined : Math.max(...all);
}

function Header({ run, now, remaining }: { run: RunState; now: number; remaining: number | undefined }) {
  const { symbols } = useTheme();
  const failed = run.hosts.filter((host) => host.failures.length > 0).length;
  const done = run.hosts.filter((host) => host.phase.kind === "done").length;
  const hosts = run.hosts.length === 1 ? "1 host" : `${run.hosts.length} hosts`;
  const parts = [
    run.command,
    hosts,
    `${done} done`,
    ...(failed > 0 ? [`${failed} FAILED`] : []),
    formatDuration(Math.max(0, (run.endedAt ?? now) - run.startedAt)),
    ...(remaining === undefined || run.endedAt !== undefined ? [] : [`about ${formatDuration(remaining)} left`]),
  ];
  return (
    <Text wrap="truncate" bold>
      {parts.join(` ${symbols.separator} `)}
    </Text>
  );
}

function Tail({ host, rows, columns }: { host: HostState; rows: number; columns: number }) {
  const { symbols } = useTheme();
  const lines = host.log.slice(-rows);
  const title = ` ${host.name} `;
  return (
    <>
      <Line>{`${symbols.rule.repeat(2)}${title}${symbols.rule.repeat(Math.max(0, columns - title.length - 2))}`}</Line>
      {lines.map((line, index) => (
        <Line key={host.dropped + host.log.length - lines.length + index}>{line === "" ? " " : line}</Line>
      ))}
    </>
  );
}

function Footer({
  run,
  view,
  asked,
  onFilter,
}: {
  run: RunState;
  view: ViewState;
  asked: boolean;
  onFilter: (text: string) => void;
}) {
  if (view.typing) {
    return (
      <Box>
        <Text>/</Text>
        <TextInput value={view.filter} onChange={onFilter} isActive />
      </Box>
    );
  }
  if (view.quitting)
    return <Line>Something still runs. Stop after the task at hand and leave? y yes, any other key no</Line>;
  if (asked) {
    const items = [
      { key: "r", help: "try the failed hosts again" },
      { key: "enter", help: "log" },
      { key: "q", help: "quit" },
    ];
    return <KeyFooter screen="run" items={items} />;
  }
  const said = view.said || run.notice;
  if (said !== "") return <Line>{said}</Line>;
  return <KeyFooter screen="run" />;
}
