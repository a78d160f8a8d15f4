import { type EmitEvent, nowText } from "../report/events.js";
import type { Fleet } from "./fleet.js";

/** Says what was noticed while the files were read. */
export function sayWarnings(emit: EmitEvent, fleet: Fleet): void {
  for (const text of fleet.secrets.warnings) emit({ type: "message", time: nowText(), level: "warning", text });
}
