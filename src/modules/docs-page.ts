import { FREE_FORM } from "./command.js";
import { taskModules } from "./registry.js";

/** What a module does otherwise than Ansible's, or leaves out, by its name. One of another name has none. */
const NOTES: Readonly<Record<string, readonly string[]>> = {
  apt: [
    "With packages, the lists are refreshed only where one of them is to be installed.",
    "Waits five minutes for apt's lock, whatever `lock_timeout` says.",
    "`deb` is an absolute path of the host or an address; its dependencies come by apt-get in the same step, and `stdout` is apt-get's.",
  ],
  blockinfile: ["Edits by perl, which every Debian has; text is bytes, as in Ansible."],
  command: [
    "NUL bytes of output are left out, and more than 8 MiB of it fail the task where its result is registered. `cmd` is always a list.",
    "A command that a signal ends has an `rc` of 128 and more. A file without an interpreter's line is run by the shell.",
  ],
  copy: [
    "`src` is not in the result, as Ansible's is a name of its own; a directory's result has `dest` alone. Differences of texts within directories are shown.",
    "`unsafe_writes: true` is refused, as in all modules that write files: they are replaced as a whole.",
  ],
  assemble: [
    "A check, which Ansible skips, says what would come. With `remote_src: false` the result has no `src`, `backup_file` and `msg`.",
  ],
  known_hosts: ["By the host's ssh-keygen. A key is one line."],
  authorized_key: ["A `key` that is an address is refused: get it by uri, and give its `content`."],
  apt_repository: [
    "A `ppa:` is refused: its key and line are looked up at Launchpad. Every `.list` file is written anew when one changes, as by Ansible.",
  ],
  find: [
    "By perl, which every Debian has; `paths` are absolute. Patterns and `contains` are Python's, as in lineinfile. The order is the file system's, as in Ansible.",
  ],
  reboot: ["A host that does not come back in time is unreachable."],
  wait_for_connection: [
    "Of a play that gathers no facts before, where it is the first task, or behind a link that was lost meanwhile; else a host that is not there is unreachable, as one is that does not come in time. `elapsed` counts the delay alone; `connect_timeout` has no effect.",
  ],
  uri: [
    "By the host's curl; a plain GET by wget, too. Every head of the answer is a field. In check mode it is skipped, as by Ansible.",
  ],
  cron: ["A job is one line. The backup of a file is made when there is something to change."],
  get_url: [
    "By the host's curl, or its wget where nothing is asked that only curl can. What does not match its checksum never takes the place of what is there.",
    "A check asks the server only where the file itself says nothing.",
  ],
  git: [
    "A check asks the remote by ls-remote; it fetches nothing, and its diff names commits. Without `dest` it is refused.",
  ],
  lineinfile: [
    "Edits by perl, which every Debian has. Expressions are Python's; refused are those that perl would not match alike, such as `(a?)*` with a group.",
  ],
  mount: [
    "`fstab` is replaced as a whole. What is mounted is read from /proc/self/mountinfo; a bind mount from elsewhere counts as mounted.",
  ],
  package: ["Takes all that apt takes; `use` is `apt` or `auto`."],
  package_facts: ["Of dpkg. `origin` is not given: the host's archives would have to be asked."],
  raw: ["Without a terminal: lines end by LF, and stderr stays apart. `environment` is refused."],
  replace: ["As lineinfile. Encodings are utf-8, latin-1 and ascii; a text that is not of its encoding fails."],
  script: ["Without a terminal: lines end by LF, and stderr stays apart."],
  service: ["`pattern`, `runlevel`, `sleep` and `arguments` are dropped, as Ansible does where systemd is."],
  systemd_service: ["`scope: global` is refused: systemctl does not tell the state of such units."],
  stat: [
    "`mimetype` and `charset` come from `file`, and flags from `lsattr`, where the host has them; asked for only where the result is used.",
  ],
  unarchive: [
    "A check compares, where Ansible skips archives of tar. A file of this machine travels to be compared, unless `creates` is given.",
    "`files` has names as tar writes them. zip needs unzip on the host.",
  ],
  user: ["A password travels on stdin and not on a command line, so there is no `ssh_key_passphrase`."],
  wait_for: [
    "Ports are dialled by the host's bash. `search_regex` is looked for in each line by itself, and is one that POSIX can say.",
    "`drained` takes addresses of IPv4.",
  ],
};

const code = (names: readonly string[]) => names.map((name) => `\`${name}\``).join(" ");

/** docs/modules.md */
export function modulesPage(): string {
  const sections = [...taskModules.values()]
    .sort((a, b) => (a.spec.name < b.spec.name ? -1 : 1))
    .map(({ spec, returns }) => {
      const refused = Object.entries(spec.refused ?? {}).map(([name, why]) => `- \`${name}\` is refused. ${why}`);
      const notes = (NOTES[spec.name] ?? []).map((note) => `- ${note}`);
      const list = [...notes, ...refused];
      return `## ${spec.name}

| | |
|---|---|
| arguments | ${code(Object.keys(spec.args).filter((name) => name !== FREE_FORM)) || "none"} |
| result | ${code([...new Set(["changed", ...Object.keys(returns)])])} |
${list.length === 0 ? "" : `\n${list.join("\n")}\n`}`;
    });
  return `<!-- Generated from src/modules by \`npm run docs\`. Do not edit. -->
# Modules

Each takes arguments as Ansible's module of that name does, with its defaults, and gives the fields of its result that are listed here
(ansible-core 2.14; ansible.posix for mount, sysctl and authorized_key). All results have \`changed\`, \`failed\` and, where they fail, \`msg\`. In a check, what
an earlier task would have brought counts as being there where Ansible would fail. What a host lacks is said when the task runs; an
argument that is not here is refused before anything runs.

${sections.join("\n")}`;
}
