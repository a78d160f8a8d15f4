import { spawn, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import t from "tap";
import { packageRoot } from "../../../src/util/package-root.js";
import { makeToy } from "./toy-sources.js";

const BUILD = join(packageRoot(), "nginx-build/build.sh");
const SWAP = join(packageRoot(), "nginx-build/swap.sh");
const MB = 1024 * 1024;
const noMake = spawnSync("make", ["--version"]).status === 0 ? false : "make is not installed";

/** Control groups of version 2 as the kernel shows them: files by path. */
function groups(dir: string, files: Readonly<Record<string, string>>): Record<string, string> {
  writeFileSync(join(dir, "cgroup"), "0::/system.slice/job.service\n");
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(dir, "groups", path, ".."), { recursive: true });
    writeFileSync(join(dir, "groups", path), `${text}\n`);
  }
  return { EDGE_BUILD_GROUP: join(dir, "cgroup"), EDGE_BUILD_GROUPS: join(dir, "groups") };
}

t.test("compilers at once, where a control group has less than the system", async (t) => {
  const jobs = (files: Readonly<Record<string, string>>, bits = 64) => {
    const dir = t.testdir({ meminfo: `MemAvailable: ${4000 * 1024} kB\n` });
    const { sources } = makeToy(dir);
    const host = { EDGE_BUILD_MEMINFO: join(dir, "meminfo"), EDGE_BUILD_CPUS: "4", EDGE_BUILD_BITS: String(bits) };
    const env = { ...process.env, ...host, ...groups(dir, files) };
    const result = spawnSync("sh", [BUILD, "--list", "--sources", sources], { encoding: "utf8", env });
    return /^jobs (\d+)$/m.exec(result.stdout)?.[1];
  };
  const memory = (maxMb: number, usedMb: number, oldFilesMb: number, path = "system.slice/job.service") => ({
    [`${path}/memory.max`]: String(maxMb * MB),
    [`${path}/memory.current`]: String(usedMb * MB),
    [`${path}/memory.stat`]: `anon 1\ninactive_file ${oldFilesMb * MB}\nactive_file 7`,
  });
  t.equal(jobs({}), "4", "no limit");
  t.equal(jobs({ "system.slice/job.service/memory.max": "max" }), "4", "nor one that is none");
  t.equal(jobs(memory(400, 100, 0)), "2");
  t.equal(jobs(memory(400, 100, 0), 32), "2", "of 32 bits: (300 - 100) / 70");
  t.equal(jobs(memory(400, 300, 250)), "2", "files that were not used of late can be had");
  t.equal(jobs(memory(300, 0, 0, "system.slice")), "2", "of a group above");
  t.equal(jobs(memory(64, 60, 0)), "1");
  t.equal(jobs({ "system.slice/job.service/cpu.max": "150000 100000" }), "2", "the time of one and a half processors");
  t.equal(jobs({ "system.slice/job.service/cpu.max": "max 100000" }), "4");
});

t.test("swap.sh is POSIX sh, and clean", async (t) => {
  for (const [program = "", ...args] of [
    ["sh", "-n"],
    ["dash", "-n"],
    ["shellcheck", "-s", "sh"],
  ]) {
    const result = spawnSync(program, [...args, SWAP], { encoding: "utf8" });
    if (result.error === undefined) t.equal(result.status, 0, `${program}: ${result.stdout}${result.stderr}`);
  }
});

