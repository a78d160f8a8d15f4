import t from "tap";
import { RunFrame } from "../../../src/cli/run-frame.js";
import type { RunEvent } from "../../../src/report/events.js";

const time = "2026-01-01T00:00:00.000Z";
const notice: RunEvent = { type: "message", time, level: "warning", text: "noticed while files were read" };
const proof: RunEvent = { type: "check.start", time, host: "pi", check: { id: "p", title: "Playlist" } };

t.test("run.start is first and run.end last, around notices and proofs, with the exit code of the whole", async (t) => {
  const seen: RunEvent[] = [];
  const frame = new RunFrame((event) => seen.push(event), [notice]);
  frame.emit({ type: "run.start", version: 1, time, run: "r", command: "apply", check: false, hosts: ["pi"] });
  frame.emit({ type: "run.end", time, recap: {}, exitCode: 0, durationMs: 5 });
  frame.emit(proof);
  t.equal(frame.end(1), 1);
  t.same(
    seen.map((event) => event.type),
    ["run.start", "message", "check.start", "run.end"],
  );
  t.match(seen.at(-1), { type: "run.end", exitCode: 1 });
});

t.test("a command without a run of the engine has both too", async (t) => {
  const seen: RunEvent[] = [];
  const frame = new RunFrame((event) => seen.push(event), []);
  frame.start("verify", ["pi"]);
  frame.emit(proof);
  frame.end(0);
  t.match(seen, [
    { type: "run.start", version: 1, command: "verify", hosts: ["pi"], run: /^[0-9a-f]{12}$/ },
    { type: "check.start" },
    { type: "run.end", exitCode: 0 },
  ]);
});
