import { Box, Text } from "ink";
import { useEffect, useState } from "react";
import { hostWord, parseHostWords } from "../../wizard/host-words.js";
import type { DetectedHost, HostChoice } from "../../wizard/types.js";
import { Line } from "../components/line.js";
import { TextInput } from "../components/text-input.js";
import { useKeys } from "../hooks/use-keys.js";
import { useLatest } from "../hooks/use-latest.js";
import { useTerminalSize } from "../hooks/use-terminal-size.js";
import { commandFor } from "../keymap.js";
import { useTheme } from "../theme.js";
import { windowOf } from "../window.js";
import { FRAME_ROWS, PageFrame } from "./page-frame.js";
import type { PageProps } from "./page-props.js";

/** The field, its label, an error. */
const OWN_ROWS = 2;

interface Choosing {
  readonly cursor: number;
  /** Names of marked hosts. */
  readonly marked: readonly string[];
  /** A host that was typed. */
  readonly own: string;
  readonly error: string;
}

/** Hosts as they are found, each with where it was found; and a line for one that was not. */
export function HostsPage(props: PageProps) {
  const { context, services, onNext, active } = props;
  const { symbols } = useTheme();
  const { rows } = useTerminalSize();
  const { found, searching } = useDetectedHosts(services);
  const before = context.answers.hosts;
  const [state, setState, latest] = useLatest<Choosing>({
    cursor: 0,
    // One host was taken by Enter alone, and another may be now.
    marked: before.length > 1 ? before.map((host) => host.name) : [],
    own: "",
    error: "",
  });
  const sourceOf = (name: string) => found.find((one) => one.name === name)?.source ?? "chosen before";
  // What was chosen stands first, so that the pointer begins there.
  const list: readonly DetectedHost[] = [
    ...before.map((host) => ({ ...host, source: sourceOf(host.name) })),
    ...found.filter((host) => !before.some((one) => one.name === host.name)),
  ];

  const take = () => {
    const { own, marked, cursor } = latest.current;
    const chosen: HostChoice[] = list.filter((host) => marked.includes(host.name)).map(withoutSource);
    if (own.trim() !== "") {
      const read = parseHostWords(own);
      if ("problem" in read) return setState({ ...latest.current, error: read.problem });
      chosen.push(...read.hosts);
    }
    const pointed = list[cursor];
    if (chosen.length === 0 && pointed !== undefined) chosen.push(withoutSource(pointed));
    if (chosen.length === 0) return setState({ ...latest.current, error: "type a host, such as pi@192.0.2.7" });
    const problem = "problem" in parseHostWords(chosen.map(hostWord).join(","));
    if (problem) return setState({ ...latest.current, error: "a throw-away host comes alone" });
    onNext({ ...context.answers, hosts: chosen });
  };

  useKeys((input, key) => {
    const now = latest.current;
    const command = commandFor("wizard", input, key);
    if (command === "next") take();
    else if (command === "previous") setState({ ...now, cursor: Math.max(0, now.cursor - 1) });
    else if (command === "following")
      setState({ ...now, cursor: Math.max(0, Math.min(list.length - 1, now.cursor + 1)) });
    else if (command === "mark" && now.own === "") {
      const name = list[now.cursor]?.name;
      if (name === undefined) return;
      const marked = now.marked.includes(name) ? now.marked.filter((one) => one !== name) : [...now.marked, name];
      setState({ ...now, marked, error: "" });
    }
  }, active);

  const room = Math.max(1, rows - 2 - FRAME_ROWS - OWN_ROWS - 1);
  const { from, shown } = windowOf(list, state.cursor, room);
  return (
    <PageFrame
      {...props}
      footer={[
        { key: "enter", help: "take" },
        { key: "space", help: "mark several" },
        { key: "ctrl-g", help: "keys" },
        { key: "ctrl-c", help: "leave" },
      ]}
    >
      {shown.map((host, index) => {
        const here = from + index === state.cursor;
        const mark = state.marked.includes(host.name) ? symbols.checked : symbols.unchecked;
        return (
          <Line key={host.name} {...(here ? { color: "cyan" } : {})}>
            {`${here ? symbols.pointer : " "} ${mark} ${titleOf(host)}  (${host.source})`}
          </Line>
        );
      })}
      {searching && <Line>{`  looking for more${symbols.ellipsis}`}</Line>}
      {!searching && list.length === 0 && <Line> no host was found: type one</Line>}
      <Box>
        <Text>Another host: </Text>
        <TextInput
          value={state.own}
          // A space marks while nothing is typed.
          onChange={(own) => setState({ ...latest.current, own: own.trimStart(), error: "" })}
          placeholder="[user@]host[:port]"
          isActive={active}
        />
      </Box>
      {state.error !== "" && <Line color="red">{`${symbols.failed} ${state.error}`}</Line>}
    </PageFrame>
  );
}

function titleOf(host: DetectedHost): string {
  if (host.kind === "local") return "this machine";
  if (host.kind === "throw-away") return "a throw-away host on this machine, to try it";
  const word = hostWord(host);
  return word === host.name ? word : `${host.name} = ${word}`;
}

function withoutSource({ source: _, ...host }: DetectedHost): HostChoice {
  return host;
}

function useDetectedHosts(services: PageProps["services"]): { found: readonly DetectedHost[]; searching: boolean } {
  const [found, setFound] = useState<readonly DetectedHost[]>([]);
  const [searching, setSearching] = useState(true);
  useEffect(() => {
    const controller = new AbortController();
    const add = (host: DetectedHost) =>
      setFound((old) => (old.some((one) => one.name === host.name) ? old : [...old, host]));
    services
      .detectHosts(add, controller.signal)
      // What cannot be found can be typed.
      .catch(() => undefined)
      .finally(() => setSearching(false));
    return () => controller.abort();
  }, [services]);
  return { found, searching };
}
