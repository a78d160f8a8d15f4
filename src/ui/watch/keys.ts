import type { KeyBinding } from "../key-binding.js";

const watch = (command: string, keys: readonly string[], help: string, footer?: string): KeyBinding => ({
  screen: "watch",
  command,
  keys,
  help,
  ...(footer === undefined ? {} : { footer }),
});

/** Movement, log and filter have the commands of the run view, so that its reducer moves this one too. */
export const watchKeys: readonly KeyBinding[] = [
  watch("up", ["up", "k"], "one row or line up"),
  watch("down", ["down", "j"], "one row or line down"),
  watch("pageUp", ["pageUp"], "a page up in the log; the first row"),
  watch("pageDown", ["pageDown"], "a page down in the log; the last row"),
  watch("top", ["g", "home"], "to the top"),
  watch("bottom", ["G", "end"], "to the bottom; a log follows its end again"),
  watch("open", ["l", "enter"], "the log of the chosen host's edge", "log"),
  watch("kick", ["x"], "end the connection of the chosen stream's publisher; asked first", "kick"),
  watch("rotate", ["t"], "a new publish token for the chosen host; asked twice", "new token"),
  watch("failed", ["f"], "only hosts and streams with a problem", "problems"),
  watch("filter", ["/"], "only rows, or mark the lines of a log, that hold a text"),
  watch("next", ["n"], "the next marked line of the log"),
  watch("previous", ["N"], "the marked line before"),
  watch("back", ["esc"], "back; drops the filter"),
  watch("help", ["?"], "these keys", "help"),
  watch("quit", ["q", "ctrl-c"], "leave; the streams do not notice", "quit"),
  watch("suspend", ["ctrl-z"], "suspend, back with fg"),
];
