import t from "tap";
import type { RunEvent, TaskRef } from "../../../src/report/events.js";
import { createTuiReporter, type TuiOptions } from "../../../src/ui/run/tui-reporter.js";
import { FakeTerminal, keys, type ScreenOptions, WIPES } from "../harness.js";

const time = (second: number) => new Date(Date.UTC(2026, 0, 1, 12, 0, second)).toISOString();
const task = (id: number, name: string): TaskRef => ({
  id,
  name,
  module: "command",
  path: "edge.yml:1",
  handler: false,
});
const compile = task(7, "Compile NGINX");

function start(hosts: string[]): RunEvent {
  return { type: "run.start", version: 1, time: time(0), run: "r1", command: "apply", check: false, hosts };
}

function result(
  host: string,
  name: string,
  status: "ok" | "changed" | "failed",
  more: { output?: string } = {},
): RunEvent {
  return {
    type: "task.result",
    time: time(5),
    host,
    task: task(1, name),
    status,
    reason: `${name} reason`,
    durationMs: 1200,
    ...more,
  };
}

const recap = { ok: 1, changed: 1, failed: 0, skipped: 0, ignored: 0, unreachable: 0, rescued: 0, pending: 0 };

function end(hosts: string[], exitCode = 0): RunEvent {
  return {
    type: "run.end",
    time: time(60),
    recap: Object.fromEntries(hosts.map((host) => [host, recap])),
    exitCode,
    durationMs: 60_000,
  };
}

async function openView(size: ScreenOptions, more: Partial<TuiOptions> = {}) {
  const terminal = new FakeTerminal(size);
  const view = await createTuiReporter({
    verbose: false,
    unicode: size.unicode ?? true,
    colour: size.colour ?? true,
    onStop: () => undefined,
    onDetach: () => undefined,
    estimatesFor: () => ({}),
    now: () => Date.parse(time(30)),
    stdin: terminal.stdin,
    stdout: terminal.stdout,
    ...more,
  });
  return { terminal, view };
}

const SIZE = { columns: 100, rows: 24 };

t.test("finished tasks scroll away, what runs is below them, and nothing is wiped", async (t) => {
  const { terminal, view } = await openView(SIZE, { estimatesFor: () => ({ "Compile NGINX": 600_000, Player: 2000 }) });
  view.event(start(["pi", "vps"]));
  view.event({ type: "play.start", time: time(0), play: "Streaming edge", hosts: ["pi", "vps"], tasks: 40 });
  view.event({ type: "host.facts", time: time(1), host: "pi", summary: "Debian 13", model: "Raspberry Pi 4" });
  view.event(result("pi", "Packages", "changed"));
  view.event({ type: "task.start", time: time(10), host: "pi", task: compile });
  view.event({
    type: "task.progress",
    time: time(11),
    host: "pi",
    task: compile,
    done: 40,
    total: 120,
    text: "ngx_http.c",
  });
  view.event({ type: "task.log", time: time(11), host: "pi", task: compile, line: "cc -c\u001b[2J ngx_http.c" });
  const screen = await terminal.waitFor("Compile NGINX 33% 40/120");
  t.match(screen, /~ changed +\d\d:00:05 pi +Packages: Packages reason {2}1\.2s/);
  t.match(
    screen,
    /pi .* 1\/40 Compile NGINX 33% 40\/120 20s {2}ngx_http\.c {2}~9m42s left/,
    "elapsed, file, time left",
  );
  t.match(screen, /cc -c ngx_http\.c/, "the log of the chosen host, without its escape sequences");
  t.match(screen, /vps .* 0\/40 waiting/);
  view.event(end(["pi", "vps"]));
  await view.close();
  const all = await terminal.everything();
  t.match(all, /pi: ok=1 changed=1 failed=0/);
  t.match(all, /done in 1m00s, exit 0/);
  t.notMatch(all, /left$/m, "the live region is gone");
  t.notOk(WIPES.test(terminal.bytes()));
  t.notOk(terminal.rawMode, "the terminal is given back");
  t.match(terminal.bytes(), "\u001b[?25h", "with its cursor");
});

