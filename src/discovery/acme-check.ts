import { isIP } from "node:net";
import { addressesOf, type DomainEffects, isPrivate, portState } from "./domain-check.js";

/** What a CA needs, as far as it can be seen from this machine. */
export interface AcmeQuestion {
  /** Names that the certificate shall hold. */
  readonly names: readonly string[];
  /** Addresses that the host has. */
  readonly own: readonly string[];
  /** The name or address that we reach it by. */
  readonly reachedAt: string;
  /** Something of ours answers at its port 80 already. */
  readonly isEdge: boolean;
  /** Seconds that its clock is before ours; negative behind. */
  readonly clockSkew: number;
  /** Whether names lead to the host itself (setting https_dns_check). */
  readonly direct: boolean;
}

export interface AcmeObstacle {
  readonly text: string;
  readonly hint: string;
}

export interface AcmeEffects extends DomainEffects {
  /** Status of `/healthz` at port 80 of an address, asked under a name; undefined without an answer. */
  readonly healthStatus: (address: string, name: string, signal: AbortSignal) => Promise<number | undefined>;
  /** Something that need not stand in the way. */
  readonly warn: (text: string) => void;
}

/** CAs refuse requests of more than some minutes ago; certificates are not valid yet, or no more. */
const CLOCK_TOLERANCE = 300;
const HEALTHY = 204;
const ANSWER_MS = 5000;

export const systemAcmeEffects: Omit<AcmeEffects, "warn"> = { addressesOf, portState, healthStatus };

/**
 * Whether a CA could prove the names: they lead to the host, over IPv4 and IPv6 alike, port 80 can be reached, and clocks agree.
 * @returns the first thing that stands in the way, in words
 */
export async function acmeObstacle(
  question: AcmeQuestion,
  signal: AbortSignal,
  effects: AcmeEffects,
): Promise<AcmeObstacle | undefined> {
  const { clockSkew, direct, names, reachedAt } = question;
  if (Math.abs(clockSkew) > CLOCK_TOLERANCE)
    return {
      text: `the clock of the host is ${duration(clockSkew)} ${clockSkew > 0 ? "ahead of" : "behind"} this machine's`,
      hint: "set the wrong one of the two: `timedatectl set-ntp true`",
    };
  if (!direct) return undefined;
  const reached = isIP(reachedAt) === 0 ? await effects.addressesOf(reachedAt) : [reachedAt];
  const own = new Set([...question.own, ...reached].map(plain));
  for (const name of names) {
    const found = isIP(name) === 0 ? await effects.addressesOf(name) : [name];
    if (found.length === 0)
      return {
        text: `${name} has no A or AAAA record`,
        hint: `make one that leads to the host (${reached.join(", ") || reachedAt}); others may see it minutes later`,
      };
    for (const address of found) {
      const router = !own.has(plain(address)) && behindRouter(address, own);
      if (!own.has(plain(address)) && !router) return misled(name, address, own);
      // From within the network of a router, its outer address often leads nowhere, and for a CA it does.
      const sure = !router || !reached.every(isPrivate);
      const problem = await portProblem(address, name, question.isEdge, signal, effects);
      if (problem === undefined) continue;
      if (sure) return problem;
      effects.warn(`${problem.text}, from this machine; a CA comes from outside. If it fails: ${problem.hint}`);
    }
  }
  return undefined;
}

/** Behind a router a host has addresses of its network alone, and the name has the router's. IPv6 has no such routers. */
function behindRouter(address: string, own: ReadonlySet<string>): boolean {
  return isIP(address) === 4 && !isPrivate(address) && [...own].filter((one) => isIP(one) === 4).every(isPrivate);
}

function misled(name: string, address: string, own: ReadonlySet<string>): AcmeObstacle {
  const family = isIP(address);
  const same = [...own].filter((one) => isIP(one) === family && !isLocal(one));
  const has = same.length === 0 ? `no IPv${family} address` : same.join(", ");
  if (family === 6)
    return {
      text: `${name} has the AAAA record ${address}, and the host has ${has}`,
      hint: "CAs try IPv6 first: correct the record, or remove it",
    };
  return {
    text: `${name} leads to ${address}, and the host has ${has}`,
    hint: "correct its A record; behind a proxy or balancer that hands port 80 on, write https_dns_check: false",
  };
}

async function portProblem(
  address: string,
  name: string,
  isEdge: boolean,
  signal: AbortSignal,
  effects: AcmeEffects,
): Promise<AcmeObstacle | undefined> {
  switch (await effects.portState(address, 80, signal)) {
    case "no-way":
      return undefined;
    case "silent":
      return {
        text: `port 80 of ${name} (${address}) does not answer`,
        hint: "let TCP port 80 through the firewalls of the host, its provider and its router: a CA asks there",
      };
    case "refused":
      // Before the first apply nothing has the port, and the way is open.
      return isEdge
        ? { text: `nothing listens at port 80 of ${name} (${address})`, hint: "have it lead to http_server_port" }
        : undefined;
    case "answers": {
      const status = await effects.healthStatus(address, name, signal);
      if (status === HEALTHY) return undefined;
      const said = status === undefined ? "not by HTTP" : `HTTP ${status}`;
      return {
        text: `port 80 of ${name} (${address}) is answered by something else than the edge (${said})`,
        hint: "have the record, or the router's forwarding, lead to the host",
      };
    }
  }
}

/** IPv6 in its one short form. */
function plain(address: string): string {
  return isIP(address) === 6 ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address;
}

function isLocal(address: string): boolean {
  return /^(127\.|::1$|fe[89ab])/i.test(address);
}

function duration(seconds: number): string {
  const minutes = Math.round(Math.abs(seconds) / 60);
  return minutes < 120 ? `${minutes} minutes` : `${Math.round(minutes / 60)} hours`;
}

async function healthStatus(address: string, name: string, signal: AbortSignal): Promise<number | undefined> {
  // Few runs ask, and it takes some milliseconds to load.
  const { get } = await import("node:http");
  return new Promise((resolve) => {
    const host = isIP(name) === 6 ? `[${name}]` : name;
    const limit = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]);
    const request = get({ host: address, port: 80, path: "/healthz", headers: { Host: host }, signal: limit });
    request.once("response", (response) => {
      response.destroy();
      resolve(response.statusCode);
    });
    request.once("error", () => resolve(undefined));
  });
}
