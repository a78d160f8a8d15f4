import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { scratchFolder } from "../../support/scratch-folder.js";
import { growthOf, type Heard, quiet, runOn } from "./hostile-host.js";

const MB = 1 << 20;
const sha1 = (text: string) => createHash("sha1").update(text).digest("hex");

/** One file is fetched by a host that behaves so in apply; its check finds that the file is new. */
async function fetched(
  t: Parameters<typeof runOn>[0],
  apply: (heard: Heard) => void,
  check: (heard: Heard) => void = () => {},
) {
  const folder = scratchFolder();
  const playbook = `- hosts: edges\n  tasks:\n    - name: Take\n      fetch: { src: /file, dest: ${folder}/taken/file, flat: true }\n`;
  const program = (heard: Heard) => {
    heard.say("s", "1");
    if (heard.turn > 0) return apply(heard);
    check(heard);
    heard.say("r", "1", "changed", "=missing");
    heard.say("z", "done");
    heard.exit();
  };
  const run = await runOn(t, { program }, "apply", playbook);
  const messages = run.events.flatMap((event) => (event.type === "message" ? event.text : []));
  const left = existsSync(join(folder, "taken")) ? readdirSync(join(folder, "taken")) : [];
  return { ...run, messages, left, file: join(folder, "taken/file") };
}

const sent = (heard: Heard) => {
  heard.say("r", "1", "changed", "=missing");
  heard.say("z", "sent");
  heard.exit();
};

t.test("an honest file, as a measure", async (t) => {
  const run = await fetched(t, (heard) => {
    heard.say("g", "1", "5", `=${sha1("hello")}`);
    heard.say("b", "1", quiet("hel"));
    heard.say("b", "1", quiet("lo"));
    sent(heard);
  });
  t.strictSame([run.lines, run.left], [["changed Take: missing"], ["file"]]);
  t.equal(readFileSync(run.file, "utf8"), "hello");
});

t.test("a check takes no file", async (t) => {
  const run = await fetched(
    t,
    (heard) => heard.exit(),
    (heard) => {
      heard.say("g", "1", "5", `=${sha1("hello")}`);
      heard.say("b", "1", quiet("hello"));
    },
  );
  t.strictSame(run.left, []);
});

t.test("other bytes, fewer, none, or of a size that nobody takes", async (t) => {
  const cases: [(heard: Heard) => void, RegExp][] = [
    [
      (heard) => {
        heard.say("g", "1", "5", `=${sha1("hello")}`);
        heard.say("b", "1", quiet("hallo"));
      },
      /checksum mismatch/,
    ],
    [
      (heard) => {
        heard.say("g", "1", "5", `=${sha1("hello")}`);
        heard.say("b", "1", quiet("hell"));
      },
      /only 4 of 5 bytes came/,
    ],
    [() => {}, /the host sends nothing/],
    [(heard) => heard.say("g", "1", "999999999999", `=${sha1("")}`), /the host sends nothing/],
    [(heard) => heard.say("g", "1", "-1", "=../../etc"), /the host sends nothing/],
  ];
  for (const [say, reason] of cases) {
    const run = await fetched(t, (heard) => {
      say(heard);
      sent(heard);
    });
    t.match(run.lines, [reason]);
    t.match(run, { exitCode: 1, left: [] });
  }
});

t.test("more than it said, and without end", async (t) => {
  let run: Awaited<ReturnType<typeof fetched>> | undefined;
  const nonce = (heard: Heard) => /NONCE=(\w+)/.exec(heard.text)?.[1] ?? "";
  const growth = await growthOf(async () => {
    run = await fetched(t, (heard) => {
      heard.say("g", "1", String(24 * MB), `=${sha1("")}`);
      heard.flood(Buffer.from(`\x1e${nonce(heard)}\tb\t1\t${quiet("x".repeat(48_000))}\n`));
    });
  });
  t.match(run?.messages, [/sends more for .* than the 25165824 bytes it said/]);
  t.match(run, { exitCode: 1, left: [] });
  t.ok(growth < 150 * MB, `grew by ${growth >> 20} MB`);
});

t.test("a link that breaks in the middle leaves nothing behind", async (t) => {
  const run = await fetched(t, (heard) => {
    heard.say("g", "1", "5", `=${sha1("hello")}`);
    heard.say("b", "1", quiet("he"));
    heard.exit();
  });
  t.match(run, { exitCode: 1, left: [] });
});
