/** C0 and C1 controls but newline and tab, Unicode's direction marks, and its separators of lines and paragraphs. */
const UNSAFE = /[^\P{Cc}\n\t]|[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

/** Most texts, which are told faster than the rest is looked for. */
const PLAIN = /^[\t\n\x20-\x7e]*$/;

/** A longer line says no more to anybody, characters. */
const LONGEST_LINE = 4000;

/** Text of a host as a terminal may have it: lines and tabs, and nothing that drives a terminal. */
export function safeText(text: string): string {
  return PLAIN.test(text) ? text : text.replace(/\r\n?/g, "\n").replace(UNSAFE, "");
}

/** Text of a host as one line that looks like nobody else's. @param most characters; the rest is cut off */
export function safeLine(text: string, most = LONGEST_LINE): string {
  // Cut first, so that megabytes cost nothing; what is removed from the rest only makes it shorter.
  const head = text.length > most ? `${text.slice(0, most)}…` : text;
  return safeText(head).replace(/\n+$/, "").replaceAll("\n", " ");
}
