import { createHash } from "node:crypto";
import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import t from "tap";
import type { LabHost } from "../../src/lab/index.js";
import type { HostRecap, RunEvent } from "../../src/report/events.js";
import type { Desk } from "./support/cli.js";
import { bootBare, bootEdge, EDGE } from "./support/edge.js";
import { labImpossible, runProgram } from "./support/lab.js";
import { changeSettings, readSecrets } from "./support/streams.js";

// The same playbook by ansible-playbook on one host and by edge-setup on another: the hosts end up the same, and each
// engine finds nothing to do after the other. Two runs of Ansible, at once: they take most of a minute each.

const root = join(import.meta.dirname, "../..");
const MINUTE = 60_000;

/** What the play leaves on a host. Builds are copied from one to the other below, sources are there for a compile only. */
const FILES = [
  "find /etc/edge /opt/edge /var/lib/edge -path '/opt/edge/builds/*' -prune -o -path '/var/lib/edge/sources/*' -prune",
  "-o -path '/var/lib/edge/build/*' -prune -o -path '/var/lib/edge/artifacts/*' -prune -o -print",
].join(" ");
const MORE_FILES = [
  "/etc/systemd/system/edge-*",
  "/etc/systemd/system/run-edge*",
  "/etc/systemd/system/*.wants/*edge*",
  "/etc/sysctl.d/60-edge.conf",
].join(" ");
const UNITS =
  "run-edge-hls.mount edge-rtmp.service edge-http.service edge-media.service edge-snapshots.service edge-janitor.timer";
const OWN = { push: "key-of_the-push.4711", pull: "password-of_the-source.99" };
/** So that tasks of features that are off at first have something to do, too. */
const FEATURES = {
  ...{ push: [{ name: "tube", stream: "church", url: "rtmp://127.0.0.1:9/live" }], push_keys: { tube: OWN.push } },
  pull: [{ name: "cam", url: `rtsp://viewer:${OWN.pull}@127.0.0.1:9/cam` }],
  record: true,
  hls_dvr: "10m",
  rtmp_play: true,
  player_stream_list: true,
  http_access_log: "file",
};

/** One line a file (path, type, mode, owner, group, target of a link, hash), then user, units, memory, kernel settings. */
const STATE = `
{ ${FILES}; ls -d ${MORE_FILES}; } | LC_ALL=C sort | while read -r path; do
  stat -c '%n %F %a %U %G' "$path" | tr '\\n' ' '
  if [ -L "$path" ]; then readlink "$path"
  elif [ -f "$path" ]; then sha256sum < "$path"
  else echo; fi
done
getent passwd edge | cut -d: -f1,5-
getent group edge | cut -d: -f1,4
for unit in ${UNITS}; do echo "$unit $(systemctl is-enabled $unit) $(systemctl is-active $unit)"; done
findmnt -no FSTYPE,OPTIONS /run/edge/hls | sed 's/[ug]id=[0-9]*//g'
sed -n 's/^-\\(net[^ ]*\\) .*/\\1/p' /etc/sysctl.d/60-edge.conf | xargs sysctl --ignore
`;

async function stateOf(host: LabHost): Promise<string[]> {
  const { code, stdout, stderr } = await host.exec(STATE);
  if (code !== 0) throw new Error(`${host.name}: ${stderr}`);
  return stdout.split("\n").filter((line) => line !== "");
}

/** Copies a folder between hosts as it is. */
async function copyFolder(from: LabHost, to: LabHost, folder: string): Promise<void> {
  const packed = await from.exec(`tar -C ${folder} -czf - . | base64 -w0`);
  const unpacked = await to.exec(`mkdir -p ${folder} && base64 -d | tar -C ${folder} -xzpf -`, {
    input: packed.stdout,
  });
  if (unpacked.code !== 0) throw new Error(unpacked.stderr);
}

/** ansible-playbook as its users run it, but with nothing of their own settings, and with strict host keys. */
async function ansible(desk: Desk) {
  const config = join(desk.folder, "ansible.cfg");
  await writeFile(config, "");
  const env = {
    ...process.env,
    ANSIBLE_CONFIG: config,
    ANSIBLE_HOST_KEY_CHECKING: "1",
    ANSIBLE_PIPELINING: "1",
    ANSIBLE_SSH_ARGS: `-F ${join(desk.folder, "ssh_config")} -o ControlMaster=auto -o ControlPersist=20s`,
    ANSIBLE_SSH_CONTROL_PATH_DIR: join(desk.folder, "cp"),
    ANSIBLE_NOCOLOR: "1",
    LC_ALL: "C.UTF-8",
  };
  const argv = ["ansible-playbook", "-i", "edges.yml", "--diff", "-vvv", join(root, "playbooks/edge.yml")];
  const run = await runProgram(argv, { cwd: desk.folder, env });
  const counts = /^edge\s+: ok=(\d+)\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)/m.exec(run.stdout);
  const changed = Number(counts?.[2] ?? Number.NaN);
  return { ...run, changed };
}

function recapOf(events: readonly RunEvent[]): HostRecap | undefined {
  return events.flatMap((event) => (event.type === "run.end" ? [event.recap[EDGE]] : [])).at(-1);
}

