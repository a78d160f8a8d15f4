import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { makeKey, plain, startServer, type TestServer } from "../test/unit/transport/ssh-server.js";
import { median } from "./measure.js";
import { runMeasured } from "./measured.js";

const HOSTS = 100;
const TASKS = 20;
const program = resolve(import.meta.dirname, "../dist/cli/main.js");

/**
 * A hundred hosts, each an SSH server of this process that runs what it is sent in this machine's own shell: what the controller
 * needs for them. Their shells share the machine with it, so the wall time is an upper bound.
 */
export async function benchHundred(runs: number): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "edge-hundred-"));
  const key = makeKey("ecdsa");
  const servers: TestServer[] = [];
  try {
    for (let number = 0; number < HOSTS; number++) {
      servers.push(await startServer({ hostKeys: [key.private], onExec: runHere }));
    }
    await writeFile(join(folder, "id"), makeKey("ecdsa").private, { mode: 0o600 });
    await writeFile(
      join(folder, "known_hosts"),
      servers.map(({ port }) => `[127.0.0.1]:${port} ${plain(key.public)}\n`).join(""),
    );
    await writeFile(
      join(folder, "ssh_config"),
      `Host *\n  UserKnownHostsFile ${folder}/known_hosts\n  GlobalKnownHostsFile /dev/null\n  IdentitiesOnly yes\n  IdentityAgent none\n`,
    );
    const entries = servers.map(({ port }, index) => [
      `host${index + 1}`,
      {
        ansible_host: "127.0.0.1",
        ansible_port: port,
        ansible_user: "me",
        ansible_ssh_private_key_file: `${folder}/id`,
      },
    ]);
    await writeFile(join(folder, "hosts.yml"), JSON.stringify({ all: { hosts: Object.fromEntries(entries) } }));
    const tasks = Array.from({ length: TASKS }, (_, index) => ({
      name: `Task ${index + 1}`,
      "ansible.builtin.stat": { path: `/etc/none/${index}` },
    }));
    await writeFile(join(folder, "play.yml"), JSON.stringify([{ name: "Many", hosts: "all", tasks }]));
    const measured: Awaited<ReturnType<typeof runMeasured>>[] = [];
    for (let run = 0; run < Math.min(runs, 3); run++) {
      measured.push(
        await runMeasured({
          argv: [
            process.execPath,
            program,
            "play",
            "play.yml",
            "-i",
            "hosts.yml",
            "--ssh-config",
            "ssh_config",
            "--forks",
            "100",
          ],
          env: { XDG_STATE_HOME: join(folder, "state") },
          cwd: folder,
        }),
      );
    }
    const middle = (field: "seconds" | "cpu" | "megabytes") => median(measured.map((one) => one[field]));
    console.log(`| ${HOSTS} hosts, ${TASKS} tasks each | wall s | CPU s | peak MB |\n|---|---|---|---|`);
    console.log(
      `| edge-setup play | ${middle("seconds").toFixed(2)} | ${middle("cpu").toFixed(2)} | ${middle("megabytes").toFixed(0)} |\n`,
    );
  } finally {
    await Promise.all(servers.map((server) => server.close()));
    await rm(folder, { recursive: true, force: true });
  }
}

const runHere: NonNullable<Parameters<typeof startServer>[0]["onExec"]> = (channel, command) => {
  const child = spawn("sh", ["-c", command], { stdio: "pipe" });
  channel.pipe(child.stdin);
  child.stdin.on("error", () => {});
  child.stdout.pipe(channel, { end: false });
  child.stderr.pipe(channel.stderr, { end: false });
  void once(child, "close").then(([code]) => {
    channel.exit(code ?? 1);
    channel.end();
  });
};
