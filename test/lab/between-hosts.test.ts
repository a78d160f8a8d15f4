import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { loadInventory } from "../../src/inventory/load-inventory.js";
import type { LabHost } from "../../src/lab/index.js";
import { Connector } from "../../src/transport/connect.js";
import { scratchFolder } from "../support/scratch-folder.js";
import { localRun } from "../unit/engine/local-run.js";
import { edgeLayer } from "./support/edge.js";
import { bootForTest, connectionVars, labImpossible, runProgram } from "./support/lab.js";

// What passes between hosts, by both engines: groups that are made, files that come, tasks that are delegated.

t.setTimeout(240_000);

const playbook = `- name: Groups
  hosts: all
  gather_facts: false
  tasks:
    - group_by: { key: "kind {{ kind }}", parents: [made] }
      changed_when: false
- name: Files
  hosts: made
  gather_facts: false
  tasks:
    - name: Groups as they are seen
      copy:
        content: "{{ groups['kind-new'] | sort | join(' ') }} / {{ group_names | join(' ') }} / {{ groups['made'] | sort | join(' ') }}\\n"
        dest: "{{ room }}/groups"
    - name: On the other host
      command: hostname
      delegate_to: far
      register: name
      changed_when: false
    - name: What it said
      copy: { content: "{{ inventory_hostname }} heard {{ name.stdout }}\\n", dest: "{{ room }}/heard" }
    - name: Below its host
      fetch: { src: "{{ room }}/groups", dest: out }
      register: one
    - name: From the other host
      fetch: { src: /etc/debian_version, dest: "out/{{ inventory_hostname }}.version", flat: true }
      delegate_to: far
    - name: Results of a fetch
      copy: { content: "{{ one.checksum }} {{ one.dest | basename }}\\n", dest: "{{ room }}/result" }
    - name: For everybody
      fetch: { src: "{{ room }}/heard", dest: out/shared, flat: true }
      when: inventory_hostname == 'far'
    - name: Taken by everybody
      copy: { src: out/shared, dest: "{{ room }}/shared" }
    - name: Only where a file is here
      copy: { content: "here\\n", dest: "{{ room }}/here" }
      when: (playbook_dir ~ '/out/shared') is file and (playbook_dir ~ '/out') is directory
`;

const skip = async () => {
  const { code } = await runProgram(["sh", "-c", "command -v ansible-playbook"]);
  return labImpossible() || (code === 0 ? false : "needs ansible-playbook");
};

/** A folder of the controller with the playbook and an inventory: a lab host, and this machine. */
function desk(folder: string, lab: LabHost): { readonly file: string; readonly inventory: string } {
  mkdirSync(join(folder, "near"), { recursive: true });
  const ssh = `-F none -o IdentitiesOnly=yes -o UserKnownHostsFile=${lab.knownHostsFile}`;
  const far = {
    ...connectionVars(lab),
    ansible_user: "root",
    ansible_ssh_common_args: ssh,
    room: "/root",
    kind: "new",
  };
  const near = { ansible_connection: "local", room: join(folder, "near"), kind: "old" };
  const inventory = join(folder, "edges.yml");
  writeFileSync(inventory, JSON.stringify({ all: { hosts: { far, near } } }));
  const file = join(folder, "play.yml");
  writeFileSync(file, playbook);
  return { file, inventory };
}

function filesBelow(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map((entry) => join(entry.parentPath, entry.name)).sort();
  return Object.fromEntries(
    paths.map((path) => [path.slice(folder.length).replaceAll(folder, "DESK"), readFileSync(path, "utf8")]),
  );
}

t.test("groups, files and delegated tasks by both engines", { skip: await skip() }, async (t) => {
  const lab = await bootForTest(t, { name: "between", layer: await edgeLayer() });
  const root = scratchFolder();
  const ours = desk(join(root, "desk"), lab);
  const connector = new Connector();
  const apply = async () => {
    const run = await localRun(ours.file, "apply", {
      inventory: await loadInventory(ours.inventory),
      connect: (_host, _signal, access) =>
        connector.connect(access.address, {
          hostKeyPolicy: "strict",
          connectTimeoutMs: 10_000,
          knownHostsFile: lab.knownHostsFile,
          prompter: { confirmHostKey: async () => false, askSecret: async () => undefined },
        }),
    });
    t.equal(run.exitCode, 0, "exit code", { lines: run.lines, events: run.events });
    return run;
  };
  const ansible = async () => {
    const config = join(root, "ansible.cfg");
    writeFileSync(config, "");
    const env = { ...process.env, HOME: root, ANSIBLE_NOCOLOR: "1", ANSIBLE_CONFIG: config, LC_ALL: "C.UTF-8" };
    const run = await runProgram(["ansible-playbook", "-i", ours.inventory, ours.file], {
      cwd: join(root, "desk"),
      env,
    });
    t.equal(run.code, 0, "ansible's exit code", { output: run.stdout + run.stderr });
    return /far .*changed=(\d+)[\s\S]*near .*changed=(\d+)/.exec(run.stdout)?.slice(1).map(Number);
  };
  const state = async () => {
    const far = await lab.exec("cd /root && tail -n +1 groups heard result shared here");
    return { here: filesBelow(join(root, "desk")), far: far.stdout };
  };
  const forget = async () => {
    await runProgram(["rm", "-r", join(root, "desk")]);
    await lab.exec("cd /root && rm groups heard result shared here");
    desk(join(root, "desk"), lab);
  };

  const first = await apply();
  t.match(first.recap, { far: { changed: 8, failed: 0 }, near: { changed: 7, failed: 0 } });
  const made = await state();
  t.match(made.far, "far / kind-new made / far near");
  t.match(made.far, "far heard between");
  t.match(await ansible(), [0, 0], "ansible-playbook changes nothing after edge-setup");
  await forget();
  t.match(await ansible(), [8, 7]);
  t.strictSame(await state(), made, "and makes the same of nothing");
  const after = await apply();
  t.match(after.recap, { far: { changed: 0 }, near: { changed: 0 } });
});
