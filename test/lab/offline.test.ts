import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import t from "tap";
import { makeDesk, readEvents } from "./support/cli.js";
import { cutOff } from "./support/cut-off.js";
import { bootEdge, EDGE } from "./support/edge.js";
import { bootForTest, inventoryOf, labImpossible, runProgram } from "./support/lab.js";

// A host of nothing but a base system, and a controller with an empty cache: neither has a way out, and one file is all there is.

t.setTimeout(900_000);

const VARS = { nginx_sources: "debian" };
/** What apt of the host knows of the world outside; a bundle must leave it alone. */
const APT_STATE =
  "cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null; find /var/lib/apt/lists -type f | sort | xargs -r sha256sum";

t.test("without internet", { skip: labImpossible() }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "edge-offline-"));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const bundle = join(folder, "edge-bundle.tar");

  await t.test("a bundle is made where there is some", async (t) => {
    const edge = await bootEdge(t);
    const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "edge-setup/artifacts");
    await mkdir(cache, { recursive: true });
    // The build of the edge that the suites share, as its own apply would have brought it here.
    const packed = await edge.host.exec(
      "cd /var/lib/edge/artifacts && tar -cf - *.tar.gz $(ls *.json | grep -v log) | base64 -w0",
    );
    await runProgram(["sh", "-c", 'base64 -d | tar -C "$1" -xf -', "sh", cache], { input: packed.stdout });
    const flags = ["--release", "trixie", "-e", "nginx_sources=debian"];
    const made = await edge.desk.run("bundle", "-o", bundle, ...flags);
    t.equal(made.code, 0, "exit code", { output: made.stderr });
    t.match(made.stdout, /^debian trixie amd64\/x86-64: \d+ packages, /);
    t.match(made.stderr, /^build debian-1.26.3-[0-9a-f]{12} from the cache$/m);
  });

  const host = await bootForTest(t, { name: EDGE });
  await host.exec("ip route del default; ip route add blackhole default; ip -6 route del default; : >/etc/resolv.conf");
  const desk = makeDesk(folder, host);
  await writeFile(join(folder, "edges.yml"), inventoryOf([host], VARS));
  const network = await cutOff(t, host, folder);
  const cache = join(folder, "cache");
  /** The command line within the network without a way out, with a cache that has nothing. */
  const run = (...words: string[]) => {
    const { argv, env } = desk.command(...words);
    return network.run({ argv, env: { ...env, XDG_CACHE_HOME: cache } }, folder);
  };
  const before = (await host.exec(APT_STATE)).stdout;

  await t.test("there is no way out", async (t) => {
    t.not((await host.exec("apt-get -o APT::Update::Error-Mode=any update")).code, 0, "of the host");
    t.not((await host.exec("getent hosts deb.debian.org")).code, 0);
    const { argv, env } = { argv: ["getent", "hosts", "deb.debian.org"], env: process.env };
    t.not((await network.run({ argv, env }, folder)).code, 0, "of the controller");
    t.match((await network.asked()).join("\n"), /deb.*debian/, "and whoever asks for a name is seen");
  });
  const asked = (await network.asked()).length;

  await t.test("a host of another system is refused before anything is touched", async (t) => {
    const release = (await host.exec("cat /etc/os-release")).stdout;
    await host.exec("sed -i 's/^VERSION_ID=.*/VERSION_ID=\"12\"/; s/trixie/bookworm/g' /etc/os-release");
    const { code, stdout, stderr } = await run("apply", "--yes", "--no-input", "--bundle", bundle);
    await host.exec("cat >/etc/os-release", { input: release });
    t.equal(code, 1);
    const said = (stdout + stderr).replaceAll(/\s+/g, " ");
    t.match(said, /The bundle is for debian-trixie-amd64-x86-64, and not for debian-bookworm-amd64-x86-64/);
    t.match(said, /edge-setup bundle -o FILE -i INVENTORY -l edge`, or with --release bookworm --arch amd64/);
    t.not((await host.exec("ls /var/lib/edge")).code, 0);
  });

  await t.test("one apply makes an edge of it, and proves it", async (t) => {
    const { code, stdout, stderr } = await run("apply", "--yes", "--no-input", "--json", "--bundle", bundle);
    t.equal(code, 0, "exit code", { output: stdout.slice(-3000) + stderr });
    const events = readEvents(stdout);
    const checks = events.flatMap((event) => (event.type === "check.result" ? [event.status] : []));
    t.ok(checks.length > 10 && checks.every((status) => status !== "fail"), `${checks.length} checks`);
    const told = events.find((event) => event.type === "task.result" && event.task.name === "How much is sent");
    t.match(told, { reason: /^\d+ packages, \d+\.\d MB$/ });
    const tasks = events.flatMap((event) => (event.type === "task.start" ? [event.task.name] : []));
    t.notOk(
      tasks.includes("NGINX with RTMP, NJS and VTS") && (await host.exec("command -v gcc")).code === 0,
      "no compiler",
    );
    for (const tool of ["certbot --version", "ffmpeg -version", "python3 --version"]) {
      t.equal((await host.exec(tool)).code, 0, tool);
    }
  });

  await t.test("nothing of it stays, and no network was asked", async (t) => {
    t.equal((await host.exec(APT_STATE)).stdout, before, "the host's apt is as it was");
    t.not((await host.exec("ls /var/cache/edge-setup/bundle")).code, 0);
    t.same(await readdir(join(cache, "edge-setup/bundles")), []);
    t.equal((await network.asked()).length, asked, "no name was looked up");
  });

  await t.test("the next apply, with and without it, changes nothing", async (t) => {
    for (const more of [[], ["--bundle", bundle]]) {
      const { code, stdout } = await run("apply", "--yes", "--no-input", "--json", ...more);
      t.equal(code, 0);
      const end = readEvents(stdout).find((event) => event.type === "run.end");
      t.match(end, { recap: { [EDGE]: { changed: 0, failed: 0 } } });
    }
  });

  await t.test("ansible-playbook takes packages from an unpacked one", { skip: await noAnsible() }, async (t) => {
    const unpacked = join(folder, "unpacked");
    await mkdir(unpacked);
    const check = 'tar -xf "$1" -C "$2" && cd "$2" && sha256sum -c --quiet SHA256SUMS';
    t.equal((await runProgram(["sh", "-c", check, "sh", bundle, unpacked])).code, 0);
    await cp(join(folder, "ssh_config"), join(folder, "ansible_ssh_config"));
    await writeFile(join(folder, "ansible.cfg"), "");
    const env = {
      ...process.env,
      ANSIBLE_CONFIG: join(folder, "ansible.cfg"),
      ANSIBLE_PIPELINING: "1",
      ANSIBLE_SSH_ARGS: `-F ${join(folder, "ansible_ssh_config")}`,
      LC_ALL: "C.UTF-8",
    };
    const playbook = resolve(import.meta.dirname, "../../playbooks/edge.yml");
    const flags = ["--tags", "packages", "-e", `edge_bundle=${unpacked}`, "-e", "firewall=true"];
    const argv = ["ansible-playbook", "-i", "edges.yml", playbook, ...flags];
    const { code, stdout, stderr } = await network.run({ argv, env }, folder);
    t.equal(code, 0, "exit code", { output: stdout.slice(-3000) + stderr });
    t.equal((await host.exec("command -v nft")).code, 0, "the firewall's package is there");
    t.equal((await host.exec(APT_STATE)).stdout, before, "the host's apt is as it was");
  });
});

async function noAnsible(): Promise<string | false> {
  const { code } = await runProgram(["sh", "-c", "command -v ansible-playbook"]);
  return code === 0 ? false : "needs ansible-playbook";
}
