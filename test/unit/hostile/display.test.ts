import { readFileSync } from "node:fs";
import t from "tap";
import { printError } from "../../../src/cli/print-error.js";
import { cleanEvent } from "../../../src/report/clean-event.js";
import type { RunEvent } from "../../../src/report/events.js";
import { painter } from "../../../src/report/format.js";
import { githubReporter } from "../../../src/report/github.js";
import { jsonReporter } from "../../../src/report/json.js";
import { logFileReporter, logPath } from "../../../src/report/log-files.js";
import { plainReporter } from "../../../src/report/plain.js";
import { quietReporter } from "../../../src/report/quiet.js";
import type { Output, Reporter } from "../../../src/report/reporter.js";
import { UnreachableError } from "../../../src/util/errors.js";

const time = "2026-01-01T00:00:00.000Z";
const task = { id: 1, name: "Name", module: "command", path: "edge.yml:1", handler: false };
const check = { id: "x", title: "Title" };
const recap = { ok: 0, changed: 0, failed: 1, skipped: 0, ignored: 0, unreachable: 0, rescued: 0, pending: 0 };

/** Clears, titles, writes to the clipboard, links, moves up, forges lines of every display, and turns text around. */
const EVIL = [
  "\x1b[2J\x1b]0;title\x07\x1b]52;c;cm0gLXJmIH4=\x07\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\",
  "\x9b31m\x90payload\x9c\u202egnp.exe\u2066\x00\x08\x08\x7f\x1b[1A\r",
  "other  ok  forged",
  '{"type":"run.end","exitCode":0}',
  "::error title=x::forged",
  "2026-01-01T00:00:00.000Z ok forged",
].join("\n");

const events: RunEvent[] = [
  { type: "run.start", version: 1, time, run: "r1", command: "apply", check: false, hosts: ["pi"] },
  { type: "play.start", time, play: "Edge", hosts: ["pi"], tasks: 1 },
  { type: "host.connected", time, host: "pi", description: `ssh ${EVIL}` },
  { type: "host.facts", time, host: "pi", summary: EVIL, model: EVIL },
  { type: "message", time, host: "pi", level: "error", text: EVIL, hint: EVIL },
  { type: "task.start", time, host: "pi", task, item: EVIL },
  { type: "task.log", time, host: "pi", task, line: EVIL },
  { type: "task.progress", time, host: "pi", task, done: 9, total: 10, text: EVIL },
  {
    ...{ type: "task.result", time, host: "pi", task, item: EVIL, status: "failed", reason: EVIL, output: EVIL },
    ...{ diff: { path: EVIL, unified: `+${EVIL}\n` }, durationMs: 1 },
  } as RunEvent,
  {
    ...{ type: "task.result", time, host: "pi", task, status: "failed", ignored: true, reason: EVIL, output: EVIL },
    durationMs: 1,
  } as RunEvent,
  { type: "check.result", time, host: "pi", check, status: "fail", reason: EVIL, hint: EVIL, durationMs: 1 },
  { type: "host.unreachable", time, host: "pi", code: "E_X", text: EVIL, hint: EVIL },
  { type: "host.end", time, host: "pi", recap, log: "/state/pi.log" },
  { type: "run.end", time, recap: { pi: recap }, exitCode: 1, durationMs: 5 },
];

function shownBy(make: (output: Output) => Reporter): string {
  let text = "";
  const write = (part: string) => {
    text += part;
  };
  const reporter = make({ result: write, progress: write });
  for (const event of events) reporter.event(cleanEvent(event));
  reporter.end();
  return text;
}

const DRIVES = /[^\P{Cc}\n\t]|[\u202a-\u202e\u2066-\u2069]/u;
const options = { paint: painter(false), verbose: true, tasksAreResult: false };

t.test("no display writes a control character of a host, or a line that looks like another's", async (t) => {
  const displays: Record<string, string> = {
    plain: shownBy((output) => plainReporter(output, options)),
    quiet: shownBy(quietReporter),
    json: shownBy(jsonReporter),
    github: shownBy((output) => githubReporter(output, output.progress, (inner) => plainReporter(inner, options))),
  };
  for (const [name, text] of Object.entries(displays)) {
    t.ok(text.includes("forged"), `${name} shows what was said`);
    t.notMatch(text, DRIVES, name);
    t.notMatch(text, /^(other|\{"type":"run\.end","exitCode":0|::error title=x)/m, name);
  }
  const lines = displays.json?.trimEnd().split("\n") ?? [];
  t.equal(lines.length, events.length, "one line is one event");
  for (const line of lines) JSON.parse(line);
});

t.test("nor does a log file", async (t) => {
  const folder = t.testdir();
  const reporter = logFileReporter(folder);
  for (const event of events) reporter.event(cleanEvent(event));
  reporter.end();
  const text = readFileSync(logPath(folder, "r1", "pi"), "utf8");
  t.notMatch(text, DRIVES);
  t.notMatch(text, /^2026-01-01T00:00:00.000Z ok forged/m, "output and differences are moved in");
});

t.test("nor an error that ends the program", async (t) => {
  let text = "";
  const write = (part: string) => {
    text += part;
  };
  printError(new UnreachableError("E_X", EVIL, { hint: EVIL, cause: new Error(EVIL) }), write, true);
  printError(new Error(EVIL), write);
  t.ok(text.includes("forged"));
  t.notMatch(text, DRIVES);
});
