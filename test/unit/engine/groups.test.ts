import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { batchesOf } from "../../../src/engine/play-batches.js";
import { UnreachableError } from "../../../src/util/errors.js";
import { fleet, fleetRun } from "./fleet-run.js";

function playbook(dir: string, text: string): string {
  const file = join(dir, "play.yml");
  writeFileSync(file, text.replaceAll("DIR", dir));
  return file;
}

const three = () => fleet({ a: { kind: "x y" }, b: { kind: "x y" }, c: { kind: "z" } });

t.test("group_by: names and members as ansible-core 2.14 makes them, seen by all hosts and later plays", async (t) => {
  const dir = t.testdir();
  const file = playbook(
    dir,
    `- name: Groups
  hosts: all
  tasks:
    - name: by kind
      group_by: { key: "g_{{ kind }}", parents: [p one, q] }
      register: made
      when: inventory_hostname != 'c'
    - name: seen
      debug: { msg: "{{ groups['g_x-y'] | join(' ') }}, {{ groups['q'] | join(' ') }}; {{ group_names | join(' ') }}; {{ made.add_group | default('-') }} {{ made.parent_groups | default([]) | join(',') }}" }
    - name: again
      group_by: { key: "g_{{ kind }}" }
    - name: items
      group_by: { key: "h-{{ item }}" }
      loop: [1, 2]
      changed_when: false
- name: Those of q
  hosts: q:!b
  tasks:
    - name: hosts
      debug: { msg: "{{ ansible_play_hosts | join(' ') }}, {{ groups.keys() | sort | join(' ') }}" }
- name: Nobody
  hosts: g_nosuch
  tasks: [{ debug: {} }]
`,
  );
  const run = await fleetRun(dir, file, "plan", three());
  t.equal(run.exitCode, 0);
  t.strictSame(run.of("a"), [
    "changed by kind: g_x-y",
    "ok seen: a b, a b; edges g_x-y p-one q; g_x-y p-one,q",
    "ok again: g_x-y",
    "ok items[1]: h-1",
    "ok items[2]: h-2",
    "ok hosts: a, all edges g_x-y g_z h-1 h-2 p-one q",
  ]);
  t.strictSame(run.of("c"), [
    "skipped by kind: when: inventory_hostname != 'c' is false",
    "ok seen: a b, a b; edges; -",
    "changed again: g_z",
    "ok items[1]: h-1",
    "ok items[2]: h-2",
  ]);
  t.strictSame([run.execs("a"), run.execs("c")], [1, 1], "facts, and no program for what is decided here");
  t.strictSame(run.events[0], { ...run.events[0], hosts: ["a", "b", "c"] });
  const nobody = run.events.flatMap((event) => (event.type === "play.start" ? [[event.play, event.hosts]] : []));
  t.strictSame(nobody.at(-1), ["Nobody", []]);
  const apply = await fleetRun(dir, file, "apply", three());
  t.strictSame(apply.of("a"), run.of("a"), "the same again, when it is for real");
});

t.test("a play that is decided here costs no turn, and what follows is told by its groups", async (t) => {
  const dir = t.testdir();
  const file = playbook(
    dir,
    `- name: Groups
  hosts: all
  tasks:
    - assert: { that: kind is defined }
    - set_fact: { mine: "g_{{ kind | replace(' ', '-') }}" }
    - group_by: { key: "{{ mine }}" }
      changed_when: false
- name: Work
  hosts: all
  tasks:
    - name: peers
      copy: { content: "{{ groups[mine] | join(' ') }}", dest: "DIR/{{ inventory_hostname }}.txt" }
`,
  );
  const plan = await fleetRun(dir, file, "plan", three());
  t.strictSame([plan.execs("a"), plan.execs("b"), plan.execs("c")], [2, 2, 2], "facts and one program");
  const apply = await fleetRun(dir, file, "apply", three(), { options: { forks: 1 } });
  t.strictSame([apply.exitCode, apply.execs("a"), apply.execs("c")], [0, 3, 3]);
  t.equal(readFileSync(join(dir, "a.txt"), "utf8"), "a b");
  t.equal(readFileSync(join(dir, "c.txt"), "utf8"), "c");
  t.equal((await fleetRun(dir, file, "apply", three())).execs("b"), 2);
});

