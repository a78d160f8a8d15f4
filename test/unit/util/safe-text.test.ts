import t from "tap";
import { safeLine, safeText } from "../../../src/util/safe-text.js";

t.test("text keeps its lines and tabs, and nothing that drives a terminal", async (t) => {
  t.equal(safeText("a\x1b[2Jb\r\nc\td\u202ee\u0085\u2028f\u061c"), "a[2Jb\nc\tdef");
  t.equal(safeText("\x1b]52;c;aGk=\x07\x1b]8;;http://x\x1b\\link\x9b31m\x00"), "]52;c;aGk=]8;;http://x\\link31m");
});

t.test("a line is one line, and not endless", async (t) => {
  t.equal(safeLine("one\ntwo\r\nthree\n\n"), "one two three");
  t.equal(safeLine("x".repeat(50), 10), `${"x".repeat(10)}…`);
  t.equal(safeLine("x".repeat(10_000_000)).length, 4001);
});
