import { spawn } from "node:child_process";
import { once } from "node:events";
import t from "tap";
import { carriedSettings } from "../../../src/lab/apt-settings.js";
import { nspawnCommand } from "../../../src/lab/nspawn.js";
import { identify, isAlive, signalProcess, waitGoneSync } from "../../../src/lab/processes.js";
import { requireLabMachine } from "../../../src/lab/requirements.js";

const host = { id: "edge-1a2b", hostname: "edge", root: "/x/merged", bridge: "edgelab0" };

t.test("nspawn gets the flags that this machine needs", async (t) => {
  const plain = nspawnCommand(host, { systemdBooted: true, pureCgroup2: true });
  t.notOk(plain.argv.includes("--keep-unit"), "under systemd the host has a scope of its own");
  t.same(plain.env, {});
  const bare = nspawnCommand(host, { systemdBooted: false, pureCgroup2: false });
  t.ok(bare.argv.includes("--keep-unit"));
  t.same(bare.env, { SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: "1" });
  const emulated = nspawnCommand({ ...host, cpu: "arm1176" }, { systemdBooted: true, pureCgroup2: true });
  t.ok(emulated.argv.includes("--setenv=QEMU_CPU=arm1176"));
});

t.test("a machine that cannot have a lab is told why", async (t) => {
  const debian = { platform: "linux", uid: 0, hasApt: true };
  t.doesNotThrow(() => requireLabMachine(debian));
  t.throws(() => requireLabMachine({ ...debian, uid: 1000 }), { code: "E_LAB_ROOT", hint: /sudo/ });
  t.throws(() => requireLabMachine({ ...debian, hasApt: false }), { code: "E_LAB_UNSUPPORTED" });
  t.throws(() => requireLabMachine({ ...debian, platform: "darwin" }), { code: "E_LAB_UNSUPPORTED" });
});

t.test("hosts take over how this machine reaches its mirror, but no proxy on its loopback", async (t) => {
  const dump = [
    'Acquire::http::Proxy "http://proxy.example:3128";',
    'Acquire::https::Proxy "http://127.0.0.1:3128";',
    'Acquire::http::Proxy::deb.example "";',
    'Acquire::Check-Valid-Until "false";',
    'Acquire::GzipIndexes "true";',
    'APT::Install-Recommends "0";',
  ].join("\n");
  t.same(carriedSettings(dump), [
    'Acquire::http::Proxy "http://proxy.example:3128";',
    'Acquire::Check-Valid-Until "false";',
  ]);
});

t.test("a process is its id and its start time", async (t) => {
  const child = spawn("sleep", ["60"]);
  await once(child, "spawn");
  const identity = identify(child.pid ?? 0);
  if (identity === undefined) throw new Error("the child is not listed");
  t.ok(isAlive(identity));
  const reused = { ...identity, start: "1" };
  signalProcess(reused, "SIGKILL");
  t.ok(isAlive(identity), "a process that was given a dead one's id is left alone");
  signalProcess(identity, "SIGKILL");
  t.ok(waitGoneSync(identity, 5000), "a zombie counts as gone");
  t.notOk(isAlive(identity));
  t.doesNotThrow(() => signalProcess(identity, "SIGKILL"));
});
