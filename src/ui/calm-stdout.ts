import { EventEmitter } from "node:events";

/** What a display needs of a terminal to write to. */
export interface TerminalOutput {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  write(text: string, ...rest: never[]): boolean;
  on(event: "resize", listener: () => void): unknown;
  off(event: "resize", listener: () => void): unknown;
}

const ESC = "\u001b";
const SHOW_CURSOR = `${ESC}[?25h`;
const HIDE_CURSOR = `${ESC}[?25l`;
/** Ink reads `rows` only to decide on clearing the whole screen and its scrollback (ink 6.8, ink.js onRender). */
const NEVER_FULL = 100_000;
const FALLBACK = { columns: 80, rows: 24 };

// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is looked at
const ERASE_ONLY = /^(?:\u001b\[(?:2K|\d+A|G|J))+$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is looked at
const LEADING_ERASE = /^(?:\u001b\[(?:2K|1A|G))+/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is looked at
const MODE_ONLY = /^(?:\u001b\[\?\d+[hl])+$/;

// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is looked at
const SEQUENCE = /\u001b\[[\d;?]*[A-Za-z]/g;

/**
 * The terminal as Ink gets it. Ink 6.8 clears screen and scrollback when a terminal becomes lower than its frame, and
 * counts wrongly when lines wrap in one that became narrower. Here a resize erases exactly what the last frame covers,
 * wrapped lines and lines that the terminal took back from its scrollback included, and has a whole new frame written.
 * Terminals are taken to reflow, as all current ones but the classic xterm do.
 */
export class CalmStdout extends EventEmitter {
  readonly #out: TerminalOutput;
  readonly #onResize = () => this.#resized();
  #columns: number;
  #rows: number;
  /** Columns that Ink is told. */
  #told: number;
  #mode: "pass" | "hold" | "mute" | "redraw" = "pass";
  /** Texts that came while a resize is being settled; all but the last since an erase are finished lines. */
  #held: string[] = [];
  /** Widths of the lines of the frame on the screen, and of those that are in the scrollback. */
  #frame: readonly number[] = [];
  #ghosts: readonly number[] = [];

  constructor(out: TerminalOutput) {
    super();
    this.setMaxListeners(0);
    this.#out = out;
    this.#columns = out.columns || FALLBACK.columns;
    this.#rows = out.rows || FALLBACK.rows;
    this.#told = this.#columns;
    out.on("resize", this.#onResize);
  }

  get isTTY(): boolean {
    return this.#out.isTTY === true;
  }

  get columns(): number {
    return this.#told;
  }

  get rows(): number {
    return NEVER_FULL;
  }

  /** The terminal's true size, for layouts. */
  get size(): { readonly columns: number; readonly rows: number } {
    return { columns: this.#columns, rows: this.#rows };
  }

  write(text: string): boolean {
    if (this.#mode === "mute") return true;
    if (this.#mode === "hold") {
      if (!ERASE_ONLY.test(text) && !MODE_ONLY.test(text)) this.#held.push(text);
      return true;
    }
    if (this.#mode === "redraw" && ERASE_ONLY.test(text)) return true;
    this.#note(text);
    return this.#out.write(text);
  }

  /** Takes the frame off the screen and holds all others back, until it is resumed: the shell has the terminal meanwhile. */
  suspend(): void {
    const rows = Math.min(this.#heightOf([...this.#ghosts, ...this.#frame]), this.#rows - 1);
    this.#out.write(`${rows > 0 ? `${ESC}[${rows}A` : ""}\r${ESC}[J${SHOW_CURSOR}`);
    this.#frame = [];
    this.#ghosts = [];
    this.#mode = "hold";
  }

  /** Draws a whole frame where the cursor is now. */
  resume(): void {
    this.#out.write(HIDE_CURSOR);
    this.#resized();
  }

  /** Rows that lines of these widths take. */
  #heightOf(widths: readonly number[]): number {
    return widths.reduce((sum, width) => sum + Math.max(1, Math.ceil(width / this.#columns)), 0);
  }

  /** Stops listening; the terminal is the next one's. */
  release(): void {
    this.#out.off("resize", this.#onResize);
  }

  /** Remembers the frame: of all that Ink writes between two frames, it is the last text. */
  #note(text: string): void {
    if (text === "" || MODE_ONLY.test(text)) return;
    if (ERASE_ONLY.test(text)) {
      this.#frame = [];
      return;
    }
    // Two texts with nothing erased between them: the first was finished lines, and what is above them stays there.
    if (this.#frame.length > 0 && !LEADING_ERASE.test(text)) this.#ghosts = [];
    const lines = text.replace(LEADING_ERASE, "").replace(/\n$/, "").split("\n");
    this.#frame = lines.map(widthOf);
  }

  #resized(): void {
    const columns = this.#out.columns || FALLBACK.columns;
    const rows = this.#out.rows || FALLBACK.rows;
    this.#columns = columns;
    this.#rows = rows;
    const all = [...this.#ghosts, ...this.#frame];
    // The cursor is on the line after the frame; above it are the frame's lines and what was scrolled out of it before.
    const reach = Math.min(this.#heightOf(all), rows - 1);
    this.#out.write(`${reach > 0 ? `${ESC}[${reach}A` : ""}\r${ESC}[J`);
    let out = this.#heightOf(all) - reach;
    this.#ghosts = all.filter((width) => {
      const stays = out > 0;
      out -= Math.max(1, Math.ceil(width / columns));
      return stays;
    });
    this.#frame = [];
    this.#mode = "hold";
    // Layouts follow the new size first: a frame of the old one would wrap, and Ink would erase too little of it.
    this.emit("size");
  }

  /** Told by the tree that it is laid out for this size: a frame may be written again. */
  settled(size: { readonly columns: number; readonly rows: number }): void {
    if (this.#mode !== "hold" || size.columns !== this.#columns || size.rows !== this.#rows) return;
    this.#redraw();
  }

  /** Told of a wider terminal and then of the true one, Ink forgets its frame and writes it anew. */
  #redraw(): void {
    const finished = this.#held.filter((text) => !LEADING_ERASE.test(text)).slice(0, -1);
    this.#held = [];
    if (finished.length > 0) {
      this.#out.write(finished.join(""));
      this.#ghosts = [];
    }
    this.#mode = "mute";
    this.#told = this.#columns + 1;
    this.emit("resize");
    this.#mode = "redraw";
    this.#told = this.#columns;
    this.emit("resize");
    this.#mode = "pass";
  }
}

/** Columns of a line without its colours. The displays here write no wide characters of their own. */
function widthOf(line: string): number {
  return [...line.replace(SEQUENCE, "")].length;
}
