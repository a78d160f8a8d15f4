/**
 * Words of ill will wherever a value can reach a program, in real shells: nothing but the word arrives.
 * EDGE_SETUP_FUZZ=ROUNDS goes on for longer, EDGE_SETUP_FUZZ_SEED=N begins elsewhere.
 */
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import type { CompiledCall } from "../../../src/engine/compiled.js";
import { taskModules } from "../../../src/modules/registry.js";
import type { ModuleContext } from "../../../src/modules/types.js";
import { quote, quoteAll } from "../../../src/util/shell.js";
import { fleet } from "../engine/fleet-run.js";
import { localRun } from "../engine/local-run.js";
import { NastyWords } from "./nasty.js";
import { NastyHost } from "./nasty-host.js";
import { type NastyCall, NastyCalls, programOf } from "./programs.js";
import { rawWords } from "./raw-words.js";
import { Sandbox, SHELLS, type Told, which } from "./sandbox.js";

const ROUNDS = Number(process.env.EDGE_SETUP_FUZZ ?? 1);
const SEED = Number(process.env.EDGE_SETUP_FUZZ_SEED ?? 7);
/** Calls in one program. */
const TOGETHER = 40;
const here = Object.keys(SHELLS).filter((shell) => which(SHELLS[shell]?.[0] ?? "") !== "");

/** Where a module makes something else of a word, which still is one and whole: expressions, columns of fstab, numbers. */
const CHANGED =
  /\.(regexp|search_regex|search_string|before|after|insertbefore|insertafter)$|^(mount|sysctl|cron|uri|get_url)\./;

/** What these take is shell text. */
const SHELL =
  /^(shell|raw|script)\.(_raw_params|cmd)$|^script\.executable$|^reboot\.(boot_time|reboot|test)_command$|^git\.ssh_opts$/;
