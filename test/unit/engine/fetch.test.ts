import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { fileKind } from "../../../src/engine/language.js";
import { fleet, fleetRun } from "./fleet-run.js";
import { localRun } from "./local-run.js";

function playbook(dir: string, tasks: string, more = ""): string {
  const file = join(dir, "play.yml");
  const indented = tasks.trimEnd().replace(/^/gm, "    ");
  writeFileSync(file, `- name: Play\n  hosts: all\n  tasks:\n${indented}\n${more}`.replaceAll("DIR", dir));
  return file;
}

t.test("fetch: paths and results as in ansible-core 2.14", async (t) => {
  const dir = t.testdir({
    host: { "a b": "hello\n", big: "x".repeat(3 << 20), bin: Buffer.from([0, 10, 255, 9, 30]) },
  });
  const file = playbook(
    dir,
    `- name: below its host
  fetch: { src: "DIR/host/a b", dest: out }
  register: first
- name: again
  fetch: { src: "DIR/host/a b", dest: out }
  register: again
- name: results
  debug:
    msg: "{{ first.checksum }} {{ first.md5sum }} {{ first.dest | basename }} {{ first.remote_checksum | default(first.checksum) == again.checksum }} {{ again.file | basename }} {{ 'dest' in again }}"
- name: flat
  fetch: { src: "DIR/host/{{ item }}", dest: new/dir/, flat: true }
  loop: [big, bin]
- name: named
  fetch: { src: DIR/host/bin, dest: DIR/named, flat: true }
- name: missing
  fetch: { src: DIR/host/none, dest: out, fail_on_missing: false }
  register: missing
- name: what of it
  debug: { msg: "{{ missing is changed }} {{ missing.file | basename }}" }
- name: a directory
  fetch: { src: DIR/host, dest: out }
  ignore_errors: true
- name: must be there
  fetch: { src: DIR/host/none, dest: out }
  ignore_errors: true
- name: behind
  copy: { content: x, dest: DIR/behind }
`,
  );
  const plan = await localRun(file, "plan");
  t.strictSame(
    plan.lines.filter((line) => !/^(pending|ok) (results|what)/.test(line)),
    [
      "changed below its host: missing",
      "changed again: missing",
      "changed flat[big]: missing",
      "changed flat[bin]: missing",
      "changed named: missing",
      "ok missing: does not exist on the host",
      `failed a directory: ${dir}/host is a directory, fetch takes files`,
      `changed must be there: ${dir}/host/none not there yet`,
      "changed behind: missing",
    ],
  );
  t.notOk(existsSync(join(dir, "out")), "a plan brings nothing");
  t.equal(plan.transport.stats.execs, 2, "facts and one program");
  const apply = await localRun(file, "apply");
  t.strictSame(apply.lines, [
    "changed below its host: missing",
    "ok again: sha1 equal",
    "ok results: f572d396fae9206628714fb2ce00f72e94f2258f b1946ac92492d2347c6235b4d2611184 a b True a b True",
    "changed flat[big]: missing",
    "changed flat[bin]: missing",
    "changed named: missing",
    "ok missing: does not exist on the host",
    "ok what of it: False none",
    `failed a directory: ${dir}/host is a directory, fetch takes files`,
    `failed must be there: ${dir}/host/none does not exist on the host`,
    "changed behind: missing",
  ]);
  t.equal(readFileSync(join(dir, "out/edge", dir, "host/a b"), "utf8"), "hello\n");
  t.equal(readFileSync(join(dir, "new/dir/big"), "utf8").length, 3 << 20);
  t.strictSame([...readFileSync(join(dir, "named"))], [0, 10, 255, 9, 30]);
  t.equal(statSync(join(dir, "named")).mode & 0o777, 0o666 & ~process.umask(), "as any file that is made here");
  t.strictSame(readdirSync(join(dir, "new/dir")), ["big", "bin"], "nothing is left beside them");
  writeFileSync(join(dir, "host/bin"), "other");
  const drift = await localRun(file, "apply");
  t.strictSame(
    drift.lines.filter((line) => line.startsWith("changed")),
    ["changed flat[bin]: content differs", "changed named: content differs"],
  );
  t.equal(readFileSync(join(dir, "named"), "utf8"), "other");
});

