import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { chmod, readFile, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import type { LabHost } from "../../src/lab/index.js";
import type { Desk } from "./support/cli.js";
import { bootEdge } from "./support/edge.js";
import { labImpossible, runProgram } from "./support/lab.js";
import { type Secrets, sampleProcesses } from "./support/processes.js";
import { changeSettings, readSecrets, SECRETS_FILE } from "./support/streams.js";

t.setTimeout(300_000);

/** What the lab itself keeps on the host: the inventory of a frozen edge, and the list of this test. */
const LAB_FILES = /^\/root\/(lab-inventory\/|secrets$)/;

t.test("runs keep secrets to themselves", { skip: labImpossible() }, async (t) => {
  const { host, desk } = await bootEdge(t);
  const before = await readSecrets(desk);
  const after = { token: "kX7-new_token.for~streams", password: "pa55.word-of~status_9" };
  const secrets: Secrets = {
    "old token": before.token,
    "old password": before.password,
    "new token": after.token,
    "new password": after.password,
    "old relay secret": relaySecret(before.token),
    "new relay secret": relaySecret(after.token),
    "digest of the new token": sha256(after.token),
  };
  const found = (text: string) => Object.keys(secrets).filter((name) => holds(text, secrets[name] ?? ""));
  const file = join(desk.folder, SECRETS_FILE);
  t.equal(statSync(file).mode & 0o777, 0o600, "the file of secrets is its owner's alone");
  const begin = Date.now();

  await t.test("one that changes them, with everything printed", async (t) => {
    await changeSecrets(desk, before, after);
    await changeSettings(desk, { http_access_control_allow_origin: "https://one.example", hls_fragment: "1s" });
    const samples = sampleProcesses(host, secrets);
    const control = "a-word-that-processes-show";
    const witness = sampleProcesses(host, { control });
    const [apply] = await Promise.all([
      desk.run("apply", "--no-input", "--yes", "-v", "-D", "--json"),
      host.exec("read word; systemd-run -q --wait sh -c 'sleep 0.3; :' $word", { input: `${control}\n` }),
      runProgram(["sh", "-c", "sleep 0.3"], { env: { ...process.env, CONTROL: control } }),
    ]);
    t.equal(apply.code, 0, apply.code === 0 ? "applied" : apply.stdout + apply.stderr);
    const seen = (await witness.stop()).found;
    t.ok(
      seen.some((text) => text.startsWith("control in cmdline on the host")),
      "command lines of the host are seen",
    );
    t.ok(
      seen.some((text) => text.startsWith("control in environ here")),
      "and what the test starts",
    );
    const { found: shown, looks } = await samples.stop();
    t.comment(`${looks} looks at processes`);
    t.same(shown, [], "neither command lines nor environments show them");
    t.match(apply.stdout, "https://one.example", "diffs are printed");
    t.same(found(apply.stdout), [], "events");
    t.same(found(apply.stderr), [], "stderr");
  });

  await t.test("one that fails, and its repetition for a person", async (t) => {
    await host.exec("mount --bind /etc/edge/nginx /etc/edge/nginx && mount -o remount,bind,ro /etc/edge/nginx");
    await changeSecrets(desk, after, before);
    const failed = await desk.run("apply", "--no-input", "--yes", "-v", "-D");
    t.equal(failed.code, 1, failed.stdout + failed.stderr);
    t.same(found(failed.stdout + failed.stderr), []);
    await host.exec("umount /etc/edge/nginx");
    for (const command of ["plan", "apply"]) {
      const flags = command === "plan" ? [] : ["--yes"];
      const run = await desk.run(command, "--no-input", "-v", "-D", ...flags);
      t.equal(run.code, 0, run.code === 0 ? command : run.stdout + run.stderr);
      t.same(found(run.stdout + run.stderr), [], command);
    }
  });

  await t.test("nothing is left where others read", async (t) => {
    const logs = filesBelow(desk.state);
    t.ok(logs.length >= 4, "runs have logs");
    for (const log of logs) t.same(found(readFileSync(log, "latin1")), [], log);
    const mine = [...filesBelow(desk.folder), ...newFiles(tmpdir(), begin), ...newFiles(cacheFolder(), begin)];
    const holders = mine.filter((path) => path !== file && found(readFileSync(path, "latin1")).length > 0);
    t.same(holders, [], "one file of the controller holds them");
    t.equal(statSync(file).mode & 0o777, 0o600);

    await host.exec("umask 077; cat > /root/secrets", { input: `${Object.values(secrets).join("\n")}\n` });
    const journal = (await host.exec("journalctl -a --no-pager -o json")).stdout;
    t.ok(journal.length > 1000);
    t.same(found(journal), [], "the journal");
    t.same(await filesWith(host, "-perm -004"), [], "files that everybody reads");
    const files = await filesWith(host, "");
    const [relay, others] = [/\/rtmp-relay\.conf$|\/streams\.json$/, /^\/(var|run|tmp|home|root|opt|usr)\//];
    t.same(
      files.filter((path) => !relay.test(path) || others.test(path)),
      [],
      "the relay's secret and a digest are all that the host holds",
    );
    t.not(files.length, 0, "and it does hold these");
    for (const path of files) t.match((await host.exec(`stat -c '%a %U:%G' ${path}`)).stdout, /^[46]40 root:edge$/m);
  });
});

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** As in playbooks/vars/derived.yml. */
function relaySecret(token: string): string {
  return sha256(`edge relay ${token}`);
}

/** As it is, in JSON, in a URL, or in base64. */
function holds(text: string, secret: string): boolean {
  const forms = [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)];
  // Of base64 the part that does not depend on what comes before or after.
  for (let shift = 0; shift < 3; shift++) {
    const encoded = Buffer.concat([Buffer.alloc(shift), Buffer.from(secret)]).toString("base64");
    forms.push(encoded.slice(shift === 0 ? 0 : 4, -4));
  }
  return forms.some((form) => text.includes(form));
}

/** Edits the file of secrets as an operator does. */
async function changeSecrets(
  desk: Desk,
  from: { token: string; password: string },
  to: { token: string; password: string },
): Promise<void> {
  const file = join(desk.folder, SECRETS_FILE);
  const lines = (await readFile(file, "utf8")).split("\n").map((line) => {
    const [key = ""] = line.split(":");
    if (key.trim() === "rtmp_publish_token") return `${key}: ${JSON.stringify(to.token)}`;
    if (key.trim() === "http_status_password") return `${key}: ${JSON.stringify(to.password)}`;
    return line;
  });
  await writeFile(file, lines.join("\n"));
  await chmod(file, 0o600);
  const now = await readSecrets(desk);
  if (now.token !== to.token || now.password === from.password) throw new Error("the file of secrets has another form");
}

function filesBelow(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/** Small files that were written since, in a folder that others use too. */
function newFiles(folder: string, since: number): string[] {
  if (!existsSync(folder)) return [];
  const entries = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile());
  return entries
    .map((entry) => join(folder, entry.name))
    .filter((path) => {
      const file = statSync(path, { throwIfNoEntry: false });
      return file !== undefined && file.mtimeMs >= since && file.size < 10_000_000;
    });
}

function cacheFolder(): string {
  return join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "edge-setup");
}

/** Files of the host, anywhere, that hold a line of /root/secrets. */
async function filesWith(host: LabHost, which: string): Promise<string[]> {
  const search = `find / \\( -path /proc -o -path /sys -o -path /dev \\) -prune -o -type f ${which} -print0 | xargs -0 grep -slaF -f /root/secrets`;
  return (await host.exec(search)).stdout.split("\n").filter((path) => path !== "" && !LAB_FILES.test(path));
}
