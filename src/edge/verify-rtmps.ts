import type { Duplex } from "node:stream";
import { connect, type TLSSocket } from "node:tls";
import type { CheckRef } from "../report/events.js";
import { type CheckOutcome, fail, pass, warn } from "./check-list.js";
import { readPlaylist } from "./hls-check.js";
import { publish } from "./rtmp-publisher.js";
import { APP, rtmpsAppUrl } from "./urls.js";
import { type EdgeTarget, readerOf, type VerifyContext } from "./verify-context.js";

const ref = { id: "rtmps", title: "publishing over TLS is accepted and plays" } satisfies CheckRef;

/** Fragments until the first segment must be there. */
const PATIENCE_FRAGMENTS = 4;
const HANDSHAKE_MS = 4000;

/** The check of RTMPS, where the edge has it. */
export function rtmpsChecks({ rtmpsPort }: EdgeTarget) {
  if (rtmpsPort === undefined) return [];
  return [{ ref, run: (context: VerifyContext) => checkRtmps(context, rtmpsPort) }];
}

async function checkRtmps(context: VerifyContext, port: number): Promise<CheckOutcome> {
  const { target, clip, clock, signal, openTcp } = context;
  const route = await context.routeTo(port);
  if (route.kind === "none") return fail(`port ${port} of ${target.host}: ${route.obstacle}`, "run `edge-setup plan`");
  const fromHost = target.limited.rtmp && openTcp !== undefined;
  const plain = fromHost ? await openTcp("127.0.0.1", port) : await route.open();
  const socket = await overTls(plain, target.host);
  const streamName = `${context.stream}-tls`;
  const tcUrl = rtmpsAppUrl(target) ?? "";
  const live = await publish({ socket, tcUrl, app: APP, streamName, token: target.token, clip, clock, signal });
  if (live.status === "refused") return fail(live.detail, "see `journalctl -u edge-rtmps -u edge-rtmp` on the host");
  try {
    const begin = clock.now();
    const reader = readerOf(context, streamName);
    while ((await readPlaylist(reader)) === undefined) {
      if (clock.now() - begin > PATIENCE_FRAGMENTS * target.fragmentMs + 2000) return fail("no playlist appears");
      await clock.sleep(200, signal);
    }
  } finally {
    await live.stop();
  }
  const seen = `${socket.getProtocol()}, a playlist is there`;
  if (route.kind === "tunnel")
    return warn(
      `${seen}; port ${port} is closed from this machine (${route.obstacle})`,
      `let TCP port ${port} through the firewall of the host, its provider, or this network`,
    );
  if (socket.authorized) return pass(seen);
  return pass(
    `${seen}; its certificate is not trusted here (${socket.authorizationError}): OBS refuses it, FFmpeg does not`,
  );
}

/**
 * TLS over a connection that is there, whatever the certificate is worth: `authorized` tells.
 * @throws Error in words when there is no TLS
 */
function overTls(plain: Duplex, host: string): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const isName = /[a-z]/i.test(host) && !host.includes(":");
    const socket = connect({ socket: plain, host, rejectUnauthorized: false, ...(isName ? { servername: host } : {}) });
    const timer = setTimeout(() => socket.destroy(new Error("no TLS handshake")), HANDSHAKE_MS);
    socket.once("error", (error) => {
      clearTimeout(timer);
      reject(new Error(`TLS fails: ${error.message}`));
    });
    socket.once("secureConnect", () => {
      clearTimeout(timer);
      resolve(socket);
    });
  });
}
