import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import type { Findings } from "../../../src/engine/host-play.js";
import { limitText } from "../../../src/modules/lib/time-limit.js";
import type { RunEvent } from "../../../src/report/events.js";
import { InputError } from "../../../src/util/errors.js";
import { until } from "../../support/until.js";
import { localRun } from "./local-run.js";

/** A play of tasks against this machine, below the test's directory as {{ dir }}. */
function play(dir: string, tasks: string, more = ""): string {
  const file = join(dir, "play.yml");
  const indented = tasks.trimEnd().replace(/^/gm, "    ");
  writeFileSync(file, `- name: Play\n  hosts: edges\n  vars: { dir: "${dir}/root" }\n  tasks:\n${indented}\n${more}`);
  mkdirSync(join(dir, "root"), { recursive: true });
  return file;
}

t.test("files: plan, apply, and nothing the second time", async (t) => {
  const dir = t.testdir({
    files: { "a.txt": "from a file\n" },
    templates: { "b.j2": "hello {{ who }}\n" },
    tree: { x: "1", y: { z: "2" } },
  });
  const file = play(
    dir,
    `- name: directory
  file: { path: "{{ dir }}/a b/c", state: directory, mode: "0750" }
- name: copy
  copy: { src: a.txt, dest: "{{ dir }}/a b/", mode: "0640" }
- name: content
  copy: { content: "it's\\n$HOME \`x\` \\\\ ", dest: '{{ dir }}/odd ''\\name', mode: "u=rw,go=r" }
- name: template
  template: { src: b.j2, dest: "{{ dir }}/b" }
  vars: { who: wörld }
- name: tree
  copy: { src: tree/, dest: "{{ dir }}/tree" }
- name: link
  file: { path: "{{ dir }}/l", src: b, state: link }
- name: line
  lineinfile: { path: "{{ dir }}/lines", regexp: '^a\\s*=', line: "a = 1", create: true }
- name: block
  blockinfile: { path: "{{ dir }}/lines", block: "x\\ny" }
- name: gone
  file: { path: "{{ dir }}/old", state: absent }
`,
  );
  mkdirSync(join(dir, "root/old/deep"), { recursive: true });
  writeFileSync(join(dir, "root/old/deep/file"), "");
  const plan = await localRun(file, "plan");
  t.strictSame(plan.lines, [
    "changed directory: missing",
    "changed copy: missing",
    "changed content: missing",
    "changed template: missing",
    "changed tree: missing, missing, missing and 1 more",
    "changed link: missing",
    "changed line: line added",
    `changed block: ${join(dir, "root/lines")} not there yet`,
    "changed gone: directory is there",
  ]);
  t.notOk(existsSync(join(dir, "root/b")), "a plan touches nothing");
  const apply = await localRun(file, "apply");
  t.equal(apply.exitCode, 0);
  t.match(apply.recap.edge, { changed: 9, failed: 0 });
  t.equal(statSync(join(dir, "root/a b/c")).mode & 0o777, 0o750);
  t.equal(readFileSync(join(dir, "root/a b/a.txt"), "utf8"), "from a file\n");
  t.equal(statSync(join(dir, "root/a b/a.txt")).mode & 0o777, 0o640);
  t.equal(readFileSync(join(dir, "root/odd '\\name"), "utf8"), "it's\n$HOME `x` \\ ");
  t.equal(statSync(join(dir, "root/odd '\\name")).mode & 0o777, 0o644);
  t.equal(readFileSync(join(dir, "root/b"), "utf8"), "hello wörld\n");
  t.equal(readFileSync(join(dir, "root/tree/y/z"), "utf8"), "2");
  t.equal(readlinkSync(join(dir, "root/l")), "b");
  t.equal(
    readFileSync(join(dir, "root/lines"), "utf8"),
    "a = 1\n# BEGIN ANSIBLE MANAGED BLOCK\nx\ny\n# END ANSIBLE MANAGED BLOCK\n",
  );
  t.notOk(existsSync(join(dir, "root/old")));
  const again = await localRun(file, "apply");
  t.match(again.recap.edge, { ok: 9, changed: 0, failed: 0 });
  t.equal(again.lines[1], "ok copy: sha256 equal");
  t.equal(again.transport.stats.execs, 2, "facts and one program");
  chmodSync(join(dir, "root/a b/a.txt"), 0o600);
  writeFileSync(join(dir, "root/b"), "hello you\n");
  const drift = await localRun(file, "plan");
  t.strictSame(
    drift.lines.filter((line) => !line.startsWith("ok")),
    ["changed copy: mode 600 -> 640", "changed template: content differs"],
  );
  const result = drift.events.find(
    (e): e is RunEvent & { type: "task.result" } => e.type === "task.result" && e.task.name === "template",
  );
  t.equal(
    result?.diff?.unified,
    `--- ${dir}/root/b (on the host)\n+++ ${dir}/root/b\n@@ -1 +1 @@\n-hello you\n+hello wörld\n`,
  );
});

