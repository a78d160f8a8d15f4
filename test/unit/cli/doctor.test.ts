import t from "tap";
import { runCommand } from "./run-command.js";

t.test("without hosts: this machine, and what this package would build", async (t) => {
  const folder = t.testdir({});
  const before = process.cwd();
  process.chdir(folder);
  t.teardown(() => process.chdir(before));
  const plain = await runCommand(t, "doctor", []);
  t.match(plain.out, /^here {2}ok {2}Node\.js v/m);
  t.match(plain.out, /^here {2}\S+ {2}.*NGINX 1\.30\./m);
  t.equal(plain.code, plain.out.includes("PROBLEM") ? 1 : 0);
  const { out, code } = await runCommand(t, "doctor", ["--json", "-v"]);
  const lines = out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  t.ok(lines.every((line) => line.type === "doctor.finding" && line.version === 1 && line.host === undefined));
  t.ok(lines.some((line) => line.check === "advisory" && String(line.id).startsWith("CVE-")));
  t.equal(code, plain.code);
});

t.test("a host that is not reached: exit 3, and its reason", async (t) => {
  const { out, code } = await runCommand(t, "doctor", ["-i", "nobody@127.0.0.1:1,", "--no-input", "--timeout", "5"]);
  t.equal(code, 3);
  t.match(out, /^127\.0\.0\.1\S* {2}unreachable {2}/m);
});
