import { spawn } from "node:child_process";
import { cp, mkdir, readdir, readFile, symlink } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import t, { type Test } from "tap";
import type { LabHost } from "../../src/lab/index.js";
import type { Desk } from "./support/cli.js";
import { bootEdge } from "./support/edge.js";
import { labImpossible, runProgram } from "./support/lab.js";
import { changeSettings } from "./support/streams.js";

// The controller compiles for a host, in a root file system of the host's release (nginx-build/build-local.sh), the very
// bytes that the host made of the same sources: the shared edge was compiled on a host.

const MINUTE = 60_000;
const script = resolve(import.meta.dirname, "../../nginx-build/build-local.sh");
/** Kept from run to run, as lab hosts are: a root file system takes a minute, once a week. */
const SHARED = join(homedir(), ".cache/edge-setup");
const ROOTS = join(SHARED, "roots");
/** Mounts, processes and directories of builds in root file systems on this machine. */
async function leftBehind() {
  const ofRoots = (lines: string) => lines.split("\n").filter((line) => line.includes(ROOTS));
  const { stdout } = await runProgram(["ps", "-eo", "args"]);
  const inside = stdout.split("\n").filter((line) => line.includes(" /edge/run/"));
  const scratch = (await readdir(ROOTS)).filter((name) => name.startsWith(".run."));
  return { mounts: ofRoots(await readFile("/proc/mounts", "utf8")), processes: inside, scratch };
}
const NOTHING = { mounts: [], processes: [], scratch: [] };

/** The same once the kernel has ended what a killed build ran in: no mount and no process. */
async function leftInTheEnd() {
  let left = await leftBehind();
  for (let looks = 0; looks < 300 && left.mounts.length + left.processes.length > 0; looks++) {
    await sleep(100);
    left = await leftBehind();
  }
  return left;
}

/** Runs the command line with a cache that no other suite has filled, but for what is the same for all. */
async function withOwnCache(desk: Desk, ...words: string[]) {
  const cache = join(desk.folder, "cache");
  await mkdir(join(cache, "edge-setup"), { recursive: true });
  for (const name of ["roots", "sources"]) {
    await mkdir(join(SHARED, name), { recursive: true });
    await symlink(join(SHARED, name), join(cache, "edge-setup", name)).catch(() => {});
  }
  const { argv, env } = desk.command(...words);
  return runProgram(argv, { cwd: desk.folder, env: { ...env, XDG_CACHE_HOME: cache } });
}

/** Name and hash of the build on a host, and of all its files. */
async function buildOf(host: LabHost): Promise<string> {
  const files = "find . -type f -exec sha256sum {} + | sort";
  const { stdout } = await host.exec(`readlink /opt/edge/nginx; cd /opt/edge/nginx/ && ${files}`);
  return stdout;
}

/** Starts a build by hand, and ends it by a signal once it says that it has come to a step. */
async function endAt(t: Test, folder: string, step: string, signal: NodeJS.Signals): Promise<void> {
  const lock = JSON.parse(await readFile(resolve(script, "../sources.lock.json"), "utf8")).edge_lock;
  const sources = join(folder, "sources");
  await mkdir(sources, { recursive: true });
  for (const [name, version] of Object.entries<string>(lock.profiles["debian-trixie"].versions)) {
    const { file } = lock.components[name][version];
    if (name !== "vts") await cp(join(SHARED, "sources", file), join(sources, file));
  }
  const host = ["--system", "debian trixie", "--userland", "amd64/x86-64", "--suites", "trixie", "--profile", "debian"];
  const files = ["--sources", sources, "--prefix", "/opt/edge/builds/x", "--artifact", join(folder, "x.tar.gz")];
  const child = spawn("sh", [script, ...host, ...files], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise((done) => child.once("exit", done));
  createInterface({ input: child.stdout }).on("line", (line) => {
    if (line === `@@step ${step}`) child.kill(signal);
  });
  await ended;
  t.ok(child.signalCode === signal || child.exitCode === 143, `${signal} ended it`);
}

t.test("NGINX compiled on the controller", { skip: labImpossible(), timeout: 10 * MINUTE }, async (t) => {
  const { host, desk } = await bootEdge(t);
  const native = await buildOf(host);
  t.match(native, / \.\/sbin\/nginx$/m);

  await t.test("is what the host itself compiles, to the last bit", async (t) => {
    await host.exec("rm -rf /opt/edge/builds/* /var/lib/edge/artifacts/* /var/lib/edge/build/*");
    await changeSettings(desk, { build_on: "local" });
    const apply = await withOwnCache(desk, "apply", "--yes", "--no-input");
    t.equal(apply.code, 0, apply.stdout + apply.stderr);
    t.equal(await buildOf(host), native);
    t.equal(
      (await host.exec("ls /var/lib/edge/build")).stdout.includes("build.sh"),
      false,
      "the host compiled nothing",
    );
    t.match(apply.stderr, /changed .*compiled on the controller/);
    t.same(await leftBehind(), NOTHING);
  });

  await t.test("changes nothing the second time", async (t) => {
    const plan = await withOwnCache(desk, "plan", "--exit-code");
    t.equal(plan.code, 0, plan.stdout + plan.stderr);
  });

  await t.test("leaves nothing running and nothing mounted when it is ended", async (t) => {
    const folder = join(desk.folder, "by-hand");
    await endAt(t, folder, "configure", "SIGKILL");
    const left = await leftInTheEnd();
    t.match(left, { mounts: [], processes: [] });
    t.equal(left.scratch.length, 1, "of a killed one, the directory");
    await endAt(t, folder, "compile", "SIGTERM");
    t.same(await leftInTheEnd(), NOTHING, "which goes with the next run");
  });
});
