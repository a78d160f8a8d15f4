import { spawnSync } from "node:child_process";
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { packageRoot } from "../../../src/util/package-root.js";
import { makeToy } from "./toy-sources.js";

const SCRIPT = join(packageRoot(), "nginx-build/build.sh");
const noMake = spawnSync("make", ["--version"]).status === 0 ? false : "make is not installed";
const patch = "--- /dev/null\n+++ b/new\n@@ -0,0 +1 @@\n+text\n";

t.test("two builds are the same to the last bit, wherever they are made", { skip: noMake }, async (t) => {
  const elsewhere = t.testdir({ patches: { "rtmp-01.patch": patch } });
  const toy = makeToy(join(elsewhere, "toy"));
  const prefix = join(elsewhere, "builds/one");
  writeFileSync(join(elsewhere, "uname"), '#!/bin/sh\necho "another $*"\n', { mode: 0o755 });
  cpSync(SCRIPT, join(elsewhere, "build.sh"));

  const build = (command: string, work: string, env: Readonly<Record<string, string>>) => {
    const args = `--sources ${toy.sources} --prefix ${prefix} --work ${join(elsewhere, work)}`;
    const options = { cwd: elsewhere, encoding: "utf8", env: { ...process.env, ...env } } as const;
    const result = spawnSync("sh", ["-c", `${command} ${args}`], options);
    t.equal(result.status, 0, result.stderr);
    const list = spawnSync("sh", ["-c", "find . -printf '%p %m\n' | sort"], { ...options, cwd: prefix });
    const program = readFileSync(join(prefix, "sbin/nginx"), "utf8");
    rmSync(prefix, { recursive: true });
    return { files: list.stdout, program };
  };

  const path = `${toy.bin}:${process.env.PATH}`;
  const one = build(`umask 022 && sh ${SCRIPT} --patches ${elsewhere}/patches --jobs 1`, "work", { PATH: path });
  t.match(one.program, /^# --prefix=.* flags= on Linux 4\.19\.0 toy$/m, "the toy tells what it knows of the machine");
  t.match(one.program, /^# at \d+$/m, "and of the time");

  const env = { PATH: `${elsewhere}:${path}`, CFLAGS: "-O3", CC: "false", TZ: "Asia/Tokyo", SOURCE_DATE_EPOCH: "1" };
  t.match(spawnSync("uname", ["-m"], { env, encoding: "utf8" }).stdout, "another -m", "another machine");
  t.same(build("umask 077 && sh build.sh --jobs 2", "a/longer/place", env), one);
});