t.test("round trips do not grow with tasks, and bytes little", async (t) => {
  const traffic = async (file: string, command: "plan" | "apply") => {
    const run = await localRun(file, command);
    const end = run.events.at(-1);
    const told = end?.type === "run.end" ? end.traffic?.edge : undefined;
    t.strictSame(told, run.transport.stats, "the last event tells what travelled");
    return { execs: told?.execs ?? 0, bytesUp: told?.bytesUp ?? Infinity };
  };
  for (const { count, look, change } of [
    { count: 10, look: 4100, change: 8100 },
    { count: 100, look: 6700, change: 16500 },
  ]) {
    const dir = t.testdir();
    const tasks = Array.from({ length: count }, (_, i) => `- copy: { content: "${i}", dest: "{{ dir }}/${i}" }`);
    const file = play(dir, tasks.join("\n"));
    const plan = await traffic(file, "plan");
    const apply = await traffic(file, "apply");
    const noop = await traffic(file, "apply");
    t.strictSame([plan.execs, apply.execs, noop.execs], [2, 3, 2], "facts, a check, and the work");
    t.comment(`${count} tasks: plan ${plan.bytesUp}, apply ${apply.bytesUp}, no-op ${noop.bytesUp} bytes up`);
    t.ok(plan.bytesUp <= look, "plan");
    t.ok(noop.bytesUp <= look, "no-op");
    t.ok(apply.bytesUp <= change, "apply");
    rmSync(join(dir, "root"), { recursive: true });
  }
});

t.test("until that shell cannot say is judged here, by a program for each attempt", async (t) => {
  const dir = t.testdir();
  const file = play(
    dir,
    `- name: counts
  shell: echo x >>n; wc -l <n
  args: { chdir: "{{ dir }}" }
  register: count
  until: count.stdout | int + 1 > 3
  retries: 5
  delay: 0
- name: in vain
  command: echo {{ count.attempts }}
  register: vain
  until: vain.stdout_lines | length > 1
  retries: 1
  delay: 0
  ignore_errors: true
- name: mistaken
  command: echo x
  register: wrong
  until: wrong.stdout[nosuch]
  delay: 0
  ignore_errors: true
- name: after
  debug: { msg: "{{ count.attempts }} {{ vain.attempts }} {{ vain is failed }}" }
`,
  );
  const run = await localRun(file, "apply");
  t.match(run.lines, [
    "changed counts: ran",
    "failed in vain: until does not hold",
    /^failed mistaken: .*nosuch/,
    "ok after: 3 1 True",
  ]);
});

t.test("handlers that need results cost a program where they are notified, and none elsewhere", async (t) => {
  const dir = t.testdir({
    "more.yml": "- command: echo {{ kept }}\n  register: said\n- debug: { msg: '{{ said.stdout }}' }\n",
  });
  const write = (notify: readonly string[]) => {
    const handlers = [
      { name: "keeps", set_fact: { kept: "{{ first.stdout }}" } },
      { name: "includes", include_tasks: "more.yml" },
    ];
    const tasks = [{ name: "first", command: "echo x", register: "first", notify }];
    writeFileSync(join(dir, "play.yml"), JSON.stringify([{ hosts: "all", tasks, handlers }]));
    return join(dir, "play.yml");
  };
  const [none, all] = [await localRun(write([]), "apply"), await localRun(write(["keeps", "includes"]), "apply")];
  t.strictSame(none.lines, ["changed first: ran"]);
  t.strictSame(none.transport.stats.execs, 3);
  t.match(all.lines, ["changed first: ran", "ok keeps: kept", /^ok includes/, "changed command: ran", "ok debug: x"]);
});

