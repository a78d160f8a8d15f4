import { type SpawnSyncReturns, spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import t from "tap";
import { packageRoot } from "../../../src/util/package-root.js";
import { sha256 } from "./lock-fixture.js";
import { makeToy, type Toy } from "./toy-sources.js";

const SCRIPT = join(packageRoot(), "nginx-build/build.sh");
const noMake = spawnSync("make", ["--version"]).status === 0 ? false : "make is not installed";

type Env = Readonly<Record<string, string>>;

function run(args: readonly string[], env: Env = {}): SpawnSyncReturns<string> {
  return spawnSync("sh", [SCRIPT, "--patches", "/none", ...args], {
    encoding: "utf8",
    env: { ...process.env, ...env },
    timeout: 60_000,
  });
}

function list(sources: string, env: Env = {}, ...more: string[]): string {
  const result = run(["--list", "--profile", "upstream", "--sources", sources, ...more], env);
  return result.stdout + result.stderr;
}

const pathWith = (toy: Toy): Env => ({ PATH: `${toy.bin}:${process.env.PATH}` });

t.test("POSIX sh, and clean", async (t) => {
  const checkers = [
    ["sh", "-n"],
    ["dash", "-n"],
    ["shellcheck", "-s", "sh"],
  ];
  for (const [program = "", ...args] of checkers) {
    const result = spawnSync(program, [...args, SCRIPT], { encoding: "utf8" });
    if (result.error === undefined) t.equal(result.status, 0, `${program}: ${result.stdout}${result.stderr}`);
    else t.comment(`${program} is not installed`);
  }
});

t.test("wrong usage is named, with exit 2 and nothing touched", async (t) => {
  const dir = t.testdir({ s: {} });
  const cases: [args: string[], message: RegExp][] = [
    [["--profile", "sid"], /--profile is 'upstream', 'debian' or 'packages'/],
    [[], /--sources is missing/],
    [["--profile", "debian"], /--sources is missing/],
    [["--profile", "debian", "--sources", "/s"], /--prefix is missing/],
    [["--profile", "debian", "--sources", "s", "--prefix", "/p"], /'s' is not an absolute path/],
    [["--profile", "debian", "--sources", "/s", "--prefix", "/p q"], /characters that NGINX's makefiles/],
    [["--profile", "debian", "--sources", "/s", "--prefix", "/p", "--jobs", "many"], /--jobs is a number or 'auto'/],
    [["--profile", "debian", "--sources", "/s", "--prefix", "/p", "--with-vts", "y"], /--with-vts is/],
    [["--profile", "debian", "--sources", "/s", "--prefix", "/p", "--opt", "O3"], /--opt is/],
    [["--artifact", "a.tar.gz", "--sources", "/s", "--prefix", "/p"], /--artifact is an absolute path that ends in/],
    [["--profile", "debian", "--sources", "/s", "--prefix", "/p", "--with-rtmp", "no"], /'no' with --profile packages/],
    [["--jobs"], /--jobs needs a value/],
    [["--fast"], /unknown argument '--fast'/],
    [["--profile", "upstream", "--sources", `${dir}/none`, "--prefix", `${dir}/p`], /none does not exist/],
    [["--profile", "upstream", "--sources", `${dir}/s`, "--prefix", `${dir}/p`], /source of NJS is not in/],
  ];
  for (const [args, message] of cases) {
    const result = run(args);
    t.equal(result.status, 2, args.join(" "));
    t.match(result.stderr, message);
  }
  t.same(readdirSync(dir), ["s"]);
  t.match(run(["--help"]).stdout, /^Usage: build\.sh/);
});

t.test("compilers at once: by processors and free memory", async (t) => {
  const { sources } = makeToy(t.testdir({}));
  const meminfo = join(t.testdirName, "meminfo");
  const jobs = (availableMb: number, cpus: number, bits: number, ...more: string[]) => {
    writeFileSync(meminfo, `MemTotal: 9999999 kB\nMemAvailable:   ${availableMb * 1024} kB\n`);
    const env = { EDGE_BUILD_MEMINFO: meminfo, EDGE_BUILD_CPUS: String(cpus), EDGE_BUILD_BITS: String(bits) };
    return /^jobs (\d+)$/m.exec(list(sources, env, ...more))?.[1];
  };
  t.equal(jobs(24_000, 2, 64), "2", "a server");
  t.equal(jobs(300, 4, 64), "2", "a 512 MB Pi Zero 2, 64 bit");
  t.equal(jobs(380, 4, 32), "4", "the same with 32 bit");
  t.equal(jobs(299, 4, 64), "1");
  t.equal(jobs(60, 4, 32), "1", "less than the reserve");
  t.equal(jobs(60, 4, 32, "--jobs", "3"), "3", "what is asked for wins");
  t.equal(jobs(24_000, 2, 64, "--jobs", "0"), "2");
  writeFileSync(meminfo, "");
  t.match(list(sources, { EDGE_BUILD_MEMINFO: meminfo }), /^jobs 1$/m, "a kernel that does not tell");
});

t.test("which files: all of a directory, or those of SHA256SUMS", async (t) => {
  const { sources } = makeToy(t.testdir({}));
  t.match(list(sources), /^nginx nginx-release-1\.30\.4\.tar\.gz\n.*\n.*\nnjs njs-1\.0\.0\.tar\.gz\nvts nginx-mod/m);
  t.match(list(sources, {}, "--with-vts", "no"), /^vts -$/m);
  writeFileSync(join(sources, "nginx-1.30.6.tar.gz"), "");
  writeFileSync(join(sources, "nginx-1.30.6.tar.gz.asc"), "");
  t.match(list(sources), /holds two sources of NGINX/);
  const names = ["nginx-1.30.6.tar.gz", "nginx-rtmp-module-6c7719d.tar.gz", "tar:njs-1.0.0.tar.gz"];
  writeFileSync(join(sources, "SHA256SUMS"), names.map((name) => `${sha256("")}  ${name}\n`).join(""));
  t.match(list(sources), /source of VTS is not in/);
  t.match(list(sources, {}, "--with-vts", "no"), /^nginx nginx-1\.30\.6\.tar\.gz$/m);
});

t.test("packages: an NGINX that is not there, not the distribution's, or another than the build is for", async (t) => {
  const dir = t.testdir({ sources: {}, bin: {} });
  const words = ["--profile", "packages", "--with-rtmp", "no", "--with-vts", "no", "--sources", `${dir}/sources`];
  const asked = (said: string) => {
    writeFileSync(join(dir, "bin/dpkg-query"), `#!/bin/sh\n${said}\n`, { mode: 0o755 });
    return run([...words, "--prefix", `${dir}/p`, "--nginx-abi", "1.26.3-1"], {
      PATH: `${dir}/bin:${process.env.PATH}`,
    });
  };
  for (const [said, message] of [
    ["exit 1", /the distribution's package nginx is not installed\n/],
    ["case $3 in *Version*) echo 1.31.0-1 ;; *) echo httpd ;; esac", /\(1\.31\.0-1, which is, names no nginx-abi\)/],
    ["echo httpd, nginx-abi-1.22.1-7", /takes modules of nginx-abi 1\.22\.1-7, and this build is for 1\.26\.3-1/],
    ['[ "$4" = nginx ] && echo nginx-abi-1.26.3-1', /the package libnginx-mod-http-js is not installed/],
  ] as const) {
    const result = asked(said);
    t.equal(result.status, 1, said);
    t.match(result.stderr, message);
  }
  t.notOk(existsSync(join(dir, "p")));
});

t.test("the whole way with a toy NGINX", { skip: noMake }, async (t) => {
  const dir = t.testdir({});
  const toy = makeToy(dir);
  const prefix = join(dir, "builds/one");
  const work = join(dir, "work");
  const args = ["--profile", "upstream", "--sources", toy.sources, "--prefix", prefix, "--work", work, "--jobs", "1"];

  await t.test("a source that is not the pinned one stops it", async (t) => {
    const sums = ["nginx-release-1.30.4", "nginx-rtmp-module-6c7719d", "njs-1.0.0", "nginx-module-vts-0.2.7"];
    writeFileSync(
      join(toy.sources, "SHA256SUMS"),
      sums.map((name) => `${sha256(readFileSync(join(toy.sources, `${name}.tar.gz`)))}  ${name}.tar.gz\n`).join(""),
    );
    toy.edit("src/b.c", "syntax error\n");
    const result = run(args, pathWith(toy));
    t.equal(result.status, 2);
    t.match(
      result.stderr,
      /nginx-release-1\.30\.4\.tar\.gz is not the pinned file: SHA-256 is \w{64}, expected \w{64}/,
    );
    t.notOk(existsSync(prefix));
    writeFileSync(join(toy.sources, "SHA256SUMS"), sums.map((name) => `${sha256("")}  tar:${name}.tar.gz\n`).join(""));
    t.match(run(args, pathWith(toy)).stderr, /not the pinned file/, "nor by the hash of its tar");
    spawnSync("rm", [join(toy.sources, "SHA256SUMS")]);
  });

  await t.test("a compile error: the end of the log, its path, and nothing at the prefix", async (t) => {
    const result = run(args, pathWith(toy));
    t.equal(result.status, 1);
    t.match(result.stderr, new RegExp(`compiling NGINX failed; the last lines of ${work}/build.log`));
    t.match(result.stderr, /src\/b\.c:1: error: syntax error/);
    t.notOk(existsSync(prefix));
    t.notOk(existsSync(`${prefix}.partial`));
  });

  await t.test("killed in the middle of a file, the next run goes on after the last whole one", async (t) => {
    toy.edit("src/b.c", "b\n");
    const pidFile = join(dir, "pid");
    const env = { ...process.env, ...pathWith(toy), HANG: "b.o", HANG_PID: pidFile };
    const child = spawn("sh", [SCRIPT, "--patches", "/none", ...args], { env, detached: true, stdio: "ignore" });
    const gone = new Promise((done) => child.once("close", done));
    while (!existsSync(pidFile)) await sleep(20);
    // The whole process group, as a power cut would.
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    await gone;
    const object = join(work, "tree/nginx/objs/src/b.o");
    t.notOk(existsSync(object), "no half object under the real name");
    t.notOk(existsSync(prefix));

    const runs = () => readFileSync(join(work, "configure-runs"), "utf8").split("\n").length - 1;
    const before = runs();
    const result = run([...args, "--keep-work"], pathWith(toy));
    t.equal(result.status, 0, result.stderr);
    t.equal(runs(), before, "configure did not run again");
    t.match(result.stdout, /resuming the build/);
    t.match(result.stdout, /@@progress 3 4\n@@progress 4 4 b\.o\n/);
    t.notMatch(result.stdout, /a\.o/);
  });

  await t.test("the result is whole, described, and not built twice", async (t) => {
    t.same(readdirSync(prefix).sort(), [".complete", "conf", "made-from", "manifest.json", "modules", "sbin"]);
    const manifest = JSON.parse(readFileSync(join(prefix, "manifest.json"), "utf8"));
    t.match(manifest, {
      format: 1,
      profile: "upstream",
      versions: { nginx: "1.30.4", nginx_patches: null, rtmp: "6c7719d", njs: "1.0.0", vts: "0.2.7" },
      features: { vts: true, njs: "1.0.0", njs_dynamic: false, http_flv: false },
      load_modules: [],
      configure: "--toy",
      files: 4,
    });
    t.match(JSON.parse(readFileSync(join(work, "log.json"), "utf8")), { resumed: true, jobs: 1 });
    t.match(readFileSync(join(prefix, "made-from/SHA256SUMS"), "utf8"), /^(\w{64} {2}[\w.-]+\.tar\.gz\n){4}$/);
    const again = run(args, pathWith(toy));
    t.equal(again.status, 0);
    t.match(again.stdout, /^already built/);
  });

  await t.test("an input that changes starts over", async (t) => {
    const other = args.map((word) => (word === prefix ? join(dir, "builds/two") : word));
    const result = run(other, pathWith(toy));
    t.equal(result.status, 0, result.stderr);
    t.match(result.stdout, /@@step unpack\n@@step configure\n@@step compile\n@@progress 0 4\n@@progress 1 4 n\.o\n/);
    t.notOk(existsSync(join(work, "tree")), "objects are removed after success");
    t.ok(existsSync(join(work, "build.log")));
  });

  await t.test("patches of ours, which are an input too", async (t) => {
    const patches = join(dir, "patches");
    mkdirSync(patches);
    const file = join(patches, "rtmp-01.patch");
    const other = [...args.map((word) => (word === prefix ? join(dir, "builds/patched") : word)), "--patches", patches];
    writeFileSync(file, "--- a/config\n+++ b/config\n@@ -1 +1 @@\n-what is not there\n+else\n");
    t.match(run(other, pathWith(toy)).stderr, /our patch rtmp-01\.patch failed/);
    t.notOk(existsSync(join(dir, "builds/patched")));
    writeFileSync(file, "--- /dev/null\n+++ b/new\n@@ -0,0 +1 @@\n+text\n");
    const result = run([...other, "--keep-work"], pathWith(toy));
    t.equal(result.status, 0, result.stderr);
    t.equal(readFileSync(join(work, "tree/rtmp/new"), "utf8"), "text\n");
  });

  await t.test("the fork with HTTP-FLV has patches of its own", async (t) => {
    const sources = join(dir, "flv");
    cpSync(toy.sources, sources, { recursive: true });
    renameSync(
      join(sources, "nginx-rtmp-module-6c7719d.tar.gz"),
      join(sources, "nginx-http-flv-module-38ca192.tar.gz"),
    );
    t.match(list(sources), /^rtmp nginx-http-flv-module-38ca192\.tar\.gz$/m);
    const patches = join(dir, "flv-patches");
    mkdirSync(patches);
    writeFileSync(join(patches, "rtmp-01.patch"), "--- a/none\n+++ b/none\n@@ -1 +1 @@\n-a\n+b\n");
    writeFileSync(join(patches, "flv-01.patch"), "--- /dev/null\n+++ b/new\n@@ -0,0 +1 @@\n+text of the fork\n");
    const forked = join(dir, "builds/forked");
    const words = ["--sources", sources, "--prefix", forked, "--work", join(dir, "work-flv"), "--patches", patches];
    const result = run([...words, "--jobs", "1"], pathWith(toy));
    t.equal(result.status, 0, result.stderr);
    t.equal(JSON.parse(readFileSync(join(forked, "manifest.json"), "utf8")).features.http_flv, true);
  });

  await t.test("no room: said before anything is unpacked", async (t) => {
    const poor = join(dir, "poor");
    mkdirSync(poor);
    writeFileSync(join(poor, "df"), '#!/bin/sh\necho head\necho "/dev/x 1000000 900000 102400 90% /"\n');
    chmodSync(join(poor, "df"), 0o755);
    const path = { PATH: `${poor}:${pathWith(toy).PATH}` };
    const args = ["--profile", "upstream", "--sources", toy.sources, "--prefix", join(dir, "builds/three")];
    const result = run(args, path);
    t.equal(result.status, 1);
    t.match(result.stderr, /has 100 MB free and the build needs 200 MB/);
    t.notOk(existsSync(join(dir, "builds/three.work/tree")));
  });
});
