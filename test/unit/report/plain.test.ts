import t from "tap";
import type { HostRecap, RunEvent, TaskRef } from "../../../src/report/events.js";
import { painter } from "../../../src/report/format.js";
import { jsonReporter } from "../../../src/report/json.js";
import { plainReporter } from "../../../src/report/plain.js";
import { quietReporter } from "../../../src/report/quiet.js";
import type { Reporter } from "../../../src/report/reporter.js";

const time = "2026-01-01T00:00:00.000Z";
const task: TaskRef = { id: 1, name: "Packages", module: "apt", path: "edge.yml:3", handler: false };
const recap: HostRecap = {
  ok: 3,
  changed: 1,
  failed: 1,
  skipped: 0,
  ignored: 0,
  unreachable: 0,
  rescued: 0,
  pending: 0,
};
const base = { time, host: "pi", task, durationMs: 1500 } as const;

function collect(
  make: (out: { result: (s: string) => void; progress: (s: string) => void }) => Reporter,
  events: RunEvent[],
) {
  const out = { result: "", progress: "" };
  const reporter = make({
    result: (text) => {
      out.result += text;
    },
    progress: (text) => {
      out.progress += text;
    },
  });
  for (const event of events) reporter.event(event);
  reporter.end();
  return out;
}

const events: RunEvent[] = [
  { type: "task.result", ...base, status: "ok", reason: "all 3 installed" },
  {
    type: "task.result",
    ...base,
    status: "changed",
    reason: "missing: ffmpeg",
    diff: { path: "/x", unified: "-a\n+b" },
  },
  { type: "task.result", ...base, status: "skipped", reason: "check mode", pending: true },
  { type: "task.result", ...base, status: "failed", reason: "exit 100", output: "E: no such package\n" },
  {
    type: "check.result",
    time,
    host: "pi",
    check: { id: "p", title: "Playlist" },
    status: "fail",
    reason: "404",
    durationMs: 9,
  },
  {
    type: "host.unreachable",
    time,
    host: "vps",
    code: "E_REFUSED",
    text: "the port is closed",
    hint: "Is sshd running?",
  },
  { type: "host.end", time, host: "pi", recap },
];

t.test("plain shows what changes, what fails and why, on stderr; the recap on stdout", async (t) => {
  const out = collect(
    (o) => plainReporter(o, { paint: painter(false), verbose: false, tasksAreResult: false }),
    events,
  );
  t.equal(
    out.progress,
    [
      "pi  changed    Packages  missing: ffmpeg  1.5s",
      "  -a",
      "  +b",
      "pi  would run  Packages  check mode  1.5s",
      "pi  failed     Packages  exit 100  1.5s",
      "pi  fail       Playlist  404",
      "vps  unreachable  the port is closed (E_REFUSED)",
      "  Is sshd running?",
      "",
    ].join("\n"),
  );
  t.equal(out.result, "pi: ok=3 changed=1 failed=1 skipped=0\n");
});

t.test("plan's task lines are the result; verbose adds what is right", async (t) => {
  const out = collect((o) => plainReporter(o, { paint: painter(false), verbose: true, tasksAreResult: true }), events);
  t.match(out.result, /^pi {2}ok {9}Packages {2}all 3 installed/);
  t.notMatch(out.progress, /Packages/);
});

t.test("colour adds nothing but escapes", async (t) => {
  const make = (colour: boolean) => (o: { result: (s: string) => void; progress: (s: string) => void }) =>
    plainReporter(o, { paint: painter(colour), verbose: true, tasksAreResult: true });
  const coloured = collect(make(true), events);
  const plain = collect(make(false), events);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the escapes are what is taken away
  const strip = (text: string) => text.replaceAll(/\u001b\[\d+m/g, "");
  t.not(coloured.result, plain.result);
  t.equal(strip(coloured.result), plain.result);
});

t.test("a long task says that it lives, and counts in tenths", async (t) => {
  let tick: () => void = () => t.fail("no heartbeat was started");
  let now = 0;
  const lines: string[] = [];
  const reporter = plainReporter(
    { result: () => undefined, progress: (text) => lines.push(text) },
    {
      paint: painter(false),
      verbose: false,
      tasksAreResult: false,
      now: () => now,
      setInterval: (callback) => {
        tick = callback;
        return { unref: () => undefined };
      },
    },
  );
  reporter.event({ type: "task.start", time, host: "pi", task });
  for (let done = 1; done <= 40; done++) {
    reporter.event({ type: "task.progress", time, host: "pi", task, done, total: 100, text: "x.c" });
  }
  t.equal(lines.length, 4);
  now = 29_000;
  tick();
  t.equal(lines.length, 4, "not yet");
  now = 65_000;
  tick();
  t.equal(lines.at(-1), "pi  still running  Packages  40/100  1m05s\n");
  reporter.event({ type: "task.result", ...base, status: "ok", reason: "done" });
  now = 200_000;
  tick();
  t.equal(lines.length, 5, "a task that ended is silent");
  reporter.event({ type: "check.start", time, host: "pi", check: { id: "p", title: "playlist is valid" } });
  now = 240_000;
  tick();
  t.equal(lines.at(-1), "pi  still running  playlist is valid  40s\n", "a check lives too");
});

t.test("quiet keeps failures and the recap", async (t) => {
  const out = collect(quietReporter, events);
  t.equal(
    out.progress,
    "pi: Packages: exit 100\n  E: no such package\npi: Playlist: 404\nvps: the port is closed\n  Is sshd running?\n",
  );
  t.equal(out.result, "pi: ok=3 changed=1 failed=1 skipped=0\n");
});

t.test("json is one event a line, on stdout alone", async (t) => {
  const out = collect(jsonReporter, events);
  t.same(
    out.result
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line)),
    events,
  );
  t.equal(out.progress, "");
});

