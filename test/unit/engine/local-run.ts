import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RunInput, type RunOutcome, runPlaybook } from "../../../src/engine/run.js";
import type { Inventory, InventoryHost } from "../../../src/inventory/types.js";
import { moduleCatalog } from "../../../src/modules/registry.js";
import { loadPlaybook } from "../../../src/playbook/load-playbook.js";
import type { Value } from "../../../src/playbook/types.js";
import type { RunEvent } from "../../../src/report/events.js";
import { LocalTransport } from "../../../src/transport/local-transport.js";
import type { Transport } from "../../../src/transport/transport.js";

export interface LocalRun extends RunOutcome {
  readonly events: RunEvent[];
  /** `status name[item]: reason` of each result. */
  readonly lines: string[];
  readonly transport: Transport;
}

/** This machine's lock is not ours: tests run beside each other, and beside whoever works here. */
const folder = mkdtempSync(join(tmpdir(), "edge-setup-lock-"));
process.env.EDGE_SETUP_LOCK = join(folder, "lock");
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

export const position = { file: "edges.yml", line: 1, column: 1 };

export function oneHost(vars: Record<string, Value> = {}): Inventory {
  const host: InventoryHost = {
    name: "edge",
    groups: ["all", "edges"],
    vars: { ansible_connection: "local", ...vars },
    origins: {},
    position,
  };
  return { file: "edges.yml", hosts: [host], groups: { all: ["edge"], edges: ["edge"] }, select: () => [host] };
}

function readFile(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** Runs a playbook on this very machine, or on what `over` connects to. */
export async function localRun(
  file: string,
  command: "plan" | "apply",
  over: Omit<Partial<RunInput>, "options"> & { options?: Partial<RunInput["options"]> } = {},
): Promise<LocalRun> {
  const events: RunEvent[] = [];
  const lines: string[] = [];
  const transport = new LocalTransport();
  const outcome = await runPlaybook({
    playbook: loadPlaybook(file, { catalog: moduleCatalog, readFile }),
    inventory: oneHost(),
    connect: async () => transport,
    connectLocal: async () => transport,
    ...over,
    emit: (event) => {
      over.emit?.(event);
      events.push(event);
      if (event.type !== "task.result") return;
      const item = event.item === undefined ? "" : `[${event.item}]`;
      lines.push(`${event.pending ? "pending" : event.status} ${event.task.name}${item}: ${event.reason}`);
    },
    options: { command, check: command === "plan", diff: true, ...over.options },
  });
  return { ...outcome, events, lines, transport };
}
