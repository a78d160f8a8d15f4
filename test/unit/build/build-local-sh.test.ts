import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { packageRoot } from "../../../src/util/package-root.js";

const SCRIPT = join(packageRoot(), "nginx-build/build-local.sh");
const HOST = ["--system", "debian bookworm", "--userland", "armhf/armv7-a"];

function run(args: readonly string[], path = process.env.PATH) {
  return spawnSync("/bin/sh", [SCRIPT, ...args], { encoding: "utf8", env: { PATH: path }, timeout: 60_000 });
}

/** A directory for PATH with some of this machine's programs, and others that say what they are told to. */
function machine(dir: string, says: Readonly<Record<string, string>>): string {
  const real = "sh cat cut dirname grep id sed sha256sum tr true unshare uname xargs flock setpriv".split(" ");
  for (const name of real.filter((name) => !(name in says)))
    symlinkSync(execFileSync("sh", ["-c", `command -v ${name}`], { encoding: "utf8" }).trim(), join(dir, name));
  for (const [name, text] of Object.entries(says))
    writeFileSync(join(dir, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  return dir;
}

t.test("POSIX sh, and clean", async (t) => {
  for (const [program = "", ...args] of [
    ["sh", "-n"],
    ["dash", "-n"],
    ["shellcheck", "-s", "sh"],
  ]) {
    const result = spawnSync(program, [...args, SCRIPT], { encoding: "utf8" });
    if (result.error === undefined) t.equal(result.status, 0, `${program}: ${result.stdout}${result.stderr}`);
    else t.comment(`${program} is not installed`);
  }
});

t.test("wrong usage is named, with exit 2 and nothing made", async (t) => {
  const dir = t.testdir({ s: {} });
  const whole = ["--sources", `${dir}/s`, "--prefix", "/opt/edge/x", "--artifact", `${dir}/a.tar.gz`];
  const cases: [args: string[], message: RegExp][] = [
    [[], /--system is missing/],
    [["--system", "debian bookworm"], /--userland is missing/],
    [[...HOST, "--method", "magic"], /--method is 'auto', 'native', 'cross' or 'emulated', not 'magic'/],
    [[...HOST, "--jobs", "2; id"], /has characters that no option of build\.sh takes/],
    [HOST, /source directory '' does not exist/],
    [[...HOST, ...whole, "--prefix", "/x"], /--prefix is an absolute path below a directory/],
    [[...HOST, ...whole, "--artifact", "a.tar.gz"], /--artifact is an absolute path that ends in \.tar\.gz/],
    [[...HOST, ...whole, "--roots", "r"], /--roots is an absolute path/],
    [[...HOST, "--keep-work"], /unknown argument '--keep-work'/],
    [["--suites"], /--suites needs a value/],
  ];
  for (const [args, message] of cases) {
    const result = run(args);
    t.equal(result.status, 2, args.join(" "));
    t.match(result.stderr, message);
  }
  t.match(run(["--help"]).stdout, /^Usage: build-local\.sh/);
});

t.test("hosts that no root file system here is fit for: refused, with the way on", async (t) => {
  const cases: [system: string, userland: string, message: RegExp][] = [
    ["debian bookworm", "armhf/armv6", /Debian's armhf is for ARMv7, the host's Raspberry Pi OS for ARMv6/],
    ["ubuntu noble", "arm64/armv8-a", /the host is ubuntu noble/],
    ["debian trixie", "riscv64/unknown", /nothing is known of programs for riscv64/],
  ];
  for (const [system, userland, message] of cases) {
    const result = run(["--check", "--system", system, "--userland", userland]);
    t.equal(result.status, 2);
    t.match(result.stderr, message);
    t.match(result.stderr, /build_on: HOST/);
  }
});

t.test("what is missing on this machine is said at once, as a line for apt", async (t) => {
  const apt = { "apt-get": "exit 1", dpkg: "echo amd64" };
  const check = ["--check", "--system", "debian trixie", "--userland", "amd64/x86-64"];
  const bare = run(check, machine(t.testdir({}), apt));
  t.equal(bare.status, 2);
  t.match(bare.stderr, /to compile for debian trixie amd64 here: sudo apt-get install mmdebstrap/);

  const foreign = run(["--check", ...HOST], machine(t.testdir({}), apt));
  t.match(foreign.stderr, /armhf here: sudo apt-get install mmdebstrap arch-test qemu-user-static binfmt-support/);

  const fedora = run(check, machine(t.testdir({}), {}));
  t.equal(fedora.status, 2);
  t.match(fedora.stderr, /Debian's own tools \(mmdebstrap, apt\), which this machine does not have; .*build_on: HOST/);

  const mac = run(check, machine(t.testdir({}), { ...apt, uname: "echo Darwin" }));
  t.match(mac.stderr, /which this machine does not have/);

  const narrow = run(check, machine(t.testdir({}), { ...apt, mmdebstrap: "", unshare: "exit 1", id: "echo 0" }));
  if (existsSync("/usr/share/keyrings/debian-archive-keyring.gpg"))
    t.match(narrow.stderr, /namespaces cannot be made here/);
});

t.test("the way it is done", async (t) => {
  if (!existsSync("/usr/share/keyrings/debian-archive-keyring.gpg")) return t.comment("not on Debian");
  const tools = { mmdebstrap: "", unshare: "", "arch-test": "" };
  const ready = { "apt-get": "exit 1", dpkg: "echo amd64", ...tools, id: "echo 0" };
  const path = machine(t.testdir({}), ready);
  const said = (...args: string[]) => {
    const { stdout, stderr } = run(["--check", ...args], path);
    return stdout + stderr;
  };
  const own = ["--system", "debian trixie", "--userland", "amd64/x86-64"];
  t.equal(said(...own), "debian trixie amd64/x86-64: native\n");
  t.match(said(...own, "--method", "emulated"), /runs programs of amd64 itself/);
  t.equal(said(...HOST), "debian bookworm armhf/armv7-a: cross\n");
  t.equal(said(...HOST, "--method", "emulated"), "debian bookworm armhf/armv7-a: emulated\n");
  t.match(said(...HOST, "--method", "native"), /does not run programs of armhf itself/);
  const arm64 = ["--userland", "arm64/armv8-a", "--system"];
  t.equal(said(...arm64, "debian trixie"), "debian trixie arm64/armv8-a: cross\n");
  t.equal(
    said(...arm64, "debian bookworm"),
    "debian bookworm arm64/armv8-a: emulated\n",
    "its cross compiler is older",
  );
  t.match(said(...arm64, "debian bookworm", "--method", "cross"), /CVE-2023-4039.*--method emulated/);
});