const whole: RunEvent[] = [
  { type: "run.start", version: 1, time, run: "r1", command: "apply", check: false, hosts: ["pi", "vps"] },
  ...events.slice(0, -1),
  { type: "task.start", time, host: "pi", task: { ...task, id: 2, name: "Compile" } },
  { type: "task.log", time, host: "pi", task, line: "cc: error: no space left" },
  { type: "task.result", ...base, task: { ...task, id: 2, name: "Compile" }, status: "failed", reason: "exit 2" },
  { type: "host.end", time, host: "pi", recap, log: "/state/runs/r1/pi.log" },
  {
    type: "host.end",
    time,
    host: "vps",
    recap: { ...recap, failed: 0, unreachable: 1 },
    log: "/state/runs/r1/vps.log",
  },
  { type: "run.end", time, recap: { pi: recap }, exitCode: 1, durationMs: 5000 },
];

t.test("what failed is said again at the very end: the task, its last lines, where the log is", async (t) => {
  const out = collect((o) => plainReporter(o, { paint: painter(false), verbose: false, tasksAreResult: false }), whole);
  t.match(
    out.progress,
    [
      "",
      "pi FAILED",
      "  Packages (apt, edge.yml:3): exit 100",
      "    | E: no such package",
      "  Playlist: 404",
      "  Compile (apt, edge.yml:3): exit 2",
      "    | cc: error: no space left",
      "  log: /state/runs/r1/pi.log",
      "",
      "vps FAILED",
      "  the port is closed (E_REFUSED)",
      "    Is sshd running?",
      "  log: /state/runs/r1/vps.log",
      "done in 5.0s",
      "",
    ].join("\n"),
  );
});

t.test("plain, json and quiet tell the same of one run", async (t) => {
  const plain = collect(
    (o) => plainReporter(o, { paint: painter(false), verbose: true, tasksAreResult: false }),
    whole,
  );
  const quiet = collect(quietReporter, whole);
  const json = collect(jsonReporter, whole)
    .result.trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as RunEvent);
  const plainText = plain.result + plain.progress;
  const quietText = quiet.result + quiet.progress;
  for (const event of json) {
    const facts = factsOf(event);
    for (const fact of facts.all) t.ok(plainText.includes(fact), `plain says: ${fact}`);
    for (const fact of facts.bad) t.ok(quietText.includes(fact), `quiet says: ${fact}`);
  }
  t.equal(plain.result, quiet.result, "the recap is the same");
});

/** What a reader must learn from an event on every display, and what even a quiet one says. */
function factsOf(event: RunEvent): { all: string[]; bad: string[] } {
  switch (event.type) {
    case "task.result": {
      const facts = [event.task.name, event.reason, ...(event.output?.trim().split("\n") ?? [])];
      const diff = event.diff?.unified.split("\n") ?? [];
      return { all: [...facts, ...diff], bad: event.status === "failed" ? facts : [] };
    }
    case "check.result":
      return { all: [event.check.title, event.reason], bad: event.status === "fail" ? [event.reason] : [] };
    case "host.unreachable":
      return { all: [event.text, event.code, event.hint ?? ""], bad: [event.text, event.hint ?? ""] };
    case "host.end":
      return { all: [event.log ?? ""], bad: [event.log ?? ""] };
    default:
      return { all: [], bad: [] };
  }
}
