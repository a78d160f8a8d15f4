import type { RunEvent } from "../../report/events.js";
import type { Reporter } from "../../report/reporter.js";

const ESC = "\u001b";
/** xterm's stack of titles (ctlseqs, "Window manipulation"); terminals without it ignore this. */
const PUSH = `${ESC}[22;2t`;
const POP = `${ESC}[23;2t`;

/** Says in the window's title how many hosts are done, and gives the old title back. Holds no text of a host. */
export function windowTitle(write: (text: string) => void): Reporter {
  let [all, done, failed] = [0, 0, 0];
  let command = "";
  const show = (text: string) => write(`${ESC}]2;edge-setup ${command}: ${text}\u0007`);
  write(PUSH);
  return {
    event(event: RunEvent) {
      if (event.type === "run.start") {
        [all, done, failed, command] = [event.hosts.length, 0, 0, event.command];
        show(`0 of ${all} done`);
      } else if (event.type === "host.end") {
        done += 1;
        if (event.recap.failed + event.recap.unreachable > 0) failed += 1;
        show(`${done} of ${all} done${failed > 0 ? `, ${failed} failed` : ""}`);
      }
    },
    end: () => write(POP),
  };
}
