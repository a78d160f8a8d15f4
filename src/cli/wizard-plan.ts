import { fileReaders, type Readers } from "../inventory/readers.js";
import { isFailure, type RunEvent } from "../report/events.js";
import { edgesYml } from "../wizard/to-inventory.js";
import type { Answers, HostPlan, Questions } from "../wizard/types.js";
import { converge } from "./converge.js";
import type { Durations } from "./durations.js";
import { type Fleet, loadFleet } from "./fleet.js";
import type { Flags } from "./options.js";
import { connectOptions } from "./reach.js";

/** What the wizard's answers would be as flags of `apply`. */
export function flagsOf(answers: Answers, flags: Flags, inventoryFile: string): Flags {
  return {
    ...flags,
    inventory: inventoryFile,
    limit: answers.hosts.map((host) => host.name).join(","),
    ...(answers.privateKey === undefined ? {} : { "private-key": answers.privateKey }),
  };
}

/** The fleet of answers that are not written yet: read exactly as apply will read the file. */
export async function fleetOf(answers: Answers, flags: Flags, inventoryFile: string): Promise<Fleet> {
  const existing = await fileReaders.readText(inventoryFile).catch(() => undefined);
  const text = edgesYml(answers, existing, inventoryFile);
  const readers: Readers = {
    ...fileReaders,
    readText: (path) => (path === inventoryFile ? Promise.resolve(text) : fileReaders.readText(path)),
  };
  return loadFleet(flagsOf(answers, flags, inventoryFile), {
    saveSecrets: false,
    passwords: { ssh: answers.sshPassword, become: answers.becomePassword },
    readers,
    given: {
      ...(answers.publishToken === undefined ? {} : { rtmp_publish_token: answers.publishToken }),
      ...(answers.statusPassword === undefined ? {} : { http_status_password: answers.statusPassword }),
    },
  });
}

export interface PlanRequest {
  readonly answers: Answers;
  readonly flags: Flags;
  readonly inventoryFile: string;
  readonly questions: Questions;
  readonly onEvent: (event: RunEvent) => void;
  readonly durations: Durations;
  readonly signal: AbortSignal;
}

/** A real plan of the answers, summed up by host. Nothing is written here or there. */
export async function planAnswers(request: PlanRequest): Promise<readonly HostPlan[]> {
  const { answers, flags, inventoryFile, questions, onEvent, durations, signal } = request;
  const fleet = await fleetOf(answers, flags, inventoryFile);
  const tallies = new Map(fleet.hosts.map(({ host }) => [host.name, new Tally(host.name)]));
  await converge({
    command: "plan",
    flags: flagsOf(answers, flags, inventoryFile),
    fleet,
    connectOptions: { ...connectOptions(flags, { ...questions, confirm: () => Promise.resolve(false) }, signal) },
    check: true,
    emit: (event) => {
      if ("host" in event && event.host !== undefined) tallies.get(event.host)?.take(event);
      onEvent(event);
    },
    signal,
  });
  return [...tallies.values()].map((tally) => tally.plan((model) => durations.estimatesFor(model)));
}

/** What a reason says of something that is not there at all yet. */
const ABSENT = /\b(missing|absent|not installed|does not exist|not there|no such)\b/i;

/** Counts what a plan says of one host. */
class Tally {
  readonly #tasks: { name: string; reason: string; status: "changed" | "pending" }[] = [];
  #create = 0;
  #change = 0;
  #keep = 0;
  #model = "";
  #problem: string | undefined;

  constructor(readonly host: string) {}

  take(event: RunEvent): void {
    if (event.type === "host.facts") this.#model = event.model ?? "";
    else if (event.type === "host.unreachable") this.#problem = event.text;
    else if (event.type === "message" && event.level === "error") this.#problem = event.text;
    else if (event.type === "task.result") this.#task(event);
  }

  #task(event: Extract<RunEvent, { type: "task.result" }>): void {
    if (isFailure(event)) this.#problem = `${event.task.name}: ${event.reason}`;
    else if (event.status === "changed" || event.pending === true) {
      if (ABSENT.test(event.reason)) this.#create += 1;
      else this.#change += 1;
      const status = event.pending === true ? "pending" : "changed";
      const item = event.item === undefined ? "" : ` (${event.item})`;
      this.#tasks.push({ name: `${event.task.name}${item}`, reason: event.reason, status });
    } else if (event.status === "ok") this.#keep += 1;
  }

  plan(estimatesFor: (model: string) => Readonly<Record<string, number>>): HostPlan {
    const counts = {
      host: this.host,
      create: this.#create,
      change: this.#change,
      keep: this.#keep,
      tasks: this.#tasks,
    };
    if (this.#problem !== undefined) return { ...counts, problem: this.#problem };
    const known = estimatesFor(this.#model);
    const parts = this.#tasks.map((task) => known[task.name.replace(/ \(.*\)$/, "")]).filter((ms) => ms !== undefined);
    return parts.length === 0 ? counts : { ...counts, estimateMs: parts.reduce((sum, ms) => sum + ms, 0) };
  }
}
