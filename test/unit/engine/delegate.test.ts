import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { UnreachableError } from "../../../src/util/errors.js";
import { FleetTransport, fleet, fleetRun } from "./fleet-run.js";

function playbook(dir: string, tasks: string, more = "", hosts = "edges"): string {
  const file = join(dir, "play.yml");
  const indented = tasks.trimEnd().replace(/^/gm, "    ");
  writeFileSync(file, `- name: Play\n  hosts: ${hosts}\n  tasks:\n${indented}\n${more}`.replaceAll("DIR", dir));
  return file;
}

/** Two edges, and a host beside them that builds. */
const hosts = (vars: Record<string, Record<string, string>> = {}) =>
  fleet({ a: { worker: "b", ...vars.a }, b: { worker: "b" }, builder: {} }, { edges: ["a", "b"] });

t.test("a delegated task runs there, with the variables and results of its own host", async (t) => {
  const dir = t.testdir({ "t.j2": "{{ inventory_hostname }} {{ worker }}\n", "f.txt": "file\n" });
  const file = playbook(
    dir,
    `- name: where
  shell: echo $FLEET_HOST for {{ inventory_hostname }}
  delegate_to: builder
  register: where
  changed_when: false
  check_mode: false
- name: own
  shell: echo $FLEET_HOST
  register: own
  changed_when: false
  check_mode: false
- name: by template
  shell: echo $FLEET_HOST
  delegate_to: "{{ worker }}"
  register: by
  changed_when: false
  check_mode: false
- name: seen
  debug: { msg: "{{ where.stdout }}, {{ own.stdout }}, {{ by.stdout }}" }
- name: template
  template: { src: t.j2, dest: "DIR/{{ inventory_hostname }}.t" }
  delegate_to: builder
- name: copy
  copy: { src: f.txt, dest: "DIR/{{ inventory_hostname }}.f" }
  delegate_to: builder
- name: fetch
  fetch: { src: "DIR/{{ inventory_hostname }}.t", dest: out }
  delegate_to: builder
- name: nowhere
  shell: exit 1
  delegate_to: "{{ nobody }}"
  when: inventory_hostname == 'c'
`,
  );
  const plan = await fleetRun(dir, file, "plan", hosts());
  t.equal(plan.exitCode, 0);
  t.equal(plan.of("a")[3], "ok seen: builder for a, a, b");
  t.equal(plan.of("b")[3], "ok seen: builder for b, b, b");
  t.notOk(plan.events.some((event) => event.type === "host.connected" && event.host === "builder"));
  const apply = await fleetRun(dir, file, "apply", hosts());
  t.equal(apply.exitCode, 0);
  t.equal(readFileSync(join(dir, "a.t"), "utf8"), "a b\n");
  t.equal(readFileSync(join(dir, "b.f"), "utf8"), "file\n");
  t.equal(readFileSync(join(dir, "out/a", dir, "a.t"), "utf8"), "a b\n");
  t.equal(apply.links.get("builder")?.length, 1, "one connection");
  t.notOk(existsSync(join(dir, "builder.lock")), "no lock is taken there");
  t.match((await fleetRun(dir, file, "apply", hosts())).recap, { a: { changed: 0 }, b: { changed: 0 } });
});

t.test("a delegated task that is skipped costs nothing, and one to itself is none", async (t) => {
  const dir = t.testdir();
  const file = playbook(
    dir,
    `- copy: { content: x, dest: "DIR/{{ inventory_hostname }}.x" }
- command: /bin/false
  delegate_to: builder
  when: inventory_hostname == 'c'
- copy: { content: y, dest: "DIR/{{ inventory_hostname }}.y" }
  delegate_to: "{{ inventory_hostname }}"
- assert: { that: true }
  delegate_to: builder
- copy: { content: z, dest: "DIR/{{ inventory_hostname }}.z" }
`,
  );
  const run = await fleetRun(dir, file, "apply", hosts());
  t.strictSame([run.exitCode, run.execs("a"), run.execs("builder")], [0, 3, 0]);
});

t.test("one task at a time on a delegate, whose own run goes on; who waits is said to", async (t) => {
  const dir = t.testdir();
  const file = playbook(
    dir,
    `- name: alone
  shell: |
    mkdir DIR/busy && sleep 0.4 && rmdir DIR/busy && touch DIR/done.{{ inventory_hostname }}
  args: { creates: "DIR/done.{{ inventory_hostname }}" }
  delegate_to: b
  when: inventory_hostname != 'b'
- name: own
  copy: { content: x, dest: "DIR/{{ inventory_hostname }}.own" }
`,
    "",
    "all",
  );
  const run = await fleetRun(dir, file, "apply", fleet({ a: {}, b: {}, c: {}, d: {} }));
  t.equal(run.exitCode, 0, "two would have met in the directory");
  const said = run.events.flatMap((event) => (event.type === "message" ? [event.text] : []));
  t.ok(said.includes("waits until b has done another host's task"));
  t.equal(run.links.get("b")?.length, 1, "its connection is the one of its own run");
});

t.test("a handler that a delegated task notifies runs on its own host", async (t) => {
  const dir = t.testdir();
  const file = playbook(
    dir,
    `- name: there
  copy: { content: x, dest: "DIR/{{ inventory_hostname }}.x" }
  delegate_to: builder
  notify: told
`,
    `  handlers:\n    - name: told\n      shell: echo $FLEET_HOST >"DIR/{{ inventory_hostname }}.told"\n`,
  );
  t.equal((await fleetRun(dir, file, "apply", hosts())).exitCode, 0);
  t.equal(readFileSync(join(dir, "a.told"), "utf8"), "a\n");
  t.notOk(existsSync(join(dir, "builder.state")), "nothing is journaled there");
});

