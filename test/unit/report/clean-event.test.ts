import t from "tap";
import { cleanEvent } from "../../../src/report/clean-event.js";
import type { RunEvent } from "../../../src/report/events.js";

const time = "2026-01-01T00:00:00.000Z";
const task = { id: 1, name: "Name", module: "command", path: "edge.yml:1", handler: false };

t.test("nothing that a host said drives a terminal or looks like another line", async (t) => {
  const events: RunEvent[] = [
    {
      type: "check.result",
      time,
      host: "pi",
      check: { id: "x", title: "Title" },
      status: "fail",
      reason: "said \u001b[2J\u001b]0;title\u0007and\r\nvps  ok  nothing\u202e",
      hint: "one\ntwo",
      durationMs: 1,
    },
    { type: "host.unreachable", time, host: "pi", code: "E_X", text: "banner\u009b31m\n::error::x\n" },
    {
      type: "task.result",
      time,
      host: "pi",
      task,
      status: "failed",
      reason: "exit 1",
      output: "a\r\nb\u001b[31m\tc\n",
      durationMs: 1,
    },
  ];
  t.match(events.map(cleanEvent), [
    { reason: "said [2J]0;titleand vps  ok  nothing", hint: "one\ntwo" },
    { text: "banner31m ::error::x" },
    { output: "a\nb[31m\tc\n", task },
  ]);
});

t.test("numbers, flags and what is clean stay as they are", async (t) => {
  const event: RunEvent = {
    type: "run.end",
    time,
    recap: { pi: { ok: 1, changed: 0, failed: 0, skipped: 0, ignored: 0, unreachable: 0, rescued: 0, pending: 0 } },
    exitCode: 0,
    durationMs: 12,
  };
  t.same(cleanEvent(event), event);
});
