import { cleanEvent } from "../report/clean-event.js";
import type { EmitEvent, RunEvent } from "../report/events.js";
import { painter } from "../report/format.js";
import { githubReporter } from "../report/github.js";
import { jsonReporter } from "../report/json.js";
import { logFileReporter, logPath, stateFolder } from "../report/log-files.js";
import { plainReporter } from "../report/plain.js";
import { quietReporter } from "../report/quiet.js";
import { combine, type Output, type Reporter } from "../report/reporter.js";
import { runHistory } from "../report/run-history.js";
import { type Asker, noPrompter, terminalPrompter } from "../ui/prompts/prompter.js";
import type { TuiReporter } from "../ui/run/tui-reporter.js";
import { InputError } from "../util/errors.js";
import { Durations } from "./durations.js";
import type { Flags } from "./options.js";
import { mayAsk } from "./reach.js";
import type { Interruption } from "./signals.js";
import { colourWanted, linearWanted, wantsUnicode } from "./terminal-traits.js";

const kinds = ["auto", "tui", "plain", "json", "quiet"] as const;
type ProgressKind = (typeof kinds)[number];

const standardOutput: Output = {
  result: (text) => process.stdout.write(text),
  progress: (text) => process.stderr.write(text),
};

export interface Display {
  readonly kind: Exclude<ProgressKind, "auto">;
  /** Who asks while this display is up. */
  readonly asker: Asker;
  emit(event: RunEvent): void;
  /** Text for people that is no event, such as the result card; silent under json. */
  result(text: string): void;
  /** After a run: whether the operator wants its failed hosts tried again. Only a run view asks. */
  afterRun(): Promise<"quit" | "retry">;
  /** Restores the terminal; may be called again. */
  end(): Promise<void>;
}

export interface DisplayOptions {
  /** For `plan` and `verify`, whose lines are what was asked for: they are not a view that vanishes. */
  readonly tasksAreResult: boolean;
  readonly interruption: Interruption;
}

/**
 * The display that the flags ask for, with a log file for each host beside it.
 * @throws InputError for an unknown kind, or a run view where there is no terminal
 */
export async function openDisplay(flags: Flags, options: DisplayOptions): Promise<Display> {
  const kind = displayKind(flags, options.tasksAreResult);
  const durations = new Durations();
  const beside = [logFileReporter(stateFolder()), runHistory(stateFolder()), durations];
  if (kind === "tui") return runView(flags, options, beside, durations);
  const reporter = combine([lineReporter(kind, flags, options.tasksAreResult), ...beside]);
  return {
    kind,
    asker: mayAsk(flags) ? terminalPrompter() : noPrompter,
    emit: withLogPaths((event) => reporter.event(event)),
    result: (text) => {
      if (kind !== "json") standardOutput.result(text);
    },
    afterRun: () => Promise.resolve("quit"),
    end: once(async () => {
      reporter.end();
      await durations.save();
    }),
  };
}

export function displayKind(flags: Flags, tasksAreResult: boolean): Display["kind"] {
  const asked = flags.json === true ? "json" : (flags.progress ?? "auto");
  const kind = kinds.find((candidate) => candidate === asked);
  if (kind === undefined) {
    throw new InputError("E_FLAG_VALUE", `--progress takes ${kinds.join(", ")}, not "${asked}"`);
  }
  if (kind === "tui" && !hasTerminal()) {
    throw new InputError("E_FLAG_VALUE", "--progress tui needs a terminal on stdin, stdout and stderr", {
      hint: "Leave --progress out: lines are written where there is no terminal.",
    });
  }
  if (kind !== "auto") return kind;
  return tasksAreResult || !hasTerminal() || linearWanted(flags) ? "plain" : "tui";
}

function hasTerminal(): boolean {
  return process.stdin.isTTY === true && process.stdout.isTTY === true && process.stderr.isTTY === true;
}

function lineReporter(kind: "plain" | "json" | "quiet", flags: Flags, tasksAreResult: boolean): Reporter {
  switch (kind) {
    case "json":
      return jsonReporter(standardOutput);
    case "quiet":
      return quietReporter(standardOutput);
    case "plain": {
      const lines = (output: Output) =>
        plainReporter(output, {
          paint: painter(colourWanted(flags, tasksAreResult ? process.stdout : process.stderr)),
          verbose: flags.verbose === true,
          tasksAreResult,
        });
      if (process.env.GITHUB_ACTIONS !== "true") return lines(standardOutput);
      return githubReporter(standardOutput, tasksAreResult ? standardOutput.result : standardOutput.progress, lines);
    }
  }
}

async function runView(
  flags: Flags,
  { interruption }: DisplayOptions,
  beside: readonly Reporter[],
  durations: Durations,
): Promise<Display> {
  const { prepareEnvironment } = await import("../ui/environment.js");
  const colour = colourWanted(flags, process.stdout);
  prepareEnvironment(colour);
  const { createTuiReporter } = await import("../ui/run/tui-reporter.js");
  const view: TuiReporter = await createTuiReporter({
    verbose: flags.verbose === true,
    unicode: wantsUnicode(process.env, process.platform),
    colour,
    bell: flags.bell === true,
    title: flags.title === true,
    onStop: () => interruption.stop("interrupt"),
    onDetach: () => interruption.stop("detach"),
    estimatesFor: (model) => durations.estimatesFor(model),
  });
  const held: string[] = [];
  const aloud = interruption.announce;
  interruption.announce = (text) => view.notice(text);
  void durations.load();
  const reporter = combine([view, ...beside]);
  return {
    kind: "tui",
    asker: view.questions,
    emit: withLogPaths((event) => reporter.event(event)),
    // Written once the terminal is given back: a view would wrap a long command, and it could not be pasted.
    result: (text) => held.push(text),
    afterRun: () => view.afterRun(),
    end: once(async () => {
      await view.close();
      for (const text of held) standardOutput.result(text);
      interruption.announce = aloud;
      reporter.end();
      await durations.save();
    }),
  };
}

/** The last gate of events; it also tells at the end of a host where its log is, which is known only here. */
function withLogPaths(emit: EmitEvent): EmitEvent {
  const folder = stateFolder();
  let run = "";
  return (raw) => {
    const event = cleanEvent(raw);
    if (event.type === "run.start") run = event.run;
    emit(event.type === "host.end" ? { ...event, log: logPath(folder, run, event.host) } : event);
  };
}

function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => {
    done ??= work();
    return done;
  };
}
