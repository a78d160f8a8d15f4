import { writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { runCommand } from "./run-command.js";

const inventory =
  "edges:\n  vars: { nginx_sources: debian }\n  hosts:\n    pi: { ansible_host: 127.0.0.1, ansible_port: 1 }\n";

t.test("flags of bundle", async (t) => {
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [[], /bundle needs a file to write[\s\S]*-o edge-bundle.tar/],
    [["--arch", "amd64"], /--release is missing[\s\S]*bookworm, trixie/],
    [["--release", "trixe"], /--release knows no "trixe"[\s\S]*Did you mean "trixie"\?/],
    [["--release", "noble"], /--release knows no "noble"[\s\S]*name a host of that kind with --inventory/],
    [["--release", "trixie", "--arch", "amd64,riscv64"], /--arch knows no "riscv64"/],
    [["--release", "trixie", "-i", "x,"], /instead of hosts/],
    [["--release", "trixie", "-e", "hls_fragment=0s"], /hls_fragment/],
  ];
  for (const [words, message] of cases) {
    const output = words.length === 0 ? [] : ["-o", join(t.testdirName, "x.tar")];
    const { code, out, err } = await runCommand(t, "bundle", [...words, ...output]);
    t.equal(code, 2, words.join(" "));
    t.match(err, message);
    t.equal(out, "");
  }
});

t.test("hosts that are to be asked have to answer", async (t) => {
  const folder = t.testdir({ "edges.yml": inventory });
  const words = ["-o", join(folder, "x.tar"), "-i", join(folder, "edges.yml"), "--no-input", "--timeout", "5"];
  t.equal((await runCommand(t, "bundle", words)).code, 3);
});

t.test("a bundle that is none stops plan and apply before any host is called", async (t) => {
  const folder = t.testdir({ "edges.yml": inventory, "edge.tar": "nothing" });
  process.env.XDG_STATE_HOME = join(folder, "state");
  process.env.XDG_CACHE_HOME = join(folder, "cache");
  const file = join(folder, "edge.tar");
  writeFileSync(file, "x".repeat(4096));
  for (const [command, words] of [
    ["plan", []],
    ["apply", ["--yes"]],
  ] as const) {
    const given = ["-i", join(folder, "edges.yml"), "--no-input", "--bundle", file, ...words];
    const { code, err } = await runCommand(t, command, given);
    t.equal(code, 2, command);
    t.match(err, /the bundle .*edge.tar: its beginning is no header of a tar archive/);
    t.match(err, /Nothing was touched/);
    t.notMatch(err, /unreachable|127\.0\.0\.1/);
  }
});
