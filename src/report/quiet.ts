import { recapLine } from "./format.js";
import type { Output, Reporter } from "./reporter.js";

/** Only what failed, and the recap. */
export function quietReporter(output: Output): Reporter {
  return {
    event(event) {
      if (event.type === "task.result" && event.status === "failed" && event.ignored !== true) {
        output.progress(`${event.host}: ${event.task.name}: ${event.reason}\n`);
      } else if (event.type === "check.result" && event.status === "fail") {
        output.progress(`${event.host}: ${event.check.title}: ${event.reason}\n`);
      } else if (event.type === "host.unreachable") {
        output.progress(`${event.host}: ${event.text}\n`);
      } else if (event.type === "message" && event.level === "error") {
        output.progress(`${event.text}\n`);
      } else if (event.type === "host.end") {
        output.result(`${recapLine(event.host, event.recap)}\n`);
      }
    },
    end: () => undefined,
  };
}
