import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { gunzipSync } from "node:zlib";
import t from "tap";
import { LocalTransport } from "../../../src/transport/local-transport.js";
import type { ExecOptions, ExecResult } from "../../../src/transport/transport.js";
import { makeBench, runByShell, startServer } from "../transport/ssh-server.js";
import { fleet } from "./fleet-run.js";
import { localRun } from "./local-run.js";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** A host that answers programs without running them, and counts: one exec is one turn, for all goes up with it. */
class CountingHost extends LocalTransport {
  turns = 0;
  bytesUp = 0;
  calls = 0;

  constructor(
    /** What it says of tasks in check mode. */
    readonly found: "ok" | "changed",
    readonly onAnswer: () => void = () => {},
  ) {
    super();
  }

  override async exec(command: string, options: ExecOptions = {}): Promise<ExecResult> {
    if (!(options.stdin instanceof Uint8Array)) throw new Error("what is sent is small");
    this.turns++;
    this.bytesUp += Buffer.byteLength(command) + options.stdin.length;
    const text = gunzipSync(options.stdin).toString("latin1");
    const nonce = /^NONCE=(\S+)/m.exec(text)?.[1];
    const stdout = Buffer.from(nonce === undefined ? FACTS : this.#answer(text, nonce));
    this.onAnswer();
    options.onStdout?.(stdout);
    return { code: 0, signal: null, stdout, stderr: Buffer.alloc(0) };
  }

  #answer(text: string, nonce: string): string {
    const marked = text.replace(/(if \[ -n "\$H\d+" \].*\nif B \d+; then)/g, "$1 # of a handler");
    const begins = [...marked.matchAll(/^(?:if B|N|O)\b.*\n(?:.*\n)?(?:m_copy \S+ (\w{32}))?/gm)];
    this.calls = begins.length;
    const lines = begins.flatMap(([begin, digest], index) => {
      // A handler has its turn only when something has changed.
      if (begin.includes("# of a handler") && this.found === "ok") return [];
      const status = begin.startsWith("if B") ? this.found : begin.startsWith("N") ? "skipped" : "ok";
      const wants = digest !== undefined && this.found === "changed" ? [`w\t${index + 1}\t=${digest}\t=/x`] : [];
      return [`s\t${index + 1}`, ...wants, `r\t${index + 1}\t${status}\t=so it is`];
    });
    return ["p\t1", ...lines, "h", "z\tdone"].map((line) => `\u001e${nonce}\t${line}\n`).join("");
  }
}

const FACTS = "\u001eid\tuid=0(root) gid=0(root)\n\u001eend\tok\n";

/** A play of `count` tasks of the kinds that playbooks are made of. */
function playOf(count: number, file: string): string {
  const kinds = [
    (n: number) => ({ copy: { content: `number ${n}\n`, dest: `/srv/copy/${n}`, mode: "0644" }, notify: "changed" }),
    (n: number) => ({ file: { path: `/srv/directory/${n}`, state: "directory" } }),
    (n: number) => ({
      lineinfile: { path: "/etc/settings", regexp: `^key${n}=`, line: `key${n}={{ inventory_hostname }}` },
    }),
    (n: number) => ({ stat: { path: `/srv/stat/${n}` }, register: `stat${n}` }),
    (n: number) => ({
      command: `touch /srv/made/${n}`,
      args: { creates: `/srv/made/${n}` },
      when: "ansible_check_mode is defined",
    }),
    (n: number) => ({ systemd_service: { name: `unit${n}.service`, state: "started" }, tags: ["units"] }),
  ];
  const tasks = Array.from({ length: count }, (_, n) => ({ name: `Task ${n}`, ...kinds[n % kinds.length]?.(n) }));
  const handlers = [{ name: "changed", command: "true" }];
  writeFileSync(file, JSON.stringify([{ name: "Many", hosts: "all", tasks, handlers }]));
  return file;
}

