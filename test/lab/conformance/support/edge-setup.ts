import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import type { RunEvent } from "../../../../src/report/events.js";
import { exitCodes } from "../../../../src/util/errors.js";
import { readEvents } from "../../support/cli.js";
import { runProgram } from "../../support/lab.js";
import { type Counts, changedLines, type Outcome, type RunRequest, type Told } from "./told.js";

const program = resolve(import.meta.dirname, "../../../../dist/cli/main.js");

/** Runs `edge-setup play`, as it is built. */
export async function runEdgeSetup(request: RunRequest): Promise<Outcome> {
  const state = await mkdtemp(join(tmpdir(), "cfe-"));
  const { playbook, inventory, sshConfig, check, flags = [] } = request;
  const argv = [
    ...[process.execPath, program, "play", playbook, "-i", inventory, "--diff", "--json", "--no-input"],
    ...(sshConfig === undefined ? [] : ["--ssh-config", sshConfig]),
    ...(check ? ["--check"] : []),
    ...flags,
  ];
  try {
    // Of this machine several runs may be under way.
    const env = { ...process.env, XDG_STATE_HOME: state, NO_COLOR: "1", EDGE_SETUP_LOCK: join(state, "lock") };
    const { code, stdout, stderr } = await runProgram(argv, { env, cwd: dirname(playbook) });
    return { ...outcomeOf(readEvents(stdout)), verdict: verdictOf(code), output: stdout + stderr };
  } finally {
    await rm(state, { recursive: true, force: true });
  }
}

function verdictOf(code: number): Outcome["verdict"] {
  if (code === exitCodes.ok) return "well";
  return code === exitCodes.taskFailed || code === exitCodes.unreachable ? "failed" : "refused";
}

function outcomeOf(events: readonly RunEvent[]): Pick<Outcome, "told" | "recap"> {
  const told = events.flatMap((event): Told[] => {
    if (event.type === "host.unreachable")
      return [{ host: event.host, task: "", status: "unreachable", ignored: false, why: event.text }];
    // Ansible tells nothing of a `meta` that it heeds.
    if (event.type !== "task.result" || (event.task.module === "meta" && event.status === "ok")) return [];
    return [toldOf(event)];
  });
  const end = events.find((event) => event.type === "run.end");
  const recap = Object.entries(end?.recap ?? {}).map(([host, counts]): [string, Counts] => [
    host,
    // Ansible has one word for what check mode or a condition leaves out.
    { ...counts, skipped: counts.skipped + counts.pending },
  ]);
  return { told, recap: Object.fromEntries(recap) };
}

function toldOf(event: Extract<RunEvent, { type: "task.result" }>): Told {
  const { host, task, item, status, reason, diff, output } = event;
  return {
    ...{ host, task: task.name, status, ignored: event.ignored === true },
    why: output === undefined ? reason : `${reason}\n${output}`,
    ...(item === undefined ? {} : { item }),
    ...(diff === undefined ? {} : { diff: diff.unified === "" ? "other" : changedLines(diff.unified.split("\n")) }),
  };
}
