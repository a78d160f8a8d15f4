import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import t, { type Test } from "tap";
import { loadLock, neededSources, profileFor } from "../../src/build/sources.js";
import type { LabHost } from "../../src/lab/index.js";
import type { RunEvent } from "../../src/report/events.js";
import { cacheWithoutBuilds, type Desk, makeDesk } from "./support/cli.js";
import { bootBare, bootEdge, EDGE } from "./support/edge.js";
import { labImpossible, runProgram, waitUntil } from "./support/lab.js";
import { until } from "./support/streams.js";

// What goes wrong between here and a host, one at a time: each is said once, in words that tell what to do, with its exit
// code and without a stack trace, and leaves the host as it was or serving what it served.

const MINUTE = 60_000;
const APPLY = ["apply", "--yes", "--no-input", "--no-verify"];
const PASSWORD = "correct horse";
const MARK = "/root/before";

interface Expected {
  readonly code: number;
  /** All of them stand in what the run says. */
  readonly says: readonly RegExp[];
}

function told(t: Test, result: { code: number; stdout: string; stderr: string }, { code, says }: Expected): void {
  const text = result.stdout + result.stderr;
  t.comment(result.stderr);
  t.equal(result.code, code, "exit code");
  for (const pattern of says) t.match(text, pattern);
  t.notMatch(text, /^ {4}at |internal error|undefined|\[object/m, "no stack trace, no slip");
}

/** Everything on the host that was written since the mark, what any login writes aside. */
async function written(host: LabHost): Promise<string> {
  const aside = ["/proc", "/sys", "/dev", "/run", "/tmp", "/var/log", "/var/lib/sudo", "/var/lib/systemd"];
  const prune = aside.map((path) => `-path ${path}`).join(" -o ");
  return (await host.exec(`find / -xdev \\( ${prune} \\) -prune -o -newer ${MARK} -print`)).stdout;
}

async function settingsOf(desk: Desk, variables: Readonly<Record<string, string>>): Promise<void> {
  const folder = join(desk.folder, "host_vars");
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, `${EDGE}.yml`), JSON.stringify(variables), { mode: 0o600 });
}

