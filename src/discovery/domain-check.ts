import { resolve4, resolve6 } from "node:dns/promises";
import { connect, isIP } from "node:net";
import type { CheckVerdict } from "../wizard/types.js";

/** A port that nothing answers on is behind a firewall, milliseconds. */
const PORT_MS = 1500;

const STATES: Readonly<Record<string, PortState>> = {
  ECONNREFUSED: "refused",
  ENETUNREACH: "no-way",
  EADDRNOTAVAIL: "no-way",
  EAFNOSUPPORT: "no-way",
};

export interface DomainEffects {
  readonly addressesOf: (name: string) => Promise<readonly string[]>;
  readonly portState: (host: string, port: number, signal: AbortSignal) => Promise<PortState>;
}

/** `no-way`: this machine has no route, as for IPv6 where it has none. */
export type PortState = "answers" | "refused" | "silent" | "no-way";

const systemEffects: DomainEffects = { addressesOf, portState };

/**
 * Whether a domain leads to the host, and whether ports 80 and 443 can be reached from here.
 * @param hostAddresses addresses and names that the host is known by
 */
export async function checkDomain(
  domain: string,
  hostAddresses: readonly string[],
  signal: AbortSignal,
  effects: DomainEffects = systemEffects,
): Promise<CheckVerdict> {
  const addresses = await effects.addressesOf(domain);
  if (addresses.length === 0) {
    return { status: "warning", text: `${domain} has no A or AAAA record: make one that leads to the host` };
  }
  const names = hostAddresses.filter((address) => isIP(address) === 0);
  const own = new Set([...hostAddresses, ...(await Promise.all(names.map(effects.addressesOf))).flat()]);
  const list = addresses.join(", ");
  const meets = addresses.some((address) => own.has(address));
  const natted =
    !meets && [...own].filter((one) => isIP(one) !== 0).every(isPrivate) && addresses.some((one) => !isPrivate(one));
  if (!meets && !natted) {
    return { status: "warning", text: `${domain} leads to ${list}, which is not this host: correct the record` };
  }
  const states = await Promise.all([80, 443].map((port) => effects.portState(addresses[0] ?? domain, port, signal)));
  const silent = [80, 443].filter((_, index) => states[index] === "silent");
  if (natted) {
    return {
      status: "warning",
      text: `${domain} leads to ${list}; the host is behind a router: have it forward ports 80, 443 and 1935`,
    };
  }
  if (silent.length > 0) {
    return {
      status: "warning",
      text: `${domain} leads to the host; port ${silent.join(" and ")} is closed by a firewall`,
    };
  }
  return { status: "ok", text: `${domain} leads to the host (${list}), ports 80 and 443 can be reached` };
}

export async function addressesOf(name: string): Promise<readonly string[]> {
  const found = await Promise.allSettled([resolve4(name), resolve6(name)]);
  return found.flatMap((one) => (one.status === "fulfilled" ? one.value : []));
}

/** RFC 1918, RFC 6598, link-local, loopback, RFC 4193. */
export function isPrivate(address: string): boolean {
  return /^(10\.|127\.|169\.254\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|::1$|f[cd]|fe[89ab])/i.test(
    address,
  );
}

/** A refusal is a good sign before the edge is there: the way is open, and nothing has the port. */
export function portState(host: string, port: number, signal: AbortSignal): Promise<PortState> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, signal });
    const end = (state: PortState) => {
      socket.destroy();
      resolve(state);
    };
    socket.setTimeout(PORT_MS, () => end("silent"));
    socket.once("connect", () => end("answers"));
    socket.once("error", (error: NodeJS.ErrnoException) => end(STATES[error.code ?? ""] ?? "silent"));
  });
}
