import t from "tap";
import { emptyRecap } from "../../../src/engine/recap.js";
import type { HostRecap, RunEvent, TaskRef } from "../../../src/report/events.js";
import { remainingMs } from "../../../src/ui/run/eta.js";
import { layoutRun } from "../../../src/ui/run/layout.js";
import { emptyRun, type HostState, type RunAction, type RunState, reduceRun } from "../../../src/ui/run/state.js";
import { initialView, reduceView, type ViewFacts } from "../../../src/ui/run/view-state.js";
import { cleanLine } from "../../../src/ui/sanitize.js";
import { type EditKey, editText } from "../../../src/ui/text-edit.js";

const time = (second: number) => new Date(Date.UTC(2026, 0, 1, 12, 0, second)).toISOString();
const task = (name: string): TaskRef => ({ id: 1, name, module: "command", path: "edge.yml:1", handler: false });
const recap: HostRecap = { ...emptyRecap(), ok: 1 };
const options = { verbose: false, logPath: (run: string, host: string) => `/runs/${run}/${host}.log` };

function stateAfter(...events: readonly RunAction[]): RunState {
  const start: RunEvent = {
    type: "run.start",
    version: 1,
    time: time(0),
    run: "r1",
    command: "apply",
    check: false,
    hosts: ["a", "b"],
  };
  return [start, ...events].reduce((state, event) => reduceRun(state, event, options), emptyRun);
}

t.test("the state of a run after its events", async (t) => {
  const compile = task("Compile");
  const running = stateAfter(
    { type: "play.start", time: time(1), play: "p", hosts: ["a", "b"], tasks: 5 },
    { type: "host.facts", time: time(1), host: "a", summary: "Debian\u001b[2J", model: "Raspberry Pi 4" },
    { type: "task.start", time: time(2), host: "a", task: compile },
    { type: "task.progress", time: time(3), host: "a", task: compile, done: 10, total: 100, text: "x.c" },
    { type: "task.progress", time: time(9), host: "a", task: compile, done: 40, total: 100, text: "y.c" },
    { type: "task.log", time: time(9), host: "a", task: compile, line: "cc x.c\u0007" },
    { type: "task.log", time: time(9), host: "nobody", task: compile, line: "a host of no run" },
  );
  t.match(running.hosts, [
    {
      name: "a",
      model: "Raspberry Pi 4",
      total: 5,
      log: ["cc x.c"],
      phase: { kind: "running", label: "Compile", progress: { done: 40, first: { done: 10 } } },
    },
    { name: "b", phase: { kind: "waiting" } },
  ]);
  t.match(running.finished, [{ host: "a", text: "Debian" }]);

  const failed: RunEvent = {
    type: "task.result",
    time: time(10),
    host: "a",
    task: compile,
    status: "failed",
    reason: "exit 2",
    durationMs: 8000,
  };
  const ended = [
    failed,
    { type: "host.unreachable", time: time(11), host: "b", code: "E_TIMEOUT", text: "no answer", hint: "on?" },
    { type: "run.end", time: time(12), recap: { a: recap }, exitCode: 1, durationMs: 12_000 },
  ] as const satisfies readonly RunEvent[];
  const end = ended.reduce((state, event) => reduceRun(state, event, options), running);
  t.match(end.hosts, [{ phase: { kind: "failed", reason: "exit 2" } }, { phase: { kind: "unreachable" } }]);
  t.same(
    end.finished.slice(-10).map(({ text }) => text),
    [
      "done in 12s, exit 1",
      "",
      "a FAILED",
      "  Compile: exit 2",
      "    | cc x.c",
      "  log: /runs/r1/a.log",
      "",
      "b FAILED",
      "  E_TIMEOUT: no answer",
      "    on?",
      "  log: /runs/r1/b.log",
    ].slice(-10),
  );
  const ignored = reduceRun(running, { ...failed, ignored: true }, options);
  t.match(ignored.finished.at(-1), { status: "warning" }, "what the playbook ignores has not failed");
  t.equal(ignored.hosts[0]?.failures.length, 0);
  t.same(reduceRun(end, { type: "ui.notice", text: "x" }, options).notice, "x");
});

