/** Columns between tab stops. */
const TAB = 8;
/** More of a line than any screen shows costs only time. */
const MAX_LENGTH = 2000;

// Escape sequences (CSI, OSC, and two-character ones), then whatever control characters are left.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed
const SEQUENCES = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-_a-z])/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed
const CONTROLS = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/**
 * A line of remote output as a display may show it: no escape sequences, no control or direction characters, tabs as
 * spaces, and of a progress bar that rewrites itself by carriage returns only the last state.
 */
export function cleanLine(text: string): string {
  const cut = text.length > MAX_LENGTH * 2 ? text.slice(0, MAX_LENGTH * 2) : text;
  const last =
    cut
      .replace(/[\r\n]+$/, "")
      .split("\r")
      .at(-1) ?? "";
  const plain = last.replace(SEQUENCES, "").replace(CONTROLS, "");
  let line = "";
  for (const [index, part] of plain.split("\t").entries()) {
    if (index > 0) line += " ".repeat(TAB - (line.length % TAB));
    line += part;
  }
  return line.slice(0, MAX_LENGTH);
}
