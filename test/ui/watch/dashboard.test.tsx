import t from "tap";
import { fitColumns, sparkline } from "../../../src/ui/watch/columns.js";
import { openDashboard } from "../../../src/ui/watch/dashboard.js";
import { emptyWatch, reduceWatch, watchRows } from "../../../src/ui/watch/state.js";
import type { HostSample, StreamSample } from "../../../src/watch/types.js";
import { FakeTerminal, keys, type ScreenOptions, WIPES } from "../harness.js";

const live: StreamSample = {
  name: "main",
  draining: false,
  publisher: "192.0.2.20",
  videoCodec: "H264",
  audioCodec: "AAC",
  width: 1280,
  height: 720,
  fps: 30,
  bitrateBps: 3_100_000,
  uptimeMs: 3_720_000,
  viewers: 12,
  playlistAgeMs: 900,
  segmentSeconds: 2,
  segmentJitterMs: 11,
};

function sampleOf(host: string, more: Partial<HostSample> = {}): HostSample {
  return {
    host,
    at: Date.UTC(2026, 0, 1, 12),
    status: "ok",
    cpuPercent: 12.3,
    memoryUsedMb: 410,
    memoryTotalMb: 3800,
    temperatureC: 51.6,
    power: [],
    tmpfsUsed: 12 * 1024 * 1024,
    tmpfsSize: 64 * 1024 * 1024,
    uplinkBps: 4_200_000,
    downlinkBps: 3_200_000,
    units: [
      { name: "edge-rtmp", active: true },
      { name: "edge-http", active: true },
    ],
    connections: 14,
    lastChangeMs: 7_200_000,
    notes: [],
    streams: [live],
    ...more,
  };
}

interface Scope {
  teardown(handler: () => unknown): void;
}

async function open(t: Scope, size: ScreenOptions, hosts: readonly string[]) {
  const terminal = new FakeTerminal(size);
  const calls: string[] = [];
  const view = await openDashboard(
    hosts,
    {
      openLog: (host) => calls.push(`log ${host}`),
      closeLog: () => calls.push("close log"),
      kick: (host, stream) => calls.push(`kick ${host} ${stream}`),
      rotate: (host) => calls.push(`rotate ${host}`),
      quit: () => calls.push("quit"),
    },
    { unicode: size.unicode ?? true, colour: true, stdin: terminal.stdin, stdout: terminal.stdout },
  );
  t.teardown(() => view.close());
  return { terminal, view, calls };
}

t.test("hosts and streams at a glance, problems in words, and the keys", async (t) => {
  const { terminal, view, calls } = await open(t, { columns: 150, rows: 24 }, ["church", "school", "vps"]);
  await terminal.waitFor(/church.*connecting/);
  view.sample(sampleOf("church"));
  view.sample(sampleOf("school", { status: "unreachable", problem: "No answer.", retryMs: 5000, streams: [] }));
  view.sample(sampleOf("vps", { temperatureC: 85, streams: [{ ...live, name: "talk", playlistAgeMs: 30_000 }] }));
  const screen = await terminal.waitFor("talk");
  t.match(screen, /watch · 3 hosts · 2 streams · 24 watching · 3 PROBLEMS/);
  t.match(screen, /✔ church +cpu 12% +up 4\.2 Mb\/s +segments 12\/64 MB +52 °C +14 connections/);
  t.match(screen, /✔ main +3\.1 Mb\/s +█ +H264 1280x720 30 fps \+ AAC +12 watching +live 1h02m +from 192\.0\.2\.20/);
  t.match(screen, /⊘ school +No answer\. +again in 5\.0s/);
  t.match(screen, /▲ vps +85 °C is too hot/);
  t.match(screen, /▲ talk +no new segment for 30 s/);
  t.match(screen, /── church ─+\n.*\n.*14 connections of viewers/, "all about the chosen row is below");

  await terminal.press("x", "Choose a stream first");
  await terminal.press("j", /▸ +✔ main/);
  await terminal.press("x", () => calls.includes("kick church main"));
  await terminal.press("t", () => calls.includes("rotate church"));
  await terminal.press("l", "log · follows");
  view.openLog("church");
  view.logLine("church", "\u001b[2Jnginx: a line\u0007");
  view.logLine("school", "a line of another host");
  t.notMatch(await terminal.waitFor("nginx: a line"), /another host/);
  await terminal.press("q", /watch · 3 hosts/);
  t.ok(calls.includes("close log"));
  await terminal.press("f", (text) => !/✔ church/.test(text) && /▲ vps/.test(text));
  await terminal.press("f", /✔ church/);
  await terminal.press("/", /\/ *$/m);
  terminal.type("nowhere");
  await terminal.waitFor('Nothing here has "nowhere" in its name');
  await terminal.press(keys.esc, /✔ church/);
  await terminal.press("?", "end the connection of the chosen stream's publisher");
  await terminal.press("?", /✔ church/);
  await terminal.press("q", () => calls.includes("quit"));
  t.notOk(WIPES.test(terminal.bytes()));
});