t.test("swap for the time of a build", async (t) => {
  const host = (swapFreeMb: number, { zram, freeMb = 9000 }: { zram: boolean; freeMb?: number }) => {
    const dir = t.testdir({
      meminfo: `SwapFree: ${swapFreeMb * 1024} kB\n`,
      ...{
        bin: {},
        disk: {},
        said: "",
        sys: { class: zram ? { "zram-control": { hot_add: "3\n", hot_remove: "" } } : {}, block: { zram3: {} } },
      },
    });
    const tool = (name: string, text: string) => {
      writeFileSync(join(dir, "bin", name), `#!/bin/sh\n${text}\n`);
      chmodSync(join(dir, "bin", name), 0o755);
    };
    for (const name of ["swapon", "swapoff", "mkswap"]) tool(name, `echo "${name} $*" >>${dir}/said`);
    tool("modprobe", "exit 1");
    tool("df", `echo head; echo "/dev/x 0 0 ${freeMb * 1024} 0% /"`);
    // The script sets PATH itself, so that root's is not what decides.
    const script = readFileSync(SWAP, "utf8").replace("PATH=/usr/sbin", `PATH=${dir}/bin:/usr/sbin`);
    writeFileSync(join(dir, "swap.sh"), script);
    const env = { ...process.env, EDGE_SWAP_MEMINFO: join(dir, "meminfo"), EDGE_SWAP_SYS: join(dir, "sys") };
    const run = (...words: string[]) =>
      spawnSync("sh", [join(dir, "swap.sh"), ...words, join(dir, "disk")], { encoding: "utf8", env });
    return {
      dir,
      run,
      on: (need: number, available: number, swap: string) => run("on", String(need), String(available), swap).stdout,
      said: () => readFileSync(join(dir, "said"), "utf8").trim().split("\n"),
      disk: () => readdirSync(join(dir, "disk")).sort(),
    };
  };

  await t.test("none where memory and swap suffice, or it is off", async (t) => {
    const one = host(60, { zram: true });
    t.equal(one.on(200, 200, "auto"), "");
    t.equal(one.on(200, 140, "auto"), "", "the host's own swap counts");
    t.equal(one.on(200, 0, "off"), "");
    t.same(one.disk(), []);
  });
  await t.test("compressed memory where the kernel has it", async (t) => {
    const one = host(0, { zram: true });
    t.equal(one.on(200, 150, "auto"), "swap: 128 MB of compressed memory (zram) for the time of the build\n");
    t.equal(readFileSync(join(one.dir, "sys/block/zram3/disksize"), "utf8"), "128M\n");
    t.same(one.said(), ["mkswap /dev/zram3", "swapon -p 100 /dev/zram3"]);
    t.equal(one.run("off").stdout, "swap: removed /dev/zram3\n");
    t.equal(readFileSync(join(one.dir, "sys/class/zram-control/hot_remove"), "utf8"), "3\n");
    t.equal(one.run("off").stdout, "", "once");
    t.same(one.disk(), []);
  });
  await t.test("else a file on the disk, of the size that is asked for", async (t) => {
    const one = host(0, { zram: false });
    t.match(one.on(200, 9000, "3M"), /3 MB of swap on the disk/);
    t.same(one.disk(), ["swap", "swap.note"]);
    t.equal(readFileSync(join(one.dir, "disk/swap")).length, 3 * MB);
    t.match(one.run("off").stdout, /removed .*\/disk\/swap/);
    t.same(one.disk(), []);
  });
  await t.test("never on a card without room", async (t) => {
    const one = host(0, { zram: false, freeMb: 500 });
    t.match(
      one.on(200, 50, "auto"),
      /no room for a swap file of 150 MB in .*, which has 500 MB free\n.*takes no swap/s,
    );
    t.same(one.disk(), []);
  });
  await t.test("what a kill or a power cut left goes with the next run", async (t) => {
    const one = host(0, { zram: false });
    const gone = spawnSync("true");
    writeFileSync(join(one.dir, "disk/swap"), "left behind");
    writeFileSync(join(one.dir, "disk/swap.note"), `${join(one.dir, "disk/swap")} ${gone.pid}\n`);
    t.match(one.on(200, 9000, "auto"), /removed/);
    t.same(one.disk(), []);
    writeFileSync(join(one.dir, "disk/swap.note"), `${join(one.dir, "disk/swap")} 1\n`);
    t.equal(one.run("off").stdout, "", "another build's stays");
    t.same(one.disk(), ["swap.note"]);
  });
  t.equal(spawnSync("sh", [SWAP]).status, 2);
});

t.test("a power cut in the middle costs the last minute", { skip: noMake }, async (t) => {
  const dir = t.testdir({ "boot-id": "first\n" });
  const toy = makeToy(dir);
  const work = join(dir, "work");
  const places = ["--sources", toy.sources, "--prefix", join(dir, "builds/one"), "--work", work];
  const args = [BUILD, "--patches", "/none", "--swap", "off", "--jobs", "1", ...places];
  const pidFile = join(dir, "pid");
  const env = { ...process.env, PATH: `${toy.bin}:${process.env.PATH}`, EDGE_BUILD_BOOT: join(dir, "boot-id") };
  const child = spawn("sh", args, {
    env: { ...env, HANG: "b.o", HANG_PID: pidFile },
    ...({ detached: true, stdio: "ignore" } as const),
  });
  const gone = new Promise((done) => child.once("close", done));
  while (!existsSync(pidFile)) await sleep(20);
  if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  await gone;

  const object = (name: string) => join(work, "tree", name);
  const earlier = Date.now() / 1000 - 600;
  for (const name of ["nginx/src/main.c", "nginx/objs/src/main.o", "njs/build/src/n.o"]) {
    utimesSync(object(name), earlier, earlier);
  }
  // Its name is on the disk, its content is not.
  writeFileSync(object("nginx/objs/src/a.o"), Buffer.alloc(100));
  writeFileSync(join(dir, "boot-id"), "second\n");
  const runs = () => readFileSync(join(work, "configure-runs"), "utf8");
  const before = runs();
  const result = spawnSync("sh", [...args, "--keep-work"], { encoding: "utf8", env });
  t.equal(result.status, 0, result.stderr);
  t.match(result.stdout, /resuming the build/);
  t.match(result.stdout, /@@progress 2 4\n@@progress 3 4 a\.o\n@@progress 4 4 b\.o\n/);
  t.equal(runs(), before, "configure did not run again");
  t.match(readFileSync(object("nginx/objs/src/a.o"), "utf8"), /^a\n/);
});
