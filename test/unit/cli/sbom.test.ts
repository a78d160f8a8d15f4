import { join } from "node:path";
import t from "tap";
import { runCommand } from "./run-command.js";

t.test("one host at a time", async (t) => {
  const folder = t.testdir({ "edges.yml": "edges:\n  hosts:\n    pi: {}\n    vps: {}\n" });
  const { code, err } = await runCommand(t, "sbom", ["-i", join(folder, "edges.yml")]);
  t.equal(code, 2);
  t.match(err, /of one host, and 2 are meant/);
  t.match(err, /edge-setup sbom pi/);
});

t.test("a host that is not reached", async (t) => {
  const { code, out } = await runCommand(t, "sbom", ["-i", "nobody@127.0.0.1:1,", "--no-input", "--timeout", "5"]);
  t.equal(code, 3);
  t.equal(out, "");
});