/** Cases on a bare host that stop before anything is done. */
t.test("a host that cannot be reached, entered, or made an edge", { skip: labImpossible() }, async (t) => {
  const { host, desk } = await bootBare(t);
  await host.exec(`touch ${MARK}; sleep 0.1`);
  const refused = async (t: Test, expected: Expected, ...flags: string[]) => {
    told(t, await desk.run(...APPLY, ...flags), expected);
    t.equal(await written(host), "", "nothing is changed on the host");
  };
  /** Breaks something by hand for one case. */
  const broken = async (change: string, repair: string, body: () => Promise<void>) => {
    const done = await host.exec(change);
    if (done.code !== 0) throw new Error(`${change}: ${done.stderr}`);
    await host.exec(`touch ${MARK}; sleep 0.05`);
    try {
      await body();
    } finally {
      await host.exec(`${repair}; sleep 0.05; touch ${MARK}; sleep 0.05`);
    }
  };

  await t.test("connection refused", (t) =>
    refused(
      t,
      {
        code: 3,
        says: [/:2222: nothing listens on port 2222 \(connection refused\)/, /Check ansible_host/, /E_REFUSED/],
      },
      ...["-e", "ansible_port=2222"],
    ),
  );

  await t.test("no answer", async (t) => {
    const drop = "tcp dport 2223 drop";
    const rules = `nft -f - <<'R'\ntable inet hole { chain input { type filter hook input priority 0; ${drop}; } }\nR`;
    const hasNft = (await host.exec(rules)).code === 0;
    // Without a packet filter inside: an address of the lab's network that nobody has.
    const target = hasNft ? ["-e", "ansible_port=2223"] : ["-e", `ansible_host=${emptyAddress(host.address)}`];
    told(t, await desk.run(...APPLY, "--timeout", "2", ...target), {
      code: 3,
      says: [/does not answer within 2 s|no route to/, /switched on/],
    });
    if (hasNft) await host.exec("nft delete table inet hole");
  });

  await t.test("a name that does not resolve", (t) =>
    refused(
      t,
      { code: 3, says: [/the name edge\.invalid does not resolve/, /Check the spelling/, /E_DNS/] },
      ...["-e", "ansible_host=edge.invalid"],
    ),
  );

  await t.test("a key that the host does not know", async (t) => {
    const key = join(desk.folder, "other-key");
    await runProgram(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key]);
    await refused(
      t,
      { code: 3, says: [/the login fails; refused: .*other-key/, /ssh-copy-id/, /E_AUTH/] },
      ...["-e", `ansible_ssh_private_key_file=${key}`],
    );
    await refused(
      t,
      { code: 3, says: [/The key file \/no\/key does not exist/] },
      ...["-e", "ansible_ssh_private_key_file=/no/key"],
    );
  });

  await t.test("a host key that is not known, and one that changed", async (t) => {
    const known = join(desk.folder, "known_hosts");
    const config = join(desk.folder, "own_ssh_config");
    await writeFile(
      config,
      `Host *\n  UserKnownHostsFile ${known}\n  GlobalKnownHostsFile /dev/null\n  IdentitiesOnly yes\n`,
    );
    await writeFile(known, "");
    // The last one given counts; the desk's own comes last, so its words are built here.
    const { argv, env } = desk.command(...APPLY);
    const run = (...flags: string[]) =>
      runProgram([...argv, "--ssh-config", config, ...flags], { cwd: desk.folder, env });
    told(t, await run(), {
      code: 5,
      says: [/is not known \(ssh-ed25519 SHA256:/, /--accept-new/, /E_HOST_KEY_UNKNOWN/],
    });
    const plan = desk.command("plan", "--no-input");
    const accepted = await runProgram([...plan.argv, "--ssh-config", config, "--accept-new"], {
      cwd: desk.folder,
      env,
    });
    t.equal(accepted.code, 0, "accepted and remembered");
    const other = await runProgram(["cat", join(desk.folder, "other-key.pub")]);
    await writeFile(known, `${host.address} ${other.stdout.split(" ").slice(0, 2).join(" ")}\n`);
    for (const flags of [[], ["--accept-new"]]) {
      told(t, await run(...flags), {
        code: 5,
        says: [/has changed: it shows/, /known_hosts:1 knows/, /ssh-keygen -R/, /E_HOST_KEY_CHANGED/],
      });
    }
    t.equal(await written(host), "", "nothing is changed on the host");
  });

  await t.test("sudo", async (t) => {
    const sudoers = (rule: string) =>
      `echo 'ops:${PASSWORD}' | chpasswd && echo 'ops ALL=(ALL:ALL) ${rule}' >/etc/sudoers.d/ops`;
    const open = sudoers("NOPASSWD: ALL");
    await broken(sudoers("ALL"), open, async () => {
      const missing = { code: 3, says: [/sudo wants a password, and none is given/, /ansible_become_password/] };
      await refused(t, missing);
      await settingsOf(desk, { ansible_become_password: "not this one" });
      await refused(t, { code: 3, says: [/sudo does not accept the password/, /Check ansible_become_password/] });
      await settingsOf(desk, { ansible_become_password: PASSWORD });
      const plan = await desk.run("plan", "--no-input");
      t.equal(plan.code, 0, "the right one opens");
      t.notMatch(plan.stdout + plan.stderr, PASSWORD);
    });
    await broken("rm /etc/sudoers.d/ops", open, async () => {
      await refused(t, { code: 3, says: [/may not use sudo/, /adduser USER sudo/] });
      await settingsOf(desk, {});
    });
  });

  await t.test("a system that is not supported", async (t) => {
    const fedora = "printf 'ID=fedora\\nNAME=\"Fedora Linux\"\\nVERSION_ID=43\\n' >/etc/os-release";
    await broken(`mv /etc/os-release /root/kept && ${fedora}`, "mv /root/kept /etc/os-release", () =>
      refused(t, { code: 1, says: [/Fedora.* is not supported/, /Debian 12 or 13, Ubuntu 22\.04 or later/] }),
    );
  });

  await t.test("a CPU that does not run what the userland is compiled for", (t) =>
    broken(
      `sed '/^Package: dpkg$/,/^$/s/^Architecture: .*/Architecture: armhf/' /var/lib/dpkg/status >/run/status
       mount --bind /run/status /var/lib/dpkg/status`,
      "umount /var/lib/dpkg/status",
      () =>
        refused(t, { code: 1, says: [/userland of edge is armhf\/armv7-a, its CPU \S+\./, /Raspberry Pi OS Lite/] }),
    ),
  );

  await t.test("more memory than the host has", (t) =>
    refused(
      t,
      { code: 1, says: [/would get 921600 MiB of memory/, /half of this host's \d+ MiB/, /Lower hls_tmpfs_size/] },
      ...["-e", "hls_tmpfs_size=900G"],
    ),
  );

  await t.test("no room", (t) =>
    broken("mkdir -p /opt && mount -t tmpfs -o size=20m none /opt", "umount /opt", () =>
      refused(t, { code: 1, says: [/\/opt has 20 MB free, and needs 900 MB/, /make room/] }),
    ),
  );

  await t.test("ports that something else has", (t) => {
    const take = (port: number) => `systemd-run -q --unit=web${port} python3 -m http.server ${port}`;
    const taken = (port: number) => waitUntil(`ss -Hltn 'sport = :${port}' | grep -q .`);
    return broken(`${take(80)}; ${take(1935)}; ${taken(80)}; ${taken(1935)}`, "systemctl stop web80 web1935", () =>
      refused(t, {
        code: 1,
        says: [
          /port 80 is taken by python3 \(process \d+ of web80\.service\)/,
          /port 1935 is taken by python3 .*systemctl disable --now web1935\.service.*rtmp_server_port/,
        ],
      }),
    );
  });

  await t.test("sources", async (t) => {
    const { argv, env: own } = desk.command(...APPLY);
    const [node = "", ...words] = argv;
    const cache = join(desk.folder, "cache");
    const run = (flags: readonly string[], cacheHome = cache) =>
      runProgram([node, ...flags, ...words], { cwd: desk.folder, env: { ...own, XDG_CACHE_HOME: cacheHome } });
    const lock = await loadLock(resolve(import.meta.dirname, "../../nginx-build/sources.lock.json"));
    const source = neededSources(lock, profileFor(lock, "debian", host.release))[0]?.file ?? "";
    const given = join(desk.folder, "given");
    for (const folder of [given, join(cache, "edge-setup", "sources")]) {
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, source), "half of a download");
    }
    // Loaded before the program: the network of this machine is gone for it, the host is not.
    const cut = join(desk.folder, "cut.mjs");
    await writeFile(cut, `globalThis.fetch = () => Promise.reject(new Error("the network is gone"));\n`);

    words.push("--source-dir", given);
    told(t, await run([]), {
      code: 1,
      says: [
        new RegExp(`${literal(join(given, source))} is not the pinned`),
        /SHA-256 is [0-9a-f]{64}, expected [0-9a-f]{64}/,
        /--source-dir DIR/,
        /Nothing was changed on this host/,
      ],
    });
    t.equal(await written(host), "", "a damaged given source stops the run before the host is touched");
    words.splice(-2);

    told(t, await run(["--import", cut]), {
      code: 1,
      says: [
        new RegExp(`${literal(source)} is damaged .* moved to .*\\.rejected`),
        new RegExp(`the source ${literal(source)} .* cannot be fetched: https?://`),
        /--source-dir DIR/,
        /Nothing was changed on this host/,
      ],
    });
    t.equal(await written(host), "", "a damaged cache stops the run before the host is touched");

    words.push("-e", "nginx_sources=upstream");
    told(t, await run(["--import", cut], join(desk.folder, "empty-cache")), {
      code: 1,
      says: [
        /the source nginx-[\d.]+\S*\.tar\.gz .* cannot be fetched: https:\/\//,
        /--source-dir DIR, or compile from Debian's mirror instead with the setting nginx_sources: debian/,
        /Nothing was changed on this host/,
      ],
    });
    t.equal(await written(host), "", "sources are there before the first task runs");
  });
});