t.test("hosts meet at group_by, and nobody waits for one that is lost", async (t) => {
  const dir = t.testdir();
  const file = playbook(
    dir,
    `- name: Meet
  hosts: all
  tasks:
    - name: first
      shell: sleep {{ pause }}; echo {{ inventory_hostname }}
      register: first
      check_mode: false
      changed_when: false
    - name: wrong
      fail: { msg: not me }
      when: inventory_hostname == 'c'
    - name: by answer
      group_by: { key: "is_{{ first.stdout }}" }
    - name: seen
      debug: { msg: "{{ groups.keys() | select('match', 'is_') | join(' ') }}" }
`,
  );
  mkdirSync(join(dir, "root"));
  const hosts = fleet({ a: { pause: 0 }, b: { pause: 0.3 }, c: { pause: 0.1 }, d: { pause: 0 } });
  for (const forks of [1, 10]) {
    const run = await fleetRun(dir, file, "apply", hosts, {
      options: { forks },
      ...(forks === 1
        ? {}
        : {
            access: (host) => {
              if (host.name === "d") throw new UnreachableError("E_GONE", "It is gone.");
              const address = { name: host.name, connection: "ssh", host: host.name } as const;
              return { address, becomePassword: undefined, become: undefined, becomeUser: undefined };
            },
          }),
    });
    const seen = forks === 1 ? "is_a is_b is_d" : "is_a is_b";
    t.equal(run.of("a").at(-1), `ok seen: ${seen}`);
    t.equal(run.of("b").at(-1), `ok seen: ${seen}`);
    t.match(run.recap, { c: { failed: 1 }, d: { unreachable: forks === 1 ? 0 : 1 } });
  }
});

t.test("what group_by cannot do is said with its place", async (t) => {
  const dir = t.testdir();
  const message = async (task: string, more = "") => {
    const file = playbook(dir, `- hosts: all\n  tasks:\n    - ${task}\n${more}`);
    const run = await fleetRun(dir, file, "plan", fleet({ a: {}, b: {} }, { special: ["b"] }));
    return run.events.flatMap((event) => (event.type === "message" && event.host === "a" ? [event.text] : []));
  };
  t.match(await message("group_by: { key: special }"), [/play\.yml:3:.*would put a into special, a group of the inv/]);
  t.match(await message("group_by: { key: new, parents: special }"), [/would put a into special/]);
  t.match(await message("group_by: { key: \"{{ omitted | default('') }}\" }"), [/empty name/]);
  t.match(await message("group_by: { key: g, parents: g }"), [/above and below/]);
  t.match(await message("group_by: { key: g }\n      run_once: true"), [/run_once/]);
  t.match(await message("{ block: [{ group_by: { key: g } }], always: [{ debug: {} }] }"), []);
  const handler = "  handlers:\n    - { name: h, group_by: { key: g } }\n";
  t.match(await message("debug: {}", handler), [/in a handler/]);
});

t.test("run_once: the others wait for its result, and the next host does it when the first has failed", async (t) => {
  const dir = t.testdir();
  const file = playbook(
    dir,
    `- name: Once
  hosts: all
  tasks:
    - name: before
      shell: sleep {{ pause }}
      changed_when: false
    - name: wrong
      fail: { msg: out }
      when: inventory_hostname == 'a'
    - name: once
      shell: echo {{ inventory_hostname }} >>DIR/once; echo by {{ inventory_hostname }}
      run_once: true
      register: once
    - name: after
      copy: { content: "{{ once.stdout }}", dest: "DIR/{{ inventory_hostname }}.txt" }
`,
  );
  for (const forks of [1, 10]) {
    const hosts = fleet({ a: { pause: 0 }, b: { pause: 0.2 }, c: { pause: 0 } });
    const run = await fleetRun(dir, file, "apply", hosts, { options: { forks } });
    t.strictSame(run.of("b").slice(2), [
      "changed once: ran",
      `${forks === 1 ? "changed after: missing" : "ok after: sha256 equal"}`,
    ]);
    t.equal(readFileSync(join(dir, "c.txt"), "utf8"), "by b");
    t.equal(readFileSync(join(dir, "once"), "utf8"), "b\n");
    writeFileSync(join(dir, "once"), "");
    t.match(run.recap, { a: { failed: 1 }, b: { failed: 0 }, c: { failed: 0 } });
  }
});

t.test("serial: batches of numbers and percentages, the last size for all that follow", async (t) => {
  const sizes = (count: number, serial: Parameters<typeof batchesOf>[1]) =>
    batchesOf(Array.from({ length: count }), serial).map((batch) => batch.length);
  t.strictSame(sizes(5, undefined), [5]);
  t.strictSame(sizes(5, [{ count: 2, percent: false }]), [2, 2, 1]);
  t.strictSame(
    sizes(10, [
      { count: 1, percent: false },
      { count: 30, percent: true },
    ]),
    [1, 3, 3, 3],
  );
  t.strictSame(sizes(3, [{ count: 1, percent: true }]), [1, 1, 1]);
  t.strictSame(sizes(3, [{ count: 0, percent: false }]), [3]);
  t.strictSame(sizes(0, undefined), []);
});

