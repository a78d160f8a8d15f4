import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { askVars } from "../../../src/cli/ask-vars.js";
import { dispatch } from "../../../src/cli/dispatch.js";
import { readPlaybook } from "../../../src/cli/playbook-run.js";
import { Scope } from "../../../src/playbook/scope.js";
import { noPrompter } from "../../../src/ui/prompts/prompter.js";
import { Secret } from "../../../src/util/secret.js";
import { runCommand } from "./run-command.js";

// On this very machine, under two names.

const INVENTORY = `web:
  vars: { ansible_connection: local, greeting: hello }
  hosts: { a: {}, b: { greeting: hej } }
others:
  hosts: { c: { ansible_connection: local, secret: !vault "nobody asks for this" } }
`;

const PLAYBOOK = (dir: string) => `- hosts: web
  tasks:
    - name: write
      copy: { content: "{{ greeting }} {{ name | default('you') }}\\n", dest: "${dir}/{{ inventory_hostname }}" }
      tags: files
    - debug:
        msg: said by {{ inventory_hostname }}
`;

function scene(t: Test, playbook?: string): { dir: string; words: string[] } {
  const dir = t.testdir({ "hosts.yml": INVENTORY });
  process.env.EDGE_SETUP_LOCK = join(dir, "lock");
  writeFileSync(join(dir, "site.yml"), playbook ?? PLAYBOOK(dir));
  return { dir, words: [join(dir, "site.yml"), "-i", join(dir, "hosts.yml"), "--no-input"] };
}

t.test("any playbook on any inventory: a plan, a run, and nothing the second time", async (t) => {
  const { dir, words } = scene(t);
  const plan = await runCommand(t, "play", [...words, "--check"]);
  t.match(plan, { code: 0, out: /^a: ok=2 changed=1 failed=0/m });
  t.throws(() => readFileSync(join(dir, "a")));
  const first = await runCommand(t, "play", [...words, "-e", "name=all"]);
  t.equal(first.code, 0, first.out + first.err);
  t.match(first.out, /^a +ok +debug +said by a$/m);
  t.match(first.out, /^b: ok=2 changed=1 failed=0/m, "the same machine under another name of the same run");
  t.equal(readFileSync(join(dir, "a"), "utf8") + readFileSync(join(dir, "b"), "utf8"), "hello all\nhej all\n");
  t.match((await runCommand(t, "play", [...words, "-e", "name=all"])).out, /^a: ok=2 changed=0 failed=0/m);
});

t.test("several inventories, INI among them, and variables beside the playbook", async (t) => {
  const { dir, words } = scene(t);
  writeFileSync(join(dir, "more.ini"), "[web]\nd greeting=hi\n");
  mkdirSync(join(dir, "group_vars"));
  writeFileSync(join(dir, "group_vars/all.yml"), "name: everyone\n");
  const run = await runCommand(t, "play", [...words, "-i", join(dir, "more.ini"), "-l", "a,d"]);
  t.equal(run.code, 0, run.out + run.err);
  t.equal(readFileSync(join(dir, "a"), "utf8") + readFileSync(join(dir, "d"), "utf8"), "hello everyone\nhi everyone\n");
  const missing = await runCommand(t, "play", [...words, "-i", join(dir, "none.yml")]);
  t.match(missing, { code: 2, err: /none\.yml does not exist/ });
  await t.rejects(dispatch("plan", ["-i", "a", "-i", "b"]), { message: /--inventory is given twice/ });
});

t.test("--limit, --tags, and what no task or host is called", async (t) => {
  const { dir, words } = scene(t);
  const limited = await runCommand(t, "play", [...words, "-l", "b", "-t", "files"]);
  t.match(limited, { code: 0, out: /^b: ok=1 changed=1 failed=0 skipped=0/m });
  t.throws(() => readFileSync(join(dir, "a")));
  t.match(await runCommand(t, "play", [...words, "-t", "file"]), { code: 2, err: /no task has the tag "file"/ });
  t.match(await runCommand(t, "play", [...words, "-l", "nobody"]), { code: 2, err: /--limit nobody/ });
});

