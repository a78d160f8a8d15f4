import type { KeyBinding } from "../key-binding.js";

const run = (command: string, keys: readonly string[], help: string, footer = false): KeyBinding => ({
  screen: "run",
  command,
  keys,
  help,
  footer,
});

export const runKeys: readonly KeyBinding[] = [
  run("up", ["up", "k"], "the host above; in a log, one line up"),
  run("down", ["down", "j"], "the host below; in a log, one line down"),
  run("open", ["enter", "l"], "log of the chosen host", true),
  run("back", ["esc", "h"], "back to the hosts"),
  run("pageUp", ["pageUp", "ctrl-u"], "a page up in the log; it stops following"),
  run("pageDown", ["pageDown", "ctrl-d"], "a page down in the log"),
  run("top", ["g", "home"], "to the beginning of the log"),
  run("bottom", ["G", "end"], "to the end of the log, and follow it"),
  run("filter", ["/"], "only hosts, or lines of a log, that hold a text", true),
  run("next", ["n"], "the next line of the log that holds the text"),
  run("previous", ["N"], "the line before that holds the text"),
  run("failed", ["f"], "only what failed", true),
  run("command", ["c"], "show module and place of the task that runs"),
  run("retry", ["r"], "after the run: the failed hosts once more"),
  run("detach", ["d"], "leave: a compile goes on on its host, and the same command follows it again", true),
  run("path", ["s"], "show where the log of the chosen host is kept"),
  run("help", ["?"], "these keys", true),
  run("quit", ["q"], "leave; while something runs, asked first"),
  run("stop", ["ctrl-c"], "stop after the task at hand; a second time at once", true),
  run("suspend", ["ctrl-z"], "suspend, back with fg"),
];
