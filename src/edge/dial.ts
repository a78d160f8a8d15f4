import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Transport } from "../transport/transport.js";

export type OpenTcp = Transport["openTcp"];

/** A way to a port of the edge that has worked once. */
export interface Route {
  /** tunnel: the port is closed from here, but open on the host itself. */
  readonly kind: "direct" | "tunnel";
  /** Why the direct way does not work. */
  readonly obstacle: string | undefined;
  open(): Promise<Duplex>;
}

export interface NoRoute {
  readonly kind: "none";
  /** What the direct way, and the tunnel if there is one, said. */
  readonly obstacle: string;
}

/** A host that drops packets is given up after this many milliseconds. */
const CONNECT_TIMEOUT_MS = 4000;

/** Finds a way to a port: directly, as viewers come, or else through the host's own SSH connection. Does not throw. */
export async function findRoute(host: string, port: number, openTcp?: OpenTcp): Promise<Route | NoRoute> {
  const obstacle = await obstacleTo(() => dial(host, port));
  if (obstacle === undefined) return { kind: "direct", obstacle: undefined, open: () => dial(host, port) };
  if (openTcp === undefined) return { kind: "none", obstacle };
  const open = () => openTcp("127.0.0.1", port);
  const inside = await obstacleTo(open);
  if (inside === undefined) return { kind: "tunnel", obstacle, open };
  return { kind: "none", obstacle: `${obstacle}; on the host itself: ${inside}` };
}

/**
 * Connects to a TCP port.
 * @throws Error whose message says in words what is wrong.
 */
export function dial(host: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    const fail = (reason: string) => {
      socket.destroy();
      reject(new Error(reason));
    };
    socket.setTimeout(CONNECT_TIMEOUT_MS, () => fail(`no answer in ${CONNECT_TIMEOUT_MS / 1000} s`));
    socket.once("error", (error: NodeJS.ErrnoException) => fail(describe(error)));
    socket.once("connect", () => {
      socket.setTimeout(0);
      socket.removeAllListeners("error");
      socket.setNoDelay(true);
      resolve(socket);
    });
  });
}

async function obstacleTo(open: () => Promise<Duplex>): Promise<string | undefined> {
  try {
    const stream = await open();
    stream.on("error", () => {}); // the answer is known; what happens while hanging up is of no interest
    stream.destroy();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

function describe(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case "ECONNREFUSED":
      return "the connection is refused";
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return "the name is not known to DNS";
    case "EHOSTUNREACH":
    case "ENETUNREACH":
      return "there is no network route";
    case "ETIMEDOUT":
      return "no answer";
    default:
      return error.message || error.code || "the connection fails";
  }
}
