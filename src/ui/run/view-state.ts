/** What the operator looks at; the run itself is in RunState. */
export interface ViewState {
  readonly screen: "hosts" | "log" | "help";
  /** The chosen host, by name: rows move. */
  readonly host: string | undefined;
  readonly failedOnly: boolean;
  readonly filter: string;
  /** A filter is being typed. */
  readonly typing: boolean;
  readonly command: boolean;
  /** First line of the log that is shown, counted from its true beginning; undefined follows the end. */
  readonly top: number | undefined;
  /** What the last key had said, until the next one. */
  readonly said: string;
  /** A quit was asked for while something runs. */
  readonly quitting: boolean;
}

export const initialView: ViewState = {
  screen: "hosts",
  host: undefined,
  failedOnly: false,
  filter: "",
  typing: false,
  command: false,
  top: undefined,
  said: "",
  quitting: false,
};

/** What a movement needs to know of the screen. */
export interface ViewFacts {
  /** Names in the order of the rows. */
  readonly hosts: readonly string[];
  /** Length of the chosen host's log (with the lines that were dropped), and how many lines were. */
  readonly logLength: number;
  readonly dropped: number;
  readonly page: number;
  /** Numbers of the log's lines that hold the filter's text. */
  readonly matches: readonly number[];
}

/** The view after a command of the key table. Pure. */
export function reduceView(view: ViewState, command: string, facts: ViewFacts): ViewState {
  const chosen = view.host !== undefined && facts.hosts.includes(view.host) ? view.host : facts.hosts[0];
  const end = Math.max(facts.dropped, facts.logLength - facts.page);
  const top = view.top ?? end;
  const scroll = (to: number): ViewState => {
    const next = Math.max(facts.dropped, to);
    // Scrolled to the end, it follows again.
    return { ...view, top: next >= end ? undefined : next };
  };
  const inLog = view.screen === "log";
  switch (command) {
    case "up":
      return inLog ? scroll(top - 1) : { ...view, host: neighbour(facts.hosts, chosen, -1) };
    case "down":
      return inLog ? scroll(top + 1) : { ...view, host: neighbour(facts.hosts, chosen, 1) };
    case "pageUp":
      return inLog ? scroll(top - facts.page) : { ...view, host: facts.hosts[0] };
    case "pageDown":
      return inLog ? scroll(top + facts.page) : { ...view, host: facts.hosts.at(-1) };
    case "top":
      return inLog ? scroll(facts.dropped) : { ...view, host: facts.hosts[0] };
    case "bottom":
      return inLog ? { ...view, top: undefined } : { ...view, host: facts.hosts.at(-1) };
    case "next":
      return inLog ? scroll(facts.matches.find((line) => line > top) ?? top) : view;
    case "previous":
      return inLog ? scroll(facts.matches.findLast((line) => line < top) ?? top) : view;
    case "open":
      return chosen === undefined ? view : { ...view, screen: "log", host: chosen, top: undefined };
    case "back":
      return view.filter !== "" ? { ...view, filter: "" } : { ...view, screen: "hosts", quitting: false };
    case "filter":
      return { ...view, typing: true };
    case "failed":
      return { ...view, failedOnly: !view.failedOnly };
    case "command":
      return { ...view, command: !view.command };
    case "help":
      return { ...view, screen: "help" };
    default:
      return view;
  }
}

function neighbour(hosts: readonly string[], host: string | undefined, step: number): string | undefined {
  const at = host === undefined ? 0 : hosts.indexOf(host);
  return hosts[Math.min(hosts.length - 1, Math.max(0, at + step))];
}