t.test("turns are those of one task, and bytes grow with tasks and no faster", async (t) => {
  const file = join(t.testdir(), "play.yml");
  const measure = async (count: number, command: "plan" | "apply", found: "ok" | "changed") => {
    const host = new CountingHost(found);
    const run = await localRun(playOf(count, file), command, {
      inventory: fleet({ edge: {} }),
      connect: async () => host,
      options: { diff: false },
    });
    t.equal(run.exitCode, 0);
    t.equal(run.lines.length >= count, true, `all of ${count} tasks have their results`);
    return host;
  };
  for (const [command, found, turns, bytesPerTask] of [
    ["plan", "changed", 2, 15],
    ["apply", "ok", 2, 15],
    ["apply", "changed", 3, 35],
  ] as const) {
    const small = await measure(10, command, found);
    const middle = await measure(100, command, found);
    const large = await measure(1000, command, found);
    t.strictSame([small.turns, middle.turns, large.turns], [turns, turns, turns], `${command}, all are ${found}`);
    const each = (a: CountingHost, b: CountingHost, tasks: number) => (b.bytesUp - a.bytesUp) / tasks;
    const [first, second] = [each(small, middle, 90), each(middle, large, 900)];
    t.comment(
      `${command}, ${found}: ${large.bytesUp} bytes for 1,000 tasks; a task more ${first.toFixed(1)}, ${second.toFixed(1)}`,
    );
    t.ok(second <= bytesPerTask, "a task more costs no more than so many bytes");
    t.ok(second <= first * 1.5, "the thousandth no more than the hundredth");
  }
});

t.test("over SSH the facts' script comes with its command, and the program finds a shell that waits", async (t) => {
  const commands: string[] = [];
  let gather = () => {};
  const server = await startServer({
    onExec: (channel, command) => {
      commands.push(command.replace(/^(sh -c 'echo [\w-]{0,20}).*/s, "$1"));
      // Facts take longer than a shell's start, also where the machine is busy.
      if (commands.length === 1) gather = () => runByShell(channel, command);
      else runByShell(channel, command);
      const write = channel.write.bind(channel);
      channel.write = (chunk: Buffer) => {
        const isWritten = write(chunk);
        if (commands.length === 2) gather();
        gather = () => {};
        return isWritten;
      };
    },
  });
  t.teardown(() => server.close());
  const file = join(t.testdir(), "play.yml");
  const dest = join(t.testdirName, "made");
  writeFileSync(file, JSON.stringify([{ hosts: "all", tasks: [{ name: "One", copy: { content: "x", dest } }] }]));
  for (const [command, more] of [
    ["plan", []],
    ["apply", [/^sh -c 'umask/]],
    ["apply", []],
  ] as const) {
    commands.length = 0;
    const run = await localRun(file, command, {
      inventory: fleet({ edge: { ansible_connection: "ssh" } }),
      connect: () => makeBench().connect(server.port),
    });
    t.equal(run.exitCode, 0);
    t.match(commands, [/^sh -c 'echo H4s/, "sh -c 'echo edge-setup-waits", ...more]);
    t.equal(commands.length, 2 + more.length);
  }
});

t.test("ten hosts with a thousand tasks each live in little memory", async (t) => {
  const names = Array.from({ length: 10 }, (_, number) => `edge${number}`);
  const file = playOf(1000, join(t.testdir(), "play.yml"));
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  let most = 0;
  let looks = 0;
  const look = () => {
    if (++looks % 5 !== 0) return;
    collectGarbage();
    most = Math.max(most, process.memoryUsage().heapUsed - before);
  };
  const run = await localRun(file, "apply", {
    inventory: fleet(Object.fromEntries(names.map((name) => [name, {}]))),
    connect: async () => new CountingHost("changed", look),
    options: { diff: false },
  });
  t.equal(run.exitCode, 0);
  t.equal(run.lines.length, 10 * 1000 + 10, "all tasks, and a handler each");
  // The events of all results are kept here, a third of it.
  t.comment(`${(most / 1e6).toFixed(1)} MB are alive at most`);
  t.ok(most < 40e6);
});
