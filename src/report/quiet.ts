import { isFailure } from "./events.js";
import { indent, recapLine } from "./format.js";
import type { Output, Reporter } from "./reporter.js";

/** Only what failed and what to do about it, and the recap. */
export function quietReporter(output: Output): Reporter {
  return {
    event(event) {
      if (event.type === "task.result" && isFailure(event)) {
        const said = event.output === undefined || event.output === "" ? "" : `${indent(event.output)}\n`;
        output.progress(`${event.host}: ${event.task.name}: ${event.reason}\n${said}`);
      } else if (event.type === "check.result" && event.status === "fail") {
        output.progress(`${event.host}: ${event.check.title}: ${event.reason}\n${hint(event.hint)}`);
      } else if (event.type === "host.unreachable") {
        output.progress(`${event.host}: ${event.text}\n${hint(event.hint)}`);
      } else if (event.type === "message" && event.level === "error") {
        output.progress(`${event.host === undefined ? "" : `${event.host}: `}${event.text}\n${hint(event.hint)}`);
      } else if (event.type === "host.end") {
        output.result(`${recapLine(event.host, event.recap)}\n`);
        const bad = event.recap.failed + event.recap.unreachable > 0;
        if (bad && event.log !== undefined) output.progress(`${event.host}: log ${event.log}\n`);
      }
    },
    end: () => undefined,
  };
}

function hint(text: string | undefined): string {
  return text === undefined ? "" : `${indent(text)}\n`;
}
