/** A line being typed, and where the next character goes. */
export interface TextState {
  readonly text: string;
  readonly cursor: number;
}

export interface EditKey {
  readonly leftArrow: boolean;
  readonly rightArrow: boolean;
  readonly home?: boolean;
  readonly end?: boolean;
  readonly backspace: boolean;
  readonly delete: boolean;
  readonly ctrl: boolean;
  readonly meta: boolean;
  readonly upArrow: boolean;
  readonly downArrow: boolean;
  readonly tab: boolean;
  readonly escape: boolean;
  readonly pageUp: boolean;
  readonly pageDown: boolean;
}

/**
 * The line after a key, or undefined when the key is none of editing. As in readline: ctrl-a, ctrl-e, ctrl-u, ctrl-k,
 * ctrl-w. Pasted text comes as one input of several characters.
 */
export function editText({ text, cursor }: TextState, input: string, key: EditKey): TextState | undefined {
  if (key.leftArrow) return { text, cursor: Math.max(0, cursor - 1) };
  if (key.rightArrow) return { text, cursor: Math.min(text.length, cursor + 1) };
  if (key.home === true || (key.ctrl && input === "a")) return { text, cursor: 0 };
  if (key.end === true || (key.ctrl && input === "e")) return { text, cursor: text.length };
  // Terminals send DEL for the backspace key; Ink 6.8 calls that `delete`.
  if (key.backspace || key.delete) {
    return cursor === 0
      ? { text, cursor }
      : { text: text.slice(0, cursor - 1) + text.slice(cursor), cursor: cursor - 1 };
  }
  if (key.ctrl && input === "u") return { text: text.slice(cursor), cursor: 0 };
  if (key.ctrl && input === "k") return { text: text.slice(0, cursor), cursor };
  if (key.ctrl && input === "w") {
    const kept = text.slice(0, cursor).replace(/\S+\s*$/, "");
    return { text: kept + text.slice(cursor), cursor: kept.length };
  }
  if (key.ctrl || key.meta || key.upArrow || key.downArrow || key.tab || key.escape || key.pageUp || key.pageDown) {
    return undefined;
  }
  return input === ""
    ? undefined
    : { text: text.slice(0, cursor) + input + text.slice(cursor), cursor: cursor + input.length };
}
