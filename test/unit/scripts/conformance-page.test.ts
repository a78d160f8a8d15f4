import { readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { conformancePage } from "../../../scripts/conformance-page.js";

t.test("docs/conformance.md is current (npm run docs)", async (t) => {
  t.equal(readFileSync(join(import.meta.dirname, "../../../docs/conformance.md"), "utf8"), conformancePage());
});
