import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Duplex, Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import t from "tap";
import type { Become } from "../../../src/transport/become.js";
import { LocalTransport } from "../../../src/transport/local-transport.js";
import type { ExecOptions, ExecResult, Transport } from "../../../src/transport/transport.js";
import { UnreachableError } from "../../../src/util/errors.js";
import { Secret } from "../../../src/util/secret.js";
import type { HostSample } from "../../../src/watch/types.js";
import { HostWatch } from "../../../src/watch/watch-host.js";
import { sampleText } from "./samples.js";

const none = { method: "none", user: "", needsPassword: false } as const;

/** A host that answers each line on its stdin with what it is told to. */
class FakeTransport implements Transport {
  readonly description = "fake";
  readonly remoteHost = undefined;
  readonly stats = { execs: 0, bytesUp: 0, bytesDown: 0 };
  closed = false;

  constructor(private readonly answer: (nonce: string, say: (text: string) => void, end: () => void) => void) {}

  exec(_command: string, options: ExecOptions = {}): Promise<ExecResult> {
    this.stats.execs += 1;
    return new Promise((resolve) => {
      const end = () => resolve({ code: 1, signal: null, stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) });
      (options.stdin as Readable).on("data", (chunk: Buffer) => {
        this.answer(chunk.toString().trim(), (text) => options.onStdout?.(Buffer.from(text)), end);
      });
    });
  }

  openTcp(): Promise<Duplex> {
    return Promise.reject(new Error("not used"));
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}

const wholeAnswer = (nonce: string) => `begin\t${nonce}\n${sampleText(nonce).join("\n")}\nend\t${nonce}\n`;

function watch(
  name: string,
  connect: () => Promise<Transport>,
  enough: (samples: HostSample[]) => boolean,
  rights: { become: Become; becomePassword: Secret | undefined } = { become: none, becomePassword: undefined },
) {
  const stop = new AbortController();
  const samples: HostSample[] = [];
  const one = new HostWatch(
    { name, connect, ...rights },
    {
      intervalMs: 5,
      signal: stop.signal,
      now: Date.now,
      onSample: (sample) => {
        samples.push(sample);
        if (enough(samples)) stop.abort();
      },
    },
  );
  return { stop, samples, done: one.run() };
}

t.test("this very machine, through the program that hosts are given: one channel for all looks", async (t) => {
  const transport = new LocalTransport();
  const { samples, done } = watch(
    "here",
    async () => transport,
    (all) => all.length === 3,
  );
  await done;
  t.equal(transport.stats.execs, 1);
  t.match(samples[2], { status: "ok", units: [{ name: "edge-rtmp" }, { name: "edge-http" }], streams: [] });
  t.ok((samples[2]?.memoryTotalMb ?? 0) > 0);
  t.type(samples[1]?.cpuPercent, "number");
});

t.test("a sudo that asks gets its password before the questions, and a wrong one is named", async (t) => {
  const folder = t.testdir();
  const sudo = [
    "#!/bin/sh",
    'read -r word; [ "$word" = right ] || { echo "Sorry, try again." >&2; exit 1; }',
    'while [ "$1" != -- ]; do shift; done; shift',
    'exec "$@"',
    "",
  ].join("\n");
  writeFileSync(join(folder, "sudo"), sudo, { mode: 0o755 });
  const path = process.env.PATH;
  process.env.PATH = `${folder}:${path}`;
  t.teardown(() => {
    process.env.PATH = path;
  });
  const become = { method: "sudo", user: "root", needsPassword: true } as const;
  const look = async (password: string) => {
    const rights = { become, becomePassword: new Secret(password) };
    const { samples, done } = watch(
      "pi",
      async () => new LocalTransport(),
      (all) => all.length === 2 || all[0]?.status !== "ok",
      rights,
    );
    await done;
    return samples;
  };
  t.match(await look("right"), [{ status: "ok" }, { status: "ok" }]);
  t.match(await look("wrong"), [{ status: "unreachable", problem: "sudo does not accept the password." }]);
});

t.test("hosts that hang delay nobody", async (t) => {
  const hung = Array.from({ length: 10 }, (_, index) =>
    watch(
      `hung-${index}`,
      async () => new FakeTransport(() => undefined),
      () => false,
    ),
  );
  const good = Array.from({ length: 10 }, (_, index) =>
    watch(
      `good-${index}`,
      async () => new FakeTransport((nonce, say) => say(wholeAnswer(nonce))),
      (all) => all.length === 2,
    ),
  );
  await Promise.all(good.map(({ done }) => done));
  t.same(
    good.map(({ samples }) => samples.map(({ status }) => status)),
    good.map(() => ["ok", "ok"]),
  );
  for (const one of hung) one.stop.abort();
  await Promise.all(hung.map(({ done }) => done));
  t.ok(hung.every(({ samples }) => samples.length === 0));
});

t.test("a lost host is said to be lost, with the time of the next try, and comes back", async (t) => {
  let tries = 0;
  const { samples, done } = watch(
    "church",
    async () => {
      tries += 1;
      if (tries === 1) throw new UnreachableError("E_TIMEOUT", "No answer.", { hint: "Is it switched on?" });
      return new FakeTransport((nonce, say) => say(wholeAnswer(nonce)));
    },
    (all) => all.length === 2,
  );
  await done;
  t.match(samples, [
    { status: "unreachable", problem: "No answer.", hint: "Is it switched on?", retryMs: 1000 },
    { status: "ok" },
  ]);
});

t.test("answers in pieces, unasked noise, floods, and a program that ends", async (t) => {
  const pieces = watch(
    "pieces",
    async () =>
      new FakeTransport(async (nonce, say) => {
        const text = `noise\nend\tguess\n${wholeAnswer(nonce)}`;
        for (let at = 0; at < text.length; at += 700) {
          await sleep(1);
          say(text.slice(at, at + 700));
        }
      }),
    (all) => all.length === 1,
  );
  await pieces.done;
  t.match(pieces.samples[0], { status: "ok", connections: 7 });

  const flood = new FakeTransport((_nonce, say) => {
    for (let piece = 0; piece < 100; piece++) say("x".repeat(64 * 1024));
  });
  const flooded = watch(
    "flood",
    async () => flood,
    (all) => all.length === 1,
  );
  await flooded.done;
  t.match(flooded.samples[0], { status: "unreachable", problem: /more than a sample can hold/ });
  t.ok(flood.closed, "the link is given up");

  const ended = watch(
    "ended",
    async () => new FakeTransport((_nonce, _say, end) => end()),
    (all) => all.length === 1,
  );
  await ended.done;
  t.match(ended.samples[0], { status: "unreachable", problem: /ended with code 1/, hint: /bash/ });
});
