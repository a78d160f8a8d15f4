import t from "tap";
import type { RunEvent } from "../../../src/report/events.js";
import { painter } from "../../../src/report/format.js";
import { githubReporter } from "../../../src/report/github.js";
import { plainReporter } from "../../../src/report/plain.js";

const time = "2026-01-01T12:00:00.000Z";
const task = { id: 1, name: "Packages: all, of them", module: "apt", path: "edge.yml:1", handler: false };

function lines(events: readonly RunEvent[]): string[] {
  let text = "";
  const write = (part: string) => {
    text += part;
  };
  const reporter = githubReporter({ result: write, progress: write }, write, (output) =>
    plainReporter(output, { paint: painter(false), verbose: false, tasksAreResult: false }),
  );
  for (const event of events) reporter.event(event);
  reporter.end();
  return text.trimEnd().split("\n");
}

t.test("plays fold, failures are annotated after them", async (t) => {
  const said = lines([
    { type: "play.start", time, play: "Streaming edge", hosts: ["pi"], tasks: 2 },
    { type: "task.result", time, host: "pi", task, status: "failed", reason: "100 %\nbroken", durationMs: 5 },
    { type: "run.end", time, recap: {}, exitCode: 1, durationMs: 5 },
  ]);
  t.equal(said[0], "::group::Streaming edge");
  t.ok(said.indexOf("::endgroup::") > 0);
  t.equal(said.at(-1), "::error title=pi%3A Packages%3A all%2C of them::100 %25%0Abroken");
});

t.test("nothing that a host says is a command", async (t) => {
  const output = "::set-env name=PATH::/evil\n  ::stop-commands::x\n##[set-output name=a]b";
  const said = lines([
    { type: "play.start", time, play: "p\n::error::x", hosts: ["pi"], tasks: 1 },
    { type: "task.result", time, host: "pi", task, status: "failed", reason: "no", output, durationMs: 5 },
  ]);
  const commands = said.filter((line) => /^\s*::/.test(line) || line.includes("##["));
  t.same(commands, ["::group::p%0A::error::x", "::endgroup::"]);
});
