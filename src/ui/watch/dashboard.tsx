import { Secret } from "../../util/secret.js";
import type { HostSample } from "../../watch/types.js";
import { type Asker, hostKeyText } from "../prompts/prompter.js";
import { type InkOptions, mountInk } from "../terminal.js";
import { WatchStore } from "./store.js";
import { type WatchActions, WatchView } from "./watch-view.js";

/** The dashboard on the terminal. */
export interface Dashboard {
  /** Questions inside the view: of connections, and before something is ended. */
  readonly questions: Asker;
  /** Asks for a name to be typed. */
  askName(question: string): Promise<string | undefined>;
  sample(sample: HostSample): void;
  /** Begins the log of a host with no lines. */
  openLog(host: string): void;
  logLine(host: string, line: string): void;
  /** Says something in the last line until the next key. */
  notice(text: string): void;
  /** Paints the last state and gives the terminal back. */
  close(): Promise<void>;
}

/** Mounts the dashboard. */
export async function openDashboard(
  hosts: readonly string[],
  actions: WatchActions,
  options: InkOptions,
): Promise<Dashboard> {
  const store = new WatchStore(hosts);
  const mounted = await mountInk(<WatchView store={store} {...actions} />, options);
  return {
    questions: {
      confirmHostKey: (question) => store.questions.confirm(hostKeyText(question)),
      confirm: (question) => store.questions.confirm(question),
      async askSecret(question) {
        const text = await store.questions.line("secret", question);
        return text === undefined ? undefined : new Secret(text);
      },
      notify: (text) => store.notice(text),
    },
    askName: (question) => store.questions.line("text", question),
    sample: (sample) => store.sample(sample),
    openLog: (host) => store.openLog(host),
    logLine: (host, line) => store.logLine(host, line),
    notice: (text) => store.notice(text),
    async close() {
      store.flush();
      await mounted.unmount();
    },
  };
}