t.test("another host waits for what a delegate brings", async (t) => {
  const dir = t.testdir();
  mkdirSync(join(dir, "cache"));
  const file = playbook(
    dir,
    `- name: built
  shell: sleep 0.3; echo $FLEET_HOST >DIR/made
  args: { creates: DIR/made }
  delegate_to: builder
  when: inventory_hostname == 'b'
- name: brought
  fetch: { src: DIR/made, dest: DIR/cache/x, flat: true }
  delegate_to: builder
  when: inventory_hostname == 'b'
- name: taken
  copy: { src: DIR/cache/x, dest: "DIR/{{ inventory_hostname }}.taken" }
`,
  );
  const run = await fleetRun(dir, file, "apply", hosts());
  t.equal(run.exitCode, 0);
  t.equal(readFileSync(join(dir, "a.taken"), "utf8"), "builder\n");
});

t.test("an unknown delegate, and one that does not answer", async (t) => {
  const dir = t.testdir();
  const file = playbook(dir, '- name: there\n  command: "true"\n  delegate_to: "{{ worker }}"\n');
  const unknown = await fleetRun(dir, file, "apply", hosts({ a: { worker: "bilder" } }));
  t.match(
    unknown.events.filter((event) => event.type === "message" && event.host === "a"),
    [{ text: /play\.yml:6:.*bilder is no host of the inventory/, hint: 'Did you mean "builder"?' }],
  );
  t.match(unknown.recap, { a: { failed: 1 }, b: { failed: 0 } });
  const gone = await fleetRun(dir, file, "apply", hosts({ a: { worker: "builder" } }), {
    access: (host) => {
      if (host.name === "builder")
        throw new UnreachableError("E_GONE", "it does not answer", { hint: "Switch it on." });
      const address = { name: host.name, connection: "ssh", host: host.name } as const;
      return { address, becomePassword: undefined, become: undefined, becomeUser: undefined };
    },
  });
  t.match(
    gone.events.filter((event) => event.type === "host.unreachable"),
    [{ host: "a", code: "E_GONE", text: "builder, to which a task is delegated: it does not answer" }],
  );
  t.match(gone.recap, { a: { unreachable: 1 }, b: { failed: 0, unreachable: 0 } });
});

t.test("remote_user: who logs in, by plays and tasks, with one connection for each", async (t) => {
  const dir = t.testdir();
  const file = playbook(
    dir,
    `- name: play
  copy: { content: "{{ ansible_user }}", dest: "DIR/{{ inventory_hostname }}.play" }
- name: task
  copy: { content: "{{ ansible_user }}", dest: "DIR/{{ inventory_hostname }}.task" }
  remote_user: two
  notify: told
- name: the same
  debug: { msg: "{{ ansible_user }}" }
  remote_user: "{{ first }}"
- name: elsewhere
  copy: { content: "{{ inventory_hostname }}", dest: DIR/elsewhere }
  delegate_to: builder
  when: inventory_hostname == 'a'
`,
    `  handlers:
    - name: told
      debug: { msg: "handler of {{ ansible_user }}" }
- name: Second
  hosts: edges
  user: two
  tasks:
    - name: second
      debug: { msg: "{{ ansible_user }}" }
- name: By a variable
  hosts: edges
  vars: { ansible_user: "{{ first }}" }
  tasks:
    - name: third
      debug: { msg: "{{ ansible_user }}" }
`,
  );
  writeFileSync(file, readFileSync(file, "utf8").replace("  tasks:", '  remote_user: "{{ first }}"\n  tasks:'));
  const own = fleet(
    { a: { first: "one" }, b: { first: "x", ansible_user: "own" }, builder: {} },
    { edges: ["a", "b"] },
  );
  const logins: string[] = [];
  const run = await fleetRun(dir, file, "apply", own, {
    connect: async ({ name }, _signal, { address }) => {
      logins.push(`${name} ${address.user ?? "-"}`);
      return new FleetTransport(join(dir, name));
    },
  });
  t.equal(run.exitCode, 0, run.lines.join("\n"));
  t.same(logins.sort(), ["a one", "a two", "b own", "b x", "builder one"], "the third play's own variable is stronger");
  t.equal(readFileSync(join(dir, "a.play"), "utf8") + readFileSync(join(dir, "a.task"), "utf8"), "onetwo");
  t.equal(readFileSync(join(dir, "b.play"), "utf8") + readFileSync(join(dir, "b.task"), "utf8"), "ownown");
  t.match(
    run.of("a").filter((line) => line.startsWith("ok")),
    ["ok the same: one", "ok told: handler of one", "ok second: two", "ok third: one"],
  );
  t.match(run.of("b").slice(-2), ["ok second: own", "ok third: x"]);
});

t.test("where keywords change nothing, remote_user costs no turn", async (t) => {
  const dir = t.testdir();
  const tasks = '- name: one\n  command: "true"\n  changed_when: false\n';
  const plain = await fleetRun(dir, playbook(dir, tasks), "apply", hosts());
  const same = `${tasks}  remote_user: me\n- name: two\n  command: "true"\n  changed_when: false\n`;
  const file = playbook(dir, same, "  remote_user: me\n");
  const run = await fleetRun(dir, file, "apply", hosts());
  t.equal(run.execs("a"), plain.execs("a"));
  const fixed = await fleetRun(dir, playbook(dir, same), "apply", hosts({ a: { ansible_user: "own" } }));
  t.equal(fixed.execs("a"), plain.execs("a"));
});