t.test("what a command writes is seen behind it, whatever it counts as", async (t) => {
  const dir = t.testdir();
  const copies = (name: string) => `- name: ${name}
  copy: { content: "{{ item }}", dest: "{{ dir }}/{{ item }}", mode: "0644" }
  loop: [a, b, c, d]
`;
  const reads = (name: string, command: string) => `- name: ${name}
  shell: ${command}
  args: { chdir: "{{ dir }}" }
  changed_when: false
  check_mode: false
`;
  await localRun(play(dir, copies("made")), "apply");
  const file = play(
    dir,
    copies("before") +
      reads("reads", "cat a") +
      copies("still") +
      reads("writes", "printf A >a; chmod 600 b; rm c") +
      copies("behind"),
  );
  const plan = await localRun(file, "plan");
  t.equal(plan.transport.stats.execs, 2, "facts and one program");
  t.strictSame(
    plan.lines.filter((line) => line.startsWith("changed")),
    ["changed behind[a]: content differs", "changed behind[b]: mode 600 -> 644", "changed behind[c]: missing"],
  );
});

t.test("registered results decide on the host, or start a new program", async (t) => {
  const dir = t.testdir();
  const file = play(
    dir,
    `- name: stat
  stat: { path: "{{ dir }}/done" }
  register: done
- name: when
  shell: echo one; echo two >"{{ dir }}/done"
  when: not done.stat.exists
  register: made
- name: only then
  command: echo three
  when: made is changed and 'one' in made.stdout
  register: three
- name: uses it
  copy: { content: "{{ three.stdout | default('no') }}", dest: "{{ dir }}/three" }
- name: judged here
  shell: printf 'a\\nb\\n'
  register: j
  changed_when: j.stdout_lines | length > 5
- name: failed_when
  command: "false"
  register: f
  failed_when: f.rc > 1
  changed_when: false
- name: says
  debug: { msg: "rc {{ f.rc | default('unknown') }}" }
- name: loop
  command: echo {{ item }}
  loop: [x, y]
  register: l
- name: after
  debug: { msg: "{{ l.results | map(attribute='stdout') | join(',') }}" }
  when: l is changed
`,
  );
  const { lines, exitCode } = await localRun(file, "apply");
  t.equal(exitCode, 0);
  t.strictSame(lines, [
    "ok stat: does not exist",
    "changed when: ran",
    "changed only then: ran",
    "changed uses it: missing",
    "ok judged here: ran",
    "ok failed_when: ran",
    "ok says: rc 1",
    "changed loop[x]: ran",
    "changed loop[y]: ran",
    "ok after: x,y",
  ]);
  t.equal(readFileSync(join(dir, "root/three"), "utf8"), "three");
  const second = await localRun(file, "plan");
  t.equal(second.lines[1], "skipped when: when: not done.stat.exists is false");
  t.equal(second.lines[4], "pending judged here: check mode does not run commands");
});

t.test("failures: the play ends, rescue and always run, ignore_errors goes on", async (t) => {
  const dir = t.testdir();
  const file = play(
    dir,
    `- name: ignored
  command: sh -c 'echo to-out; echo to-err >&2; exit 3'
  ignore_errors: true
- block:
    - name: fails
      command: "false"
    - name: unreached
      debug: { msg: x }
  rescue:
    - name: rescue
      debug: { msg: saved }
  always:
    - name: always
      debug: { msg: anyway }
- name: retried
  shell: echo x >>{{ dir }}/tries; test "$(wc -l <{{ dir }}/tries)" -ge 3
  register: tries
  until: tries.rc == 0
  retries: 4
  delay: 0
- name: ends
  fail: { msg: "no {{ tries.rc }}" }
- block:
    - name: unreached too
      debug: { msg: x }
  rescue:
    - name: nothing to be rescued from
      command: "true"
  always:
    - name: not begun
      command: "true"
`,
  );
  const { lines, exitCode, recap, events } = await localRun(file, "apply");
  t.strictSame(lines, [
    "failed ignored: exit status 3",
    "failed fails: exit status 1",
    "ok rescue: saved",
    "ok always: anyway",
    "changed retried: ran",
    "failed ends: no 0",
  ]);
  t.equal(exitCode, 1);
  t.match(recap.edge, { failed: 1, ignored: 1, rescued: 1 });
  const failed = events.find((event) => event.type === "task.result" && event.task.name === "ignored");
  t.match(failed, { ignored: true, output: "to-out\nto-err" });
});

