export type Screen = "run" | "watch" | "wizard";

/** One row of the table of keys: what is matched, what `?` shows, and what docs/keys.md says. */
export interface KeyBinding {
  readonly screen: Screen;
  readonly command: string;
  /** `up`, `j`, `ctrl-c`, `pageDown`, `space`, `?`: any of them. */
  readonly keys: readonly string[];
  readonly help: string;
  /** Among the few that the last line shows, by its command's name or by this one. */
  readonly footer?: boolean | string;
}
