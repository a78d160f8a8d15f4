import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { resultUses } from "../../../src/engine/result-uses.js";
import { moduleCatalog } from "../../../src/modules/registry.js";
import { loadPlaybook } from "../../../src/playbook/load-playbook.js";
import { LocalTransport } from "../../../src/transport/local-transport.js";
import { localRun } from "./local-run.js";

const made = { name: "Made", command: "true", register: "made" };
/** What a play with the task above and others asks of its result. */
function asked(tasks: readonly unknown[], more: { play?: object; others?: readonly unknown[]; plays?: object[] } = {}) {
  const plays = [{ name: "One", hosts: "all", tasks: [made, ...tasks], ...more.play }, ...(more.plays ?? [])];
  const files: Record<string, string> = { "site.yml": JSON.stringify(plays), "more.yml": "[]", "vars.yml": "{}" };
  const readFile = (path: string) => files[path];
  const uses = resultUses(loadPlaybook("site.yml", { catalog: moduleCatalog, readFile }), more.others ?? []).of("made");
  return uses === "all" ? uses : [...uses].sort();
}
const when = (condition: string) => ({ debug: { msg: "x" }, when: condition });

t.test("fields that texts ask for, and no others", async (t) => {
  const some: [text: string, fields: readonly string[]][] = [
    ["made is changed", []],
    ["made is not failed and made.changed", []],
    ["made is skipped or made is defined", []],
    ["made.rc == 0", ["rc"]],
    ["made['stdout'] == 'x' and made.stderr_lines | length > 1", ["stderr", "stdout"]],
    ["hostvars['a'].made.stdout == ''", ["stdout"]],
    ["hostvars[inventory_hostname]['made'].rc == 0", "all" as unknown as string[]],
  ];
  for (const [text, fields] of some) t.strictSame(asked([when(text)]), fields, text);
  t.strictSame(asked([{ debug: { msg: "{{ made.stdout }} and {{ made.rc }}" } }]), ["rc", "stdout"]);
  t.strictSame(asked([], { play: { vars: { later: "{{ made.stdout }}" } } }), ["stdout"]);
  t.strictSame(asked([], { others: [{ vars: { text: "{{ made.msg }}" } }] }), ["msg"], "variables of the inventory");
  t.strictSame(asked([{ include_tasks: "more.yml" }]), [], "files that are known are read");
});

t.test("all, where it is used as a whole or in a way that no text shows", async (t) => {
  const whole = [
    { debug: { var: "made" } },
    { debug: { msg: "{{ made | to_json }}" } },
    { debug: { msg: "{{ made.items() }}" } },
    { debug: { msg: "{{ vars[name] }}" } },
    { debug: { msg: "{{ lookup('vars', name) }}" } },
    { debug: { msg: "{{ lookup('vars', 'made') }}" } },
    { debug: { msg: "{{ hostvars | length }}" } },
    { debug: { msg: "{{ hostvars[name][field] }}" } },
    { debug: { msg: "{{ ansible_failed_result.rc }}" } },
    { command: "true", loop: "{{ made.results }}" },
    { include_tasks: "{{ name }}.yml" },
    { include_vars: "vars.yml" },
  ];
  for (const task of whole) t.equal(asked([task]), "all", JSON.stringify(task));
});

t.test("a play's results are whole for files that a later play reads", async (t) => {
  const later = (task: object) => ({ plays: [{ name: "Two", hosts: "all", tasks: [task] }] });
  t.equal(asked([], later({ debug: { msg: "{{ lookup('template', 'x.j2') }}" } })), "all");
  t.strictSame(asked([], later({ debug: { msg: "x" } })), []);
});

/** Counts fields that come back. */
class Counting extends LocalTransport {
  fields: string[] = [];

  override exec: LocalTransport["exec"] = (command, options = {}) =>
    super.exec(command, {
      ...options,
      onStdout: (chunk) => {
        this.fields.push(...[...chunk.toString("latin1").matchAll(/\tv\t\d+\t(\w+)/g)].map(([, field = ""]) => field));
        options.onStdout?.(chunk);
      },
    });
}

t.test("a look brings what is asked for, by files too; an apply brings it all", async (t) => {
  const folder = t.testdir({
    templates: { "text.j2": "{{ told.stdout }}\n", "looked.j2": "{{ told.stdout }} {{ told.stderr }}\n" },
    "site.yml": "",
  });
  const file = join(folder, "site.yml");
  const run = async (command: "plan" | "apply", text: object) => {
    const tasks = [
      { name: "Tell", command: "echo word", register: "told", changed_when: false, check_mode: false },
      { name: "Copy", copy: { content: "x", dest: join(folder, "x") }, register: "copied" },
      { name: "Say", debug: { msg: "{{ told.rc }}" }, when: "copied is changed" },
      { name: "Text", ...text },
    ];
    writeFileSync(file, JSON.stringify([{ name: "One", hosts: "all", gather_facts: false, tasks }]));
    const transport = new Counting();
    const connect = async () => transport;
    const { lines } = await localRun(file, command, { connect, connectLocal: connect });
    return { last: lines.at(-1) ?? "", fields: transport.fields };
  };
  const dest = join(folder, "text");
  for (const src of ["text.j2", "{{ 'text' }}.j2"]) {
    const planned = await run("plan", { template: { src, dest } });
    t.match(planned.last, /^changed Text: missing/, src);
    t.strictSame(planned.fields, src === "text.j2" ? ["rc", "stdout"] : ["rc", "stdout", "stderr"]);
  }
  const applied = await run("apply", { template: { src: "text.j2", dest } });
  t.match(applied.last, /^changed Text/);
  t.equal(readFileSync(dest, "utf8"), "word\n");
  t.ok(applied.fields.includes("delta") && applied.fields.includes("mode"));
  const looksUp = { copy: { content: "{{ lookup('template', 'looked' ~ '.j2') }}", dest } };
  const left = await run("plan", looksUp);
  t.match(left.last, /^pending Text: needs results that are not there before apply \(a file asks for told\)/);
  t.match((await run("apply", looksUp)).last, /^changed Text: content differs/);
  t.equal(readFileSync(dest, "utf8"), "word \n");
});
