import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { runPlaybook } from "../../../../src/engine/run.js";
import { parseExtraVars } from "../../../../src/inventory/extra-vars.js";
import { revealedVars } from "../../../../src/inventory/host-value.js";

import { loadInventory } from "../../../../src/inventory/load-inventory.js";

import { moduleCatalog } from "../../../../src/modules/registry.js";
import { loadPlaybook } from "../../../../src/playbook/load-playbook.js";
import type { RunEvent } from "../../../../src/report/events.js";
import { Connector } from "../../../../src/transport/connect.js";
import { LocalTransport } from "../../../../src/transport/local-transport.js";
import { EdgeError, InputErrors } from "../../../../src/util/errors.js";
import { type Counts, changedLines, type Outcome, type RunRequest, type Told } from "./told.js";

/** Runs edge-setup. */
export async function runEdgeSetup(request: RunRequest): Promise<Outcome> {
  const events: RunEvent[] = [];
  try {
    const readFile = (path: string) => {
      try {
        return readFileSync(path, "utf8");
      } catch {
        return undefined;
      }
    };
    const inventory = await loadInventory(request.inventory);
    const connector = new Connector();
    await runPlaybook({
      playbook: loadPlaybook(request.playbook, { catalog: moduleCatalog, readFile }),
      inventory,
      connect: (_host, signal, access) =>
        connector.connect(access.address, {
          hostKeyPolicy: "strict",
          connectTimeoutMs: 20_000,
          sshConfigFile: request.sshConfig,
          prompter: { confirmHostKey: async () => false, askSecret: async () => undefined },
          ...(signal === undefined ? {} : { signal }),
        }),
      connectLocal: async () => new LocalTransport(),
      emit: (event) => events.push(event),
      options: {
        command: request.check ? "plan" : "apply",
        check: request.check,
        diff: true,
        ...(await optionsOf(request.flags ?? [])),
      },
    });
  } catch (error) {
    if (!(error instanceof EdgeError)) throw error;
    const output = error instanceof InputErrors ? error.errors.map(describe).join("\n") : describe(error);
    return { told: [], recap: {}, verdict: "refused", output };
  }
  return { ...outcomeOf(events), output: events.map((event) => JSON.stringify(event)).join("\n") };
}

async function optionsOf(args: readonly string[]) {
  const list = { type: "string", multiple: true } as const;
  const options = {
    limit: { type: "string", short: "l" },
    tags: { ...list, short: "t" },
    "skip-tags": list,
    "extra-vars": { ...list, short: "e" },
  } as const;
  const { values } = parseArgs({ args: [...args], options });
  const split = (texts: readonly string[] | undefined) => (texts ?? []).flatMap((text) => text.split(","));
  const extra = await parseExtraVars(values["extra-vars"] ?? []);
  return {
    limit: values.limit,
    tags: split(values.tags),
    skipTags: split(values["skip-tags"]),
    extraVars: revealedVars(extra.vars),
  };
}

function describe(error: EdgeError): string {
  const { position } = error as { position?: { file: string; line: number; column: number } };
  const at = position === undefined ? "" : `${position.file}:${position.line}:${position.column}: `;
  return `${at}${error.message}${error.hint === undefined ? "" : ` (${error.hint})`}`;
}

function outcomeOf(events: readonly RunEvent[]): Omit<Outcome, "output"> {
  const told = events.flatMap((event): Told[] => {
    if (event.type === "host.unreachable")
      return [{ host: event.host, task: "", status: "unreachable", ignored: false, why: event.text }];
    return event.type === "task.result" ? [toldOf(event)] : [];
  });
  const end = events.find((event) => event.type === "run.end");
  const recap = Object.entries(end?.recap ?? {}).map(([host, counts]): [string, Counts] => [
    host,
    // Ansible has one word for what check mode or a condition leaves out.
    { ...counts, skipped: counts.skipped + counts.pending },
  ]);
  return { told, recap: Object.fromEntries(recap), verdict: end?.exitCode === 0 ? "well" : "failed" };
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
