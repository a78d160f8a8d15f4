import { connect as connectTcp, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { interrupted } from "../util/semaphore.js";
import { dialError, type Place, timeoutError } from "./connect-errors.js";

/**
 * Node tries the addresses of a name one after the other and gives each 250 ms by default, too little for a slow line
 * (net.setDefaultAutoSelectFamilyAttemptTimeout).
 */
const ADDRESS_ATTEMPT_MS = 2000;

/** @throws UnreachableError E_DNS, E_REFUSED, E_TIMEOUT, E_NO_ROUTE; InterruptedError. */
export function dial(place: Place, timeoutMs: number, signal?: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(interrupted());
    const socket = connectTcp({
      host: place.hostname,
      port: place.port,
      noDelay: true,
      autoSelectFamilyAttemptTimeout: ADDRESS_ATTEMPT_MS,
    });
    const give = (settle: () => void) => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      settle();
    };
    const abandon = (error: Error) => {
      give(() => reject(error));
      socket.destroy();
    };
    const abort = () => abandon(interrupted());
    const timer = setTimeout(() => abandon(timeoutError(place, "does not answer", timeoutMs)), timeoutMs);
    signal?.addEventListener("abort", abort, { once: true });
    // This listener stays: an error between here and the handshake would otherwise end the process.
    socket.on("error", (error) => abandon(dialError(error, place)));
    socket.once("connect", () => give(() => resolve(socket)));
  });
}

export interface ByteCount {
  readonly up: number;
  readonly down: number;
}

/** Counts what passes a stream. A socket counts for itself; a channel through a jump host is counted at its edges. */
export function countBytes(stream: Duplex): () => ByteCount {
  const socket = stream as Partial<Socket>;
  if (typeof socket.bytesWritten === "number") {
    return () => ({ up: socket.bytesWritten ?? 0, down: socket.bytesRead ?? 0 });
  }
  let up = 0;
  let down = 0;
  const write = stream.write.bind(stream) as (chunk: unknown, ...rest: unknown[]) => boolean;
  const push = stream.push.bind(stream);
  stream.write = (chunk: unknown, ...rest: unknown[]) => {
    up += sizeOf(chunk);
    return write(chunk, ...rest);
  };
  stream.push = (chunk: unknown, encoding?: BufferEncoding) => {
    down += sizeOf(chunk);
    return push(chunk, encoding);
  };
  return () => ({ up, down });
}

function sizeOf(chunk: unknown): number {
  return chunk instanceof Uint8Array ? chunk.length : typeof chunk === "string" ? Buffer.byteLength(chunk) : 0;
}
