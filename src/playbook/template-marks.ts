/** The marks of a template: Jinja's own, or those that a task gives. */
export interface Marks {
  readonly blockStart: string;
  readonly blockEnd: string;
  readonly variableStart: string;
  readonly variableEnd: string;
  readonly commentStart: string;
  readonly commentEnd: string;
}

export const JINJA_MARKS: Marks = {
  blockStart: "{%",
  blockEnd: "%}",
  variableStart: "{{",
  variableEnd: "}}",
  commentStart: "{#",
  commentEnd: "#}",
};

export type MarkKind = "block" | "variable" | "comment";

/** Patterns made of the marks. */
export interface MarkPatterns {
  /** Where the next mark is. */
  readonly opening: RegExp;
  readonly kinds: ReadonlyMap<string, MarkKind>;
  readonly variableClose: RegExp;
  readonly blockClose: RegExp;
  readonly commentClose: RegExp;
  readonly rawOpen: RegExp;
  readonly rawClose: RegExp;
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}

/** @param trim a block takes the line break behind it along */
export function markPatterns(marks: Marks, trim: boolean): MarkPatterns {
  const kinds = new Map<string, MarkKind>([
    [marks.commentStart, "comment"],
    [marks.blockStart, "block"],
    [marks.variableStart, "variable"],
  ]);
  // The longest first, as Jinja looks for them.
  const starts = [...kinds.keys()].sort((a, b) => b.length - a.length);
  const close = (end: string): string => `\\+${escaped(end)}|-${escaped(end)}\\s*|${escaped(end)}${trim ? "\\n?" : ""}`;
  const variable = escaped(marks.variableEnd);
  const block = { start: escaped(marks.blockStart), end: escaped(marks.blockEnd) };
  return {
    opening: new RegExp(starts.map(escaped).join("|"), "g"),
    kinds,
    variableClose: new RegExp(`-${variable}\\s*|${variable}`, "y"),
    blockClose: new RegExp(close(marks.blockEnd), "y"),
    commentClose: new RegExp(`[\\s\\S]*?(?:${close(marks.commentEnd)})`, "y"),
    rawOpen: new RegExp(`${block.start}[-+]?\\s*raw\\s*(?:-${block.end}\\s*|${block.end})`, "y"),
    rawClose: new RegExp(`([\\s\\S]*?)${block.start}([-+]?)\\s*endraw\\s*(?:${close(marks.blockEnd)})`, "y"),
  };
}

/** Marks by the names of their settings, of the module `template` and of a template's first line. */
export const MARK_SETTINGS: Readonly<Record<string, keyof Marks>> = {
  block_start_string: "blockStart",
  block_end_string: "blockEnd",
  variable_start_string: "variableStart",
  variable_end_string: "variableEnd",
  comment_start_string: "commentStart",
  comment_end_string: "commentEnd",
};
