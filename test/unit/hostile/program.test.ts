import type { Test } from "tap";
import t from "tap";
import type { LocalRun } from "../engine/local-run.js";
import { factsOf, growthOf, type Heard, pour, quiet, runOn } from "./hostile-host.js";

const MB = 1 << 20;

function errorOf(run: LocalRun): string {
  return run.events.flatMap((event) => (event.type === "message" ? event.text : [])).join("; ");
}

/** Answers the program of the first task well, and that of the second as told. */
function afterHello(rest: (heard: Heard) => void): (heard: Heard) => void {
  return (heard) => {
    if (heard.turn > 0) return rest(heard);
    heard.say("s", "1");
    heard.say("v", "1", "stdout", quiet("hello"));
    heard.say("r", "1", "ok", "=ran");
    heard.say("z", "done");
    heard.exit();
  };
}

t.test("an honest answer, as a measure", async (t) => {
  const run = await runOn(t, {
    program: afterHello((heard) => {
      heard.say("s", "1");
      heard.say("r", "1", "ok", "=sha256 equal");
      heard.say("z", "done");
      heard.exit();
    }),
  });
  t.match(run, { exitCode: 0, recap: { edge: { ok: 2, failed: 0 } } });
});

t.test("facts", async (t) => {
  const refused = async (t: Test, facts: Parameters<typeof factsOf>[1], error: object, timeoutMs?: number) => {
    let failure: unknown;
    const growth = await growthOf(() =>
      factsOf(t, facts, timeoutMs).catch((caught: unknown) => {
        failure = caught;
      }),
    );
    t.match(failure, error);
    t.ok(growth < 100 * MB, `grew by ${growth >> 20} MB`);
  };
  await refused(t, (channel) => pour(channel, Buffer.alloc(65_536, "x\n")), { code: "E_ANSWER", exitCode: 3 });
  await refused(t, (channel) => pour(channel, Buffer.alloc(65_536)), { code: "E_ANSWER" });
  await refused(t, (channel) => pour(channel, Buffer.alloc(65_536, "e"), channel.stderr), {
    code: "E_ANSWER",
  });
  await refused(t, (channel) => void setInterval(() => channel.write("x"), 20).unref(), { code: "E_TIMEOUT" }, 300);
  const says = (text: string | Buffer) => (channel: Parameters<Parameters<typeof factsOf>[1]>[0]) => {
    channel.write(text);
    channel.exit(0);
    channel.end();
  };
  await refused(t, says("welcome\n"), { code: "E_FACTS", exitCode: 3 });
  await refused(t, says("\x1eend\tok\n"), { code: "E_FACTS" });
  await refused(t, says(Buffer.from([0x1e, 0xff, 0xfe, 0x09, 0xc3, 0x28, 0x0a])), { code: "E_FACTS" });
});

t.test("forged facts are data", async (t) => {
  const lines = [
    "uname\tLinux \x1b]0;owned\x07 9.9 \x9b2J x86_64",
    "id\tuid=1000(pi\x1b[31m) gid=1000",
    "date\tnever",
    "nproc\t1e999",
    "env\t__proto__=polluted",
    "env\tPATH=\x00/bin",
    `fqdn\t${"h".repeat(100_000)}`,
    "files",
    "/etc/os-release:ID=debian",
    `/etc/os-release:NAME=${"\x1b[2J".repeat(1000)}`,
    "/etc/os-release:VERSION_ID=$(reboot){{ 1 / 0 }}",
    "/proc/meminfo:MemTotal:   -5 kB",
    "/proc/self/mounts:/dev/x / ext4",
    "df",
    "a b c d e f /",
    "end\tok",
  ];
  const { facts, summary } = await factsOf(t, (channel) => {
    channel.write(`\x1e${lines.join("\n\x1e")}`.replaceAll("\x1e/", "/").replaceAll("\x1ea b", "a b"));
    channel.write("\n");
    channel.exit(0);
    channel.end();
  });
  t.notMatch(JSON.stringify(facts), /\\u00[01]|\u009b/);
  t.notMatch(summary, /[^\x20-\x7e…]/);
  // With the mark of what is left out.
  t.ok(summary.length <= 301, summary);
  t.equal(({} as Record<string, unknown>).polluted, undefined);
});

