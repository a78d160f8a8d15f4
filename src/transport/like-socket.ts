import type { Duplex } from "node:stream";

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
