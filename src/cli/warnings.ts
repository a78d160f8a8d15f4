import { type EmitEvent, nowText } from "../report/events.js";
import type { Fleet } from "./fleet.js";

/** Says what was noticed while the files were read. */
export function sayWarnings(emit: EmitEvent, fleet: Fleet): void {
  for (const text of fleet.secrets.warnings) emit({ type: "message", time: nowText(), level: "warning", text });
  for (const { host, settings } of fleet.hosts) {
    const { nginx_sources, nginx_vts } = settings.values;
    if (nginx_sources !== "debian" || nginx_vts !== "auto") continue;
    const text = "nginx_sources: debian has no VTS module; /status shows the edge's own page instead";
    emit({ type: "message", time: nowText(), level: "info", host: host.name, text });
  }
}
