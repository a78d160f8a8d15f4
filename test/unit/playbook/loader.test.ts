import t from "tap";
import { loadPlaybook } from "../../../src/playbook/load-playbook.js";
import { renderValue } from "../../../src/playbook/render.js";
import { Scope } from "../../../src/playbook/scope.js";
import type { ModuleArgs, ModuleCatalog, Playbook, TaskNode } from "../../../src/playbook/types.js";
import { formatPosition, InputError, InputErrors } from "../../../src/util/errors.js";

const modules: ModuleArgs[] = [
  {
    name: "copy",
    args: {
      content: { type: "str" },
      dest: { type: "path", required: true },
      src: { type: "path" },
      mode: { type: "mode" },
      force: { type: "bool" },
    },
  },
  {
    name: "file",
    args: {
      path: { type: "path", required: true, aliases: ["dest", "name"] },
      state: { type: "str", choices: ["file", "directory", "absent"] },
      mode: { type: "mode" },
    },
  },
  {
    name: "command",
    freeForm: true,
    args: { cmd: { type: "str" }, argv: { type: "list" }, chdir: { type: "path" }, creates: { type: "path" } },
  },
  { name: "shell", freeForm: true, args: { cmd: { type: "str" }, chdir: { type: "path" } } },
  { name: "debug", args: { msg: { type: "raw" }, var: { type: "str" } } },
  { name: "meta", freeForm: true, args: {} },
  { name: "stat", args: { path: { type: "path", required: true } } },
  { name: "set_fact", args: { x: { type: "raw" } } },
  { name: "sysctl", args: { name: { type: "str", required: true }, value: { type: "str" } } },
];
const catalog: ModuleCatalog = new Map(modules.map((module) => [module.name, module]));

function load(files: Record<string, string> | string): Playbook {
  const all = typeof files === "string" ? { "dir/play.yml": files } : files;
  return loadPlaybook("dir/play.yml", { catalog, readFile: (path) => all[path] });
}

function problems(files: Record<string, string> | string): string[] {
  try {
    load(files);
    return [];
  } catch (error) {
    if (!(error instanceof InputErrors)) throw error;
    return error.errors.map(
      (each) =>
        `${each.position === undefined ? "?" : formatPosition(each.position).replace(/^dir\//, "")} ${each.message}${each.hint === undefined ? "" : ` | ${each.hint}`}`,
    );
  }
}

const play = (tasks: string): string => `- hosts: all\n  tasks:\n${tasks.replace(/^/gm, "    ")}\n`;

const good = {
  "dir/play.yml": `---
- name: Edge
  hosts: edges
  become: yes
  gather_facts: on
  vars_files: [vars.yml, "{{ 'lock' }}.json"]
  vars: { a: "{{ b }}" }
  pre_tasks:
    - debug: { msg: hi }
  tasks:
    - import_tasks: sub/more.yml
      when: outer
      tags: [t1]
      vars: { v: 1 }
    - name: guarded
      when: inblock
      become: false
      block:
        - command: echo {{ a }}
          args: { chdir: /tmp }
          register: out
          changed_when: false
          failed_when: [out.rc != 0, "'x' in out.stdout"]
          when: [one, two]
          loop: [1, 2]
          loop_control: { loop_var: n, label: "{{ n }}" }
          notify: reload
      rescue:
        - ansible.builtin.debug: { msg: rescued }
      always:
        - debug:
            msg: done
    - ansible.posix.sysctl: { name: x, value: 1 }
    - ansible.builtin.file:
        dest: /x
        state: directory
        mode: 0755
  handlers:
    - name: do reload
      listen: reload
      command:
        cmd: nginx -s reload
`,
  "dir/vars.yml": "b: 1\nlist: [yes, 0644, 1_000, 'no', ~, 1e3]\ntext: |\n  a {{ b }}\n",
  "dir/lock.json": '{"nginx": {"version": "1.30.4", "size": 12}}',
  "dir/sub/more.yml":
    "- name: first\n  copy: { content: x, dest: /y, mode: '0644' }\n  tags: t2, t3\n  when: inner\n- import_tasks: deep.yml\n",
  "dir/sub/deep.yml": "- stat: { path: /z }\n  vars: { v: 2, w: 3 }\n",
};