function literal(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

function emptyAddress(address: string): string {
  return address.replace(/\.\d+$/, ".251");
}

/** A run that goes on while the test does other things. */
class Running {
  readonly events: RunEvent[] = [];
  readonly ended: Promise<number>;
  readonly #child: ChildProcess;

  constructor(desk: Desk, ...words: string[]) {
    const { argv, env } = desk.command(...words, "--json");
    const [program = "", ...rest] = argv;
    const child = spawn(program, rest, { cwd: desk.folder, env, stdio: ["ignore", "pipe", "inherit"] });
    this.#child = child;
    this.ended = new Promise((resolve) => child.once("exit", (code) => resolve(code ?? -1)));
    createInterface({ input: child.stdout }).on("line", (line) => this.events.push(JSON.parse(line) as RunEvent));
  }

  async until(what: string, test: (event: RunEvent) => boolean): Promise<void> {
    for (let tenths = 0; tenths < 900; tenths++) {
      if (this.events.some(test)) return;
      await sleep(100);
    }
    throw new Error(`${what} does not come; the last events are ${JSON.stringify(this.events.slice(-5))}`);
  }

  interrupt(): void {
    this.#child.kill("SIGINT");
  }

  text(): string {
    return this.events.map((event) => JSON.stringify(event)).join("\n");
  }
}

/** Both units answer, and the release is this one. */
async function serves(t: Test, host: LabHost, live: string): Promise<void> {
  const health = await host.exec(
    "curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1/healthz; readlink /etc/edge/live",
  );
  t.equal(health.stdout, `204${live}`, "the edge serves what it served");
  t.ok(await answers(host.address, 1935), "RTMP answers");
}

function answers(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 3000 });
    const say = (yes: boolean) => {
      socket.destroy();
      resolve(yes);
    };
    socket
      .once("connect", () => say(true))
      .once("error", () => say(false))
      .once("timeout", () => say(false));
  });
}

