import { join, resolve } from "node:path";
import { bootEdge, type LabEdge } from "../test/lab/support/edge.js";
import { runProgram, sshCommand } from "../test/lab/support/lab.js";
import { type Contender, type Measured, measure, median, table } from "./measure.js";
import type { BenchOptions, BenchScope } from "./scope.js";
import { runTotals } from "./totals.js";

const root = resolve(import.meta.dirname, "..");
const playbook = join(root, "playbooks/edge.yml");
const program = join(root, "dist/cli/main.js");
const DEFAULT_RUNS = 7;
/** Ansible needs seconds to minutes for one run, and varies little. */
const ANSIBLE_RUNS = 3;

/** The command lines that are compared, as data. The first is what the ratios refer to. */
function contenders(edge: LabEdge, runs: number): Contender[] {
  const { host, desk } = edge;
  const inventory = join(desk.folder, "edges.yml");
  const sshConfig = join(desk.folder, "ssh_config");
  const own = [process.execPath, program];
  const reach = ["-i", inventory, "--ssh-config", sshConfig, "--no-input"];
  const ansible = ["ansible-playbook", "-i", inventory, playbook];
  const ansibleEnv = { ANSIBLE_SSH_ARGS: `-F ${sshConfig} -o ControlMaster=auto -o ControlPersist=60s` };
  const pipelining = { ...ansibleEnv, ANSIBLE_PIPELINING: "1" };
  const few = Math.min(runs, ANSIBLE_RUNS);
  return [
    { name: "ssh host true", argv: [...sshCommand(host), "true"], runs },
    { name: "edge-setup apply, no-op", argv: [...own, "apply", ...reach, "--yes", "--no-verify"], runs },
    { name: "edge-setup plan", argv: [...own, "plan", ...reach], runs },
    { name: "ansible-playbook, no-op", argv: ansible, runs: few, env: ansibleEnv },
    { name: "ansible-playbook, pipelining", argv: ansible, runs: few, env: pipelining },
    { name: "node -e 0", argv: [process.execPath, "-e", "0"], runs },
    { name: "edge-setup --version", argv: [...own, "--version"], runs },
    { name: "edge-setup --help", argv: [...own, "--help"], runs },
  ];
}

/** `npm run bench [-- apply] [--runs N]`: times a no-op apply of playbooks/edge.yml against what else would do the same work. */
export async function benchApply(scope: BenchScope, options: BenchOptions): Promise<void> {
  const runs = options.runs === undefined ? DEFAULT_RUNS : Number(options.runs);
  const edge = await bootEdge(scope);
  const first = await edge.desk.run("apply", "--yes", "--no-verify");
  if (first.code !== 0) throw new Error(`apply ends with code ${first.code}:\n${first.stdout}${first.stderr}`);
  const measured: Measured[] = [];
  for (const contender of contenders(edge, runs)) {
    console.error(`measuring ${contender.name} (${contender.runs} runs)`);
    measured.push(await measure(contender));
  }
  console.log(table(measured));
  await printTotals(edge);
  printBars(measured);
}

/** Round trips and bytes, where the run events tell. */
async function printTotals(edge: LabEdge): Promise<void> {
  const events = await edge.desk.run("apply", "--yes", "--no-verify", "--json");
  const totals = runTotals(events.stdout);
  console.log(totals.length > 0 ? totals.join("\n") : "(the run events hold no totals of round trips and bytes)");
  const version = await runProgram(["ansible-playbook", "--version"]).catch(() => undefined);
  console.log(`node ${process.version}, ${version?.stdout.split("\n")[0] ?? "no ansible"}`);
}

/** The bars of the design, as ratios of this very run. */
function printBars(measured: readonly Measured[]): void {
  const time = (name: string) => median(measured.find((one) => one.name === name)?.seconds ?? []);
  const bars: [string, number, string][] = [
    ["no-op apply / ssh host true", time("edge-setup apply, no-op") / time("ssh host true"), "<= 3"],
    ["ansible-playbook / no-op apply", time("ansible-playbook, no-op") / time("edge-setup apply, no-op"), ">= 40"],
    ["--version / node -e 0", time("edge-setup --version") / time("node -e 0"), "<= 1.5"],
  ];
  for (const [name, ratio, bar] of bars) console.log(`${name}: ${ratio.toFixed(2)} (bar ${bar})`);
}
