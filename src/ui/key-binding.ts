export type Screen = "run" | "wizard";

/** One row of the table of keys: what is matched, what `?` shows, and what docs/keys.md says. */
export interface KeyBinding {
  readonly screen: Screen;
  readonly command: string;
  /** `up`, `j`, `ctrl-c`, `pageDown`, `space`, `?`: any of them. */
  readonly keys: readonly string[];
  readonly help: string;
  /** Among the few that the last line shows. */
  readonly footer?: boolean;
}
