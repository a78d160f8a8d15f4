import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { packageRoot } from "../../../src/util/package-root.js";
import { sha256 } from "./lock-fixture.js";
import { makeToy } from "./toy-sources.js";

const BUILD = join(packageRoot(), "nginx-build/build.sh");
const INSTALL = join(packageRoot(), "nginx-build/install.sh");
const noMake = spawnSync("make", ["--version"]).status === 0 ? false : "make is not installed";

type Env = Readonly<Record<string, string>>;

function run(script: string, args: readonly string[], env: Env = {}) {
  return spawnSync("sh", [script, ...args], { encoding: "utf8", env: { ...process.env, ...env }, timeout: 60_000 });
}

t.test("install.sh is POSIX sh, and clean", async (t) => {
  for (const [program = "", ...args] of [
    ["dash", "-n"],
    ["shellcheck", "-s", "sh"],
  ]) {
    const result = spawnSync(program, [...args, INSTALL], { encoding: "utf8" });
    if (result.error === undefined) t.equal(result.status, 0, `${program}: ${result.stdout}${result.stderr}`);
    else t.comment(`${program} is not installed`);
  }
});

t.test("wrong usage of install.sh is named, with exit 2", async (t) => {
  const dir = t.testdir({ "a.tar.gz": "" });
  const cases: [args: string[], message: RegExp][] = [
    [[], /--artifact is an absolute path that ends in \.tar\.gz, not ''/],
    [["--artifact", "/a.tar.gz"], /--prefix is an absolute path/],
    [["--artifact", "/none/a.tar.gz", "--prefix", "/p"], /\/none\/a\.tar\.gz is not there/],
    [["--artifact", `${dir}/a.tar.gz`, "--prefix", "/p"], /a\.json is not there/],
    [["--prefix"], /--prefix needs a value/],
    [["--fast"], /unknown argument '--fast'/],
  ];
  for (const [args, message] of cases) {
    const result = run(INSTALL, args);
    t.equal(result.status, 2, args.join(" "));
    t.match(result.stderr, message);
  }
  t.match(run(INSTALL, ["--help"]).stdout, /^Usage: install\.sh/);
});

t.test("build.sh refuses a host that the build is not for", async (t) => {
  const dir = t.testdir({
    raspbian: 'ID=raspbian\nVERSION_CODENAME="bookworm"\n',
    ubuntu: "ID=ubuntu\nVERSION_CODENAME=noble\n",
  });
  const on = (release: string, arch: string, ...words: string[]) => {
    const env = { EDGE_BUILD_RELEASE: join(dir, release), EDGE_BUILD_ARCH: arch };
    const { status, stderr } = run(BUILD, ["--sources", "/none", "--prefix", join(dir, "p"), ...words], env);
    t.equal(status, 2);
    return stderr;
  };
  t.match(
    on("ubuntu", "amd64", "--system", "debian bookworm"),
    /this host is ubuntu noble, the build is for debian bookworm/,
  );
  const other = /this host's programs are armhf\/armv6, the build is for armhf\/armv7-a/;
  t.match(on("raspbian", "armhf", "--userland", "armhf/armv7-a"), other);
  t.match(on("raspbian", "armhf", "--system", "debian bookworm", "--userland", "armhf/armv6"), /\/none does not exist/);
  const userlands = { amd64: "x86-64", arm64: "armv8-a", armhf: "armv7-a", armel: "armv5te", riscv64: "unknown" };
  for (const [arch, level] of Object.entries(userlands)) {
    t.match(on("ubuntu", arch, "--userland", `${arch}/${level}`), /\/none does not exist/, arch);
  }
});