t.test("questions lie over the dashboard; Ctrl-C answers no and leaves", async (t) => {
  const { terminal, view, calls } = await open(t, { columns: 80, rows: 16 }, ["church"]);
  const trust = view.questions.confirmHostKey({ host: "church", keyType: "ED25519", fingerprint: "SHA256:abc" });
  await terminal.waitFor("SHA256:abc");
  terminal.type("y");
  t.equal(await trust, true);
  const name = view.askName("Type the name");
  await terminal.waitFor("Type the name");
  terminal.type("church");
  await terminal.waitFor("church");
  terminal.type(keys.enter);
  t.equal(await name, "church");
  const again = view.questions.confirm("Sure?");
  await terminal.waitFor("Sure?");
  terminal.type(keys.ctrlC);
  t.equal(await again, false);
  t.same(calls, ["quit"]);
});

t.test("down to 40x10, and back, with twenty hosts", async (t) => {
  const names = Array.from({ length: 20 }, (_, index) => `host-${String(index + 1).padStart(2, "0")}`);
  const { terminal, view } = await open(t, { columns: 120, rows: 60 }, names);
  for (const name of names) view.sample(sampleOf(name));
  await terminal.waitFor(/host-20 +cpu/);
  terminal.resize(40, 10);
  // At most rows - 2 lines.
  await terminal.waitFor((screen) => /rows more|watch · 20 hosts/.test(screen) && screen.split("\n").length <= 8);
  await terminal.press("G", /▸ +✔ main/);
  t.match(await terminal.screen(), /host-20/, "the chosen row is in view");
  terminal.resize(120, 60);
  const back = await terminal.waitFor(/host-01 +cpu[\s\S]*host-20 +cpu/);
  t.equal(back.match(/watch · 20 hosts/g)?.length, 1);
  t.equal(back.match(/host-01 /g)?.length, 1);
});

t.test("ASCII where the locale has no more", async (t) => {
  const { terminal, view } = await open(t, { columns: 150, rows: 20, unicode: false }, ["church"]);
  view.sample(sampleOf("church"));
  view.sample(sampleOf("church"));
  const screen = await terminal.waitFor("main");
  t.match(screen, /> \+ church/);
  t.match(screen, /##/);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII
  t.notMatch(screen.replaceAll("°", ""), /[^\u0000-\u007f]/);
});

t.test("pure parts: rows, columns, sparkline", (t) => {
  const before = emptyWatch(["a", "b"]);
  const after = [sampleOf("b"), sampleOf("b", { streams: [] })].reduce(reduceWatch, before);
  t.same(before, emptyWatch(["a", "b"]), "nothing is changed in place");
  t.same(after.hosts[1]?.history.size, 0, "nothing is kept of streams that are gone");
  t.same(
    watchRows(reduceWatch(before, sampleOf("b")), { filter: "main", problemsOnly: false }).map((row) => row.key),
    ["b", "b/main"],
    "a stream stands below its host",
  );
  const columns = [
    { text: "first", width: 8, rank: 0 },
    { text: "rare", width: 4, rank: 2 },
    { text: "often", width: 5, rank: 1 },
  ];
  t.equal(fitColumns(columns, 40), "first     rare  often");
  t.equal(fitColumns(columns, 18), "first     often");
  t.equal(fitColumns(columns, 3), "first", "one is always left");
  t.equal(sparkline([0, 50, 100, 100], ["_", "-", "#"], 3), "-##");
  t.equal(sparkline([], ["_"], 3), "");
  t.end();
});
