import type { Duplex } from "node:stream";
import { withTimeout } from "./clock.js";
import { RtmpSession, streamIdOf } from "./rtmp-session.js";
import { RtmpError } from "./rtmp-status.js";

export interface PlayOptions {
  readonly socket: Duplex;
  readonly tcUrl: string;
  readonly app: string;
  readonly streamName: string;
  /** Milliseconds to wait for media before the stream counts as not played. */
  readonly waitMs?: number;
  readonly signal?: AbortSignal | undefined;
}

export type PlayResult = { readonly status: "plays" } | { readonly status: "refused"; readonly detail: string };

/**
 * Tries to play a live stream over RTMP, and tells whether any of it arrives. Only media counts: nginx-rtmp says
 * NetStream.Play.Start before it looks at `deny play`. Does not throw.
 */
export async function tryPlay(options: PlayOptions): Promise<PlayResult> {
  const waitMs = options.waitMs ?? 3000;
  let session: RtmpSession | undefined;
  try {
    session = await RtmpSession.open({ ...options, timeoutMs: waitMs });
    await session.command("connect", [{ app: options.app, tcUrl: options.tcUrl }]);
    const [, streamId] = await session.command("createStream", [null]);
    session.notify("play", [null, options.streamName], streamIdOf(streamId));
    const outcome = Promise.race([session.media, session.ended]);
    const ended = await withTimeout(outcome, waitMs, () => new RtmpError("timeout", "no media arrives"));
    return ended === undefined ? { status: "plays" } : { status: "refused", detail: ended.message };
  } catch (error) {
    options.socket.destroy();
    return { status: "refused", detail: (error as Error).message };
  } finally {
    session?.close();
  }
}
