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
