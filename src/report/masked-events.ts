import { masker } from "../util/mask.js";
import type { EmitEvent, RunEvent } from "./events.js";

/** What names an event and its host; the inventory says it in the clear. */
const PUBLIC = new Set(["type", "time", "run", "host", "hosts"]);

/** Passes events on with every secret in their texts, whether of a host or of a playbook, replaced by `***`. */
export function maskedEvents(emit: EmitEvent, secrets: readonly string[]): EmitEvent {
  const mask = masker(secrets);
  const walk = (value: unknown, key: string): unknown => {
    if (typeof value === "string") return PUBLIC.has(key) ? value : mask(value);
    if (Array.isArray(value)) return value.map((item) => walk(item, key));
    if (typeof value === "object" && value !== null) {
      return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, walk(item, name)]));
    }
    return value;
  };
  return (event) => emit(walk(event, "") as RunEvent);
}
