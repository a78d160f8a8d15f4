import { type SpawnOptions, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readdirSync, statSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import t from "tap";
import { encrypt } from "../../src/inventory/vault/format.js";
import type { LabHost } from "../../src/lab/index.js";
import type { Desk } from "./support/cli.js";
import { bootEdge, EDGE, type LabEdge } from "./support/edge.js";
import { labImpossible, runProgram } from "./support/lab.js";
import { readOrNothing, type Secrets, sampleProcesses } from "./support/processes.js";
import { changeSettings, readSecrets, SECRETS_FILE, until } from "./support/streams.js";

t.setTimeout(300_000);

/** What the lab itself keeps on the host: the inventory of a frozen edge, and the list of this test. */
const LAB_FILES = /^\/root\/(lab-inventory\/|secrets$)/;
/** Files that have to hold a secret, as NGINX and FFmpeg read them there. All others hold hashes, or nothing. */
const HOLDERS =
  /^\/etc\/edge\/(nginx|releases\/\w+)\/(rtmp-relay\.conf|rtmp-push\.conf|signing\.conf|streams\.json)$|^\/etc\/edge\/pull\/cam\.\w+$/;

/** Mode and owners of such a file: each is for those alone who need it. */
function readersOf(path: string): RegExp {
  if (path.includes("/pull/")) return /^640 root:edge-pull$/m;
  return path.endsWith("/signing.conf") ? /^[46]40 root:edge-http$/m : /^[46]40 root:edge$/m;
}

/** Given by the inventory: in a vault, but for the address of the source. */
const OWN = {
  "password of SSH": "ssh-pass~word.of-deploy",
  "password of sudo": "ssh-pass~word.of-deploy",
  "key of church": "kEy-of-the_church.4711",
  "key of the push": "live_4711-push-key",
  "login of the source": "pull-pass_word.99",
  "password of the vault": "vault pass-word of the lab",
  "another text of the vault": "nobody-uses-this-text",
};

t.test("runs keep secrets to themselves", { skip: labImpossible() }, async (t) => {
  const edge = await bootEdge(t);
  const { host, desk } = edge;
  const before = await readSecrets(desk);
  const after = { token: "kX7-new_token.for~streams", password: "pa55.word-of~status_9" };
  const signing = "signing-key.of_the~edge";
  const secrets: Secrets = {
    ...OWN,
    "old token": before.token,
    "old password": before.password,
    "new token": after.token,
    "new password": after.password,
    "signing key": signing,
    "old login of /status": base64(`admin:${before.password}`),
    "new login of /status": base64(`admin:${after.password}`),
    "old relay secret": sha256(`edge relay ${before.token}`),
    "new relay secret": sha256(`edge relay ${after.token}`),
    "new key of the source": sha256(`edge pull cam ${after.token}`),
    "digest of the new token": sha256(after.token),
  };
  const search = new Search(edge, secrets);
  const command = (...words: string[]) => {
    const { argv, env } = desk.command(...words, "--vault-id", `lab@${join(desk.folder, "lab.pw")}`, "--no-input");
    return { argv, options: { cwd: desk.folder, env: { ...env, TMPDIR: search.temporary } } };
  };
  const run = (...words: string[]) => {
    const { argv, options } = command(...words);
    return runProgram(argv, options);
  };
  await giveSecrets(edge, { ...after, signing }, before);

  await t.test("one that changes them, with everything printed", async (t) => {
    await changeSettings(desk, { http_access_control_allow_origin: "https://one.example", hls_fragment: "1s" });
    const samples = sampleProcesses(host, secrets);
    const apply = await run("apply", "--yes", "-v", "-D", "--json");
    t.equal(apply.code, 0, apply.code === 0 ? "applied" : apply.stdout + apply.stderr);
    const { found, looks } = await samples.stop();
    t.comment(`${looks} looks at processes`);
    t.same(found, [], "neither command lines nor environments show them");
    t.match(apply.stdout, "https://one.example", "diffs are printed");
    t.match(apply.stdout, "deploy@", "the password let us in");
    t.same(search.inText(apply.stdout), [], "events");
    t.same(search.inText(apply.stderr), [], "stderr");
    await until("a try of the source", async () =>
      (await host.exec("journalctl -q -u edge-pull@cam --no-pager")).stdout.includes("exited"),
    );
  });

  await t.test("one that fails, one that is interrupted, and their repetition for a person", async (t) => {
    await host.exec("mount --bind /etc/edge/nginx /etc/edge/nginx && mount -o remount,bind,ro /etc/edge/nginx");
    await changeSettings(desk, { hls_fragment: "2s" });
    await keep(desk, { ...before, signing });
    const failed = await run("apply", "--yes", "-v", "-D");
    t.equal(failed.code, 1, failed.stdout + failed.stderr);
    t.same(search.inText(failed.stdout + failed.stderr), []);
    await host.exec("umount /etc/edge/nginx");

    await search.filesOfHost("-perm -004");
    const cut = await interrupted(host, command("apply", "--yes", "-v", "-D"));
    t.equal(cut.code, 130, cut.stdout + cut.stderr);
    t.same(search.inText(cut.stdout + cut.stderr), []);
    t.not(cut.inside, "", "its program had them on the host, where root alone reads");
    t.same(readdirSync(search.temporary), [], "nothing is left on the controller");
    const left = await until("the end of the program on the host", async () => {
      const { stdout } = await host.exec("ls -d /run/edge-setup.*/ /tmp/edge-setup* 2>/dev/null; true");
      return stdout === "" && "nothing";
    });
    t.equal(left, "nothing", "and nothing on the host");

    for (const words of [["plan"], ["apply", "--yes", "--no-verify"]]) {
      const again = await run(...words, "-v", "-D");
      t.equal(again.code, 0, again.code === 0 ? words.join(" ") : again.stdout + again.stderr);
      t.same(search.inText(again.stdout + again.stderr), [], words.join(" "));
    }
  });

  await t.test("one by OpenSSH, whose questions are answered", async (t) => {
    const samples = sampleProcesses(host, secrets);
    const plan = await run("plan", "--exit-code", "-v", "-e", "edge_connection=openssh");
    t.equal(plan.code, 0, plan.code === 0 ? "planned" : plan.stdout + plan.stderr);
    t.same((await samples.stop()).found, []);
    t.same(search.inText(plan.stdout + plan.stderr), []);
    t.same(readdirSync(search.temporary), [], "what answered them is gone");
  });

  await t.test("a new one of each", async (t) => {
    const rotated = await run("secrets", "rotate", "--yes", "--json");
    t.equal(rotated.code, 0, rotated.stderr);
    t.match(rotated.stderr, /key of church of edge is given at host_vars\/edge\.yml:\d+:\d+: change it there/);
    const now = await readSecrets(desk);
    for (const [one, other] of [
      [now.token, before.token],
      [now.password, before.password],
      [now.signing, signing],
    ])
      t.not(one, other);
    t.equal(statSync(join(desk.folder, SECRETS_FILE)).mode & 0o777, 0o600);
    Object.assign(secrets, { "rotated token": now.token, "rotated password": now.password });
    t.same(search.inText(rotated.stderr), [], "they are the result, and in nothing else");
    t.equal((await run("plan", "--exit-code")).code, 0, "and they are on the host");
  });

  await t.test("nothing is left where others read", async (t) => {
    t.ok(filesBelow(desk.state).length >= 5, "runs have logs");
    t.same(await search.everywhere(), []);
    const files = await search.filesOfHost("");
    t.same(
      files.filter((path) => !HOLDERS.test(path)),
      [],
      "what has to be there is in a few files",
    );
    const names = new Set(files.map((path) => path.split("/").at(-1)));
    t.ok(names.has("rtmp-relay.conf") && names.has("signing.conf") && names.has("cam.ffconcat"), [...names].join());
    for (const path of files) t.match((await host.exec(`stat -c '%a %U:%G' ${path}`)).stdout, readersOf(path), path);
  });

  // A search that finds nothing proves something only if it would have found it.
  await t.test("and where something is left, it is found", async (t) => {
    const { token } = before;
    const samples = sampleProcesses(host, secrets);
    const inside = [
      "read token; echo $token | base64 >/usr/local/share/planted; echo $token >/run/planted; chmod 644 /run/planted",
      "echo user:$token | logger -t planted; systemd-run -q --unit=planted --setenv=PLANTED=$token sleep 600",
      "systemd-run -q --unit=planted-too sh -c 'sleep 600; :' $token",
    ];
    await host.exec(inside.join("\n"), { input: `${token}\n` });
    const here = spawn("sleep", ["600"], { stdio: "ignore", env: { ...process.env, PLANTED: token } });
    await samples.look();
    here.kill();
    await writeFile(join(desk.state, "planted"), JSON.stringify({ text: `a ${token}` }));
    await writeFile(join(search.temporary, "planted"), base64(`Bearer ${token}`));
    const found = await search.everywhere();
    for (const place of [
      ...[join(desk.state, "planted"), join(search.temporary, "planted"), "the journal", "units"],
      ...["/usr/local/share/planted", "/run/planted"],
    ])
      t.ok(
        found.some((one) => one.endsWith(place)),
        place,
      );
    const seen = (await samples.stop()).found;
    for (const where of ["cmdline on the host", "environ on the host", "environ here"])
      t.ok(
        seen.some((one) => one.startsWith(`old token in ${where}`)),
        where,
      );
    t.same(search.inText(`https://edge.example/?token=${encodeURIComponent(token)}`), ["old token"]);
  });
});

/** Looks for secrets in all that a run leaves behind, on both sides. */
class Search {
  /** The controller's folder for temporary files. */
  readonly temporary: string;
  readonly #edge: LabEdge;
  readonly #secrets: Secrets;
  readonly #begin = Date.now();

  constructor(edge: LabEdge, secrets: Secrets) {
    this.#edge = edge;
    this.#secrets = secrets;
    this.temporary = join(edge.desk.folder, "tmp");
  }

  /** Names of the secrets in a text. */
  inText(text: string): string[] {
    return Object.entries(this.#secrets).flatMap(([name, secret]) =>
      formsOf(secret).some((form) => text.includes(form)) ? [name] : [],
    );
  }

  /** `SECRET in PLACE` for each. */
  async everywhere(): Promise<string[]> {
    const { desk, host } = this.#edge;
    const mine = ["edges.yml", "lab.pw", SECRETS_FILE].map((name) => join(desk.folder, name));
    const files = [...filesBelow(desk.folder), ...filesBelow(cacheFolder()).filter((path) => this.#isNew(path))];
    const texts = files
      .filter((path) => !mine.includes(path))
      .map((path): [string, string] => [path, readOrNothing(path)]);
    const journal = (await host.exec("journalctl -a --no-pager -o json")).stdout;
    const units = (await host.exec("systemctl show '*'; systemctl cat '*' 2>/dev/null; systemctl show-environment"))
      .stdout;
    if (journal.length < 1000 || units.length < 1000) throw new Error("there is nothing to search");
    const found = [...texts, ["the journal", journal] as const, ["units", units] as const];
    return [
      ...found.flatMap(([place, text]) => this.inText(text).map((name) => `${name} in ${place}`)),
      ...(await this.filesOfHost("-perm -004")).map((path) => `a secret in ${path}`),
    ];
  }

  /** Files of the host that hold a secret, below all of its mounts. */
  async filesOfHost(which: string): Promise<string[]> {
    const { host } = this.#edge;
    const forms = Object.values(this.#secrets).flatMap(formsOf);
    await host.exec("umask 077; cat > /root/secrets", { input: `${forms.join("\n")}\n` });
    const search = `find / \\( -path /proc -o -path /sys -o -path /dev \\) -prune -o -type f ${which} -print0 | xargs -0 grep -slaF -f /root/secrets`;
    return (await host.exec(search)).stdout.split("\n").filter((path) => path !== "" && !LAB_FILES.test(path));
  }

  #isNew(path: string): boolean {
    const file = statSync(path, { throwIfNoEntry: false });
    return file !== undefined && file.mtimeMs >= this.#begin && file.size < 10_000_000;
  }
}

/** A secret as it is, in JSON, in a URL, or in base64 of any text around it. */
function formsOf(secret: string): string[] {
  const forms = [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)];
  // Of base64 the part that does not depend on what comes before or after.
  for (let shift = 0; shift < 3; shift++) {
    const encoded = base64(`${" ".repeat(shift)}${secret}`);
    forms.push(encoded.slice(shift === 0 ? 0 : 4, -4));
  }
  return [...new Set(forms)];
}

/** A user who needs a password for everything, secrets in vaults, streams to and from elsewhere. */
async function giveSecrets(
  { host, desk }: LabEdge,
  now: Parameters<typeof keep>[1],
  before: { readonly password: string },
): Promise<void> {
  const user = [
    "useradd -m deploy; read word; echo deploy:$word | chpasswd",
    "echo 'deploy ALL=(ALL:ALL) ALL' >/etc/sudoers.d/deploy; echo 'PasswordAuthentication yes' >/etc/ssh/sshd_config.d/10-lab.conf",
    "systemctl reload ssh",
  ];
  await host.exec(user.join("\n"), { input: `${OWN["password of SSH"]}\n` });
  await mkdir(join(desk.folder, "tmp"));
  await writeFile(join(desk.folder, "lab.pw"), `${OWN["password of the vault"]}\n`, { mode: 0o600 });
  const seal = (text: string) => encrypt(text, OWN["password of the vault"], "lab");
  await writeFile(
    join(desk.folder, "group_vars/all/vault.yml"),
    await seal(`vault_sudo: ${OWN["password of sudo"]}\nvault_other: ${OWN["another text of the vault"]}\n`),
  );
  await rm(join(desk.folder, "edges.yml"));
  const sealed = async (text: string) => `!vault ${JSON.stringify(await seal(text))}`;
  const vars = [
    `ansible_host: ${host.address}`,
    "ansible_user: deploy",
    `ansible_password: ${await sealed(OWN["password of SSH"])}`,
    "ansible_become_password: '{{ vault_sudo }}'",
    `rtmp_stream_keys: { church: ${await sealed(OWN["key of church"])} }`,
    `push_keys: { tube: ${await sealed(OWN["key of the push"])} }`,
  ];
  await mkdir(join(desk.folder, "host_vars"));
  await writeFile(join(desk.folder, "host_vars", `${EDGE}.yml`), `${vars.join("\n")}\n`);
  const settings = {
    ...{ nginx_sources: "debian", hls_signed: true },
    push: [{ name: "tube", stream: "church", url: "rtmp://127.0.0.1:9/live" }],
    pull: [{ name: "cam", url: `rtsp://viewer:${OWN["login of the source"]}@127.0.0.1:9/cam` }],
  };
  await writeFile(join(desk.folder, "edges.yml"), JSON.stringify({ edges: { vars: settings, hosts: { [EDGE]: {} } } }));
  await keep(desk, now);
  if ((await readSecrets(desk)).password === before.password) throw new Error("the file of secrets is as it was");
}

/** Writes the file of secrets as an operator does. */
async function keep(
  desk: Desk,
  own: { readonly token: string; readonly password: string; readonly signing: string },
): Promise<void> {
  const lines = [
    "edge_secrets:",
    `  ${EDGE}:`,
    `    rtmp_publish_token: "${own.token}"`,
    `    http_status_password: "${own.password}"`,
    `    hls_signing_key: "${own.signing}"`,
  ];
  await writeFile(join(desk.folder, SECRETS_FILE), `${lines.join("\n")}\n`, { mode: 0o600 });
}

/** An apply that is stopped at once while its program runs on the host. */
async function interrupted(host: LabHost, { argv, options }: { argv: readonly string[]; options: SpawnOptions }) {
  // The release asks whether NGINX answers, and hears nothing; so does what only looks, in a program without files.
  const stall = "cat >/root/stall; chmod 755 /root/stall; mount --bind /root/stall /usr/bin/curl";
  await host.exec(stall, { input: "#!/bin/sh\nsleep 2\n" });
  const [program = "", ...words] = argv;
  const child = spawn(program, words, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const)
    child[name]?.setEncoding("utf8").on("data", (part: string) => {
      output[name] += part;
    });
  const asking = "pgrep -f '^/bin/sh /usr/bin/curl' && ls -d /run/edge-setup.*/p";
  await until("the question", async () => (await host.exec(asking)).code === 0);
  const inside = (await host.exec("grep -rlaF -f /root/secrets /run/edge-setup.*/")).stdout;
  // Once lets the task at hand end, twice is at once.
  child.kill("SIGINT");
  await sleep(200);
  child.kill("SIGINT");
  const [code] = await once(child, "close");
  await host.exec("umount -l /usr/bin/curl");
  return { ...output, code, inside };
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}

/** Others work in the cache meanwhile: what they have taken away is not left. */
function filesBelow(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? filesBelow(path) : entry.isFile() ? [path] : [];
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

function cacheFolder(): string {
  return join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "edge-setup");
}
