import { EVENT_VERSION } from "../report/events.js";
import type { HostSample } from "../watch/types.js";
import { displayKind } from "./display.js";
import type { Flags } from "./options.js";

/** How samples are shown. @throws InputError for a kind that does not exist, or a view without a terminal */
export function watchKind(flags: Flags, mayView: boolean) {
  return displayKind(flags, !mayView);
}

/** A sample as one line of JSON (docs/events.md). */
export function sampleJson(sample: HostSample): string {
  return `${JSON.stringify({ type: "host.sample", version: EVENT_VERSION, ...sample, at: undefined, time: new Date(sample.at).toISOString() })}\n`;
}