t.test("what is not of the protocol", async (t) => {
  const floods: Record<string, Buffer> = {
    lines: Buffer.alloc(65_536, "noise\n"),
    "one line without end": Buffer.alloc(65_536, "x"),
    NUL: Buffer.alloc(65_536),
    "another nonce": Buffer.from("\x1e0123456789abcdef\tr\t1\tok\t=yes\n".repeat(2000)),
  };
  for (const [name, chunk] of Object.entries(floods)) {
    t.test(`endless: ${name}`, async (t) => {
      let run: LocalRun | undefined;
      const growth = await growthOf(async () => {
        run = await runOn(t, { program: afterHello((heard) => heard.flood(chunk)) });
      });
      t.match(run, { exitCode: 1, recap: { edge: { failed: 1 } } });
      t.match(run && errorOf(run), /is not of edge-setup's protocol/);
      t.ok(growth < 150 * MB, `grew by ${growth >> 20} MB`);
    });
  }

  t.test("a forged word of our own, without end", async (t) => {
    const run = await runOn(t, {
      program: afterHello((heard) => {
        heard.say("s", "1");
        heard.say("r", "1", "ok", "=fine");
        for (let i = 0; i < 3000; i++) {
          heard.say("s", "1");
          heard.say("r", "1", "changed", "=again");
          heard.say("v", "1", `extra${i}`, quiet("x".repeat(1000)));
          heard.say("r", "77", "failed", "=not a task");
          heard.say("p", String(i));
          heard.say("h", "1", "2", "999999");
        }
        heard.say("z", "done");
        heard.say("r", "1", "failed", "=after the end");
        heard.exit();
      }),
    });
    t.match(run, { exitCode: 0, recap: { edge: { ok: 2, changed: 0, failed: 0 } } });
    t.equal(run.lines.length, 2, "each task has one result");
  });

  t.test("numbers, statuses and words that do not exist", async (t) => {
    const run = await runOn(t, {
      program: afterHello((heard) => {
        for (const fields of [
          ["r", "-1", "ok"],
          ["r", "1e9", "ok"],
          ["s", "999999"],
          ["r", "1", "splendid", "=x"],
          ["v", "1", "../../etc/passwd", "=x"],
          ["v", "1", "__proto__", "=x"],
          ["n", "1", "zz"],
          ["z", "never"],
          ["Q", "1"],
          ["d", "1", "~!!!not base64!!!"],
          [],
        ])
          heard.say(...fields);
        heard.exit();
      }),
    });
    t.match(run, { exitCode: 1 });
    t.match(errorOf(run), /ended without a word/);
  });

  t.test("the same file is wanted for ever", async (t) => {
    const run = await runOn(t, {
      program: afterHello((heard) => {
        heard.say("n", "1", `=${"0".repeat(32)}`);
        heard.say("z", "need");
        heard.exit();
      }),
    });
    t.match(errorOf(run), /again and again/);
  });
});

function fail(heard: Heard): void {
  heard.say("o", "1", quiet("\x1b]52;c;cm0gLXJm\x07said\r\n\x1b[1A"));
  heard.say("r", "1", "failed", quiet("x".repeat(150_000)));
  heard.say("z", "failed");
  heard.exit();
}

t.test("values with NUL, wrong UTF-8 and escape sequences reach no shell word and no display", async (t) => {
  const run = await runOn(t, {
    program: (heard) => {
      heard.say("s", "1");
      if (heard.turn > 0) return fail(heard);
      heard.say("v", "1", "stdout", `~${Buffer.from([0x61, 0x00, 0xff, 0xc3, 0x28]).toString("base64")}`);
      heard.say("r", "1", "ok", quiet("\x1b]8;;http://evil\x07ran\x1b[2J\nedge  ok  forged"));
      heard.say("z", "done");
      heard.exit();
    },
  });
  t.match(run, { exitCode: 1 });
  const texts = JSON.stringify(run.events);
  t.notMatch(texts, /\\u00(?!0a|09)|\u009b|internal error/);
  t.ok(run.lines.every((line) => line.length < 1200 && !line.includes("\n")));
});

t.test("differences", async (t) => {
  const run = await runOn(t, {
    program: afterHello((heard) => {
      heard.say("s", "1");
      const lines = (word: string) => quiet(Array.from({ length: 12_000 }, (_, i) => `${word}${i}`).join("\n"));
      for (let i = 0; i < 60; i++) {
        heard.say("f", "1", quiet(`/etc/x\n+forged line\x1b[2J${i}`));
        heard.say("d", "1", lines("\x1b]0;a\x07"));
        heard.say("D", "1", lines("b"));
      }
      heard.say("r", "1", "changed", "=differs");
      heard.say("z", "done");
      heard.exit();
    }),
  });
  const result = run.events.find((event) => event.type === "task.result" && event.diff !== undefined);
  const unified = result?.type === "task.result" ? (result.diff?.unified ?? "") : "";
  t.ok(unified.length > 1000 && unified.length < 6 * MB, `${unified.length} characters of differences`);
  t.notMatch(unified, /^\+forged/m);
});

t.test("a login shell that greets is heard out", async (t) => {
  const run = await runOn(t, {
    program: afterHello((heard) => {
      heard.raw("Welcome!\n\x1b[1mmotd\n");
      heard.say("s", "1");
      heard.say("r", "1", "ok", "=sha256 equal");
      heard.say("z", "done");
      heard.exit();
    }),
  });
  t.match(run, { exitCode: 0 });
});
