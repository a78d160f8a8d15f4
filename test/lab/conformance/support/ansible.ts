import { mkdtempSync, rmSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { runProgram } from "../../support/lab.js";
import { posixCollection } from "./ansible-posix.js";
import { HOST_PYTHON, localPython } from "./ansible-python.js";
import { type Counts, changedLines, type Outcome, type RunRequest, type Told } from "./told.js";

type Event =
  | { readonly type: "play"; readonly play: string }
  | { readonly type: "recap"; readonly hosts: Readonly<Record<string, AnsibleCounts>> }
  | ResultEvent;

interface ResultEvent {
  readonly type: "result";
  readonly host: string;
  readonly task: string;
  readonly module: string;
  readonly status: Told["status"];
  readonly ignored: boolean;
  /** The result of a task, not of one item. */
  readonly whole: boolean;
  /** How many items a loop had; null where there is no loop. */
  readonly items: number | null;
  readonly item?: string;
  readonly msg: string;
  readonly diff?: { readonly text: boolean; readonly lines: readonly string[] };
}

interface AnsibleCounts {
  readonly ok: number;
  readonly changed: number;
  readonly failures: number;
  readonly skipped: number;
  readonly rescued: number;
  readonly ignored: number;
  readonly unreachable: number;
}

const GATHERING = "Gathering Facts";

/** Runs ansible-playbook as its users do, with nothing of their own settings, and with strict host keys. */
export async function runAnsible(request: RunRequest): Promise<Outcome> {
  const folder = await mkdtemp(join(tmpdir(), "cfa-"));
  const events = join(folder, "events");
  const config = join(folder, "ansible.cfg");
  await writeFile(config, "");
  const { sshConfig } = request;
  const ssh = sshConfig === undefined ? {} : { ANSIBLE_SSH_ARGS: sshArgs(sshConfig) };
  const env = {
    ...process.env,
    ANSIBLE_CONFIG: config,
    ANSIBLE_HOST_KEY_CHECKING: "1",
    ANSIBLE_PIPELINING: "1",
    ...ssh,
    ANSIBLE_PYTHON_INTERPRETER: sshConfig === undefined ? await localPython(folder) : HOST_PYTHON,
    ANSIBLE_SSH_CONTROL_PATH_DIR: socketsFolder(),
    ANSIBLE_COLLECTIONS_PATH: await posixCollection(),
    ANSIBLE_CALLBACK_PLUGINS: join(import.meta.dirname, "callback"),
    ANSIBLE_CALLBACKS_ENABLED: "conformance_events",
    CONFORMANCE_EVENTS: events,
    ANSIBLE_NOCOLOR: "1",
    LC_ALL: "C.UTF-8",
  };
  const check = request.check ? ["--check"] : [];
  const argv = ["ansible-playbook", "-i", request.inventory, "--diff", ...check, ...(request.flags ?? [])];
  try {
    const { code, stdout, stderr } = await runProgram([...argv, request.playbook], {
      env,
      cwd: dirname(request.playbook),
    });
    const text = await readFile(events, "utf8").catch(() => "");
    const read = text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Event);
    return { ...outcomeOf(read), verdict: verdictOf(code), output: stdout + stderr };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

let sockets: string | undefined;

/**
 * Where runs on a host share a connection. Of this process alone: the next one's host may have the address of one that has gone.
 * A socket's path may be of 107 bytes.
 */
function socketsFolder(): string {
  if (sockets !== undefined) return sockets;
  const folder = mkdtempSync("/tmp/.cf-");
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  sockets = folder;
  return folder;
}

function sshArgs(config: string): string {
  return `-F ${config} -o ControlMaster=auto -o ControlPersist=30s`;
}

/** ansible-playbook's exit codes: 2 is a failed host, 3 an unreachable one, 4 and more are mistakes of the input. */
function verdictOf(code: number): Outcome["verdict"] {
  if (code === 0) return "well";
  return code === 2 || code === 3 ? "failed" : "refused";
}

function outcomeOf(events: readonly Event[]): Pick<Outcome, "told" | "recap"> {
  const results = events.flatMap((event) => (event.type === "result" ? [event] : []));
  const gathered = results.filter(({ task }) => task === GATHERING);
  const told = results
    // The result of a loop repeats those of its items; of one without items it is the only one.
    .filter((event) => event.task !== GATHERING && !(event.whole && (event.items ?? 0) > 0))
    .map(toldOf);
  const recaps = events.flatMap((event) => (event.type === "recap" ? Object.entries(event.hosts) : []));
  const recap = recaps.map(([host, counts]): [string, Counts] => {
    // Gathering facts is no task of the playbook.
    const facts = gathered.filter((event) => event.host === host && event.status === "ok").length;
    return [host, { ...counts, ok: counts.ok - facts, failed: counts.failures }];
  });
  return { told: withIgnored(told, results), recap: Object.fromEntries(recap) };
}

function toldOf({ host, task, item, status, ignored, msg, diff }: ResultEvent): Told {
  return {
    ...{ host, task, status, ignored, why: msg },
    ...(item === undefined ? {} : { item }),
    ...(diff === undefined || diff.lines.length === 0
      ? {}
      : { diff: diff.text ? changedLines(diff.lines) : ("other" as const) }),
  };
}

/** Ansible says that a failure is ignored of the whole loop, not of its items. */
function withIgnored(told: readonly Told[], results: readonly ResultEvent[]): Told[] {
  const ignored = new Set(results.flatMap((event) => (event.ignored ? [`${event.host}\0${event.task}`] : [])));
  return told.map((one) =>
    one.status === "failed" ? { ...one, ignored: ignored.has(`${one.host}\0${one.task}`) } : one,
  );
}
