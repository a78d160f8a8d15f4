import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { runProgram } from "./lab.js";

/** Milliseconds between two looks at the screen. */
const LOOK_MS = 150;

export interface ScreenSize {
  readonly columns: number;
  readonly rows: number;
}

/** A real terminal with a shell in it, watched and typed into through tmux. */
export class TmuxTerminal {
  readonly #socket = `edge-${randomBytes(4).toString("hex")}`;

  private constructor(readonly size: ScreenSize) {}

  /** @param env variables of the shell, beside a UTF-8 locale */
  static async open(cwd: string, env: Readonly<Record<string, string>>, size: ScreenSize): Promise<TmuxTerminal> {
    const terminal = new TmuxTerminal(size);
    const settings = Object.entries(env).flatMap(([name, value]) => ["-e", `${name}=${value}`]);
    await terminal.#tmux(
      ...["-f", "/dev/null", "new-session", "-d", "-s", "t", "-x", String(size.columns), "-y", String(size.rows)],
      ...["-c", cwd, ...settings, "-e", "LC_ALL=C.UTF-8", "sh"],
    );
    // History of the size that an operator scrolls back through.
    await terminal.#tmux("set-option", "-t", "t", "history-limit", "5000");
    await terminal.waitFor(/[#$]/);
    await terminal.run("PS1='ready> '");
    await terminal.waitFor(/^ready>/m);
    return terminal;
  }

  async #tmux(...words: string[]): Promise<string> {
    const { code, stdout, stderr } = await runProgram(["tmux", "-u", "-L", this.#socket, ...words]);
    if (code !== 0) throw new Error(`tmux ${words[0]}: ${stderr}`);
    return stdout;
  }

  /** Types text as it is. */
  async type(text: string): Promise<void> {
    await this.#tmux("send-keys", "-t", "t", "-l", text);
  }

  /** Presses keys by tmux's names: `Enter`, `Escape`, `C-c`, `Down`. */
  async press(...keys: string[]): Promise<void> {
    for (const key of keys) await this.#tmux("send-keys", "-t", "t", key);
  }

  async run(command: string): Promise<void> {
    await this.type(command);
    await this.press("Enter");
  }

  /** What is visible. */
  async screen(): Promise<string> {
    return this.#tmux("capture-pane", "-t", "t", "-p");
  }

  /** What is visible, and what was scrolled out above it. */
  async everything(): Promise<string> {
    return this.#tmux("capture-pane", "-t", "t", "-p", "-J", "-S", "-");
  }

  /** What is visible, with its colours as escape sequences. */
  async painted(): Promise<string> {
    return this.#tmux("capture-pane", "-t", "t", "-p", "-e");
  }

  /** The colours that are on the screen, as the numbers of their escape sequences. */
  async colours(): Promise<string> {
    const painted = await this.painted();
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is looked for
    return [...painted.matchAll(/\u001b\[([\d;]*)m/g)]
      .flatMap(([, codes = ""]) => codes.split(";"))
      .filter((code) => /^([349]\d|10[0-7])$/.test(code) && code !== "39" && code !== "49")
      .join(" ");
  }

  async cursorVisible(): Promise<boolean> {
    return (await this.#tmux("display-message", "-t", "t", "-p", "#{cursor_flag}")).trim() === "1";
  }

  async resize({ columns, rows }: ScreenSize): Promise<void> {
    await this.#tmux("resize-window", "-t", "t", "-x", String(columns), "-y", String(rows));
  }

  /**
   * Waits until the screen shows what is looked for, and gives the screen.
   * @param seconds a guard against hangs
   * @throws Error with the last screen
   */
  async waitFor(wanted: string | RegExp, seconds = 60): Promise<string> {
    const found = (text: string) => (typeof wanted === "string" ? text.includes(wanted) : wanted.test(text));
    const looks = (seconds * 1000) / LOOK_MS;
    let text = "";
    for (let look = 0; look < looks; look++) {
      text = await this.screen();
      if (found(text)) return text;
      await sleep(LOOK_MS);
    }
    throw new Error(`the screen does not show ${wanted} after ${seconds} s:\n${text}`);
  }

  async close(): Promise<void> {
    await this.#tmux("kill-server").catch(() => undefined);
  }
}
