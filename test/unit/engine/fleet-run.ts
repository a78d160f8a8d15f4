import { basename, join } from "node:path";
import type { RunInput } from "../../../src/engine/run.js";
import { selectHosts } from "../../../src/inventory/pattern.js";
import type { Inventory, InventoryHost } from "../../../src/inventory/types.js";
import type { Value } from "../../../src/playbook/types.js";
import { LocalTransport } from "../../../src/transport/local-transport.js";
import type { ExecOptions, ExecResult, Transport } from "../../../src/transport/transport.js";
import { type LocalRun, localRun, position } from "./local-run.js";

/** Hosts that are all this machine, each with a lock, a journal and a name (FLEET_HOST) of its own below a directory. */
export function fleet(hosts: Record<string, Record<string, Value>>, more: Record<string, string[]> = {}): Inventory {
  const names = Object.keys(hosts);
  const groups: Record<string, string[]> = { all: names, edges: names, ...more };
  const list = names.map((name): InventoryHost => {
    const own = Object.keys(groups).filter((group) => groups[group]?.includes(name));
    return { name, groups: own, vars: hosts[name] ?? {}, origins: {}, position };
  });
  return { file: "edges.yml", hosts: list, groups, select: (pattern) => selectHosts(pattern, list, groups) };
}

export class FleetTransport extends LocalTransport {
  constructor(readonly home: string) {
    super();
  }

  override exec(command: string, options?: ExecOptions): Promise<ExecResult> {
    const own = `sed -e s#/run/edge-setup.lock#${this.home}.lock#g -e s#/var/lib/edge-setup#${this.home}.state#g`;
    const moved = command
      .replace("gzip -dc | sh", `gzip -dc | ${own} | sh`)
      .replace("exec sh ./program", `${own} -i ./program; exec sh ./program`);
    return super.exec(`export FLEET_HOST=${basename(this.home)}; ${moved}`, options);
  }
}

export interface FleetRun extends LocalRun {
  /** Results of a host, as `lines`. */
  readonly of: (host: string) => string[];
  /** Commands executed on a host, of all its connections. */
  readonly execs: (host: string) => number;
  readonly links: ReadonlyMap<string, Transport[]>;
}

/** Runs a playbook on hosts that are all this machine. */
export async function fleetRun(
  dir: string,
  file: string,
  command: "plan" | "apply",
  inventory: Inventory,
  over: Parameters<typeof localRun>[2] = {},
): Promise<FleetRun> {
  const links = new Map<string, Transport[]>();
  const connect: RunInput["connect"] = async (host) => {
    const link = new FleetTransport(join(dir, host.name));
    links.set(host.name, [...(links.get(host.name) ?? []), link]);
    return link;
  };
  const run = await localRun(file, command, { inventory, connect, ...over });
  const of = (host: string) =>
    run.events.flatMap((event) => {
      if (event.type !== "task.result" || event.host !== host) return [];
      const item = event.item === undefined ? "" : `[${event.item}]`;
      return [`${event.pending ? "pending" : event.status} ${event.task.name}${item}: ${event.reason}`];
    });
  const execs = (host: string) => (links.get(host) ?? []).reduce((sum, link) => sum + link.stats.execs, 0);
  return { ...run, of, execs, links };
}
