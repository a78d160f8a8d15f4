import type { RunEvent } from "./events.js";

/** Texts of several lines; all others are one line on every display. */
const MULTI_LINE: ReadonlySet<string> = new Set(["output", "unified", "hint"]);

// C0 and C1 controls but newline and tab, and Unicode's direction marks.
const UNSAFE = /[^\P{Cc}\n\t]|[\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/**
 * The event as any display may show it. Most texts of hosts are cleaned where they are read; this is the last gate, for
 * whatever came another way: nothing that a host said drives a terminal, or looks like a line of somebody else.
 */
export function cleanEvent(event: RunEvent): RunEvent {
  return cleanValue(event, "") as RunEvent;
}

function cleanValue(value: unknown, key: string): unknown {
  if (typeof value === "string") return cleanText(value, key);
  if (Array.isArray(value)) return value.map((one) => cleanValue(one, key));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, cleanValue(one, name)]));
}

function cleanText(text: string, key: string): string {
  const safe = text.replace(/\r\n?/g, "\n").replace(UNSAFE, "");
  return MULTI_LINE.has(key) ? safe : safe.replace(/\n+$/, "").replaceAll("\n", " ");
}
