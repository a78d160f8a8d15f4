import t from "tap";
import type { RunEvent } from "../../../src/report/events.js";
import { maskedEvents } from "../../../src/report/masked-events.js";

t.test("secrets are replaced wherever they are in an event, names of hosts stay", async (t) => {
  const seen: RunEvent[] = [];
  const emit = maskedEvents((event) => seen.push(event), ["church", "s3cret-token", "two\nlines-of-it", "no"]);
  const time = "2026-01-02T03:04:05.000Z";
  emit({
    type: "message",
    time,
    level: "info",
    host: "church",
    text: `no s3cret-token, ${Buffer.from("s3cret-token").toString("base64")}, lines-of-it`,
    hint: "ask church",
  });
  t.strictSame(seen, [
    { type: "message", time, level: "info", host: "church", text: "no ***, ***, ***", hint: "ask ***" },
  ]);
});
