import type { RunEvent } from "../report/events.js";
import { painter } from "../report/format.js";
import { jsonReporter } from "../report/json.js";
import { logFileReporter, stateFolder } from "../report/log-files.js";
import { plainReporter } from "../report/plain.js";
import { quietReporter } from "../report/quiet.js";
import { combine, type Output, type Reporter } from "../report/reporter.js";
import { InputError } from "../util/errors.js";
import type { Flags } from "./options.js";

const kinds = ["auto", "plain", "json", "quiet"] as const;
type ProgressKind = (typeof kinds)[number];

const standardOutput: Output = {
  result: (text) => process.stdout.write(text),
  progress: (text) => process.stderr.write(text),
};

export interface Display {
  readonly kind: Exclude<ProgressKind, "auto">;
  emit(event: RunEvent): void;
  /** Text for people that is no event, such as the result card; silent under json. */
  result(text: string): void;
  end(): void;
}

/**
 * The display that the flags ask for, with a log file for each host beside it.
 * @param tasksAreResult for `plan` and `verify`, whose lines are what was asked for
 * @throws InputError for an unknown kind
 */
export function openDisplay(flags: Flags, tasksAreResult: boolean): Display {
  const kind = displayKind(flags);
  const reporter = combine([mainReporter(kind, flags, tasksAreResult), logFileReporter(stateFolder())]);
  return {
    kind,
    emit: (event) => reporter.event(event),
    result: (text) => {
      if (kind !== "json") standardOutput.result(text);
    },
    end: () => reporter.end(),
  };
}

function displayKind(flags: Flags): Display["kind"] {
  const asked = flags.json === true ? "json" : (flags.progress ?? "auto");
  const kind = kinds.find((candidate) => candidate === asked);
  if (kind === undefined) {
    throw new InputError("E_FLAG_VALUE", `--progress takes ${kinds.join(", ")}, not "${asked}"`);
  }
  return kind === "auto" ? "plain" : kind;
}

function mainReporter(kind: Display["kind"], flags: Flags, tasksAreResult: boolean): Reporter {
  switch (kind) {
    case "json":
      return jsonReporter(standardOutput);
    case "quiet":
      return quietReporter(standardOutput);
    case "plain":
      return plainReporter(standardOutput, {
        paint: painter(wantsColour(flags, tasksAreResult ? process.stdout : process.stderr)),
        verbose: flags.verbose === true,
        tasksAreResult,
      });
  }
}

/** https://no-color.org: any non-empty NO_COLOR turns colours off. */
function wantsColour(flags: Flags, stream: NodeJS.WriteStream): boolean {
  if (flags["no-color"] === true || (process.env.NO_COLOR ?? "") !== "" || process.env.TERM === "dumb") return false;
  return stream.isTTY === true;
}
