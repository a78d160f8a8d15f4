import { spawn } from "node:child_process";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { LabExecResult, LabHost } from "../../../src/lab/index.js";
import { runProgram } from "./lab.js";

interface Scope {
  teardown(handler: () => unknown): void;
}

/** A network of this machine that has no way out: only hosts of the lab can be reached from it. */
export interface CutOff {
  run(
    command: { readonly argv: readonly string[]; readonly env: NodeJS.ProcessEnv },
    cwd: string,
  ): Promise<LabExecResult>;
  /** Names that anything in it has asked a name server for. */
  asked(): Promise<string[]>;
}

/** Listens where the network's programs expect a name server, and writes down whatever is asked. */
const LISTENER = String.raw`
const { appendFileSync } = require("node:fs");
const socket = require("node:dgram").createSocket("udp4");
socket.on("message", (query) => appendFileSync(process.argv[1], JSON.stringify(query.subarray(12).toString("latin1")) + "\n"));
socket.bind(53, "127.0.0.1", () => appendFileSync(process.argv[1], "listening\n"));
`;

/** A network namespace with one address in the lab, and nothing else. */
export async function cutOff(t: Scope, host: LabHost, folder: string): Promise<CutOff> {
  const name = `edge-cut-${process.pid}`;
  const [inside, outside] = [`cut${process.pid}i`.slice(-15), `cut${process.pid}o`.slice(-15)];
  const address = host.address.replace(/\d+$/, "254");
  const must = async (...argv: string[]) => {
    const { code, stderr } = await runProgram(argv);
    if (code !== 0) throw new Error(`${argv.join(" ")}: ${stderr}`);
  };
  t.teardown(async () => {
    await runProgram(["ip", "netns", "delete", name]);
    await runProgram(["ip", "link", "delete", outside]);
    await rm(join("/etc/netns", name), { recursive: true, force: true });
  });
  await mkdir(join("/etc/netns", name), { recursive: true });
  await writeFile(join("/etc/netns", name, "resolv.conf"), "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n");
  await must("ip", "netns", "add", name);
  await must("ip", "link", "add", outside, "type", "veth", "peer", "name", inside, "netns", name);
  await must("ip", "link", "set", outside, "master", "edgelab0", "up");
  const within = ["ip", "-n", name];
  await must(...within, "link", "set", "lo", "up");
  await must(...within, "addr", "add", `${address}/24`, "dev", inside);
  await must(...within, "link", "set", inside, "up");
  const log = join(folder, "names-asked");
  await writeFile(log, "");
  const enter = ["netns", "exec", name];
  const listener = spawn("ip", [...enter, process.execPath, "-e", LISTENER, log], { stdio: "ignore" });
  t.teardown(() => listener.kill());
  const lines = async () => (await readFile(log, "utf8")).split("\n").filter((line) => line !== "");
  for (let waited = 0; (await lines()).length === 0; waited += 50) {
    if (waited > 20_000) throw new Error("nobody listens where a name server would be");
    await sleep(50);
  }
  return {
    run: ({ argv, env }, cwd) => runProgram(["ip", ...enter, ...argv], { cwd, env }),
    asked: async () => (await lines()).slice(1),
  };
}