t.test("an edge keeps serving, whatever a run meets", { skip: labImpossible(), timeout: 10 * MINUTE }, async (t) => {
  const { host, desk } = await bootEdge(t);
  const live = (await host.exec("readlink /etc/edge/live")).stdout;

  await t.test("a configuration that nginx refuses", async (t) => {
    // A setting whose template gives what no check of settings can see.
    const bad = { x_bad: '"; bells ring; #', http_access_control_allow_origin: "{{ x_bad }}" };
    told(t, await desk.run(...APPLY, "-e", JSON.stringify(bad)), {
      code: 1,
      says: [/unknown directive "bells"/, /cors\.conf:\d+/, /stays live/],
    });
    await serves(t, host, live);
    const healed = await desk.run(...APPLY);
    t.equal(healed.code, 0, "the next run heals it");
    await serves(t, host, live);
  });

  await t.test("another run holds the host", async (t) => {
    const held = waitUntil("! flock -n /run/edge-setup.lock true");
    await host.exec(`systemd-run -q --unit=holder flock /run/edge-setup.lock sleep 600; ${held}`);
    told(t, await desk.run(...APPLY), { code: 6, says: [/Another run holds this host/, /Wait until it has ended/] });
    await host.exec("systemctl stop holder");
    await serves(t, host, live);
  });

  await t.test("Ctrl-C, a lost link and a compiler that fails, in one build", async (t) => {
    const compilingDesk = makeDesk(desk.folder, host, undefined, cacheWithoutBuilds(desk.folder));
    // The edge runs a build that is not the wanted one, and the compiler waits for the test, then fails.
    const stall =
      'case "$*" in *ngx_log.o*) while [ ! -e /root/go ]; do sleep 0.2; done; echo "error: the bell rings" >&2; exit 1 ;; esac';
    await host.exec("cd /opt/edge/builds && mv * old && ln -sfn builds/old /opt/edge/nginx");
    await host.exec("cat >/usr/local/bin/cc && chmod 755 /usr/local/bin/cc", {
      input: `#!/bin/sh\n${stall}\nexec /usr/bin/cc "$@"\n`,
    });
    const compiling = (event: RunEvent) => event.type === "task.log" && event.line === "step: compile";
    const job = "systemctl list-units --plain --no-legend 'edge-setup-*.service' | cut -d' ' -f1";

    const first = new Running(compilingDesk, ...APPLY);
    await first.until("the compile", compiling);
    first.interrupt();
    t.equal(await first.ended, 130);
    t.match(first.text(), /is interrupted; its job .* keeps running on the host/);
    t.match(first.text(), /Run the same command again to follow it/);
    t.match((await host.exec(job)).stdout, /^edge-setup-[0-9a-f]+\.service\n$/, "the job goes on");
    await serves(t, host, live);

    const second = new Running(compilingDesk, ...APPLY);
    await second.until("the compile again", compiling);
    const third = await compilingDesk.run(...APPLY);
    told(t, third, { code: 6, says: [/Another run holds this host: \S+@\S+ since .*edge-setup apply/] });
    await host.exec("pkill -KILL -u ops sshd; pkill -KILL -u ops sshd-session");
    const lost = (event: RunEvent) => event.type === "message" && /link lost, connecting again/.test(event.text);
    await second.until("the loss", lost);
    const seen = second.events.length;
    await until("another connection", async () => (await host.exec("pgrep -u ops sshd")).code === 0);
    t.equal((await host.exec(job)).stdout.split("\n").length, 2, "still the one job");
    await host.exec("touch /root/go");
    t.equal(await second.ended, 1, "the run that lost its link sees the end of the job");
    const after = second.events.slice(seen);
    const failed = after.find((event) => event.type === "task.result" && event.status === "failed");
    t.match(failed, {
      reason: /exit status 1, log in \/var\/lib\/edge-setup\/jobs\/.*\.log/,
      output: /the bell rings/,
    });
    t.notMatch(failed, { output: /@@progress/ });
    await serves(t, host, live);
  });
});
