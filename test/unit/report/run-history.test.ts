import { mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { loadFleet } from "../../../src/cli/fleet.js";
import { emptyRecap } from "../../../src/engine/recap.js";
import type { HostRecap, RunEvent } from "../../../src/report/events.js";
import { pastRuns, runHistory } from "../../../src/report/run-history.js";

const recap: HostRecap = { ...emptyRecap(), ok: 1 };

function runOf(run: string, day: number, bad: Readonly<Record<string, Partial<HostRecap>>>): RunEvent[] {
  const time = new Date(Date.UTC(2026, 0, day)).toISOString();
  const hosts = ["a", "b", "c"];
  return [
    { type: "run.start", version: 1, time, run, command: "apply", check: false, hosts },
    {
      type: "run.end",
      time,
      recap: Object.fromEntries(hosts.map((host) => [host, { ...recap, ...bad[host] }])),
      exitCode: Object.keys(bad).length > 0 ? 1 : 0,
      durationMs: 10,
    },
  ];
}

function write(folder: string, events: readonly RunEvent[]): void {
  const history = runHistory(folder);
  for (const event of events) history.event(event);
  history.end();
}

t.test("each run is remembered with how its hosts came out, privately, and not for ever", async (t) => {
  const folder = t.testdir();
  t.same(pastRuns(folder), []);
  write(folder, runOf("r1", 1, { b: { failed: 1 }, c: { unreachable: 1 } }));
  write(folder, runOf("r2", 2, {}));
  t.match(pastRuns(folder), [
    { run: "r2", exitCode: 0, hosts: { a: "ok", b: "ok", c: "ok" } },
    { run: "r1", exitCode: 1, hosts: { a: "ok", b: "failed", c: "unreachable" } },
  ]);
  t.equal(statSync(join(folder, "runs/r1/run.json")).mode & 0o777, 0o600);
  writeFileSync(join(folder, "runs/r2/run.json"), "{ damaged");
  t.match(pastRuns(folder), [{ run: "r1" }], "a damaged file is passed over");
  for (let number = 0; number < 120; number++) {
    const old = join(folder, "runs", `old-${number}`);
    mkdirSync(old);
    utimesSync(old, 1000 + number, 1000 + number);
  }
  write(folder, runOf("r3", 3, {}));
  const kept = readdirSync(join(folder, "runs"));
  t.equal(kept.length, 100);
  t.ok(kept.includes("r3") && kept.includes("r1") && !kept.includes("old-0"), "the oldest went");
});

t.test("--limit @failed takes the hosts of the last run that did not come out well", async (t) => {
  const folder = t.testdir({
    "edges.yml": "edges:\n  hosts:\n    a: {}\n    b: {}\n    c: {}\n",
  });
  const before = process.env.XDG_STATE_HOME;
  process.env.XDG_STATE_HOME = folder;
  t.teardown(() => {
    if (before === undefined) delete process.env.XDG_STATE_HOME;
    else process.env.XDG_STATE_HOME = before;
  });
  const state = join(folder, "edge-setup");
  const chosen = async () => {
    const flags = { inventory: join(folder, "edges.yml"), limit: "@failed" };
    const fleet = await loadFleet(flags, { saveSecrets: false, passwords: {} });
    return fleet.hosts.map(({ host }) => host.name);
  };
  await t.rejects(chosen(), { code: "E_LIMIT", message: /no run of these hosts/ });
  write(state, runOf("r1", 1, { b: { failed: 1 }, c: { unreachable: 1 } }));
  t.same(await chosen(), ["b", "c"]);
  write(state, runOf("r2", 2, { c: { failed: 1 } }));
  t.same(await chosen(), ["c"]);
  write(state, runOf("r3", 3, {}));
  await t.rejects(chosen(), { code: "E_LIMIT", message: /no host failed in the last run/ });
});
