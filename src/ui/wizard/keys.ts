import type { KeyBinding } from "../key-binding.js";

const wizard = (command: string, keys: readonly string[], help: string, footer = false): KeyBinding => ({
  screen: "wizard",
  command,
  keys,
  help,
  footer,
});

export const wizardKeys: readonly KeyBinding[] = [
  wizard("next", ["enter"], "take the answer, go on", true),
  wizard("back", ["esc"], "the page before; answers stay", true),
  wizard("previous", ["shift-tab", "up"], "the field or line above"),
  wizard("following", ["tab", "down"], "the field or line below"),
  wizard("mark", ["space"], "mark a host: several are set up alike"),
  wizard("less", ["left"], "the choice before"),
  wizard("more", ["right"], "the choice after"),
  wizard("reveal", ["ctrl-v"], "show or hide a secret"),
  wizard("generate", ["ctrl-r"], "make a new secret, or test the connection again"),
  wizard("help", ["ctrl-g"], "these keys", true),
  wizard("suspend", ["ctrl-z"], "suspend, back with fg"),
  wizard("cancel", ["ctrl-c"], "leave; nothing was written or changed", true),
];