t.test("nothing that a host says drives the terminal", async (t) => {
  const { terminal, view } = await openView(SIZE);
  const evil = "\u001b]52;c;eA==\u0007\u001b]8;;http://x\u001b\\\u001b]0;t\u0007\u001b[2J\u009b9A\u202esaid";
  view.event(start(["pi"]));
  view.event({ type: "host.facts", time: time(1), host: "pi", summary: evil, model: evil });
  view.event({ type: "task.start", time: time(2), host: "pi", task: compile });
  view.event({ type: "task.progress", time: time(2), host: "pi", task: compile, done: 1, total: 2, text: evil });
  view.event({ type: "task.log", time: time(3), host: "pi", task: compile, line: evil });
  view.event(result("pi", "Packages", "failed", { output: evil }));
  view.event({ type: "host.unreachable", time: time(4), host: "pi", code: "E_X", text: evil, hint: evil });
  await terminal.waitFor("said");
  view.event(end(["pi"], 1));
  void view.afterRun();
  await view.close();
  for (const sequence of ["\u001b]", "\u009b", "\u202e", "\u001b[2J"]) t.notOk(terminal.bytes().includes(sequence));
});

t.test("what failed is told last: error, last lines, log; and may be tried again", async (t) => {
  const { terminal, view } = await openView(SIZE);
  view.event(start(["pi", "vps"]));
  view.event(result("vps", "Packages", "changed"));
  view.event(result("pi", "Packages", "failed", { output: "E: Unable to locate package\nE: giving up" }));
  view.event({ ...end(["pi", "vps"], 1) } as RunEvent);
  const wish = view.afterRun();
  const screen = await terminal.waitFor("r try the failed hosts again");
  t.match(
    screen,
    /pi FAILED\n +Packages: Packages reason\n +\| E: Unable to locate package\n +\| E: giving up\n +log: .*pi\.log/,
  );
  terminal.type("r");
  t.equal(await wish, "retry");
  view.event(start(["pi"]));
  view.event({ type: "task.start", time: time(20), host: "pi", task: task(1, "Packages") });
  t.match(await terminal.waitFor(/apply · 1 host/), /Packages/, "the new run begins below");
  await view.close();
});

t.test("ctrl-c says what happens, and is counted", async (t) => {
  let stops = 0;
  const { terminal, view } = await openView(SIZE, { onStop: () => (stops += 1) });
  view.event(start(["pi"]));
  view.event({ type: "task.start", time: time(1), host: "pi", task: compile });
  await terminal.waitFor("Compile NGINX");
  await terminal.press(keys.ctrlC, "Press Ctrl-C again to stop at once");
  t.equal(stops, 1);
  await terminal.press(keys.ctrlC, "Stopping at once");
  t.equal(stops, 2);
  await view.close();
});

t.test("q asks while something runs, d leaves", async (t) => {
  let detached = false;
  let stops = 0;
  const { terminal, view } = await openView(SIZE, { onDetach: () => (detached = true), onStop: () => (stops += 1) });
  view.event(start(["pi"]));
  view.event({ type: "task.start", time: time(1), host: "pi", task: compile });
  await terminal.waitFor("Compile NGINX");
  await terminal.press("q", "Something still runs");
  await terminal.press("n", (screen) => !screen.includes("Something still runs"));
  t.equal(stops, 0);
  terminal.type("d");
  await terminal.waitFor(() => detached);
  await view.close();
});

t.test("questions are asked inside the view, without a default and without showing a password", async (t) => {
  const { terminal, view } = await openView(SIZE);
  view.event(start(["pi"]));
  const trust = view.questions.confirmHostKey({ host: "pi", keyType: "ED25519", fingerprint: "SHA256:abc" });
  const screen = await terminal.waitFor("Trust and remember it?");
  t.match(screen, /SHA256:abc/);
  await terminal.press(keys.enter, "Trust");
  await terminal.press("y", (now) => !now.includes("Trust"));
  t.equal(await trust, true);
  const password = view.questions.askSecret("sudo password");
  await terminal.waitFor("sudo password");
  terminal.type("hunter2");
  await terminal.waitFor("*******");
  terminal.type(keys.enter);
  t.equal((await password)?.reveal(), "hunter2");
  t.notMatch(terminal.bytes(), "hunter2");
  await view.close();
});

