import { randomBytes } from "node:crypto";

/** RTMP specification 1.0, section 5.2: the plain handshake, which servers accept from clients other than Flash. */
const VERSION = 3;
const BLOCK = 1536;

export type HandshakeStep =
  | { readonly status: "more" }
  | { readonly status: "refused"; readonly reason: string }
  /** `reply` is C2; `rest` are bytes of the chunk stream that came along. */
  | { readonly status: "done"; readonly reply: Buffer; readonly rest: Buffer };

/** C0 and C1: version, time 0, four zero bytes (no digest), random filling. */
export function clientHello(): Buffer {
  return Buffer.concat([Buffer.of(VERSION), Buffer.alloc(8), randomBytes(BLOCK - 8)]);
}

/** Looks at all bytes that the server has sent so far: S0, S1 and S2. C2 is an echo of S1. */
export function readServerHello(received: Buffer): HandshakeStep {
  const version = received[0];
  if (version === undefined) return { status: "more" };
  if (version !== VERSION) return { status: "refused", reason: "the port answers, but not in RTMP" };
  if (received.length < 1 + 2 * BLOCK) return { status: "more" };
  return { status: "done", reply: received.subarray(1, 1 + BLOCK), rest: received.subarray(1 + 2 * BLOCK) };
}
