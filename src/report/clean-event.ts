import { safeLine, safeText } from "../util/safe-text.js";
import type { RunEvent } from "./events.js";

/** Texts of several lines; all others are one line on every display. */
const MULTI_LINE: ReadonlySet<string> = new Set(["output", "unified", "hint"]);

/**
 * The event as any display may show it. Most texts of hosts are cleaned where they are read; this is the last gate, for
 * whatever came another way: nothing that a host said drives a terminal, or looks like a line of somebody else.
 */
export function cleanEvent(event: RunEvent): RunEvent {
  return cleanValue(event, "") as RunEvent;
}

/** The value itself where nothing in it has to be another: nearly always. */
function cleanValue(value: unknown, key: string): unknown {
  if (typeof value === "string") return cleanText(value, key);
  if (typeof value !== "object" || value === null) return value;
  const isList = Array.isArray(value);
  let copy: Record<string, unknown> | unknown[] | undefined;
  for (const [name, one] of Object.entries(value)) {
    const clean = cleanValue(one, isList ? key : name);
    if (clean === one) continue;
    copy ??= isList ? [...value] : { ...value };
    (copy as Record<string, unknown>)[name] = clean;
  }
  return copy ?? value;
}

function cleanText(text: string, key: string): string {
  return MULTI_LINE.has(key) ? safeText(text) : safeLine(text);
}