t.test("--syntax-check asks no host, and says all that is wrong with its place", async (t) => {
  const { dir, words } = scene(t);
  const [file = ""] = words;
  t.match(await runCommand(t, "play", [file, "--syntax-check"]), { code: 0, out: /site\.yml: 1 play, all right/ });
  writeFileSync(join(dir, "site.yml"), "- hosts: web\n  tasks:\n    - copi: { dest: /x }\n    - debug: { mgs: x }\n");
  const wrong = await runCommand(t, "play", [file, "--syntax-check"]);
  t.equal(wrong.code, 2);
  t.match(wrong.err, /site\.yml:3:7/);
  t.match(wrong.err, /site\.yml:4:16/);
});

t.test("a playbook for localhost alone needs no inventory; a failed task is exit 1", async (t) => {
  const dir = t.testdir({ "l.yml": "- hosts: localhost\n  tasks:\n    - command: 'false'\n" });
  t.match(await runCommand(t, "play", [join(dir, "l.yml"), "--no-input"]), { code: 1, out: /failed=1/ });
  t.match(await runCommand(t, "play", []), { code: 2, err: /needs the playbook's file/ });
  t.match(await runCommand(t, "play", [join(dir, "x.yml")]), { code: 2, err: /does not exist/ });
});

const PROMPTS = (dir: string) => `- hosts: "{{ target }}"
  gather_facts: false
  vars_prompt:
    - { name: target, private: no, prompt: "Which host?" }
    - { name: word, confirm: yes }
    - { name: kept, default: braces, unsafe: yes }
    - { name: hash, default: secret99, encrypt: sha256_crypt }
  tasks:
    - copy: { content: "{{ word }} {{ kept }} {{ hash }}", dest: "${dir}/{{ inventory_hostname }}" }
    - debug: { msg: "{{ word }}" }
`;

t.test("vars_prompt: nobody to ask", async (t) => {
  const dir = t.testdir();
  const { words } = scene(t, PROMPTS(dir));
  const none = await runCommand(t, "play", words);
  t.equal(none.code, 2);
  t.match(none.err, /site\.yml:4:15: vars_prompt asks for target, and there is no terminal to ask on/);
  t.match(none.err, /site\.yml:5:15: .*\n +Give it with --extra-vars word=VALUE, or add a default/);
  const given = await runCommand(t, "play", [...words, "-e", "target=a word=given"]);
  t.equal(given.code, 0, given.out + given.err);
  t.match(readFileSync(join(dir, "a"), "utf8"), /^given braces \$5\$[./\w]{16}\$[./\w]{43}$/);
});

t.test("vars_prompt: questions and answers", async (t) => {
  const dir = t.testdir();
  const { words } = scene(t, PROMPTS(dir));
  const asked = readPlaybook(words[0] ?? "", {}, {});
  const questions: string[] = [];
  const answers = ["first", "hidden0", "hidden2", "hidden1", "hidden1", "{{ 1 }}", ""];
  const warnings: string[] = [];
  const next = (question: string) => {
    questions.push(question);
    return answers.shift() ?? "";
  };
  const { playbook, secrets } = await askVars(asked, {
    extraVars: {},
    asker: { ...noPrompter, askText: async (text) => next(text), askSecret: async (text) => new Secret(next(text)) },
    warn: (text) => void warnings.push(text),
  });
  const [play] = playbook.plays;
  t.equal(play?.hosts, "first");
  t.strictSame(questions, ["Which host?", "word", "confirm word", "word", "confirm word", "kept", "hash"]);
  t.strictSame(warnings, ["The two answers are not the same."]);
  t.strictSame(
    secrets.filter((one) => one !== ""),
    ["hidden1", "{{ 1 }}"],
  );
  t.match(new Scope().withVars(play?.vars ?? {}).lookup("kept"), { value: "{{ 1 }}", templated: false });
  const extraVars = { target: "a", word: "w" };
  const given = readPlaybook(words[0] ?? "", {}, extraVars);
  const extra = await askVars(given, { extraVars, asker: undefined, warn: () => {} });
  t.strictSame(Object.keys(extra.playbook.plays[0]?.vars ?? {}), ["kept", "hash"]);
});