t.test("the log of a host: scrolled it stops following, G follows again", async (t) => {
  const { terminal, view } = await openView({ columns: 80, rows: 14 });
  view.event(start(["pi"]));
  view.event({ type: "task.start", time: time(1), host: "pi", task: compile });
  for (let line = 1; line <= 100; line++)
    view.event({ type: "task.log", time: time(2), host: "pi", task: compile, line: `line ${line} end` });
  await terminal.waitFor("Compile NGINX");
  t.match(await terminal.press(keys.enter, "log · follows"), /line 100 end/);
  await terminal.press(keys.pageUp, /paused: G follows/);
  t.notMatch(await terminal.screen(), /line 100 end/);
  view.event({ type: "task.log", time: time(3), host: "pi", task: compile, line: "line 101 end" });
  t.match(await terminal.press("G", "line 101 end"), /log · follows/);
  await terminal.press("g", /line 1 end/);
  await terminal.press("/", "/");
  await terminal.press("line 42", "/line 42");
  await terminal.press(keys.enter, "esc back");
  await terminal.press("n", /▸ line 42 end/);
  await terminal.press("?", "docs/keys.md");
  await view.close();
});

t.test("many hosts: failed first, the rest counted, only failed on f", async (t) => {
  const hosts = Array.from({ length: 20 }, (_, index) => `host-${index + 1}`);
  const { terminal, view } = await openView(SIZE);
  view.event(start(hosts));
  view.event(result("host-20", "Packages", "failed"));
  const screen = await terminal.waitFor("FAILED Packages");
  t.match(screen, /apply · 20 hosts .* 1 FAILED .*\n.*host-20 .*FAILED Packages/, "what failed is on top");
  t.match(screen, /\d+ more \(\d+ waiting\)/);
  await terminal.press("f", (now) => !now.includes("more ("));
  t.notMatch(await terminal.screen(), /host-1 /);
  await view.close();
});

t.test("without colours there are none, without Unicode there is only ASCII", async (t) => {
  const { terminal, view } = await openView({ ...SIZE, colour: false, unicode: false });
  view.event(start(["pi"]));
  view.event(result("pi", "Packages", "changed"));
  view.event({ type: "task.start", time: time(1), host: "pi", task: compile });
  await terminal.waitFor("Compile NGINX");
  t.match(await terminal.screen(), /^[\x20-\x7e\n]*$/);
  t.match(await terminal.screen(), /~ changed/);
  await view.close();
});

for (const [columns, rows] of [
  [40, 10],
  [39, 9],
  [120, 50],
] as const) {
  t.test(`a storm of events and a resize to ${columns}x${rows} wipe nothing and stay within the screen`, async (t) => {
    const hosts = Array.from({ length: 20 }, (_, index) => `host-${index + 1}`);
    const { terminal, view } = await openView(SIZE);
    view.event(start(hosts));
    for (const host of hosts) view.event({ type: "task.start", time: time(1), host, task: compile });
    await terminal.waitFor("Compile NGINX");
    terminal.resize(columns, rows);
    for (let round = 0; round < 50; round++) {
      for (const host of hosts)
        view.event({ type: "task.log", time: time(2), host, task: compile, line: `cc file ${round}`.repeat(20) });
    }
    view.event(result("host-1", "Packages", "changed"));
    await terminal.waitFor((screen) => screen.includes("apply"));
    terminal.resize(100, 24);
    await terminal.waitFor("cc file 49");
    const screen = await terminal.screen();
    t.equal(screen.match(/apply · 20 hosts/g)?.length, 1, "one header is left");
    t.notOk(WIPES.test(terminal.bytes()));
    await view.close();
  });
}

t.test("the window's title, where it is asked for, and the old one back", async (t) => {
  const { terminal, view } = await openView({ columns: 80, rows: 20 }, { title: true });
  view.event(start(["church", "school"]));
  view.event({ type: "host.end", time: time(9), host: "church", recap: { ...recap, failed: 1 } });
  await view.close();
  const bytes = terminal.bytes();
  t.match(bytes, "\u001b[22;2t");
  t.match(bytes, "\u001b]2;edge-setup apply: 0 of 2 done\u0007");
  t.match(bytes, "\u001b]2;edge-setup apply: 1 of 2 done, 1 failed\u0007");
  t.ok(bytes.endsWith("\u001b[23;2t"));
});
