import { EventEmitter } from "node:events";
import { PassThrough } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import xterm from "@xterm/headless";
import type { ReactElement } from "react";
import { mountInk } from "../../src/ui/terminal.js";

/** Milliseconds between two looks. */
const LOOK_MS = 15;
/** A guard against hangs: at least half a minute. */
const LOOKS = 2000;

export interface ScreenOptions {
  readonly columns: number;
  readonly rows: number;
  readonly colour?: boolean;
  readonly unicode?: boolean;
}

/** A terminal as Ink sees one, with an emulator behind it that draws what is written. */
export class FakeTerminal {
  readonly #emulator: xterm.Terminal;
  #raw = "";
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: EventEmitter & {
    isTTY: boolean;
    columns: number;
    rows: number;
    write(text: string): boolean;
  };
  rawMode = false;

  constructor({ columns, rows }: ScreenOptions) {
    this.#emulator = new xterm.Terminal({
      cols: columns,
      rows,
      scrollback: 5000,
      allowProposedApi: true,
      convertEol: true,
    });
    const stdin = Object.assign(new PassThrough(), {
      isTTY: true,
      setRawMode: (on: boolean) => {
        this.rawMode = on;
        return stdin;
      },
      ref: () => stdin,
      unref: () => stdin,
    });
    this.stdin = stdin as unknown as NodeJS.ReadStream;
    this.stdout = Object.assign(new EventEmitter(), {
      isTTY: true,
      columns,
      rows,
      write: (text: string) => {
        this.#raw += text;
        this.#emulator.write(text);
        return true;
      },
    });
  }

  /** All that was written, with its escape sequences. */
  bytes(): string {
    return this.#raw;
  }

  /** The visible rows. */
  async screen(): Promise<string> {
    await this.#drawn();
    const buffer = this.#emulator.buffer.active;
    return this.#lines(buffer.baseY, buffer.baseY + this.#emulator.rows);
  }

  /** What was scrolled out, and the visible rows. */
  async everything(): Promise<string> {
    await this.#drawn();
    return this.#lines(0, this.#emulator.buffer.active.length);
  }

  #lines(from: number, to: number): string {
    const lines: string[] = [];
    for (let row = from; row < to; row++) {
      lines.push(this.#emulator.buffer.active.getLine(row)?.translateToString(true) ?? "");
    }
    return lines.join("\n").trimEnd();
  }

  #drawn(): Promise<void> {
    return new Promise((resolve) => this.#emulator.write("", resolve));
  }

  type(keys: string): void {
    this.stdin.push(keys);
  }

  resize(columns: number, rows: number): void {
    this.#emulator.resize(columns, rows);
    this.stdout.columns = columns;
    this.stdout.rows = rows;
    this.stdout.emit("resize");
  }

  /** Looks until the screen shows it. @throws Error with the last screen */
  async waitFor(wanted: string | RegExp | ((screen: string) => boolean)): Promise<string> {
    let screen = "";
    for (let look = 0; look < LOOKS; look++) {
      screen = await this.screen();
      const found =
        typeof wanted === "string"
          ? screen.includes(wanted)
          : typeof wanted === "function"
            ? wanted(screen)
            : wanted.test(screen);
      // React subscribes to keys just after it has painted.
      if (found) return sleep(LOOK_MS, screen);
      await sleep(LOOK_MS);
    }
    throw new Error(`the screen does not show ${wanted}:\n${screen}`);
  }

  /** Types, and waits for what it leads to. */
  async press(keys: string, wanted: string | RegExp | ((screen: string) => boolean)): Promise<string> {
    this.type(keys);
    // What is pushed within one turn is read as one key.
    await sleep(1);
    return this.waitFor(wanted);
  }
}

export const keys = {
  up: "\u001b[A",
  down: "\u001b[B",
  right: "\u001b[C",
  left: "\u001b[D",
  enter: "\r",
  esc: "\u001b",
  tab: "\t",
  shiftTab: "\u001b[Z",
  space: " ",
  pageUp: "\u001b[5~",
  pageDown: "\u001b[6~",
  backspace: "\u007f",
  ctrlC: "\u0003",
  ctrlR: "\u0012",
  ctrlV: "\u0016",
  ctrlU: "\u0015",
} as const;

/** Sequences that wipe the screen or what the user scrolled by. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is looked for
export const WIPES = /\u001b\[[23]J|\u001bc/;

/** Mounts a tree on a fake terminal. */
export async function renderScreen(element: ReactElement, options: ScreenOptions) {
  const terminal = new FakeTerminal(options);
  const mounted = await mountInk(element, {
    unicode: options.unicode ?? true,
    colour: options.colour ?? true,
    stdin: terminal.stdin,
    stdout: terminal.stdout,
  });
  return Object.assign(terminal, { unmount: () => mounted.unmount() });
}
