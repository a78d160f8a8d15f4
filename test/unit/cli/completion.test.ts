import { execFileSync } from "node:child_process";
import t from "tap";
import { run } from "../../../src/cli/commands/completion.js";
import { commandTable } from "../../../src/cli/commands.js";
import { completionScript } from "../../../src/cli/completion.js";
import { Interruption } from "../../../src/cli/signals.js";

/** What bash offers after these words. */
function offered(words: readonly string[], cwd: string): string[] {
  const script = [
    completionScript("bash"),
    'COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _edge_setup; printf "%s\\n" "${COMPREPLY[@]}"',
  ].join("\n");
  return execFileSync("bash", ["-c", script, "bash", ...words], { encoding: "utf8", cwd })
    .trim()
    .split("\n");
}

const folder = t.testdir({
  "edges.yml": "edges:\n  hosts:\n    pi-church: { ansible_user: pi }\n    vps-1:\n      http_server_port: 8080\n",
});

t.test("bash completes commands, flags, words, files and hosts", async (t) => {
  t.same(offered(["edge-setup", "a"], folder), ["apply"]);
  t.same(offered(["edge-setup", ""], folder).sort(), [...commandTable.map((command) => command.name), "help"].sort());
  t.ok(offered(["edge-setup", "init", "--h"], folder).includes("--hls-fragment"), "flags of the questions too");
  t.same(offered(["edge-setup", "apply", "--progress", "t"], folder), ["tui"]);
  t.same(offered(["edge-setup", "init", "--nginx-sources", ""], folder), ["upstream", "debian"]);
  t.same(offered(["edge-setup", "apply", "-l", ""], folder), ["pi-church", "vps-1"]);
  t.same(offered(["edge-setup", "watch", "v"], folder), ["vps-1"], "hosts as words");
  t.same(offered(["edge-setup", "apply", "-i", "ed"], folder), ["edges.yml"]);
  t.same(offered(["edge-setup", "completion", "f"], folder), ["fish"]);
  t.same(offered(["edge-setup", "streams", "a"], folder), ["add"]);
  t.same(offered(["edge-setup", "secrets", "r"], folder), ["rotate"]);
  t.same(offered(["edge-setup", "secrets", "rotate", "v"], folder), ["vps-1"]);
});

t.test("every flag is in fish's script, and no quote ends one early", async (t) => {
  const script = completionScript("fish");
  for (const command of commandTable) t.match(script, `-a ${command.name} `);
  t.match(script, /seen_subcommand_from logs' -a '\(sed -n/);
  for (const line of script.split("\n")) t.equal((line.replaceAll("\\'", "").match(/'/g) ?? []).length % 2, 0, line);
});

t.test("another shell is refused with those that there are", async (t) => {
  const interruption = new Interruption();
  const refused = run({ flags: {}, words: ["tcsh"], signal: interruption.signal, interruption });
  await t.rejects(refused, { code: "E_USAGE", message: /bash, zsh, fish, not "tcsh"/ });
});
