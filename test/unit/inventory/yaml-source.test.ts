import t from "tap";
import { parseSource } from "../../../src/inventory/yaml-source.js";
import { lines } from "./fixtures/helpers.js";

t.test("plain words as PyYAML reads them", async (t) => {
  const cases: readonly (readonly [string, unknown])[] = [
    ["yes", true],
    ["Off", false],
    ["TRUE", true],
    ["y", "y"],
    ["N", "N"],
    ['"yes"', "yes"],
    ["1e3", "1e3"],
    ["1.5e+3", 1500],
    ["1.5", 1.5],
    ["0644", 420],
    ["0x10", 16],
    ["1_000", 1000],
    ["1:30", 90],
    ["2026-11-22", "2026-11-22"],
    ["~", null],
    ["2s", "2s"],
    ["1.30.4", "1.30.4"],
  ];
  for (const [text, value] of cases) t.strictSame(parseSource(`k: ${text}\n`, "f").root?.value, { k: value }, text);
});

t.test("anchors and merge keys", async (t) => {
  const { root, errors } = parseSource(
    "a: &a { x: 1, y: 2 }\nb: { y: 3, <<: *a }\nc: *a\nd: { <<: [{ z: 1 }, { z: 2 }] }\n",
    "f",
  );
  t.strictSame(errors, []);
  t.strictSame(root?.value, { a: { x: 1, y: 2 }, b: { y: 3, x: 1 }, c: { x: 1, y: 2 }, d: { z: 1 } });
  // An alias stands where it is written; what it merges in, where that was written.
  t.match(root?.entries?.get("c")?.node.position, { line: 3, column: 4 });
  t.match(root?.entries?.get("b")?.node.entries?.get("x")?.node.position, { line: 1, column: 12 });
});

t.test("an empty file has no value", async (t) => {
  for (const text of ["", "# only a comment\n", "---\n"])
    t.strictSame(parseSource(text, "f").root?.value ?? null, null);
});

t.test("problems have places", async (t) => {
  const cases: readonly (readonly [string, string])[] = [
    ["a: 1\na: 2\n", "f:2:1: this key is given twice"],
    ["x: a: b\n", "f:1:4: a second `: ` stands in this line (put a value that holds `: ` in quotes)"],
    ["a: *q\n", "f:1:4: the alias *q does not stand for a finished value"],
    ["a: &b [*b]\n", "f:1:8: the alias *b does not stand for a finished value"],
    ["a: !custom 1\n", "f:1:4: the tag !custom cannot be read (write the value without a tag)"],
    ["\tx: 1\n", "f:1:1: a tab stands at the begin of this line (indent with spaces)"],
    ["a: { <<: 1 }\n", "f:1:6: << takes a mapping or a list of mappings"],
    ["1: a\n", "f:1:1: the key 1 is not a text: put it in quotes"],
  ];
  for (const [text, message] of cases)
    t.strictSame(lines(parseSource(text, "f").errors), [message], JSON.stringify(text));
});
