import { existsSync } from "node:fs";
import type { RunOutcome } from "../engine/run.js";
import type { EmitEvent, HostRecap } from "../report/events.js";
import type { ConnectOptions } from "../transport/transport.js";
import { InputError } from "../util/errors.js";
import { checkBuilders } from "./builders.js";
import type { Fleet } from "./fleet.js";
import { HeadStart } from "./head-start.js";
import { DEFAULT_FORKS, type Flags, intFlag } from "./options.js";
import { checkOwnCertificates } from "./own-certificate.js";

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
  const { flags, fleet, connectOptions } = options;
  checkReadable(flags["source-dir"], "--source-dir");
  checkReadable(flags["ssh-config"], "--ssh-config");
  checkOwnCertificates(fleet, Date.now());
  checkBuilders(fleet);
  const head = new HeadStart(fleet, intFlag(flags, "forks", DEFAULT_FORKS, 1, 1000), connectOptions);
  try {
    // Hosts answer while the engine and the playbook are being read. A bundle is verified before any of them is called.
    if (flags.bundle === undefined) await head.begin();
    const { runEdgePlaybook } = await import("./edge-run.js");
    return await runEdgePlaybook(options, head);
  } finally {
    await head.close();
  }
}

/** Hosts on which nothing failed. */
export function succeeded(recap: Readonly<Record<string, HostRecap>>): Set<string> {
  return new Set(
    Object.entries(recap)
      .filter(([, counts]) => counts.failed === 0 && counts.unreachable === 0)
      .map(([host]) => host),
  );
}

/** What a flag names must be there before any host is called. */
function checkReadable(path: string | undefined, flag: string): void {
  if (path !== undefined && !existsSync(path)) throw new InputError("E_FLAG_VALUE", `${flag} ${path} does not exist`);
}
