import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import type { ExecOptions, ExecResult } from "../../../src/transport/transport.js";
import { UnreachableError } from "../../../src/util/errors.js";
import { FleetTransport, fleet, fleetRun } from "./fleet-run.js";

/** Its link breaks once a program of an apply has said how its first task ended. */
class BreakingTransport extends FleetTransport {
  override async exec(command: string, options: ExecOptions = {}): Promise<ExecResult> {
    let over = false;
    const onStdout = (chunk: Buffer) => {
      const text = chunk.toString("latin1");
      const end = text.indexOf("\tr\t1\tchanged\t");
      if (over) return;
      over = end >= 0 && text.includes("=ran");
      options.onStdout?.(over ? chunk.subarray(0, text.indexOf("\n", end) + 1) : chunk);
    };
    const result = await super.exec(command, options.onStdout === undefined ? options : { ...options, onStdout });
    if (over) throw new UnreachableError("E_CONNECTION_LOST", "The link is lost.");
    return result;
  }
}

t.test("a program goes on where its link broke, and knows the results from before", async (t) => {
  const dir = t.testdir();
  const file = join(dir, "play.yml");
  writeFileSync(
    file,
    `- name: Play
  hosts: edges
  tasks:
    - name: there
      shell: echo {{ inventory_hostname }} >>${dir}/log; echo yes
      delegate_to: builder
      register: there
    - name: then
      copy: { content: "{{ inventory_hostname }}", dest: "${dir}/{{ inventory_hostname }}.done" }
      delegate_to: builder
      when: there.stdout == 'yes'
`,
  );
  const links: FleetTransport[] = [];
  const inventory = fleet({ a: {}, b: {}, builder: {} }, { edges: ["a", "b"] });
  const run = await fleetRun(dir, file, "apply", inventory, {
    clock: { now: () => new Date(), sleep: async () => {} },
    connect: async (host) => {
      const first = host.name === "builder" && links.length === 0;
      const link = new (first ? BreakingTransport : FleetTransport)(join(dir, host.name));
      if (host.name === "builder") links.push(link);
      return link;
    },
  });
  t.equal(run.exitCode, 0);
  t.strictSame(readFileSync(join(dir, "log"), "utf8").trim().split("\n").sort(), ["a", "b"], "each ran once");
  t.equal(readFileSync(join(dir, "a.done"), "utf8"), "a");
  t.equal(readFileSync(join(dir, "b.done"), "utf8"), "b");
  t.equal(links.length, 2, "one more connection");
  t.ok(run.events.some((event) => event.type === "message" && event.text.startsWith("builder: link lost")));
});

t.test(
  "wait_for_connection: a host that is not there is waited for, before the play or behind a lost link",
  async (t) => {
    const dir = t.testdir();
    const file = join(dir, "play.yml");
    const run = async (first: string, args: string, breaks: boolean, failures: number) => {
      const rest = `    - { name: waits, wait_for_connection: { ${args} } }\n    - { name: behind, command: "true" }\n`;
      writeFileSync(file, `- hosts: all\n  gather_facts: false\n  tasks:\n${first}${rest}`);
      let links = breaks ? -1 : 0;
      return await fleetRun(dir, file, "apply", fleet({ a: {} }), {
        clock: { now: () => new Date(), sleep: async () => {} },
        connect: async (host) => {
          const home = join(dir, host.name);
          if (links++ < 0) return new BreakingTransport(home);
          if (links <= failures) throw new UnreachableError("E_CONNECT", "no answer");
          return new FleetTransport(home);
        },
      });
    };
    const lines = ["ok waits: the host answers", "changed behind: ran"];
    t.strictSame((await run("", "", false, 3)).lines, lines);
    const late = await run("", "timeout: 0", false, 3);
    t.strictSame([late.lines, late.exitCode, late.recap.a?.unreachable], [[], 3, 1]);
    const before = '    - { name: before, command: "true" }\n';
    t.equal((await run(before, "", false, 1)).exitCode, 3, "it is not the first task");
    // Three attempts are those that any lost link gets.
    t.strictSame((await run(before, "", true, 5)).lines, ["changed before: ran", ...lines]);
  },
);
