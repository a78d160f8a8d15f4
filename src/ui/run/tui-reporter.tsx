import type { RunEvent } from "../../report/events.js";
import { logPath, stateFolder } from "../../report/log-files.js";
import type { Reporter } from "../../report/reporter.js";
import { Secret } from "../../util/secret.js";
import type { TerminalOutput } from "../calm-stdout.js";
import { type Asker, hostKeyText } from "../prompts/prompter.js";
import { type MountedInk, mountInk } from "../terminal.js";
import { RunView } from "./run-view.js";
import { RunStore } from "./store.js";
import { windowTitle } from "./window-title.js";

const BELL = "\u0007";
const STOPPING = [
  "Stopping: what runs now may end first. Press Ctrl-C again to stop at once.",
  "Stopping at once.",
] as const;

export interface TuiOptions {
  readonly verbose: boolean;
  readonly unicode: boolean;
  readonly colour: boolean;
  /** Rings when a run has ended. */
  readonly bell?: boolean;
  /** Shows how far the run is in the window's title. */
  readonly title?: boolean;
  /** Ctrl-C, or a quit: called for each. */
  readonly onStop: () => void;
  readonly onDetach: () => void;
  /** Remembered milliseconds by task name, for a kind of machine. */
  readonly estimatesFor: (model: string) => Readonly<Record<string, number>>;
  readonly now?: () => number;
  readonly stdin?: NodeJS.ReadStream;
  readonly stdout?: TerminalOutput;
}

/** The run view as a reporter, and what only a view can do. */
export interface TuiReporter extends Reporter {
  /** Questions inside the view: Enquirer cannot have the terminal meanwhile. */
  readonly questions: Asker;
  /** Says that a stop was asked for. */
  notice(text: string): void;
  /** After a run with failed hosts: whether they are to be tried again. */
  afterRun(): Promise<"quit" | "retry">;
  /** Paints the last state and gives the terminal back. */
  close(): Promise<void>;
}

/** Mounts the run view. */
export async function createTuiReporter(options: TuiOptions): Promise<TuiReporter> {
  const folder = stateFolder();
  const store = new RunStore({ verbose: options.verbose, logPath: (run, host) => logPath(folder, run, host) });
  const write = (text: string) => (options.stdout ?? process.stdout).write(text);
  const title = options.title === true ? windowTitle(write) : undefined;
  let stops = 0;
  const onStop = () => {
    store.dispatch({ type: "ui.notice", text: STOPPING[Math.min(stops, 1)] ?? "" });
    store.flush();
    stops += 1;
    options.onStop();
  };
  const mounted: MountedInk = await mountInk(
    <RunView
      store={store}
      onStop={onStop}
      onDetach={options.onDetach}
      estimatesFor={options.estimatesFor}
      now={options.now ?? Date.now}
    />,
    options,
  );
  return {
    event(event: RunEvent) {
      store.dispatch(event);
      title?.event(event);
      if (event.type === "run.end" && options.bell === true) write(BELL);
    },
    questions: {
      confirmHostKey: (question) => store.confirm(hostKeyText(question)),
      confirm: (question) => store.confirm(question),
      async askSecret(question) {
        const text = await store.secret(question);
        return text === undefined ? undefined : new Secret(text);
      },
      notify: (text) => store.dispatch({ type: "ui.notice", text }),
    },
    notice: (text) => store.dispatch({ type: "ui.notice", text }),
    async afterRun() {
      store.flush();
      return store.after();
    },
    end: () => store.flush(),
    async close() {
      store.flush();
      await mounted.unmount();
      title?.end();
    },
  };
}