t.test("a false assert first: nothing is touched, in plan and apply alike", async (t) => {
  const dir = t.testdir();
  const file = play(
    dir,
    `- name: check
  assert: { that: [1 == 1, dir == 'elsewhere'], fail_msg: wrong place }
- name: touch
  file: { path: "{{ dir }}/touched", state: touch }
`,
  );
  for (const command of ["plan", "apply"] as const) {
    const run = await localRun(file, command);
    t.strictSame(run.lines, ["failed check: wrong place"]);
    t.equal(run.exitCode, 1);
    t.notOk(existsSync(join(dir, "root/touched")));
  }
});

t.test("secrets and no_log stay out of every event", async (t) => {
  const dir = t.testdir();
  const file = play(
    dir,
    `- name: hidden
  copy: { content: "hidden-word", dest: "{{ dir }}/h" }
  no_log: true
- name: hidden items
  copy: { content: "hidden-word", dest: "{{ dir }}/{{ item }}" }
  loop: [item-word-one, item-word-two]
  no_log: true
- name: masked
  copy: { content: "pw masked-word\\n", dest: "{{ dir }}/m" }
- name: printed
  command: sh -c 'echo masked-word; exit 1'
`,
  );
  const { events } = await localRun(file, "apply", { secrets: ["masked-word"] });
  const all = JSON.stringify(events);
  t.notMatch(all, "masked-word");
  t.notMatch(all, "hidden-word");
  t.notMatch(all, "item-word");
  t.match(
    events.flatMap((event) => (event.type === "task.result" && event.task.name === "hidden items" ? [event.item] : [])),
    ["1 of 2", "2 of 2"],
    "items are told apart by their places",
  );
  t.match(all, "+pw ***");
});

t.test("sources that are not there are fetched only when the host needs them", async (t) => {
  const dir = t.testdir();
  const file = play(
    dir,
    `- name: big
  copy: { src: "/nonexistent/cache/{{ item }}", dest: "{{ dir }}/{{ item }}" }
  loop: [one, two]
  when: need_it | bool
`,
    "",
  );
  const skip = await localRun(file, "apply", {
    options: { extraVars: { need_it: false } },
    resolveMissingSource: async () => {
      t.fail("not needed");
    },
  });
  t.match(skip.recap.edge, { skipped: 1 });
  const moved = join(dir, "cache");
  writeFileSync(file, readFileSync(file, "utf8").replace("/nonexistent/cache", moved));
  const fetched: string[] = [];
  const over = {
    options: { extraVars: { need_it: true } },
    resolveMissingSource: async (path: string) => {
      fetched.push(path);
      mkdirSync(moved, { recursive: true });
      writeFileSync(path, `content of ${path}`);
    },
  };
  const plan = await localRun(file, "plan", over);
  t.equal(plan.lines[0], "changed big[one]: missing (source not yet fetched)");
  t.strictSame(fetched, []);
  const apply = await localRun(file, "apply", over);
  t.equal(apply.exitCode, 0);
  t.strictSame(fetched, [join(moved, "one"), join(moved, "two")]);
  t.equal(readFileSync(join(dir, "root/one"), "utf8"), `content of ${moved}/one`);
  rmSync(moved, { recursive: true });
  rmSync(join(dir, "root"), { recursive: true });
  mkdirSync(join(dir, "root"));
  const refused = await localRun(file, "apply", {
    ...over,
    resolveMissingSource: async () => {
      throw new InputError("E_HASH", "the hash is wrong");
    },
  });
  t.strictSame(refused.lines, ["failed big[one]: the hash is wrong"]);
  t.equal(refused.exitCode, 1);
});

t.test("validate keeps a wrong file out, backup keeps the old one", async (t) => {
  const dir = t.testdir();
  const file = play(
    dir,
    `- name: refused
  copy: { content: "bad\\n", dest: "{{ dir }}/v", validate: "grep -q good %s" }
  ignore_errors: true
- name: taken
  copy: { content: "good\\n", dest: "{{ dir }}/v", validate: "grep -q good %s", backup: true }
`,
  );
  writeFileSync(join(dir, "root/v"), "old\n");
  const { lines } = await localRun(file, "apply");
  t.match(lines[0], /^failed refused: failed to validate/);
  t.equal(lines[1], "changed taken: content differs");
  t.equal(readFileSync(join(dir, "root/v"), "utf8"), "good\n");
});