t.test("a name of the host does not lead out of dest, and mistakes have their place", async (t) => {
  const dir = t.testdir({ out: {}, host: { x: "x" } });
  const problem = async (task: string) => {
    const run = await localRun(playbook(dir, `- ${task}`), "apply");
    return run.lines;
  };
  t.match(await problem("fetch: { src: ../../../../etc/passwd, dest: out }"), [
    /^failed .*does not stay below.*play\.yml:4:/,
  ]);
  t.match(await problem("fetch: { src: /x/.., dest: out/, flat: true }"), [/does not stay below/]);
  t.match(await problem("fetch: { src: /etc/hostname, dest: out, flat: true }"), [/is a directory: end it with \//]);
  t.match(await problem("fetch: { src: '', dest: out }"), [/src is empty/]);
});

t.test("what cannot be written is the task's failure, and a rescue sees it", async (t) => {
  const dir = t.testdir({ host: { x: "x", y: "y" }, file: "" });
  const file = playbook(
    dir,
    `- name: known
  command: echo yes
  register: known
- block:
    - name: into a file
      fetch: { src: DIR/host/x, dest: DIR/file/x, flat: true }
    - name: never
      copy: { content: x, dest: DIR/never }
  rescue:
    - name: rescued
      copy: { content: "1", dest: DIR/rescued }
      when: known.rc == 0
- name: last
  fetch: { src: DIR/host/y, dest: DIR/file/y, flat: true }
`,
  );
  const run = await localRun(file, "apply");
  t.match(run.lines, [
    "changed known: ran",
    /^failed into a file: .*host\/x: it cannot be written: (ENOTDIR|EEXIST)/,
    "changed rescued: missing",
    /^failed last: .*host\/y: it cannot be written/,
  ]);
  t.notOk(existsSync(join(dir, "never")));
  t.equal(run.exitCode, 1);
});

t.test("a host waits for the file of another, and has done all else before", async (t) => {
  for (const forks of [1, 10]) {
    const dir = t.testdir({ cache: {} });
    const file = playbook(
      dir,
      `- name: own
  copy: { content: "{{ inventory_hostname }}", dest: "DIR/{{ inventory_hostname }}.own" }
- name: known
  command: echo {{ inventory_hostname }}
  register: known
  changed_when: false
  check_mode: false
- name: made
  shell: sleep 0.5; echo artifact >DIR/b.made
  args: { creates: DIR/b.made }
  when: inventory_hostname == 'b'
- name: brought
  fetch: { src: DIR/b.made, dest: DIR/cache/artifact, flat: true }
  when: inventory_hostname == 'b'
- name: taken
  copy: { src: DIR/cache/artifact, dest: "DIR/{{ inventory_hostname }}.taken" }
- name: afterwards
  copy: { content: "{{ 'x' }}", dest: "DIR/{{ inventory_hostname }}.after" }
  when: known.rc == 0
`,
    );
    const hosts = fleet({ a: {}, b: {}, c: {} });
    const options = { options: { forks } };
    const plan = await fleetRun(dir, file, "plan", hosts, options);
    t.equal(plan.exitCode, 0);
    t.equal(plan.of("a")[4], "changed taken: missing (source to be fetched from b)");
    t.equal(plan.of("b")[4], "changed taken: missing (source to be fetched from b)");
    t.strictSame([plan.execs("a"), plan.execs("b")], [2, 2], "facts and one program");
    const apply = await fleetRun(dir, file, "apply", hosts, options);
    t.equal(apply.exitCode, 0, `forks ${forks}`);
    for (const host of ["a", "b", "c"]) {
      t.equal(readFileSync(join(dir, `${host}.taken`), "utf8"), "artifact\n");
      t.ok(existsSync(join(dir, `${host}.after`)), "conditions know what was before the wait");
    }
    const index = (host: string, test: (text: string) => boolean) =>
      apply.events.findIndex((event) =>
        event.type === "task.result" || event.type === "message"
          ? event.host === host && test(event.type === "message" ? event.text : event.task.name)
          : false,
      );
    const waits = index("c", (text) => text === `waits for b, from which ${dir}/cache/artifact is fetched`);
    if (forks > 1) {
      t.ok(waits > index("c", (text) => text === "own"));
      t.ok(waits < index("b", (text) => text === "brought"), "and is said to wait");
    }
    const idle = await fleetRun(dir, file, "apply", hosts, options);
    t.match(idle.recap, { a: { changed: 0 }, b: { changed: 0 }, c: { changed: 0 } });
    t.strictSame([idle.execs("a"), idle.execs("b")], [2, 2]);
  }
});

t.test("nobody waits for ever, and who waits in vain says for whom", async (t) => {
  const dir = t.testdir();
  const run = async (tasks: string, more: Parameters<typeof fleetRun>[4] = {}) =>
    fleetRun(dir, playbook(dir, tasks), "apply", fleet({ a: {}, b: {}, c: {} }), more);
  const mine = (task: string) => `  when: inventory_hostname == '${task}'\n`;
  const failing = await run(
    `- { name: first, copy: { content: x, dest: DIR/first } }
- name: broken
  command: /bin/false
${mine("b")}- name: brought
  fetch: { src: /etc/hostname, dest: DIR/x, flat: true }
${mine("b")}- name: taken
  copy: { src: DIR/x, dest: "DIR/{{ inventory_hostname }}.taken" }
  ignore_errors: "{{ false }}"
`.replace('  ignore_errors: "{{ false }}"\n', ""),
  );
  t.match(
    failing.of("a").at(-1),
    /^failed taken: src .*\/x does not exist on this machine: b ended without bringing it$/,
  );
  t.match(failing.recap, { a: { failed: 1 }, b: { failed: 1 }, c: { failed: 1 } });
  const nowhere = await run(`- { name: taken, copy: { src: DIR/nowhere, dest: DIR/y } }\n`, { options: { forks: 1 } });
  t.match(nowhere.lines, Array(3).fill(/^failed taken: .*does not exist on this machine/));
  const circle = `- name: taken
  copy: { src: "DIR/{{ other }}.file", dest: "DIR/{{ inventory_hostname }}.copy" }
  vars: { other: "{{ {'a': 'b', 'b': 'a', 'c': 'a'}[inventory_hostname] }}" }
- name: brought
  fetch: { src: /etc/hostname, dest: "DIR/{{ inventory_hostname }}.file", flat: true }
`;
  const round = await run(circle);
  t.match(round.lines, Array(3).fill(/^failed taken: /), "said before anything is done");
  const skipped = await run(`- { name: known, command: echo no, register: known, changed_when: false }
- name: brought
  fetch: { src: /etc/hostname, dest: DIR/z, flat: true }
  when: inventory_hostname == 'b' and known.stdout == 'yes'
- name: taken
  copy: { src: DIR/z, dest: "DIR/{{ inventory_hostname }}.z" }
`);
  t.match(skipped.of("a").at(-1), /^failed taken: .*b ended without bringing it$/);
  t.equal(skipped.exitCode, 1);
});

t.test("a run can be interrupted while a host waits", async (t) => {
  const dir = t.testdir();
  mkdirSync(join(dir, "root"));
  const file = playbook(
    dir,
    `- name: slow
  shell: sleep 2; echo x >DIR/made
  when: inventory_hostname == 'b'
- name: brought
  fetch: { src: DIR/made, dest: DIR/x, flat: true }
  when: inventory_hostname == 'b'
- name: taken
  copy: { src: DIR/x, dest: DIR/y }
  when: inventory_hostname == 'a'
`,
  );
  const controller = new AbortController();
  const run = await fleetRun(dir, file, "apply", fleet({ a: {}, b: {} }), {
    signal: controller.signal,
    emit: (event) => {
      if (event.type === "message" && event.text.startsWith("waits for b")) controller.abort();
    },
  });
  t.equal(run.exitCode, 130);
  t.notOk(existsSync(join(dir, "x")));
});

t.test("tests of this machine's files see what is there when the task's turn comes", async (t) => {
  const dir = t.testdir({ host: "from the host\n", cache: { bad: "broken" } });
  const file = playbook(
    dir,
    `- name: known
  command: echo yes
  register: known
  check_mode: false
  changed_when: false
- name: before
  copy: { content: x, dest: DIR/before }
  when: there and known.rc == 0
- name: brought
  fetch: { src: DIR/host, dest: DIR/new/file, flat: true }
- name: after
  copy: { content: "{{ lookup('file', 'DIR/new/file') }}", dest: DIR/after }
  when: there and 'DIR/new' is directory
- name: not good
  debug: { msg: "{{ 'DIR/cache/bad' is exists }} {{ 'DIR/host' is file }} {{ 'DIR/host' is link }}" }
`,
    "  vars: { there: \"{{ 'DIR/new/file' is exists }}\" }\n",
  );
  const asked = (path: string, follow: boolean) => (path.endsWith("/bad") ? undefined : fileKind(path, follow));
  const run = await fleetRun(dir, file, "apply", fleet({ edge: {} }), { fileKind: asked });
  t.match(run.lines, [
    "ok known: ran",
    /^skipped before/,
    "changed brought: missing",
    "changed after: missing",
    "ok not good: False True False",
  ]);
  t.equal(readFileSync(join(dir, "after"), "utf8"), "from the host");
  t.equal(
    run.execs("edge"),
    5,
    "facts, a check, two programs, and one of them again with a file that no check foresaw",
  );
  const taken = playbook(dir, "- copy: { src: DIR/cache/bad, dest: DIR/x }\n");
  const refused = await fleetRun(dir, taken, "apply", fleet({ edge: {} }), { fileKind: asked });
  t.match(refused.lines, [/^failed copy: src .*bad does not exist/]);
});
