import { writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { commandTable } from "../../../src/cli/commands.js";
import { parseFlags } from "../../../src/cli/options.js";
import { printError } from "../../../src/cli/print-error.js";
import { Interruption } from "../../../src/cli/signals.js";

// What an operator reads who made a mistake in a file or a flag: the whole text, word for word. No host is called.

/** A command line as `dispatch` runs it, without its hold on the process's signals. */
async function outcome(argv: readonly string[]): Promise<{ code: number; text: string }> {
  const [name, ...rest] = argv;
  const command = commandTable.find((one) => one.name === name);
  if (command === undefined) throw new Error(`there is no command ${name}`);
  let text = "";
  try {
    const { flags, words } = parseFlags(rest, command.options);
    const { run } = await command.load();
    const interruption = new Interruption();
    return { code: await run({ flags, words, signal: interruption.signal, interruption }), text };
  } catch (error) {
    const code = printError(error, (part) => {
      text += part;
    });
    return { code, text };
  }
}

/** One host on whose variables, from line 5 on, a case turns. */
const host = (...variables: string[]) =>
  ["edges:", "  hosts:", "    pi:", "      ansible_host: 192.0.2.1", ...variables.map((v) => `      ${v}`), ""].join(
    "\n",
  );

const files: readonly { name: string; text: string; says: readonly string[] }[] = [
  {
    name: "a brace that is not closed",
    text: "edges:\n  hosts:\n    pi: {\n",
    says: [
      "edges.yml:4:1: a { is not closed before this place (E_YAML)",
      "  close it with }, or indent what belongs to it",
    ],
  },
  {
    name: "a tab",
    text: "edges:\n\thosts:\n",
    says: ["edges.yml:2:1: a tab stands at the begin of this line (E_YAML)", "  indent with spaces"],
  },
  {
    name: "a missing colon",
    text: "edges:\n  hosts:\n    pi\n      ansible_host: 192.0.2.1\n",
    says: [
      "edges.yml:3:5: this is neither `name: value` nor an entry of a list (E_YAML)",
      "  look for a missing colon, or one without a space after it",
    ],
  },
  {
    name: "a list",
    text: "- pi\n",
    says: ["edges.yml:1:1: the inventory is not a mapping of groups (E_INVENTORY)", "  begin with a group: edges:"],
  },
  {
    name: "host for hosts",
    text: "edges:\n  host:\n    pi:\n",
    says: ["edges.yml:2:3: host is not a part of a group (E_INVENTORY)", '  Did you mean "hosts"?'],
  },
  {
    name: "an empty file",
    text: "",
    says: [
      "edges.yml:1:1: the inventory is empty (E_INVENTORY)",
      "  name a group with its hosts: edges: { hosts: { pi-1: } }",
    ],
  },
  {
    name: "an empty group",
    text: "edges:\n  hosts:\n",
    says: [
      'edges.yml has no hosts in the group "edges" (E_NO_EDGES)',
      "  edge-setup works on the hosts of that group: put them under `edges: hosts:`.",
    ],
  },
  {
    name: "hosts of another group",
    text: "pis:\n  hosts: { pi-1: , pi-2: }\n",
    says: [
      'edges.yml has no hosts in the group "edges" (it has pi-1, pi-2 elsewhere) (E_NO_EDGES)',
      "  edge-setup works on the hosts of that group: put them under `edges: hosts:`.",
    ],
  },
  {
    name: "a misspelt setting",
    text: host("hls_fragmnt: 2s"),
    says: ["edges.yml:5:20: hls_fragmnt is not a setting (E_SETTING_UNKNOWN)", "  write hls_fragment instead"],
  },
  {
    name: "a unit that nginx does not have",
    text: host("hls_fragment: 2 sec"),
    says: [
      'edges.yml:5:21: hls_fragment is "2 sec", not a time from 500ms to 1m (E_SETTING_TYPE)',
      "  write a time such as 2s, 500ms, 3m, 1h or 60 (seconds)",
    ],
  },
  {
    name: "a window of two fragments",
    text: host("hls_fragment: 2s", "hls_playlist_length: 4s"),
    says: [
      "edges.yml:6:28: hls_playlist_length 4s is less than 3 fragments of 2s: players would stall (E_SETTING_COMBINATION)",
      "  write at least 6s",
    ],
  },
  {
    name: "one port for two",
    text: host("rtmp_server_port: 80"),
    says: [
      "edges.yml:5:25: rtmp_server_port and http_server_port are both 80 (E_SETTING_COMBINATION)",
      "  choose two ports",
    ],
  },
  {
    name: "a port of the edge's own",
    text: host("http_server_port: 1982"),
    says: [
      "edges.yml:5:25: http_server_port is 1982, which is the port of the edge's internal RTMP application (E_SETTING_COMBINATION)",
      "  choose another port",
    ],
  },
  {
    name: "less memory than the segments need",
    text: host("hls_tmpfs_size: 1M"),
    says: [
      "edges.yml:5:23: hls_tmpfs_size 1M is too small: 4 streams of 6000 kbit/s with a window of 12s need 138M (E_SETTING_COMBINATION)",
      "  write at least 138M, remove the line to have it calculated, or shorten hls_playlist_length, or lower hls_streams or hls_bitrate",
    ],
  },
  {
    name: "settings of the predecessor that never worked, all in one go",
    text: host("hls_max_connections: 100", "hls_cleanup: off", "rtmp_buflen: 5s"),
    says: [
      "edges.yml:5:28: hls_max_connections is refused: it never had an effect in restreamer-edge; worker_connections bounds connections (E_SETTING_REFUSED)",
      "  remove hls_max_connections",
      "edges.yml:6:20: hls_cleanup false cannot work: segments would fill the memory they are kept in, and every stream would stop (E_SETTING_REFUSED)",
      "  remove hls_cleanup",
      "edges.yml:7:20: rtmp_buflen is refused: nginx reads buflen only when it plays recorded files over RTMP, which an edge never does (E_SETTING_REFUSED)",
      "  remove rtmp_buflen",
    ],
  },
  {
    name: "names of the predecessor",
    text: host("RTMP_SERVER_PORT: 1935"),
    says: [
      "edges.yml:5:25: RTMP_SERVER_PORT is a variable of restreamer-edge (E_SETTING_RENAMED)",
      "  write rtmp_server_port instead",
    ],
  },
];

for (const { name, text, says } of files) {
  t.test(name, async (t) => {
    process.chdir(t.testdir({ "edges.yml": text }));
    for (const words of [["plan"], ["apply", "--yes"], ["verify"]]) {
      const found = await outcome([...words, "--no-input"]);
      t.equal(found.code, 2);
      t.equal(found.text, says.map((line) => `${line.startsWith(" ") ? "" : "edge-setup: "}${line}\n`).join(""));
    }
  });
}

const flags: readonly { argv: readonly string[]; says: RegExp }[] = [
  { argv: ["plan", "--limit", "nobody"], says: /--limit nobody: no group or host is called "nobody" .*\n {2}.*pi/ },
  { argv: ["plan", "-l", "vps-*"], says: /--limit vps-\*: no group or host matches "vps-\*"/ },
  { argv: ["plan", "-l", "["], says: /--limit \[: the host pattern "\[" cannot be read/ },
  { argv: ["plan", "--forks", "many"], says: /--forks takes a whole number from 1 to 1000, not "many"/ },
  { argv: ["plan", "--timeout", "-1"], says: /--timeout needs a value: SECONDS .*\n {2}.*--timeout=-VALUE/ },
  { argv: ["plan", "--progress", "fancy"], says: /--progress takes auto, tui, plain, json, quiet, not "fancy"/ },
  { argv: ["plan", "-i"], says: /-i, --inventory needs a value: FILE .*\n {2}--inventory: Inventory file/ },
  { argv: ["plan", "--diff=yes"], says: /-D, --diff takes no value/ },
  { argv: ["plan", "--inventroy", "x"], says: /unknown flag --inventroy .*\n {2}Did you mean --inventory\?/ },
  {
    argv: ["plan", "-e", "hls_fragment"],
    says: /--extra-vars:1:1: "hls_fragment" has no value .*\n {2}write key=value/,
  },
  { argv: ["plan", "-e", "hls_fragmnt=2s"], says: /hls_fragmnt is not a setting .*\n {2}write hls_fragment instead/ },
  { argv: ["plan", "-e", "@nope.yml"], says: /nope\.yml cannot be read: there is no such file/ },
  { argv: ["plan", "-t", "nope"], says: /--tags: no task has the tag "nope" .*\n {2}The tags are .*configuration/ },
  {
    argv: ["plan", "--skip-tags", "biuld"],
    says: /--skip-tags: no task has the tag "biuld" .*\n {2}Did you mean "build"\?/,
  },
  { argv: ["plan", "--source-dir", "/no/where"], says: /--source-dir \/no\/where does not exist/ },
  { argv: ["plan", "--ssh-config", "/no/where"], says: /--ssh-config \/no\/where does not exist/ },
  { argv: ["plan", "--ask-pass"], says: /--ask-pass needs a terminal to ask on .*\n {2}.*ansible_password/ },
  { argv: ["plan", "-i", "pi.local"], says: /pi\.local does not exist .*\n {2}.*a host is followed by a comma/ },
  { argv: ["apply"], says: /apply asks before it changes anything, and nobody is there to ask .*\n {2}Add --yes/ },
  { argv: ["try", "--release", "potato"], says: /--release takes trixie or bookworm, not "potato"/ },
];

for (const { argv, says } of flags) {
  t.test(argv.join(" "), async (t) => {
    process.chdir(t.testdir({ "edges.yml": host() }));
    const noInput = argv.at(-1) === "-i" ? [] : ["--no-input"];
    const found = await outcome([...argv.slice(0, 1), ...noInput, ...argv.slice(1)]);
    t.equal(found.code, 2);
    t.match(found.text, says);
    t.notMatch(found.text, /^ {4}at |undefined/m);
  });
}

t.test("no inventory at all", async (t) => {
  const folder = t.testdir({});
  process.chdir(folder);
  const found = await outcome(["plan", "--no-input"]);
  t.equal(found.code, 2);
  t.match(found.text, /edges\.yml does not exist .*\n {2}Name the hosts with `-i pi@raspberrypi\.local,`/);
  writeFileSync(join(folder, "empty.yml"), "");
  t.match(await outcome(["plan", "--no-input", "-i", "empty.yml"]), { code: 2, text: /empty\.yml:1:1: / });
});