t.test("a playbook with imports, blocks and handlers", async (t) => {
  const [edge] = load(good).plays;
  t.ok(edge);
  if (edge === undefined) return;
  t.match(edge, { name: "Edge", hosts: "edges", become: true, gatherFacts: true, directory: "dir" });
  t.strictSame(
    edge.fileVars.map((vars) => Object.fromEntries(Object.entries(vars).map(([k, v]) => [k, v.value]))),
    [
      { b: 1, list: [true, 420, 1000, "no", null, "1e3"], text: "a {{ b }}\n" },
      { nginx: { version: "1.30.4", size: 12 } },
    ],
  );
  const [first, deep, block, sysctl, file] = edge.tasks as [
    TaskNode,
    TaskNode,
    { block: TaskNode[]; rescue: TaskNode[]; always: TaskNode[] },
    TaskNode,
    TaskNode,
  ];
  t.match(first, {
    name: "first",
    module: "copy",
    directory: "dir/sub",
    tags: ["t1", "t2", "t3"],
    loopVar: "item",
    register: undefined,
  });
  t.strictSame(
    first.when.map(({ source }) => source),
    ["outer", "inner"],
  );
  t.strictSame(
    [deep.name, deep.vars.v?.value, deep.vars.w?.value, deep.position],
    ["stat", 2, 3, { file: "dir/sub/deep.yml", line: 1, column: 3 }],
  );
  const [command] = block.block;
  t.match(command, {
    module: "command",
    freeForm: { value: "echo {{ a }}" },
    register: "out",
    become: false,
    loopVar: "n",
    notify: ["reload"],
  });
  t.strictSame([command?.when.length, command?.changedWhen?.length, command?.failedWhen?.length], [3, 1, 2]);
  t.strictSame([block.rescue[0]?.module, block.always[0]?.module, sysctl.module], ["debug", "debug", "sysctl"]);
  t.strictSame([file.args.path?.value, file.args.mode?.value], ["/x", 0o755]);
  t.match(edge.handlers, [{ name: "do reload", listen: ["reload"], module: "command" }]);
});