t.test("rows are dealt within rows - 2, failed hosts first", async (t) => {
  const [host] = stateAfter().hosts as [HostState, ...HostState[]];
  const many = Array.from(
    { length: 30 },
    (_, index): HostState => ({
      ...host,
      name: `h${index}`,
      phase: index === 29 ? { kind: "failed", label: "x", reason: "y" } : { kind: "waiting" },
    }),
  );
  for (const [columns, rows] of [
    [40, 10],
    [80, 24],
    [200, 60],
  ] as const) {
    const layout = layoutRun(many, { columns, rows });
    const used = 3 + layout.hosts.length + (layout.more === "" ? 0 : 1) + layout.tail;
    t.ok(used <= rows - 2 + (layout.tail === 0 ? 1 : 0), `${columns}x${rows}: ${used} rows`);
    t.equal(layout.hosts[0]?.name, "h29");
    t.equal(layout.bar > 0, columns >= 80, "a narrow terminal drops the bar first");
  }
  t.match(layoutRun(many, { columns: 80, rows: 24 }).more, /^\d+ more \(\d+ waiting\)$/);
  t.equal(layoutRun(many, { columns: 30, rows: 24 }).kind, "summary");
});

t.test("movements in hosts and log", async (t) => {
  const facts: ViewFacts = { hosts: ["a", "b", "c"], logLength: 100, dropped: 20, page: 10, matches: [30, 60] };
  const after = (...commands: string[]) =>
    commands.reduce((view, command) => reduceView(view, command, facts), initialView);
  t.equal(after("down").host, "b");
  t.equal(after("up").host, "a");
  t.equal(after("bottom", "down").host, "c");
  t.match(after("open"), { screen: "log", host: "a", top: undefined });
  t.equal(after("open", "up").top, 89);
  t.equal(after("open", "up", "down").top, undefined, "at the end it follows again");
  t.equal(after("open", "top").top, 20, "not before what is still kept");
  t.equal(after("open", "top", "next").top, 30);
  t.equal(after("open", "pageUp", "previous").top, 60);
  t.equal(after("open", "pageUp", "bottom").top, undefined);
  t.equal(after("open", "back").screen, "hosts");
  t.same(after("no command"), initialView);
});

t.test("the time left: by pace, by memory, or not known", async (t) => {
  const [host] = stateAfter().hosts as [HostState, ...HostState[]];
  const compiling = (done: number, at: number): HostState => ({
    ...host,
    phase: {
      kind: "running",
      label: "Compile",
      task: task("Compile"),
      startedAt: 0,
      progress: { done, total: 100, text: "", first: { at: 0, done: 0 }, at },
    },
  });
  t.equal(remainingMs(host, {}, 0), undefined);
  t.equal(remainingMs(host, { Packages: 1000, Compile: 9000 }, 0), 10_000);
  t.equal(
    remainingMs(compiling(50, 10_000), { Packages: 1000 }, 10_000),
    11_000,
    "50 files in 10 s, and what is later",
  );
  t.equal(remainingMs(compiling(2, 500), { Compile: 9000 }, 4000), 5000, "too early for a pace");
  t.equal(remainingMs(compiling(2, 500), { Compile: 1000 }, 4000), 0, "never below nothing");
  t.equal(remainingMs({ ...host, phase: { kind: "done" } }, { Packages: 1000 }, 0), undefined);
});

t.test("a line that is typed", async (t) => {
  const none: EditKey = {
    leftArrow: false,
    rightArrow: false,
    backspace: false,
    delete: false,
    ctrl: false,
    meta: false,
    upArrow: false,
    downArrow: false,
    tab: false,
    escape: false,
    pageUp: false,
    pageDown: false,
  };
  const at = (text: string, cursor: number) => ({ text, cursor });
  t.same(editText(at("ab", 1), "xy", none), at("axyb", 3), "pasted text is one input");
  t.same(editText(at("ab", 2), "", { ...none, delete: true }), at("a", 1));
  t.same(editText(at("ab", 0), "", { ...none, backspace: true }), at("ab", 0));
  t.same(editText(at("one two", 7), "w", { ...none, ctrl: true }), at("one ", 4));
  t.same(editText(at("one two", 3), "u", { ...none, ctrl: true }), at(" two", 0));
  t.same(editText(at("one two", 3), "k", { ...none, ctrl: true }), at("one", 3));
  t.same(editText(at("ab", 1), "a", { ...none, ctrl: true }), at("ab", 0));
  t.equal(editText(at("ab", 1), "", { ...none, upArrow: true }), undefined);
  t.equal(editText(at("ab", 1), "z", { ...none, ctrl: true }), undefined);
});

t.test("lines of hosts, harmless", async (t) => {
  t.equal(cleanLine("a\u001b[31mb\u001b]0;title\u0007c\u001b[2J"), "abc");
  t.equal(cleanLine("10%\r20%\r100%\r\n"), "100%", "of a bar that rewrites itself the last state");
  t.equal(cleanLine("a\tb"), "a       b");
  t.equal(cleanLine("left\u202eright\u0000"), "leftright");
  t.equal(cleanLine("x".repeat(10_000)).length, 2000);
});
