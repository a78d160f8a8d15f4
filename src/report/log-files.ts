import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { RunEvent } from "./events.js";
import { indent } from "./format.js";
import type { Reporter } from "./reporter.js";

/** `$XDG_STATE_HOME/edge-setup`: logs and history of runs. */
export function stateFolder(env: NodeJS.ProcessEnv = process.env): string {
  const base = env.XDG_STATE_HOME;
  return join(base === undefined || base === "" ? join(homedir(), ".local", "state") : base, "edge-setup");
}

/** The file that a host's events of one run go to. Host names are names of files here, so their slashes are not kept. */
export function logPath(folder: string, run: string, host: string): string {
  return join(folder, "runs", run, `${host.replaceAll(/[^A-Za-z0-9._-]/g, "_")}.log`);
}

/** One log file a host, 0600 in a 0700 folder: everything that the run said about it, with times. */
export function logFileReporter(folder: string): Reporter {
  const files = new Map<string, number>();
  let run = "";

  function append(host: string, time: string, text: string): void {
    let file = files.get(host);
    if (file === undefined) {
      mkdirSync(join(folder, "runs", run), { recursive: true, mode: 0o700 });
      file = openSync(logPath(folder, run, host), "a", 0o600);
      files.set(host, file);
    }
    writeSync(file, `${time} ${text}\n`);
  }

  return {
    event(event) {
      if (event.type === "run.start") run = event.run;
      if ("host" in event && event.host !== undefined) append(event.host, event.time, logText(event));
    },
    end() {
      for (const file of files.values()) closeSync(file);
      files.clear();
    },
  };
}

function logText(event: RunEvent): string {
  switch (event.type) {
    case "task.start":
      return `start ${event.task.name} (${event.task.path})`;
    case "task.log":
      return `| ${event.line}`;
    case "task.progress":
      return `progress ${event.done}/${event.total} ${event.text}`;
    case "task.result": {
      const item = event.item === undefined ? "" : ` [${event.item}]`;
      const parts = [`${event.status} ${event.task.name}${item}: ${event.reason} (${event.durationMs} ms)`];
      // Moved in: what a file or a command holds must not look like a line of the log.
      if (event.diff !== undefined) parts.push(indent(event.diff.unified));
      if (event.output !== undefined) parts.push(indent(event.output));
      return parts.join("\n");
    }
    case "check.result":
      return `${event.status} ${event.check.title}: ${event.reason} (${event.durationMs} ms)`;
    case "message":
      return `${event.level} ${event.text}`;
    case "host.unreachable":
      return `unreachable ${event.code} ${event.text}`;
    case "host.connected":
      return `connected ${event.description}`;
    case "host.facts":
      return `facts ${event.summary}`;
    default:
      return event.type;
  }
}
