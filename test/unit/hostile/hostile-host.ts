import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Writable } from "node:stream";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { gunzipSync } from "node:zlib";
import type { ServerChannel } from "ssh2";
import type { Test } from "tap";
import { HostSession } from "../../../src/engine/session.js";
import type { Inventory } from "../../../src/inventory/types.js";
import { LocalTransport } from "../../../src/transport/local-transport.js";
import { scratchFolder } from "../../support/scratch-folder.js";
import { type LocalRun, localRun, oneHost } from "../engine/local-run.js";
import { makeBench, startServer } from "../transport/ssh-server.js";

/** One program that the engine sent, and the host's way to answer. */
export interface Heard {
  readonly text: string;
  /** Of the run's check (0), then of its apply, and so on. */
  readonly turn: number;
  /** Bytes as they are. */
  raw(bytes: string | Buffer): void;
  /** A line of the protocol, with the right nonce. */
  say(...fields: readonly string[]): void;
  /** Ends the command. */
  exit(code?: number): void;
  /** Writes a chunk again and again until the other side has had enough. */
  flood(chunk: Buffer): void;
}

export interface Behaviour {
  /** Instead of facts of this machine. */
  readonly facts?: (channel: ServerChannel) => void;
  readonly program?: (heard: Heard) => void;
}

const PLAYBOOK = `
- hosts: edges
  become: false
  tasks:
    - name: Say
      command: echo hello
      register: said
      changed_when: false
    - name: Note
      copy: { content: "{{ said.stdout }}\\n", dest: /nonexistent-folder-of-a-test/note }
`;

export const quiet = (text: string) => `~${Buffer.from(text).toString("base64")}`;

/** Plans, or applies, a play of two tasks on a host that behaves so; two programs, as the second task needs the first. */
export async function runOn(
  t: Test,
  behaviour: Behaviour,
  command: "plan" | "apply" = "plan",
  playbook = PLAYBOOK,
): Promise<LocalRun> {
  let turn = 0;
  const server = await startServer({
    onExec: (channel, text) => {
      channel.on("error", () => {});
      const stdin: Buffer[] = [];
      channel.on("data", (chunk: Buffer) => stdin.push(chunk));
      channel.on("end", () => {
        const sent = Buffer.concat(stdin);
        const program = sent[0] === 0x1f ? gunzipSync(sent).toString("latin1") : "";
        const nonce = /NONCE=(\w+)/.exec(program)?.[1];
        if (nonce === undefined) {
          if (behaviour.facts === undefined) honest(channel, text, sent);
          else behaviour.facts(channel);
        } else behaviour.program?.(heardOf(channel, program, nonce, turn++));
      });
    },
  });
  t.teardown(() => server.close());
  const bench = makeBench();
  const file = join(scratchFolder(), "play.yml");
  writeFileSync(file, playbook);
  const inventory: Inventory = oneHost({ ansible_connection: "ssh" });
  return localRun(file, command, {
    inventory,
    connect: () => bench.connect(server.port),
    connectLocal: async () => new LocalTransport(),
  });
}

/** A session over such a server, for what the engine asks before any program. */
export async function factsOf(t: Test, facts: (channel: ServerChannel) => void, factsTimeoutMs = 120_000) {
  const server = await startServer({
    onExec: (channel) => {
      channel.on("error", () => {});
      facts(channel);
    },
  });
  t.teardown(() => server.close());
  const bench = makeBench();
  const [host] = oneHost().hosts;
  if (host === undefined) throw new Error("no host");
  const address = { name: "edge", connection: "ssh", host: "127.0.0.1" } as const;
  const access = { address, becomePassword: undefined, become: undefined, becomeUser: undefined };
  const session = new HostSession(host, {
    connect: () => bench.connect(server.port),
    connectLocal: async () => new LocalTransport(),
    access,
    clock: { now: () => new Date(), sleep: async () => {} },
    signal: undefined,
    factsTimeoutMs,
  });
  t.teardown(() => session.close());
  return session.facts();
}

/** Does what the command says, on this machine. */
export function honest(channel: ServerChannel, command: string, stdin: Buffer): void {
  const child = spawn("sh", ["-c", command]);
  child.stdout.on("data", (chunk: Buffer) => channel.write(chunk));
  child.on("close", (code) => {
    channel.exit(code ?? 1);
    channel.end();
  });
  child.stdin.end(stdin);
}

function heardOf(channel: ServerChannel, text: string, nonce: string, turn: number): Heard {
  return {
    text,
    turn,
    raw: (bytes) => void channel.write(bytes),
    say: (...fields) => void channel.write(`\x1e${[nonce, ...fields].join("\t")}\n`),
    exit: (code = 0) => {
      channel.exit(code);
      channel.end();
    },
    flood: (chunk) => pour(channel, chunk),
  };
}

/** Writes without end, and no faster than the other side takes it. */
export function pour(channel: ServerChannel, chunk: Buffer, into: Writable = channel): void {
  let over = false;
  const more = () => {
    if (over || channel.destroyed) return;
    if (into.write(chunk)) setImmediate(more);
    else into.once("drain", more);
  };
  channel.on("close", () => {
    over = true;
  });
  // A channel that is not read does not tell that it closes.
  channel.resume();
  more();
}

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** Bytes of all that something still refers to: when V8 gives back the rest is its own affair. */
function alive(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** How much more the process held while something ran, bytes. */
export async function growthOf(run: () => Promise<unknown>): Promise<number> {
  const before = alive();
  let most = before;
  const timer = setInterval(() => {
    most = Math.max(most, alive());
  }, 50);
  try {
    await run();
  } finally {
    clearInterval(timer);
  }
  return Math.max(most, alive()) - before;
}