t.test("a build as one file, and back", { skip: noMake }, async (t) => {
  const dir = t.testdir({ release: "ID=debian\nVERSION_CODENAME=trixie\n" });
  const toy = makeToy(join(dir, "toy"));
  const prefix = join(dir, "builds/one");
  const artifact = join(dir, "artifacts/one.tar.gz");
  const configured = `configure arguments: --prefix=${prefix} --toy`;
  toy.edit("src/main.c", `#!/bin/sh\ncase "$*" in *-V*) echo "${configured}" >&2 ;; esac\n`);
  const env = {
    ...{ PATH: `${toy.bin}:${process.env.PATH}`, EDGE_BUILD_RELEASE: join(dir, "release"), EDGE_BUILD_ARCH: "amd64" },
  };
  const args = ["--sources", toy.sources, "--prefix", prefix, "--work", join(dir, "work"), "--artifact", artifact];
  const built = run(BUILD, [...args, "--patches", "/none"], env);
  t.equal(built.status, 0, built.stderr);
  const packed = readFileSync(artifact);
  const description = JSON.parse(readFileSync(join(dir, "artifacts/one.json"), "utf8"));

  await t.test("the archive is described by what is in it, and its own hash", async (t) => {
    const manifest = JSON.parse(readFileSync(join(prefix, "manifest.json"), "utf8"));
    t.same(description, { ...manifest, sha256: sha256(packed), size: packed.length });
    t.match(manifest, { system: "debian trixie", userland: "amd64/x86-64" });
    t.match(JSON.parse(readFileSync(join(dir, "artifacts/one.log.json"), "utf8")), { resumed: false });
    t.same(readdirSync(join(dir, "artifacts")).sort(), ["one.json", "one.log.json", "one.tar.gz"]);
    const list = execFileSync("tar", ["-tvzf", artifact, "--full-time"], {
      encoding: "utf8",
      env: { ...process.env, TZ: "UTC" },
    });
    for (const line of list.trim().split("\n")) t.match(line, / (0\/0|root\/root) .* 1970-01-01 00:00:00 \.\//);
  });

  await t.test("packed anew it is the same, whatever is there", async (t) => {
    writeFileSync(artifact, "damaged");
    const again = run(BUILD, ["--sources", "/none", ...args.slice(2)], env);
    t.equal(again.status, 0, again.stderr);
    t.match(again.stdout, /^@@step pack\nalready built/, "sources and a compiler are not asked for");
    t.ok(readFileSync(artifact).equals(packed));
  });

  const words = ["--artifact", artifact, "--prefix", prefix, "--system", "debian trixie", "--userland", "amd64/x86-64"];
  const left = () => readdirSync(join(dir, "builds"));

  await t.test("installed it is what was built", async (t) => {
    cpSync(prefix, join(dir, "original"), { recursive: true });
    rmSync(prefix, { recursive: true });
    const installed = run(INSTALL, words, { PATH: process.env.PATH ?? "" });
    t.equal(installed.status, 0, installed.stderr);
    t.equal(execFileSync("diff", ["-r", prefix, join(dir, "original")], { encoding: "utf8" }), "");
    t.match(run(INSTALL, words).stdout, /^already there/);
    rmSync(prefix, { recursive: true });
    t.same(left(), []);
  });

  await t.test("what is not for this host, or is damaged, is refused", async (t) => {
    const refused = (args: readonly string[], message: RegExp) => {
      const result = run(INSTALL, args);
      t.equal(result.status, 1);
      t.match(result.stderr, message);
      t.same(left(), [], "and nothing of it stays");
    };
    const instead = (word: string, by: string) => words.map((one) => (one === word ? by : one));
    refused(instead("debian trixie", "debian bookworm"), /a build for debian trixie, this host is debian bookworm/);
    refused(instead("amd64/x86-64", "armhf/armv6"), /a build for amd64\/x86-64, this host's programs are armhf\/armv6/);
    refused(instead(prefix, join(dir, "builds/other")), /is another build than the one of/);
    writeFileSync(artifact, packed.subarray(0, packed.length - 10));
    refused(words, /one\.tar\.gz is damaged: SHA-256 is \w{64}, its description says \w{64}/);
  });

  await t.test("an archive of ill will is refused, whatever its description says", async (t) => {
    const evil = join(dir, "evil");
    const pack = (make: string) => {
      rmSync(evil, { recursive: true, force: true });
      mkdirSync(evil);
      execFileSync("sh", ["-ec", `cp -a "$1"/. .; ${make}`, "sh", join(dir, "original")], { cwd: evil });
      const archive = readFileSync(artifact);
      const text = JSON.stringify({ ...description, sha256: sha256(archive) }, undefined, 2);
      writeFileSync(join(dir, "artifacts/one.json"), text);
      const result = run(INSTALL, words);
      t.equal(result.status, 1, make);
      t.same(left(), []);
      t.notOk(existsSync(join(dir, "out")));
      return result.stderr;
    };
    t.match(pack(`ln -s ${dir} link; tar -czf ${artifact} .`), /one\.tar\.gz holds l/);
    t.match(pack(`ln -s /etc from; tar -czf ${artifact} .`), /one\.tar\.gz holds l/);
    const through = `ln -s /usr from; mkdir x; echo >x/y; tar -czf ${artifact} --transform 's|^./x|./from|' .`;
    t.match(pack(through), /one\.tar\.gz holds .* \.\/from\//);
    t.match(pack(`ln conf/mime.types hard; tar -czf ${artifact} .`), /one\.tar\.gz holds h/);
    t.match(pack(`mkfifo pipe; tar -czf ${artifact} .`), /one\.tar\.gz holds p/);
    t.match(pack(`tar -czPf ${artifact} --transform 's|conf/mime.types|../../out|' .`), /holds -.*\.\.\/\.\.\/out/);
    t.match(pack(`tar -czPf ${artifact} --transform 's|./conf/mime.types|${dir}/out|' .`), /holds -.*\/out/);
    t.match(pack(`truncate -s 70M big; tar -czf ${artifact} .`), /is larger than 67108864 bytes/);
    t.match(pack(`rm .complete; tar -czf ${artifact} .`), /is not whole/);
    t.match(pack(`echo no >${artifact}`), /cannot be read/);
  });
});