t.test("tags, mistakes with their place", async (t) => {
  const dir = t.testdir();
  const file = play(
    dir,
    `- { name: a, debug: { msg: a }, tags: [one] }
- { name: b, debug: { msg: b }, tags: [two, never] }
- { name: c, debug: { msg: c }, tags: [always] }
- { name: d, debug: { msg: d } }
`,
  );
  const names = async (tags: string[], skipTags: string[] = []) =>
    (await localRun(file, "plan", { options: { tags, skipTags } })).lines.map((line) =>
      line.split(" ")[1]?.replace(":", ""),
    );
  t.strictSame(await names([]), ["a", "c", "d"]);
  t.strictSame(await names(["two"]), ["b", "c"]);
  t.strictSame(await names([], ["always", "one"]), ["d"]);
});

t.test("a mistake in a later task's variables is that task's failure, or ends the host before all", async (t) => {
  const dir = t.testdir();
  const tasks = `- name: before
  copy: { content: x, dest: "{{ dir }}/x" }
- name: forgiven
  command: echo {{ nosuch }}
  ignore_errors: true
  register: forgiven
- name: its loop ends there
  copy: { content: "{{ item.name }}", dest: "{{ dir }}/{{ item.name }}" }
  loop: [{ name: a }, { nosuch: b }, { name: c }]
  ignore_errors: true
- name: it has run by then
  command: touch {{ dir }}/touched
  changed_when: nosuch > 1
  ignore_errors: true
- name: says
  debug: { msg: "{{ forgiven.msg }}" }
- name: wrong
  copy: { content: "{{ nosuch }}", dest: "{{ dir }}/y" }
- name: never
  copy: { content: x, dest: "{{ dir }}/z" }
`;
  const first = await localRun(play(dir, tasks.replaceAll("  ignore_errors: true\n", "")), "apply", {
    options: { mistakesFirst: true },
  });
  t.equal(first.exitCode, 2);
  t.match(
    first.events.find((event) => event.type === "message"),
    { text: /play\.yml:8:.*nosuch/ },
  );
  t.notOk(existsSync(join(dir, "root/x")));
  const plan = await localRun(play(dir, tasks), "plan");
  t.match(plan.lines.at(-1), /^failed wrong: .*nosuch.*play\.yml:22:/);
  const run = await localRun(play(dir, tasks), "apply");
  t.equal(run.exitCode, 1);
  t.match(run.lines, [
    "changed before: missing",
    /^failed forgiven: .*nosuch/,
    'changed its loop ends there[{"name":"a"}]: missing',
    /^failed its loop ends there: .*name/,
    /^failed it has run by then: .*nosuch/,
    /^ok says: .*nosuch/,
    /^failed wrong: /,
  ]);
  t.equal(run.lines.length, 7);
  t.match(run.recap.edge, { changed: 2, failed: 1, ignored: 3 });
  t.ok(existsSync(join(dir, "root/touched")));
});

t.test("what depends on work not yet done is left for apply", async (t) => {
  const dir = t.testdir();
  const file = play(
    dir,
    `- name: made
  copy: { content: abc, dest: "{{ dir }}/made" }
- name: stat
  stat: { path: "{{ dir }}/made", checksum_algorithm: sha256 }
  register: made
- name: size
  copy: { content: "{{ made.stat.size }} {{ made.stat.mode }}\\n", dest: "{{ dir }}/size" }
- name: after
  copy: { content: after, dest: "{{ dir }}/after" }
`,
  );
  const plan = await localRun(file, "plan");
  t.match(plan.lines[2], /^pending size: needs results that are not there before apply/);
  t.equal(plan.lines[3], "changed after: missing");
  t.equal(plan.exitCode, 0);
  t.match((await localRun(file, "apply")).recap.edge, { failed: 0, changed: 3 });
  t.equal(readFileSync(join(dir, "root/size"), "utf8"), "3 0644\n");
  t.match((await localRun(file, "apply")).recap.edge, { failed: 0, changed: 0, ok: 4 });
});

t.test("an interrupted run ends after the task at hand", async (t) => {
  const dir = t.testdir();
  const file = play(
    dir,
    `- name: slow
  shell: touch {{ dir }}/begun; sleep 1; touch {{ dir }}/slow
- name: next
  file: { path: "{{ dir }}/next", state: touch }
`,
  );
  const controller = new AbortController();
  const running = localRun(file, "apply", { signal: controller.signal });
  await until("the task at hand", () => existsSync(join(dir, "root/begun")));
  controller.abort();
  const run = await running;
  t.equal(run.exitCode, 130);
  t.ok(existsSync(join(dir, "root/slow")));
  t.notOk(existsSync(join(dir, "root/next")));
  t.match(run.recap.edge, { changed: 1 });
});