t.test(
  "any_errors_fatal: nobody is changed when one is known to fail; later, the others stop behind their task",
  async (t) => {
    const dir = t.testdir();
    const early = `- name: Early
  hosts: all
  any_errors_fatal: true
  tasks:
    - name: never on a
      fail: { msg: bad }
      when: inventory_hostname == 'a'
    - name: write
      copy: { content: x, dest: "DIR/{{ inventory_hostname }}" }
- name: After
  hosts: all
  tasks: [{ name: after, debug: { msg: x } }]
`;
    const first = await fleetRun(dir, playbook(dir, early), "apply", three());
    t.equal(first.exitCode, 1);
    t.strictSame(
      ["a", "b", "c"].map((host) => first.of(host)),
      [["failed never on a: bad"], [], []],
    );
    t.notOk(existsSync(join(dir, "b")));
    // b's long task ends, and what comes behind it does not begin.
    const late = `- name: Late
  hosts: all
  max_fail_percentage: 30
  tasks:
    - name: wait
      shell: |
        [ "$FLEET_HOST" != a ] || { until [ -e DIR/b.began ]; do sleep 0.1; done; exit 1; }
        : > DIR/$FLEET_HOST.began; sleep 1
    - name: behind
      copy: { content: x, dest: "DIR/{{ inventory_hostname }}" }
`;
    const second = await fleetRun(dir, playbook(dir, late), "apply", three());
    t.equal(second.exitCode, 1);
    t.match(second.of("a"), [/^failed wait/]);
    t.match(second.of("b"), [/^changed wait/]);
    t.equal(second.of("b").length, 1);
    t.notOk(existsSync(join(dir, "b")));
  },
);

t.test("any_errors_fatal of a task, and the order of hosts", async (t) => {
  const dir = t.testdir();
  const text = `- name: Own failure
  hosts: all
  order: reverse_sorted
  tasks:
    - name: own
      fail: { msg: its own }
      when: inventory_hostname == 'c'
    - name: first
      copy: { content: "{{ inventory_hostname }}", dest: DIR/first }
      run_once: true
- name: Fatal
  hosts: all
  tasks:
    - name: fatal
      fail: { msg: bad }
      when: inventory_hostname == 'a'
      any_errors_fatal: "{{ kind != 'z' }}"
    - name: write
      copy: { content: x, dest: "DIR/{{ inventory_hostname }}" }
- name: After
  hosts: all
  tasks: [{ name: after, debug: { msg: x } }]
`;
  const run = await fleetRun(dir, playbook(dir, text), "apply", three());
  t.equal(run.exitCode, 1);
  t.equal(readFileSync(join(dir, "first"), "utf8"), "b", "c is the first, and failed on its own");
  t.strictSame(run.of("a").at(-1), "failed fatal: bad");
  t.notOk(existsSync(join(dir, "b")), "b is not changed");
  t.notOk(run.lines.some((line) => line.includes("after")));
});

t.test(
  "force_handlers: a host that failed runs them, unless one of them failed, or a task failed for all",
  async (t) => {
    const dir = t.testdir();
    const play = (more: string) =>
      playbook(
        dir,
        `- name: Forced
  hosts: all
  force_handlers: true
  tasks:
    - name: change
      command: "true"
      notify: [bad, told]
${more}
  handlers:
    - name: bad
      command: test {{ inventory_hostname }} != b
      when: handlers_fail | default(false)
      changed_when: false
    - name: told
      command: "true"
`,
      );
    const fails = (more: string) => `    - name: fails
      command: test {{ inventory_hostname }} != b
      changed_when: false
      ${more}`;
    const told = async (more: string, extraVars = {}) => {
      const run = await fleetRun(dir, play(more), "apply", three(), { options: { extraVars } });
      return three().hosts.map(({ name }) =>
        run
          .of(name)
          .map((line) => line.replace(/:.*/, ""))
          .join(", "),
      );
    };
    const whole = "changed change, ok fails, skipped bad, changed told";
    t.strictSame(await told(fails("")), [whole, "changed change, failed fails, skipped bad, changed told", whole]);
    const flushed = "    - meta: flush_handlers\n    - name: more\n      command: 'true'\n      notify: told";
    const twice = "changed change, ok bad, changed told, changed more, changed told";
    t.strictSame(await told(flushed, { handlers_fail: true }), [twice, "changed change, failed bad", twice]);
    t.strictSame((await told(fails("any_errors_fatal: true")))[1], "changed change, failed fails");
  },
);