/** What `command` expands, and templates begin with. */
const EXPANDED = /\0|\$[A-Z{]|^~|[{}]/;
/** A part of it is the name of a file. */
const PARTED = /^get_url\.url$/;

/** What did not arrive as it was: a command's word holds the word's beginning, and not all of it. */
function broken(told: Told, { where, words }: NastyCall): string[] {
  if (PARTED.test(where)) return [];
  return words.flatMap(({ id, text }) => {
    const parts = told.commands.flat().filter((part) => part.includes(`s${id}<`) || part.includes(`>${id}e`));
    const whole = (part: string) =>
      CHANGED.test(where) ? part.includes(`s${id}<`) && part.includes(`>${id}e`) : part.includes(text);
    return parts
      .filter((part) => !whole(part))
      .map((part) => `${where}: ${JSON.stringify(text)} came as ${JSON.stringify(part)}`);
  });
}

/** A play with ill words in all that a play may have them in. */
function illPlay(words: NastyWords) {
  const word = () => words.word(EXPANDED).text;
  const [value, item, other, label, env, handler, reason] = [word(), word(), word(), word(), word(), word(), word()];
  const record = (...argv: string[]) => ({ argv: ["record", ...argv] });
  const task = (more: object) => ({ name: word(), ...more });
  const tasks = [
    task({
      command: { ...record("{{ value }}"), creates: `/none/${words.fileName().text}`, stdin: value },
      environment: { ILL: env, MORE: "{{ ansible_env.ILL }}" },
      register: "first",
      notify: handler,
      changed_when: ["first.stdout == value", "first.stdout != other", "first.stderr | default(other) != value"],
      failed_when: "other in first.stdout",
    }),
    task({
      command: record("same"),
      when: "first.stdout == value and value in first.stdout and first.stdout in [other, value]",
    }),
    task({
      command: record("different"),
      when: "first.stdout != value or first.stdout == other or other in first.stdout",
    }),
    task({
      command: record("{{ item }}"),
      loop: [item, other],
      loop_control: { label: `{{ item }}${label}` },
      register: "looped",
    }),
    task({
      shell: "record {{ value | quote }} {{ other | quote }}",
      until: "true",
      register: "again",
      retries: 1,
      delay: 0,
    }),
    task({ command: record("{{ value }}"), register: "tried", until: "tried.stdout == value", retries: 1, delay: 0 }),
    task({ assert: { that: ["first.stdout == value"], fail_msg: reason, success_msg: reason } }),
    task({ assert: { that: ["first.stdout == other"], fail_msg: reason }, ignore_errors: true }),
    task({ fail: { msg: `${reason}{{ first.stdout }}` }, when: "first.stdout == value", ignore_errors: true }),
    task({ debug: { msg: "{{ first.stdout }}" } }),
    // Results go to the controller, and come back in another program.
    task({ set_fact: { back: "{{ first.stdout }}", backs: "{{ looped.results | map(attribute='stdout') | list }}" } }),
    task({
      command: record("back", "{{ back }}", "{{ backs | join('') }}", "{{ ansible_env.ILL }}"),
      environment: { ILL: "{{ back }}" },
    }),
    task({
      block: [task({ command: record("x"), register: "x", failed_when: "x.stdout != value" })],
      rescue: [task({ command: record("rescued", "{{ value }}") })],
    }),
    task({ meta: "flush_handlers" }),
  ];
  const handlers = [{ name: handler, command: record("handled", "{{ value }}") }];
  const play = {
    name: word(),
    hosts: "all",
    vars: { value, item, other },
    environment: { PLAY: value },
    tasks,
    handlers,
  };
  const expected = [
    [value],
    ["same"],
    [item],
    [other],
    [value, other],
    [value],
    ["back", value, item + other],
    ["x"],
    ["rescued", value],
    ["handled", value],
  ];
  return { play: [play], expected };
}

/** Words that a command takes for options of its own: they begin with a dash, and stand behind no option, no `--`, and no program of `-c`. */
function options(told: Told, { where, words }: NastyCall): string[] {
  return told.commands.flatMap(([command, ...argv]) =>
    argv.flatMap((part, index) => {
      const own = words.some(({ text }) => text.startsWith("-") && part.startsWith(text.slice(0, text.indexOf("<"))));
      const expected =
        command === "record" ||
        argv.slice(0, index).some((one) => one === "--" || one === "-c") ||
        /^-/.test(argv[index - 1] ?? "");
      return own && !expected ? [`${where}: ${command} ${JSON.stringify(argv)}`] : [];
    }),
  );
}

for (const shell of here) {
  t.test(`in ${shell}`, async (t) => {
    t.test("the canary sings", async (t) => {
      const sandbox = new Sandbox(t.testdir(), shell);
      const told = sandbox.run(programOf(["canary 1\n", `record "$(canary 2)"\n`]));
      t.strictSame(told.canaries, ["1", "2"]);
    });

    t.test("words of all kinds", async (t) => {
      const words = new NastyWords(SEED);
      const sandbox = new Sandbox(t.testdir(), shell);
      const all = [...Array.from({ length: 300 * ROUNDS }, () => words.word().text), ""];
      const told = sandbox.run(`exec 3>&1 >/dev/null; record ${quoteAll(all)}; printf '%s\\0' ${quoteAll(all)} >&3\n`);
      t.strictSame(told.canaries, []);
      t.strictSame(told.commands, [["record", ...all]]);
      t.strictSame(told.stdout.toString("utf8").split("\0").slice(0, -1), all);
    });

    t.test("every argument of every module", async (t) => {
      const words = new NastyWords(SEED);
      const sandbox = new Sandbox(t.testdir(), shell);
      const refused: string[] = [];
      let calls: NastyCall[] = [];
      let programs = 0;
      let asked = 0;
      const flush = () => {
        const text = programOf(calls.map((call) => call.shell));
        const told = sandbox.run(text, words.pick([{}, { status: 1 }, { answer: "x:x:1:1::/:/bin/sh\n" }]));
        programs++;
        const whose = (id: string) => calls.find((call) => call.words.some((word) => String(word.id) === id));
        const ran = told.canaries.map((id) => `${whose(id)?.where}: ${whose(id)?.shell}`);
        t.strictSame(ran, [], "no canary fired");
        t.strictSame(
          calls.flatMap((call) => broken(told, call)),
          [],
          "every word is whole",
        );
        t.strictSame(
          calls.flatMap((call) => options(told, call)),
          [],
          "and no option",
        );
        const ends = told.messages.filter(({ kind }) => kind === "end" || kind === "result");
        const results = calls.map((_, index) => index + 1);
        const came = ends.map((one) => (one.kind === "end" ? one.reason : one.kind === "result" ? one.call : ""));
        const last = told.messages.findLast(({ kind }) => kind === "start");
        const at = last?.kind === "start" ? calls[last.call - 1]?.shell : "";
        t.strictSame(
          came,
          [...results, "done"],
          came.at(-1) === "done" ? "to its end" : `ends at ${at}: ${told.stderr}`,
        );
        calls = [];
      };
      for (let round = 0; round < ROUNDS; round++) {
        for (const module of taskModules.values()) {
          for (const name of Object.keys(module.spec.args)) {
            const arg = module.spec.args[name];
            if (SHELL.test(`${module.spec.name}.${name}`)) continue;
            if (arg === undefined || arg.choices !== undefined || /bool|int|float|mode/.test(arg.type)) continue;
            // Every shell has its turn with every argument, in the long run.
            if (shell !== "dash" && asked++ % 3 !== round % 3) continue;
            const call = new NastyCalls(words, sandbox).call(module, name);
            if (call === undefined) refused.push(`${module.spec.name}.${name}`);
            else calls.push(call);
            if (calls.length === TOGETHER) flush();
          }
        }
      }
      flush();
      t.comment(`${programs} programs; never taken: ${[...new Set(refused)].join(" ")}`);
    });

    t.test("names, items, conditions, environments, facts and results", async (t) => {
      const words = new NastyWords(SEED);
      for (let round = 0; round < ROUNDS; round++) {
        const directory = t.testdir();
        const file = join(directory, "play.yml");
        const { play, expected } = illPlay(words);
        writeFileSync(file, JSON.stringify(play));
        const fact = words.word(/[^ -~]|\$[A-Z{]/).text;
        const host = new NastyHost(new Sandbox(directory, shell), {
          id: "uid=1000(me) gid=1000(me)",
          env: Buffer.from(`ILL=${fact}\0`).toString("base64"),
        });
        const run = await localRun(file, "apply", {
          inventory: fleet({ edge: {} }),
          connect: async () => host,
          options: { diff: false },
        });
        t.equal(run.exitCode, 0, run.lines.join("\n"));
        // The check is one program, and so is the work, but where a result has to come to the controller.
        const commands = host.told.slice(1).flatMap((told) => told.commands);
        const recorded = commands.filter(([name]) => name === "record").map(([, ...argv]) => argv);
        const wanted = expected.map((argv) => (argv[0] === "back" ? [...argv, fact] : argv));
        t.strictSame(sorted(recorded), sorted(wanted));
        t.strictSame(
          host.told.flatMap((told) => told.canaries),
          [],
        );
      }
    });

    t.test("who holds the lock, and results that are sent again", async (t) => {
      const words = new NastyWords(SEED);
      const sandbox = new Sandbox(t.testdir(), shell);
      for (let round = 0; round < 10 * ROUNDS; round++) {
        const [who, host, handler, field] = [
          words.word().text,
          words.word().text,
          words.word().text,
          words.word().text,
        ];
        const outcome = { status: "changed", reason: "", fields: { stdout: field } } as const;
        const call = { node: { register: "r" }, returns: { stdout: "str" } } as unknown as CompiledCall;
        const text = programOf(["false", 'record "$V_r_stdout" "$V_r_changed"\n'], {
          ...{ own: true, lockFile: join(sandbox.directory, "tmp/lock"), who, host, handlerNames: [handler] },
          ...{ start: 2, ended: new Map([[1, { call, outcome }]]) },
        });
        const told = sandbox.run(text);
        t.strictSame(told.canaries, []);
        t.strictSame(
          told.commands.filter(([name]) => name === "record"),
          [["record", field, "true"]],
        );
        t.match(readFileSync(join(sandbox.directory, "tmp/lock"), "utf8"), `${who}, run run on ${host} pid `);
      }
    });

    t.test("names that a host has made", async (t) => {
      const sandbox = new Sandbox(t.testdir(), shell);
      const file = taskModules.get("file");
      const victim = join(sandbox.work, "victim");
      mkdirSync(join(sandbox.work, "theirs\n", victim), { recursive: true });
      mkdirSync(victim, { mode: 0o700 });
      sandbox.own(victim);
      const args = { path: join(sandbox.work, "theirs\n"), state: "directory", recurse: true, mode: "777" };
      t.ok(file);
      const shellText = (path: string) => file?.build({ ...args, path }, {} as ModuleContext).shell ?? "";
      const told = sandbox.run(programOf([shellText(sandbox.work)]));
      const result = told.messages.find(({ kind }) => kind === "result");
      t.match(result, { status: "failed", reason: /holds a line break/ });
      t.equal(statSync(victim).mode & 0o777, 0o700);
    });
  });
}

t.test("a NUL is refused where it is written", async (t) => {
  t.throws(() => quote("a\0b"), { code: "E_NUL" });
  const directory = t.testdir();
  const file = join(directory, "play.yml");
  const task = { name: "a task", command: { argv: ["echo", "{{ value }}"] } };
  writeFileSync(file, JSON.stringify([{ name: "a play", hosts: "all", vars: { value: "a\0b" }, tasks: [task] }]));
  const run = await localRun(file, "plan");
  t.equal(run.exitCode, 2);
  t.match(
    run.events.find((event) => event.type === "message"),
    { text: /^.*play\.yml:1:\d+: A value holds a NUL/ },
  );
});

t.test("shell text is written with words that are quoted, or cannot be anything else", async (t) => {
  const found = ["engine", "modules"].flatMap((room) => rawWords(join(import.meta.dirname, "../../../src", room)));
  t.strictSame(found, []);
});

const sorted = (lists: readonly (readonly string[])[]) => lists.map((list) => JSON.stringify(list)).sort();
