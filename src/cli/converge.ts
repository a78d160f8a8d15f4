import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { defaultCacheDir } from "../build/fetch.js";
import { makeSourceResolver } from "../build/resolver.js";
import { loadLock } from "../build/sources.js";
import { type RunOutcome, runPlaybook } from "../engine/run.js";
import { maskedTexts } from "../inventory/masked-texts.js";
import { moduleCatalog } from "../modules/registry.js";
import { loadPlaybook } from "../playbook/load-playbook.js";
import { type EmitEvent, type HostRecap, nowText } from "../report/events.js";
import { connect } from "../transport/connect.js";
import type { ConnectOptions } from "../transport/transport.js";
import { packageRoot } from "../util/package-root.js";
import { EDGES, type Fleet } from "./fleet.js";
import { type Flags, intFlag } from "./options.js";

const DEFAULT_FORKS = 10;

export interface ConvergeOptions {
  readonly command: "plan" | "apply" | "try";
  readonly flags: Flags;
  readonly fleet: Fleet;
  readonly connectOptions: ConnectOptions;
  /** Change nothing. */
  readonly check: boolean;
  readonly emit: EmitEvent;
  readonly signal: AbortSignal;
}

/**
 * Runs playbooks/edge.yml on the fleet: in check mode for a plan, for real otherwise.
 * @throws EdgeError for mistakes in flags and files; what fails on a host is in the outcome
 */
export async function converge(options: ConvergeOptions): Promise<RunOutcome> {
  const { flags, fleet, emit, signal, connectOptions } = options;
  const root = packageRoot();
  const playbook = loadPlaybook(join(root, "playbooks", "edge.yml"), {
    catalog: moduleCatalog,
    readFile: textOf,
  });
  const cacheDir = defaultCacheDir(process.env);
  const lock = await loadLock(join(root, "nginx-build", "sources.lock.json"));
  const fetchSource = makeSourceResolver({
    lock,
    cacheDir,
    sourceDirs: flags["source-dir"] === undefined ? [] : [resolve(flags["source-dir"])],
    signal,
    onSource: (entry, { origin }) =>
      emit({ type: "message", time: nowText(), level: "info", text: `source ${entry.file} from ${origin}` }),
    onWarning: (text) => emit({ type: "message", time: nowText(), level: "warning", text }),
  });
  const access = new Map(fleet.hosts.map((one) => [one.host.name, one.access]));
  return runPlaybook({
    playbook,
    inventory: fleetInventory(fleet),
    connect: (host) => {
      const known = access.get(host.name);
      if (known === undefined) throw new Error(`${host.name} is not of this fleet`);
      return connect(known.address, connectOptions);
    },
    connectLocal: () => connect({ name: "localhost", host: "localhost", connection: "local" }, connectOptions),
    access: (host) => {
      const known = access.get(host.name);
      if (known === undefined) throw new Error(`${host.name} is not of this fleet`);
      return known;
    },
    options: {
      command: options.command,
      check: options.check,
      diff: flags.diff === true,
      forks: intFlag(flags, "forks", DEFAULT_FORKS, 1, 1000),
      tags: words(flags.tags),
      skipTags: words(flags["skip-tags"]),
      extraVars: { ...fleet.extraVars.vars, edge_source_cache: cacheDir },
    },
    emit,
    signal,
    secrets: fleet.hosts.flatMap((one) => maskedTexts(one.host)),
    resolveMissingSource: fetchSource,
    canResolveSource: (path) => dirname(resolve(path)) === cacheDir,
  });
}

/** The inventory with the hosts as the fleet has them: extra vars and secrets included, and only the chosen ones. */
function fleetInventory({ inventory, hosts }: Fleet) {
  const chosen = hosts.map((one) => one.host);
  const names = new Set(chosen.map((host) => host.name));
  const groups = Object.entries(inventory.groups).map(([group, members]) => [
    group,
    members.filter((member) => names.has(member)),
  ]);
  return {
    file: inventory.file,
    hosts: chosen,
    groups: Object.fromEntries(groups) as Record<string, readonly string[]>,
    select: (pattern: string) =>
      pattern === EDGES
        ? chosen
        : inventory.select(pattern).flatMap((host) => chosen.filter((one) => one.name === host.name)),
  };
}

function words(text: string | undefined): string[] {
  return (text ?? "")
    .split(",")
    .map((word) => word.trim())
    .filter((word) => word !== "");
}

/** Hosts on which nothing failed. */
export function succeeded(recap: Readonly<Record<string, HostRecap>>): Set<string> {
  return new Set(
    Object.entries(recap)
      .filter(([, counts]) => counts.failed === 0 && counts.unreachable === 0)
      .map(([host]) => host),
  );
}

/** undefined when there is no such file. */
function textOf(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, "utf8") : undefined;
}
