/** The signs of a display. Each stands beside a word, so none carries a meaning alone. */
export interface Symbols {
  readonly ok: string;
  readonly changed: string;
  readonly skipped: string;
  readonly failed: string;
  readonly unreachable: string;
  readonly queued: string;
  readonly warning: string;
  readonly pointer: string;
  readonly checked: string;
  readonly unchecked: string;
  readonly ellipsis: string;
  readonly bullet: string;
  readonly separator: string;
  readonly rule: string;
  readonly bar: { readonly full: string; readonly empty: string };
  /** Eight levels, low to high. */
  readonly spark: readonly string[];
  /** A spinner's frames. */
  readonly frames: readonly string[];
}

const unicodeSymbols: Symbols = {
  ok: "✔",
  changed: "~",
  skipped: "–",
  failed: "✖",
  unreachable: "⊘",
  queued: "·",
  warning: "▲",
  pointer: "▸",
  checked: "◉",
  unchecked: "◯",
  ellipsis: "…",
  bullet: "•",
  separator: "·",
  rule: "─",
  bar: { full: "█", empty: "░" },
  spark: ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
  frames: ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"],
};

const asciiSymbols: Symbols = {
  ok: "+",
  changed: "~",
  skipped: "-",
  failed: "x",
  unreachable: "!",
  queued: ".",
  warning: "!",
  pointer: ">",
  checked: "[x]",
  unchecked: "[ ]",
  ellipsis: "...",
  bullet: "*",
  separator: "|",
  rule: "-",
  bar: { full: "#", empty: "." },
  spark: ["_", ".", ":", "-", "=", "+", "*", "#"],
  frames: ["|", "/", "-", "\\"],
};

export function symbolsFor(unicode: boolean): Symbols {
  return unicode ? unicodeSymbols : asciiSymbols;
}