async function withoutAnsible(): Promise<string | false> {
  const lab = labImpossible();
  if (lab !== false) return lab;
  const { code } = await runProgram(["sh", "-c", "command -v ansible-playbook"]);
  return code === 0 ? false : "needs ansible-playbook";
}

t.test("both engines", { skip: await withoutAnsible(), timeout: 20 * MINUTE }, async (t) => {
  const [ours, theirs] = await Promise.all([bootEdge(t), bootBare(t, FEATURES)]);
  await changeSettings(ours.desk, FEATURES);
  const apply = await ours.desk.run("apply", "--no-input", "--yes", "--no-verify");
  t.equal(apply.code, 0, "edge-setup's exit code", { output: apply.stdout + apply.stderr });
  // The release that it had without them, and its build; a bare host never had one.
  await ours.host.exec("cd /etc/edge && rm -r $(readlink former) former /opt/edge/former");
  // The secrets that edge-setup made: Ansible reads them beside the inventory.
  await mkdir(join(theirs.desk.folder, "group_vars"));
  await cp(join(ours.desk.folder, "group_vars"), join(theirs.desk.folder, "group_vars"), { recursive: true });
  await copyFolder(ours.host, theirs.host, "/opt/edge/builds");
  const [bare, provisioned] = await Promise.all([ansible(theirs.desk), ansible(ours.desk)]);

  t.test("ansible-playbook lands a bare host in the same state", async (t) => {
    t.equal(bare.code, 0, "exit code", { output: bare.stdout + bare.stderr });
    t.ok(bare.changed > 10, "and had to do so");
    const state = await stateOf(ours.host);
    t.ok(state.length > 40, `${state.length} facts compared`);
    t.strictSame(await stateOf(theirs.host), state);
  });

  t.test("its output, with all details, shows no secret", async (t) => {
    const { token, password } = await readSecrets(ours.desk);
    const relay = createHash("sha256").update(`edge relay ${token}`).digest("hex");
    const secrets = { ...OWN, token, password, relay };
    const found = (text: string) =>
      Object.entries(secrets).flatMap(([name, value]) => (text.includes(value) ? [name] : []));
    for (const { stdout, stderr } of [bare, provisioned]) t.same(found(stdout + stderr), []);
    t.match(bare.stdout, "the output has been hidden", "tasks with secrets are there, and say nothing of them");
    t.match(bare.stdout, "task path: ", "others say all");
    t.same(found(`PUT ${relay}`), ["relay"]);
  });

  t.test("ansible-playbook changes nothing after edge-setup", async (t) => {
    t.equal(provisioned.code, 0, "exit code", { output: provisioned.stdout + provisioned.stderr });
    t.equal(provisioned.changed, 0, "changed=0", { output: provisioned.stdout });
  });

  t.test("edge-setup changes nothing after ansible-playbook", async (t) => {
    const apply = await theirs.desk.events("apply", "--yes", "--no-verify", "-D");
    t.equal(apply.code, 0, "exit code", { output: apply.stdout + apply.stderr });
    const touched = apply.events.filter(
      (event) => event.type === "task.result" && (event.status === "changed" || event.pending === true),
    );
    t.strictSame(touched, []);
    t.match(recapOf(apply.events), { changed: 0, pending: 0, failed: 0 });
  });
});

t.test("sources and their signature by ansible-playbook", { skip: await withoutAnsible() }, async (t) => {
  const folder = t.testdir({ "edges.yml": "edges:\n  hosts:\n    localhost: { ansible_connection: local }\n" });
  // A cache of its own; Ansible's files of its user are of no interest.
  const env = { ...process.env, HOME: folder, ANSIBLE_NOCOLOR: "1", LC_ALL: "C.UTF-8" };
  const sources = async (playbooks: string) => {
    const release = "nginx_sources=debian ansible_distribution_release=trixie";
    const argv = ["ansible-playbook", "-i", "edges.yml", join(playbooks, "sources.yml"), "-e", release];
    return runProgram(argv, { cwd: folder, env });
  };
  const run = await sources(join(root, "playbooks"));
  t.equal(run.code, 0, "exit code", { output: run.stdout + run.stderr });
  const gpgv = (await runProgram(["sh", "-c", "command -v gpgv"])).code === 0;
  const said = gpgv ? /Signed by who may[\s\S]*ok: .*nginx_1\.26\.3\.orig/ : /gpgv is not installed here: the pinned/;
  t.match(run.stdout, said);
  if (!gpgv) return;
  // The same signature, and a lock that names another signer.
  for (const part of ["playbooks", "nginx-build", "package.json"]) {
    await cp(join(root, part), join(folder, "other", part), { recursive: true });
  }
  const lock = join(folder, "other/nginx-build/sources.lock.json");
  const text = await readFile(lock, "utf8");
  await writeFile(lock, text.replaceAll("D6786CE303D9A9022998DC6CC8464D549AF75C0A", "A".repeat(40)));
  const refused = await sources(join(folder, "other/playbooks"));
  t.equal(refused.code, 2, "Ansible's exit code for a failed task");
  t.match(refused.stdout, /failed: .*item=nginx_1\.26\.3\.orig/);
});
