import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { logFileReporter, logPath, stateFolder } from "../../../src/report/log-files.js";

const time = "2026-01-01T00:00:00.000Z";

t.test("each host has a private log of its own", async (t) => {
  const folder = t.testdir();
  const reporter = logFileReporter(folder);
  reporter.event({
    type: "run.start",
    version: 1,
    time,
    run: "r1",
    command: "apply",
    check: false,
    hosts: ["a", "b/../c"],
  });
  reporter.event({ type: "host.connected", time, host: "a", description: "ssh a" });
  reporter.event({ type: "host.unreachable", time, host: "b/../c", code: "E_DNS", text: "no such name" });
  reporter.end();
  t.equal(readFileSync(join(folder, "runs/r1/a.log"), "utf8"), `${time} connected ssh a\n`);
  const other = logPath(folder, "r1", "b/../c");
  t.equal(other, join(folder, "runs/r1/b_.._c.log"), "a host's name cannot leave the folder");
  t.equal(statSync(other).mode & 0o777, 0o600);
  t.equal(statSync(join(folder, "runs/r1")).mode & 0o777, 0o700);
});

t.equal(stateFolder({ XDG_STATE_HOME: "/s" }), "/s/edge-setup");