// [what, source, problems as "file:line:column message | hint"]
const cases: [string, string | Record<string, string>, string[]][] = [
  ["module", play("- coppy: { dest: /x }"), ['play.yml:3:7 unknown module "coppy" | Did you mean "copy"?']],
  [
    "argument",
    play("- copy: { dest: /x, contnt: y }"),
    ['play.yml:3:25 unknown argument of copy "contnt" | Did you mean "content"?'],
  ],
  [
    "keyword",
    play("- copy: { dest: /x }\n  wehn: x"),
    ['play.yml:4:7 unknown keyword of a task "wehn" | Did you mean "when"?'],
  ],
  [
    "no handlers",
    "- hosts: all\n  handlers:\n    - include_tasks: { file: x.yml }\n      become: true\n    - import_role: { name: x }\n    - block: [{ debug: }]\n",
    [
      'play.yml:4:7 keyword of include_tasks "become" is not supported | Put it under apply.',
      "play.yml:3:30 the file dir/x.yml does not exist",
      "play.yml:5:7 import_role is no handler | Use import_tasks or include_tasks.",
      "play.yml:6:7 a handler is a single task | Write each task of the block as a handler, and join them with listen.",
    ],
  ],
  [
    "refused keyword",
    play("- copy: { dest: /x }\n  with_lines: [1]\n- copy: { dest: /x }\n  with_fileblob: x\n  loop: [1]"),
    [
      "play.yml:4:7 with_lines is not supported | Use loop: \"{{ lookup('file', 'NAME').splitlines() }}\".",
      "play.yml:6:7 the task has two loops, loop and with_fileblob",
    ],
  ],
  [
    "refused module",
    play("- include: x.yml"),
    ['play.yml:3:7 module "include" is not supported | Use import_tasks or include_tasks.'],
  ],
  [
    "what include_tasks is given",
    {
      "dir/play.yml": play(
        "- include_tasks: x.yml\n- include_tasks: a.yml\n  become: true\n- include_tasks: { file: a.yml, apply: { loop: [1] } }\n" +
          '- include_tasks:\n- include_tasks: "{{ nosuch }}.yml"\n- include_tasks: self.yml',
      ),
      "dir/a.yml": "- debug: { nosuch: 1 }\n",
      "dir/self.yml": "- include_tasks: self.yml\n  when: false\n",
    },
    [
      "play.yml:3:22 the file dir/x.yml does not exist",
      'play.yml:5:7 keyword of include_tasks "become" is not supported | Put it under apply.',
      'a.yml:1:12 unknown argument of debug "nosuch"',
      'play.yml:6:46 key of apply "loop" is not supported | Loops are for single tasks.',
      "play.yml:7:7 include_tasks needs the name of a file",
    ],
  ],
  [
    "community",
    play("- community.general.ufw: { rule: allow }\n- community.general.nosuch: { a: b }"),
    [
      'play.yml:3:7 module "community.general.ufw" is not supported | Use template for the rules and systemd_service for what loads them, or command with its own client and changed_when.',
      'play.yml:4:7 unknown module "community.general.nosuch"',
    ],
  ],
  [
    "posix is not builtin",
    play("- ansible.posix.copy: { dest: /x }"),
    ['play.yml:3:7 unknown module "ansible.posix.copy"'],
  ],
  ["required", play("- copy: { content: x }"), ['play.yml:3:7 copy needs the argument "dest"']],
  ["alias and name", play("- file: { path: /x, dest: /y }"), ['play.yml:3:25 the argument "path" is given twice']],
  [
    "choice",
    play("- file: { path: /x, state: directry }"),
    ['play.yml:3:32 "directry" is none of the choices of "state" | Did you mean "directory"?'],
  ],
  ["mode", play("- file: { path: /x, mode: 644 }"), ['play.yml:3:31 "mode" is a number: write "0644" in quotes']],
  ["bool", play("- copy: { dest: /x, force: maybe }"), ['play.yml:3:32 "force" must be true or false']],
  [
    "play keyword",
    "- hosts: all\n  strategy: debug\n  taks: []\n",
    [
      'play.yml:3:3 unknown keyword of a play "taks" | Did you mean "tasks"?',
      'play.yml:2:13 the strategy "debug" is not supported | Use --check and --diff.',
    ],
  ],
  [
    "what hosts that go their own way do not share",
    "- hosts: all\n  strategy: free\n  any_errors_fatal: true\n  max_fail_percentage: 10\n  tasks:\n    - debug: {}\n      run_once: '{{ x }}'\n" +
      "    - block:\n        - debug: {}\n          any_errors_fatal: true\n    - meta: end_play\n    - meta: end_host\n",
    [
      "play.yml:3:3 any_errors_fatal means nothing with strategy: free | Use strategy: linear.",
      "play.yml:4:3 max_fail_percentage is not supported with strategy: free | Use strategy: linear.",
      "play.yml:6:7 run_once means nothing with strategy: free | Every host would do it. Use strategy: linear.",
      "play.yml:9:11 any_errors_fatal means nothing with strategy: free | Use strategy: linear.",
      "play.yml:11:7 where hosts are that this ends is chance with strategy: free | Use end_host, or strategy: linear.",
    ],
  ],
  [
    "force_handlers",
    "- hosts: all\n  force_handlers: true\n  max_fail_percentage: 10\n  tasks:\n    - block:\n        - meta: flush_handlers\n    - block:\n        - block:\n            - meta: flush_handlers\n      always: [{ debug: }]\n",
    [
      "play.yml:3:3 max_fail_percentage is not supported with force_handlers | Use any_errors_fatal.",
      "play.yml:9:15 flush_handlers in a block with rescue or always is not supported with force_handlers | Put it behind the block.",
    ],
  ],
  [
    "two users",
    "- hosts: all\n  user: a\n  remote_user: b\n",
    ["play.yml:2:3 the play has both user and remote_user | Keep remote_user."],
  ],
  [
    "variables of connections",
    play("- debug: {}\n  vars: { ansible_user: x }\n- block: []\n  vars: { ansible_port: 1 }"),
    [
      "play.yml:4:29 ansible_user cannot be changed by a task within a play | Use the keyword remote_user.",
      "play.yml:6:29 ansible_port cannot be changed by a task within a play | Set it in the inventory, or in the vars of a play.",
    ],
  ],
  [
    "prompts",
    "- hosts: all\n  vars_prompt:\n    - { prompt: x }\n    - { name: a, defualt: 1, encrypt: md5_crypt, prompt: '{{ b }}' }\n",
    [
      "play.yml:3:7 an entry of vars_prompt needs the name of a variable | Add `name: NAME`.",
      'play.yml:4:18 unknown key of vars_prompt "defualt" | Did you mean "default"?',
      "play.yml:4:62 'b' is undefined",
      'play.yml:4:39 encrypt knows sha512_crypt and sha256_crypt, not "md5_crypt"',
    ],
  ],
  [
    "words of plays and tasks",
    "- hosts: all\n  strategy: linear\n  order: shuffle\n  become_method: su\n  fact_path: /x\n  any_errors_fatal: true\n  tasks:\n    - debug: {}\n      connection: docker\n      become_method: sudo\n      any_errors_fatal: false\n",
    [
      'play.yml:3:10 the order "shuffle" is not supported | What is random is not the same the next time.',
      'play.yml:4:18 the become_method "su" is not supported | sudo is the one way to become another user.',
      "play.yml:5:14 fact_path is /etc/ansible/facts.d | ansible_local is what stands there.",
      'play.yml:9:19 the connection "docker" is not supported | It is ssh or local.',
      "play.yml:8:7 the play has any_errors_fatal, and the task does not | Set it on the tasks alone.",
    ],
  ],
  ["no hosts", "- tasks: []\n", ["play.yml:1:3 the play names no hosts | Add `hosts: all`."]],
  ["duplicate key", play("- copy: { dest: /x }\n  name: a\n  name: b"), ["play.yml:5:7 the key is given twice"]],
  [
    "yaml",
    "- hosts: [all\n",
    ["play.yml:2:1 Flow sequence in block collection must be sufficiently indented and end with a ]"],
  ],
  [
    "several",
    play("- coppy: {}\n- fiel: {}"),
    [
      'play.yml:3:7 unknown module "coppy" | Did you mean "copy"?',
      'play.yml:4:7 unknown module "fiel" | Did you mean "file"?',
    ],
  ],
  [
    "template",
    play('- debug: { msg: "a {{ x | lowr }}" }'),
    ['play.yml:3:31 unknown filter "lowr" | Did you mean "lower"?'],
  ],
  [
    "template in a block scalar",
    play("- debug:\n    msg: |\n      one\n      two {{ x | nope }}"),
    ['play.yml:6:22 unknown filter "nope"'],
  ],
  [
    "template in a folded scalar",
    play("- debug:\n    msg: >-\n      one\n      two {{ x is stringg }}"),
    ['play.yml:6:23 unknown test "stringg" | Did you mean "string"?'],
  ],
  [
    "template after escapes",
    play('- debug: { msg: "\\t\\"q\\" {{ 1 + }}" }'),
    ["play.yml:3:37 unexpected the end of the expression"],
  ],
  [
    "when with braces",
    play('- debug: {}\n  when: "{{ x }}"'),
    [
      'play.yml:4:14 a condition is a bare expression, without {{ }} and {% %} | Leave out the braces: `when: x`, not `when: "{{ x }}"`.',
    ],
  ],
  ["when", play("- debug: {}\n  when: a = b"), ['play.yml:4:15 unexpected "=" | Compare with `==`.']],
  [
    "when list",
    play("- debug: {}\n  when:\n    - a\n    - b is definde"),
    ['play.yml:6:16 unknown test "definde" | Did you mean "defined"?'],
  ],
  [
    "notify",
    play("- debug: {}\n  notify: reload"),
    ['play.yml:3:7 the task notifies "reload", which no handler is called'],
  ],
  [
    "words",
    play(
      "- file: path=/x 'oh no' state=nosuch\n- file: path='/x\n- file: pth=/x\n- action: file pth=/x\n- action: [x]\n- local_action: { nosuch: 1 }\n" +
        '- file: path=/x mode="{{ nosuch( }}"',
    ),
    [
      "play.yml:3:21 the arguments of file must be a mapping, or words of key=value | Write `name: value` on lines of their own.",
      'play.yml:3:35 "nosuch" is none of the choices of "state" | One of file, directory, absent.',
      "play.yml:4:13 a quote or a {{ }} in the arguments does not end",
      'play.yml:5:13 unknown argument of file "pth" | Did you mean "path"?',
      'play.yml:5:7 file needs the argument "path"',
      'play.yml:6:20 unknown argument of file "pth" | Did you mean "path"?',
      'play.yml:6:15 file needs the argument "path"',
      "play.yml:7:7 action names no module | Write the module's name first.",
      "play.yml:8:7 local_action names no module | Add `module: NAME`.",
      'play.yml:9:38 unexpected "}", expected ")"',
    ],
  ],
  [
    "vars_files",
    "- hosts: all\n  vars_files: [nope.yml, '{{ x }}.yml', [a.yml, b.yml], [{}]]\n",
    [
      "play.yml:2:16 the file dir/nope.yml does not exist",
      "play.yml:2:41 none of the files dir/a.yml, dir/b.yml exists",
      "play.yml:2:58 an entry of vars_files must be a path, or a list of paths",
    ],
  ],
  [
    "roles",
    {
      "dir/play.yml": `- hosts: all
  roles:
    - nobody
    - { role: a.b.c }
    - { role: "{{ which }}" }
    - { vars: {} }
    - { role: r, throttle: 1 }
    - loop
  tasks:
    - import_role: { name: r, tasks_from: other, file: x }
    - include_role: { name: with }
      become: true
    - import_role: {}
`,
      "dir/roles/r/tasks/main.yml": "- debgu: {}\n",
      "dir/roles/r/meta/argument_specs.yml": "argument_specs: { main: [] }\n",
      "dir/roles/loop/meta/main.yml": "dependencies: [loop]\n",
      "dir/roles/with/meta/main.yml": "dependencies: [empty]\n",
      "dir/roles/empty/tasks/main.yml": "",
    },
    [
      "play.yml:5:19 'which' is undefined",
      "play.yml:6:7 the role has no name | Write `- role: NAME`.",
      'play.yml:7:18 keyword of a role "throttle" is not supported | All hosts run the play at their own pace; serial limits how many.',
      'play.yml:3:7 there is no role "nobody" | Roles are looked for in dir/roles.',
      'play.yml:4:15 there is no role "a.b.c" | Roles of collections are not read: copy it to roles/ beside the playbook.',
      "roles/r/meta/argument_specs.yml:1:25 the argument_specs of main must be a mapping",
      "roles/loop/meta/main.yml:1:16 the role depends on itself: dir/roles/loop -> dir/roles/loop",
      'roles/r/tasks/main.yml:1:3 unknown module "debgu" | Did you mean "debug"?',
      'play.yml:10:50 unknown argument of import_role "file"',
      "play.yml:10:28 the role has no file dir/roles/r/tasks/other",
      'play.yml:12:7 keyword of include_role "become" is not supported | Put it under apply.',
      "play.yml:11:7 include_role of a role with dependencies is not supported | Use import_role.",
      "play.yml:13:7 import_role needs the name of a role",
    ],
  ],
  ["import", play("- import_tasks: nope.yml"), ["play.yml:3:21 the file dir/nope.yml does not exist"]],
  [
    "import in a circle",
    { "dir/play.yml": play("- import_tasks: a.yml"), "dir/a.yml": "- import_tasks: a.yml\n" },
    ["a.yml:1:17 the file imports itself: dir/play.yml -> dir/a.yml -> dir/a.yml"],
  ],
  [
    "problem in an imported file",
    { "dir/play.yml": play("- import_tasks: a.yml"), "dir/a.yml": "- debgu: {}\n" },
    ['a.yml:1:3 unknown module "debgu" | Did you mean "debug"?'],
  ],
  [
    "timeout",
    play(
      "- block:\n    - command: x\n      until: y\n    - command: x\n      timeout: 0\n      async: 1\n  timeout: 1\n- command: x\n  timeout: 1\n  async: 1",
    ),
    [
      "play.yml:4:11 timeout does not go with until | Set timeout: 0 on the task.",
      "play.yml:11:7 timeout does not go with async | Set timeout: 0 on the task.",
    ],
  ],
  ["two modules", play("- debug: {}\n  copy: { dest: /x }"), ["play.yml:4:7 the task has two modules, debug and copy"]],
  ["no module", play("- name: x"), ["play.yml:3:7 the task has no module"]],
  ["register", play("- debug: {}\n  register: a-b"), ['play.yml:4:17 "a-b" is no name for a variable']],
  [
    "scalars that YAML 1.1 reads otherwise",
    "- hosts: all\n  vars:\n    a: 1.0\n    b: 12:30\n    c: 2024-01-02\n    on: 1\n",
    [
      'play.yml:3:8 the float 1.0 cannot be kept apart from the whole number 1 | Write 1, or "1.0" in quotes.',
      "play.yml:4:8 YAML reads 12:30 as a number to the base of 60 | Put it in quotes.",
      "play.yml:5:8 YAML reads 2024-01-02 as a date | Put it in quotes.",
      "play.yml:6:5 a key must be a string | Put it in quotes.",
    ],
  ],
  [
    "vault",
    "- hosts: all\n  vars:\n    a: !vault x\n",
    ["play.yml:3:15 the tag !vault is not supported | Write it in the inventory, where vaults are read."],
  ],
];

t.test("problems", async (t) => {
  for (const [what, source, expected] of cases) t.strictSame(problems(source), expected, what);
});

t.test("an undefined variable is named at its place within a block scalar", async (t) => {
  const { plays } = load(play("- debug:\n    msg: |\n      one\n      two {{ xx.y }}"));
  const task = plays[0]?.tasks[0] as TaskNode;
  const { msg } = task.args;
  t.ok(msg);
  try {
    if (msg !== undefined) renderValue(msg, new Scope().withValues({ xy: 1 }));
    t.fail("no error");
  } catch (error) {
    t.ok(error instanceof InputError);
    t.match(error, {
      code: "E_UNDEFINED",
      message: "'xx' is undefined",
      hint: 'Did you mean "xy"?',
      position: { file: "dir/play.yml", line: 6, column: 18 },
    });
  }
});
