import { join, resolve } from "node:path";
import type { Command } from "./measured.js";

const program = resolve(import.meta.dirname, "../dist/cli/main.js");
const MITOGEN = "/usr/lib/python3/dist-packages/ansible_mitogen/plugins/strategy";

/** What all contenders are told. */
export interface Task {
  readonly folder: string;
  readonly hosts: readonly string[];
  /** The playbook for Ansible. */
  readonly playbook: string;
  /** Words of edge-setup that do the same. */
  readonly words: readonly string[];
  /** The script by hand, of each host, as a file. */
  readonly script: (host: string) => string;
}

export const OWN = "edge-setup";

/** A contender; it may have several command lines, which run at the same time. */
export interface Engine {
  readonly name: string;
  /** Of Ansible's family: slow, and the same each time. */
  readonly slow: boolean;
  command(task: Task): Command;
}

const all = ({ folder, hosts }: Task, each: (host: string) => string): Command => ({
  argv: [
    "sh",
    "-c",
    `${hosts.map((host) => `${each(host)} & p="$p $!"`).join("\n")}\nfor one in $p; do wait $one || exit 1; done`,
  ],
  cwd: folder,
});

function ansible(task: Task, env: Readonly<Record<string, string>>): Command {
  const ssh = `-F ${join(task.folder, "ssh_config")} -o ControlMaster=auto -o ControlPersist=60s`;
  return {
    argv: ["ansible-playbook", "-i", join(task.folder, "edges.yml"), task.playbook],
    env: { ANSIBLE_SSH_ARGS: ssh, ANSIBLE_SSH_CONTROL_PATH_DIR: join(task.folder, "cp"), ...env },
    cwd: task.folder,
  };
}

/** From the floor upwards. */
export const ENGINES: readonly Engine[] = [
  { name: "ssh host true", slow: false, command: (task) => all(task, (host) => `ssh -F ssh_config ${host} true`) },
  {
    name: "script by hand",
    slow: false,
    command: (task) => all(task, (host) => `ssh -F ssh_config ${host} sudo sh <${task.script(host)}`),
  },
  {
    name: OWN,
    slow: false,
    command: (task) => ({
      argv: [process.execPath, program, ...task.words, "-i", "edges.yml", "--ssh-config", "ssh_config", "--no-input"],
      env: { XDG_STATE_HOME: join(task.folder, "state") },
      cwd: task.folder,
    }),
  },
  {
    name: "ansible + mitogen",
    slow: true,
    command: (task) =>
      ansible(task, { ANSIBLE_STRATEGY_PLUGINS: MITOGEN, ANSIBLE_STRATEGY: "mitogen_linear", ANSIBLE_FORKS: "20" }),
  },
  {
    name: "ansible, pipelining, forks",
    slow: true,
    command: (task) => ansible(task, { ANSIBLE_PIPELINING: "1", ANSIBLE_FORKS: "20" }),
  },
  { name: "ansible", slow: true, command: (task) => ansible(task, {}) },
];
