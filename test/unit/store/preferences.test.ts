import { chmodSync, existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { durationsOf, rememberDuration } from "../../../src/store/durations.js";
import { configFolder, Preferences, withRecent } from "../../../src/store/preferences.js";

const silent = () => undefined;

t.test("what is kept is there the next time, for its owner alone", async (t) => {
  const folder = join(t.testdir(), "edge-setup");
  const first = await Preferences.open(folder, silent);
  t.same(first.kept.recentHosts, []);
  first.update((kept) => withRecent(kept, [{ name: "pi", user: "pi" }], "edges.yml"), silent);
  const second = await Preferences.open(folder, silent);
  t.same(second.kept.recentHosts, [{ name: "pi", user: "pi" }]);
  t.same(second.kept.recentInventories, ["edges.yml"]);
  t.equal(statSync(join(folder, "config.json")).mode & 0o777, 0o600);
  t.equal(statSync(folder).mode & 0o777, 0o700);
});

t.test("two runs at once lose nothing of each other", async (t) => {
  const folder = t.testdir();
  const [a, b] = await Promise.all([Preferences.open(folder, silent), Preferences.open(folder, silent)]);
  a.update((kept) => withRecent(kept, [{ name: "a" }], "a.yml"), silent);
  b.update((kept) => withRecent(kept, [{ name: "b" }], "b.yml"), silent);
  t.same(
    (await Preferences.open(folder, silent)).kept.recentHosts.map((host) => host.name),
    ["b", "a"],
  );
});

for (const [what, text] of [
  ["half a file", '{"recentHosts": ['],
  ["another shape", '{"recentHosts": "pi"}'],
  ["a secret that has no place there", '{"password": "hunter2"}'],
] as const) {
  t.test(`${what} is named, set aside and survived`, async (t) => {
    const folder = t.testdir({ "config.json": text });
    const warnings: string[] = [];
    const preferences = await Preferences.open(folder, (warning) => warnings.push(warning));
    t.same(preferences.kept.recentHosts, []);
    t.match(warnings, [/config\.json is damaged .*It is kept as .*config\.json\.damaged-/]);
    const aside = readdirSync(folder).find((name) => name.includes("damaged"));
    t.equal(readFileSync(join(folder, aside ?? ""), "utf8"), text);
    preferences.update((kept) => withRecent(kept, [{ name: "pi" }], "edges.yml"), silent);
    t.equal((await Preferences.open(folder, silent)).kept.recentHosts.length, 1);
  });
}

t.test("a folder that cannot be made costs memories, not the run", async (t) => {
  const file = join(t.testdir({ file: "" }), "file");
  const warnings: string[] = [];
  const preferences = await Preferences.open(join(file, "edge-setup"), (warning) => warnings.push(warning));
  preferences.update(
    (kept) => withRecent(kept, [{ name: "pi" }], "edges.yml"),
    (warning) => warnings.push(warning),
  );
  t.match(warnings, [/cannot be kept/]);
  t.notOk(existsSync(join(file, "edge-setup")));
});

t.test("lists are bounded, newest first", async (t) => {
  const folder = t.testdir();
  const preferences = await Preferences.open(folder, silent);
  for (let index = 0; index < 30; index++) {
    preferences.update((kept) => withRecent(kept, [{ name: `host-${index}` }], `${index}.yml`), silent);
  }
  t.equal(preferences.kept.recentHosts.length, 20);
  t.equal(preferences.kept.recentHosts[0]?.name, "host-29");
  t.equal(preferences.kept.recentInventories.length, 10);
  chmodSync(join(folder, "config.json"), 0o600);
});

t.test("durations follow what is measured, whatever the names", async (t) => {
  let table = rememberDuration({}, "Raspberry Pi 4", "Packages", 1000);
  table = rememberDuration(table, "Raspberry Pi 4", "Packages", 2000);
  t.same(durationsOf(table, "Raspberry Pi 4"), { Packages: 1500 });
  t.same(durationsOf(rememberDuration({}, "constructor", "toString", 900), "constructor"), { toString: 900 });
  t.same(durationsOf({}, "constructor"), {});
  for (let index = 0; index < 60; index++) table = rememberDuration(table, `model-${index}`, "Packages", 1);
  t.equal(Object.keys(table).length, 40);
  t.notOk("Raspberry Pi 4" in table, "what was not seen for longest goes first");
});

t.equal(configFolder({ XDG_CONFIG_HOME: "/etc/xdg" }), "/etc/xdg/edge-setup");
