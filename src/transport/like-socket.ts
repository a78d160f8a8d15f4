import type { Duplex } from "node:stream";

/** How long a host may take to open a connection of its own, milliseconds. */
export const OPEN_MS = 10_000;

/** node:http expects a few methods of net.Socket on what its createConnection gives. */
export function likeSocket(channel: Duplex): Duplex {
  const nothing = () => channel;
  return Object.assign(channel, {
    setKeepAlive: nothing,
    setNoDelay: nothing,
    setTimeout: nothing,
    ref: nothing,
    unref: nothing,
    destroySoon: () => channel.destroy(),
  });
}
