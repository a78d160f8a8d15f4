import { lookup as systemLookup } from "node:dns/promises";
import { existsSync, readFileSync } from "node:fs";
import { hostname } from "node:os";
import { parse } from "yaml";
import type { DetectedHost } from "../wizard/types.js";
import { sshConfigNames } from "./ssh-config-names.js";

/** A name that nobody answers to is given up after this, milliseconds. */
const LOOKUP_MS = 1500;
/** What a new Raspberry Pi calls itself, and names that people give. */
const MDNS_NAMES = ["raspberrypi.local", "streaming.local", "edge.local"];

export interface DetectOptions {
  readonly onFound: (host: DetectedHost) => void;
  readonly signal: AbortSignal;
  readonly sshConfigFile: string;
  /** Inventories that may exist. */
  readonly inventories: readonly string[];
  readonly recent: readonly {
    readonly name: string;
    readonly address?: string;
    readonly port?: number;
    readonly user?: string;
  }[];
  /** This machine can boot a throw-away host. */
  readonly throwAway: boolean;
  readonly lookup?: (name: string) => Promise<unknown>;
}

/**
 * Tells hosts that could become edges, as they are found: recent ones, of inventories, of ~/.ssh/config, Raspberry Pis that
 * answer to their name, this machine. The network is asked for names only, never searched.
 */
export async function detectHosts(options: DetectOptions): Promise<void> {
  const { signal, sshConfigFile, inventories, recent, throwAway, lookup = systemLookup } = options;
  const seen = new Set<string>();
  const found = (host: DetectedHost) => {
    if (signal.aborted || seen.has(host.name)) return;
    seen.add(host.name);
    options.onFound(host);
  };
  for (const host of recent) found({ kind: "ssh", ...host, source: "set up from here before" });
  for (const file of inventories) for (const name of inventoryNames(file)) found({ kind: "ssh", name, source: file });
  for (const name of sshConfigNames(sshConfigFile)) found({ kind: "ssh", name, source: "~/.ssh/config" });
  await Promise.all(
    MDNS_NAMES.map(async (name) => {
      if (await answers(name, lookup)) found({ kind: "ssh", name, source: "answers to its name on this network" });
    }),
  );
  found({ kind: "local", name: "local", source: hostname() });
  if (throwAway) found({ kind: "throw-away", name: "throw-away", source: "gone afterwards" });
}

async function answers(name: string, lookup: (name: string) => Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), LOOKUP_MS);
  });
  const asked = lookup(name).then(
    () => true,
    () => false,
  );
  try {
    return await Promise.race([asked, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Host names of the group `edges`; an inventory that cannot be read is told when it is used. */
function inventoryNames(file: string): string[] {
  if (!existsSync(file)) return [];
  try {
    const hosts: unknown = parse(readFileSync(file, "utf8"))?.edges?.hosts;
    return typeof hosts === "object" && hosts !== null ? Object.keys(hosts) : [];
  } catch {
    return [];
  }
}
