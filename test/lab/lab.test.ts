import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import t from "tap";
import { bootHost, findFrozen, freezeHost, type LabHost, removeOrphans } from "../../src/lab/index.js";
import { bootForTest, labImpossible, labTraces, ssh } from "./support/lab.js";

t.setTimeout(240_000);
const skip = labImpossible();
const bootScript = join(import.meta.dirname, "support", "boot-and-wait.ts");

t.test(
  "a host is a real Debian with systemd, sshd, sudo, its own name and a way to its mirror",
  { skip },
  async (t) => {
    const host = await bootForTest(t, { name: "lab-one" });
    t.comment(`up after ${host.bootMs} ms`);
    const inside = await ssh(
      host,
      "systemctl is-system-running; hostname; sudo -n id -u; . /etc/os-release; echo $VERSION_CODENAME",
    );
    t.same(inside.stdout.split("\n").slice(0, 4), ["running", "lab-one", "0", "trixie"]);
    t.equal(inside.stderr, "", "neither ssh nor sudo complains");
    t.equal((await ssh(host, "id -un", "root")).stdout, "root\n", "root takes the same key");
    t.equal((await host.exec("apt-get -qq update && apt-cache policy nginx | grep -c Candidate")).stdout, "1\n");
    t.equal((await host.exec("cat", { input: "through stdin" })).stdout, "through stdin");
    t.equal((await host.exec("exit 7")).code, 7);
  },
);

t.test("a host keeps its address over a reboot", { skip }, async (t) => {
  const host = await bootForTest(t, { name: "lab-reboot" });
  const before = (await ssh(host, "cat /proc/sys/kernel/random/boot_id; cut -d' ' -f22 /proc/1/stat")).stdout;
  await ssh(host, "sudo systemctl reboot");
  let after = { code: 255, stdout: before };
  for (let tries = 0; tries < 60 && (after.code !== 0 || after.stdout === before); tries++) {
    await new Promise((resolve) => setTimeout(resolve, 500));
    after = await ssh(host, "cat /proc/sys/kernel/random/boot_id; cut -d' ' -f22 /proc/1/stat");
  }
  t.equal(after.code, 0, "SSH answers again");
  t.not(after.stdout, before, "its init is a new one");
});

t.test("ops has a password when one is given, and sudo asks for it", { skip }, async (t) => {
  const host = await bootForTest(t, { name: "lab-sudo", opsPassword: "correct horse" });
  t.not((await ssh(host, "sudo -n true")).code, 0);
  t.equal((await ssh(host, "echo 'correct horse' | sudo -S -p '' id -u")).stdout, "0\n");
});

t.test("hosts boot side by side, see each other, and the last one takes the network away", { skip }, async (t) => {
  const [left, right] = await Promise.all([bootHost({ name: "lab-left" }), bootHost({ name: "lab-right" })]);
  t.not(left.address, right.address);
  const greeting = await left.exec(`bash -c 'head -c 4 < /dev/tcp/${right.address}/22'`);
  t.equal(greeting.stdout, "SSH-");
  const group = async (host: LabHost) => (await host.exec("cat /proc/1/cgroup")).stdout;
  t.not(await group(left), await group(right), "neither sees the other's processes");
  await left.stop();
  t.equal((await ssh(right, "echo still here")).stdout, "still here\n");
  await right.stop();
  await right.stop();
  t.same(await labTraces("lab-"), [], "nothing is left");
  t.notOk(existsSync(dirname(right.identityFile)), "its folder is gone");
});

t.test("a frozen host is the start of others", { skip }, async (t) => {
  const key = `test-${process.pid}`;
  const host = await bootHost({ name: "lab-cold" });
  await host.exec("echo kept > /srv/kept; systemctl mask apt-daily.timer");
  const layer = await freezeHost(host, "labtest", key);
  t.same(await findFrozen("labtest", key), layer);
  const warm = await bootForTest(t, { name: "lab-warm", from: layer });
  t.equal((await ssh(warm, "hostname; cat /srv/kept")).stdout, "lab-warm\nkept\n");
  t.not(warm.identityFile, host.identityFile);
});

for (const [signal, cleanedBy] of [
  ["SIGTERM", "itself"],
  ["SIGKILL", "the next run"],
] as const) {
  t.test(`a run that ends by ${signal} leaves nothing: ${cleanedBy} cleans up`, { skip }, async (t) => {
    const child = spawn(process.execPath, ["--import", "tsx", bootScript], { stdio: ["ignore", "pipe", "inherit"] });
    await once(child.stdout, "data");
    t.not((await labTraces("lab-")).length, 0, "the host is up");
    child.kill(signal);
    await once(child, "exit");
    if (cleanedBy === "the next run") removeOrphans();
    t.same(await labTraces("lab-"), []);
    t.equal(child.signalCode, signal, "the process ends as if nobody had listened");
  });
}

t.test("aborting a boot leaves nothing", { skip }, async (t) => {
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 300);
  await t.rejects(bootHost({ name: "lab-abort", signal: controller.signal }), { code: "E_INTERRUPTED" });
  t.same(await labTraces("lab-"), []);
});