t.test("check_mode: false does its work once in an apply, and in a check", async (t) => {
  const dir = t.testdir({});
  const file = play(
    dir,
    `- name: adds
  shell: echo x >>"{{ dir }}/added"
  check_mode: false
  register: added
- name: then
  copy: { content: "1", dest: "{{ dir }}/1" }
  when: added.rc == 0
`,
  );
  const lines = () => readFileSync(join(dir, "root/added"), "utf8").split("\n").length - 1;
  t.strictSame((await localRun(file, "plan")).lines, ["changed adds: ran", "changed then: missing"]);
  t.equal(lines(), 1);
  t.strictSame((await localRun(file, "apply")).lines, ["changed adds: ran", "changed then: missing"]);
  t.equal(lines(), 2);
});

t.test("what the controller looks at before a task changes anything", async (t) => {
  const dir = t.testdir({});
  const file = play(
    dir,
    `- name: known
  command: echo yes
  register: known
  check_mode: false
  changed_when: false
- name: first
  copy: { content: "1", dest: "{{ dir }}/1" }
- name: guarded
  command: touch "{{ dir }}/2"
  args: { creates: "{{ dir }}/2" }
`,
  );
  const asked: unknown[] = [];
  const refuse = async ({ facts, results }: Findings) => {
    asked.push([typeof facts.memtotal_mb, results.known]);
    throw new InputError("E_NO", "Not today.", { hint: "Tomorrow." });
  };
  const refused = await localRun(file, "apply", { guards: () => ({ guarded: refuse }) });
  t.equal(refused.exitCode, 1);
  t.strictSame(refused.lines, ["failed guarded: Not today."], "one failure, in the place of all else");
  t.match(refused.recap.edge, { ok: 0, changed: 0, failed: 1 });
  t.match(asked, [["number", { stdout: "yes" }]]);
  t.notOk(existsSync(join(dir, "root/1")), "nothing was changed");
  const allowed = await localRun(file, "apply", { guards: () => ({ guarded: async () => {} }) });
  t.match(allowed.recap.edge, { changed: 2, failed: 0 });
  const idle = await localRun(file, "apply", { guards: () => ({ guarded: refuse }) });
  t.equal(idle.exitCode, 0, "a task without anything to do is not asked about");
  t.equal(asked.length, 1);
});

t.test("timeout: what a task runs is ended with all below it, and a judgement made here has no say", async (t) => {
  const dir = t.testdir();
  // Others on this machine may run the same.
  const own = process.pid;
  const file = play(
    dir,
    `- name: over
  shell: "trap '' TERM; sleep 3097.${own} & sleep 3098.${own}"
  timeout: 1
  register: over
  failed_when: over.stdout | regex_search('x') | length > 3
  ignore_errors: true
- name: says
  debug: { msg: "{{ over.msg }} {{ over.stdout is defined }}" }
- name: in time
  copy: { content: x, dest: "{{ dir }}/x" }
  timeout: "{{ ${1e7 + own} }}"
- name: no number
  command: "true"
  timeout: soon
`,
  );
  const { lines } = await localRun(file, "apply");
  const late = "The shell action failed to execute in the expected time frame (1) and was terminated";
  t.strictSame(lines.slice(0, 3), [`failed over: ${late}`, `ok says: ${late} False`, "changed in time: missing"]);
  t.match(lines[3], /^failed no number: timeout is a whole number of seconds, and "soon" is none/);
  const left = execFileSync("ps", ["-eo", "args"], { encoding: "utf8" });
  t.notMatch(left, new RegExp(`^sleep (309[78]\\.${own}|${1e7 + own})$`, "m"));
});

t.test("timeout: a program that is killed leaves nobody behind who ends processes of its number", async (t) => {
  const killed = `W=${t.testdir()}\n${limitText}\nlimit 1\nwhile [ ! -e "$W/lp" ]; do :; done\necho "$LP"; kill -s KILL $$`;
  const { stdout } = spawnSync("sh", ["-c", killed], { encoding: "utf8" });
  t.match(stdout, /^\d+\n$/);
  const cutter = `/proc/${stdout.trim()}`;
  t.ok(existsSync(cutter));
  await until("it has gone", () => !existsSync(cutter));
});
