import { nowText, type RunEvent } from "../report/events.js";
import type { Fleet } from "./fleet.js";

/** What was noticed while the files were read, to be said once the run has started. */
export function noticesOf(fleet: Fleet): RunEvent[] {
  const warnings = fleet.secrets.warnings.map(
    (text): RunEvent => ({ type: "message", time: nowText(), level: "warning", text }),
  );
  const withoutVts = fleet.hosts
    .filter(({ settings: { values } }) => values.nginx_sources === "debian" && values.nginx_vts === "auto")
    .map(
      ({ host }): RunEvent => ({
        type: "message",
        time: nowText(),
        level: "info",
        host: host.name,
        text: "nginx_sources: debian has no VTS module; /status shows the edge's own page instead",
      }),
    );
  return [...warnings, ...withoutVts];
}
