import { isFailure, type RunEvent } from "./events.js";
import type { Output, Reporter } from "./reporter.js";

/**
 * Lines for GitHub Actions: each play a group that folds, each failure an annotation. Nothing that a host says can be a
 * workflow command.
 * https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions
 * @param write where the groups go: the stream of what they hold, as the two are not kept in order
 * @param make the reporter of the lines
 */
export function githubReporter(
  output: Output,
  write: (text: string) => void,
  make: (output: Output) => Reporter,
): Reporter {
  const inner = make({
    result: (text) => output.result(harmless(text)),
    progress: (text) => output.progress(harmless(text)),
  });
  const failures: string[] = [];
  let open = false;
  const close = () => {
    if (open) write("::endgroup::\n");
    open = false;
  };
  return {
    event(event) {
      if (event.type === "play.start") {
        close();
        write(`::group::${escapeData(event.play)}\n`);
        open = true;
      }
      if (event.type === "check.start" || event.type === "run.end") close();
      inner.event(event);
      const failure = annotation(event);
      if (failure !== undefined) failures.push(failure);
      // After the groups: a folded annotation is seen by nobody.
      if (event.type === "run.end") for (const line of failures.splice(0)) write(line);
    },
    end() {
      close();
      inner.end();
    },
  };
}

function annotation(event: RunEvent): string | undefined {
  if (event.type === "task.result" && isFailure(event)) {
    return errorCommand(`${event.host}: ${event.task.name}`, event.reason);
  }
  if (event.type === "check.result" && event.status === "fail") {
    return errorCommand(`${event.host}: ${event.check.title}`, event.reason);
  }
  return event.type === "host.unreachable" ? errorCommand(event.host, event.text) : undefined;
}

function errorCommand(title: string, text: string): string {
  const property = escapeData(title).replaceAll(":", "%3A").replaceAll(",", "%2C");
  return `::error title=${property}::${escapeData(text)}\n`;
}

/** As @actions/core escapes what is behind the second pair of colons. */
function escapeData(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

/** A line that begins as a command does not begin so any more; the old form may stand anywhere in a line. */
function harmless(text: string): string {
  return text.replaceAll(/^(\s*)::/gm, "$1 : :").replaceAll("##[", "# #[");
}
