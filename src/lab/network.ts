import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { isIPv4 } from "node:net";
import { TaskError } from "../util/errors.js";
import { chooseRange, prefix6Of } from "./address-range.js";
import { run, runSync, tryRun } from "./command.js";
import { networkFile, stateDir } from "./paths.js";

const BRIDGE = "edgelab0";
/**
 * Given, because a bridge otherwise takes the lowest address of its ports: each host that comes or goes could change it,
 * and the other hosts would talk to the old one for a minute.
 */
const BRIDGE_MAC = "02:65:64:67:65:01";
const FORWARD_SWITCH = "/proc/sys/net/ipv4/ip_forward";
const DEFAULT_MTU = 1500;

/** The one network of all lab hosts of this machine; it exists while one of them does. */
export interface LabNetwork {
  readonly bridge: string;
  /** `10.213.77`: the hosts are .2 to .254, this machine is .1. */
  readonly prefix: string;
  readonly prefix6: string;
  /** Bytes; the uplink's, so that hosts need no path MTU discovery through our NAT. */
  readonly mtu: number;
  /** Forwarding was off when we came, and is switched off again when the last host goes. */
  readonly restoreForwarding: boolean;
}

type Rule = readonly [string, ...string[]];

/** Rules without the operation (`-A`, `-D`), so that what is added is exactly what is removed. */
function firewallRules(network: LabNetwork): readonly { table: string; chain: string; match: Rule }[] {
  const range = `${network.prefix}.0/24`;
  return [
    { table: "nat", chain: "POSTROUTING", match: ["-s", range, "!", "-d", range, "-j", "MASQUERADE"] },
    // Docker and ufw set the forward policy to DROP; ours must pass before their chains.
    { table: "filter", chain: "FORWARD", match: ["-i", network.bridge, "-j", "ACCEPT"] },
    { table: "filter", chain: "FORWARD", match: ["-o", network.bridge, "-j", "ACCEPT"] },
  ];
}

/** Networks and name servers of this machine that the lab's range must not hide. */
async function usedNetworks(signal?: AbortSignal): Promise<string[]> {
  const routes = await run(["ip", "-4", "route", "show", "table", "all"], { signal });
  const destinations = routes.split("\n").flatMap((line) => line.match(/\b\d+\.\d+\.\d+\.\d+(\/\d+)?/)?.[0] ?? []);
  const resolvers = (await readFile("/etc/resolv.conf", "utf8").catch(() => "")).match(/\d+\.\d+\.\d+\.\d+/g) ?? [];
  return [...destinations, ...resolvers.filter(isIPv4)];
}

async function uplinkMtu(signal?: AbortSignal): Promise<number> {
  const route = await tryRun(["ip", "-4", "route", "show", "default"], { signal });
  const device = route.stdout.match(/\bdev (\S+)/)?.[1];
  if (device === undefined) return DEFAULT_MTU;
  const mtu = await readFile(`/sys/class/net/${device}/mtu`, "utf8").catch(() => "");
  return Math.min(Number(mtu) || DEFAULT_MTU, DEFAULT_MTU);
}

/** Gives the lab's network, making it when this is the first host. Call it under the lab's lock. */
export async function ensureNetwork(signal?: AbortSignal): Promise<LabNetwork> {
  const existing = readNetwork();
  if (existing && existsSync(`/sys/class/net/${existing.bridge}`)) return existing;
  if (existing) removeNetworkSync();
  const prefix = chooseRange(await usedNetworks(signal));
  if (prefix === undefined)
    throw new TaskError(
      "E_LAB_NETWORK",
      "no private address range is free for the lab: every candidate is routed already",
    );
  const network: LabNetwork = {
    ...{ bridge: BRIDGE, prefix, prefix6: prefix6Of(prefix), mtu: await uplinkMtu(signal) },
    restoreForwarding: (await readFile(FORWARD_SWITCH, "utf8")).trim() === "0",
  };
  // Written first: a crash from here on leaves a description of what is to be removed.
  await mkdir(stateDir, { recursive: true, mode: 0o700 });
  writeFileSync(networkFile, `${JSON.stringify(network)}\n`);
  await buildNetwork(network);
  return network;
}

async function buildNetwork(network: LabNetwork): Promise<void> {
  const { bridge, prefix, prefix6 } = network;
  await run(["ip", "link", "add", bridge, "address", BRIDGE_MAC, "mtu", String(network.mtu), "type", "bridge"]);
  await run(["ip", "addr", "add", `${prefix}.1/24`, "dev", bridge]);
  // A machine may have IPv6 switched off; the lab works without.
  await tryRun(["ip", "-6", "addr", "add", `${prefix6}::1/64`, "dev", bridge, "nodad"]);
  await run(["ip", "link", "set", bridge, "up"]);
  if (network.restoreForwarding) writeFileSync(FORWARD_SWITCH, "1\n");
  for (const { table, chain, match } of firewallRules(network)) {
    await run(["iptables", "--wait", "-t", table, "-I", chain, ...match]);
  }
}

function readNetwork(): LabNetwork | undefined {
  return existsSync(networkFile) ? (JSON.parse(readFileSync(networkFile, "utf8")) as LabNetwork) : undefined;
}

/** Removes bridge and rules and restores forwarding. Call it under the lab's lock, when no host is left. */
export function removeNetworkSync(): void {
  const network = readNetwork();
  if (network === undefined) return;
  for (const { table, chain, match } of firewallRules(network)) {
    runSync(["iptables", "--wait", "-t", table, "-D", chain, ...match]);
  }
  runSync(["ip", "link", "delete", network.bridge]);
  if (network.restoreForwarding) writeFileSync(FORWARD_SWITCH, "0\n");
  rmSync(networkFile, { force: true });
}
