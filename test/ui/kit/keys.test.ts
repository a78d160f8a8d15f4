import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import t from "tap";
import { commandFor, keysPage, keyTable } from "../../../src/ui/keymap.js";

t.equal(
  readFileSync(resolve(import.meta.dirname, "../../../docs/keys.md"), "utf8"),
  keysPage(),
  "docs/keys.md is current: npm run docs",
);

t.test("on a screen every key means one thing, and every command has a key and a help", async (t) => {
  for (const screen of ["wizard", "run"] as const) {
    const keys = keyTable.filter((binding) => binding.screen === screen).flatMap((binding) => binding.keys);
    t.same([...new Set(keys)], keys, screen);
  }
  for (const { command, keys, help } of keyTable) t.ok(keys.length > 0 && help !== "", command);
});

t.test("keys are found by what terminals send", async (t) => {
  t.equal(commandFor("run", "", { pageUp: true }), "pageUp");
  t.equal(commandFor("run", "c", { ctrl: true }), "stop");
  t.equal(commandFor("run", "c", {}), "command");
  t.equal(commandFor("run", "G", { shift: true }), "bottom");
  t.equal(commandFor("wizard", " ", {}), "mark");
  t.equal(commandFor("wizard", "", { tab: true, shift: true }), "previous");
  t.equal(commandFor("run", "x", {}), undefined);
});
