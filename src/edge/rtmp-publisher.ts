import type { Duplex } from "node:stream";
import { setImmediate } from "node:timers/promises";
import type { Secret } from "../util/secret.js";
import { encodeAmf } from "./amf0.js";
import { type Clock, systemClock } from "./clock.js";
import { type FlvClip, type FlvTag, loopClip } from "./flv.js";
import { RtmpSession, streamIdOf } from "./rtmp-session.js";
import { RtmpError, rejection } from "./rtmp-status.js";

export interface PublishOptions {
  /** A connected byte stream to the RTMP port; closed when publishing ends. */
  readonly socket: Duplex;
  /** `rtmp://host:port/app` as the server shall see it. */
  readonly tcUrl: string;
  readonly app: string;
  readonly streamName: string;
  /** Sent as `?token=`, and nowhere else: errors and results have it masked. */
  readonly token?: Secret | undefined;
  readonly clip: FlvClip;
  readonly timeoutMs?: number;
  readonly clock?: Clock;
  /** Aborting drops the connection. */
  readonly signal?: AbortSignal | undefined;
}

/** Why a server does not let us publish. */
export interface PublishRefused {
  readonly status: "refused";
  /** bad-name: the stream has a publisher already. closed: the usual answer of nginx-rtmp to a wrong token. */
  readonly reason: "bad-name" | "rejected" | "closed" | "timeout" | "protocol";
  readonly detail: string;
}

/** What was sent, and why it ended. */
export interface PublishEnd {
  readonly reason: "finished" | "stopped" | "closed" | "rejected";
  readonly detail: string;
  readonly sentBytes: number;
  /** Media time that was sent, in milliseconds. */
  readonly mediaMs: number;
}

/** A stream that the server has accepted and that runs in real time until stopped. */
export interface Publication {
  readonly status: "live";
  /** Resolves, never rejects, when the stream is over for whatever reason. */
  readonly ended: Promise<PublishEnd>;
  stop(): Promise<PublishEnd>;
}

/** The outcome of a burst: whether it was refused, and how much went out before the answer came. */
export interface BurstResult {
  readonly outcome: { readonly status: "accepted" } | PublishRefused;
  readonly sentBytes: number;
  readonly mediaMs: number;
}

const CLIENT = "edge-setup";

/**
 * Publishes the clip in real time, looping it until `stop()`, the signal, or `durationMs` of media.
 * Gives `live` once the server says NetStream.Publish.Start, or `refused` with the reason. Does not throw.
 */
export async function publish(
  options: PublishOptions & { readonly durationMs?: number },
): Promise<Publication | PublishRefused> {
  const opened = await openStream(options);
  if (opened.status === "refused") return opened;
  const { session, streamId } = opened;
  try {
    await untilStarted(session);
  } catch (error) {
    session.close();
    return refusal(error, options.token);
  }
  const stopping = new AbortController();
  const ended = stream(session, streamId, { ...options, stop: stopping.signal });
  const stop = () => {
    stopping.abort();
    return ended;
  };
  return { status: "live", ended, stop };
}

/**
 * Publishes as fast as the connection takes it, without waiting for the server's answer: what an attacker would do to
 * get segments written before the token is checked. Does not throw.
 * @param options.mediaMs how much media to send, in milliseconds
 */
export async function publishBurst(options: PublishOptions & { readonly mediaMs: number }): Promise<BurstResult> {
  const opened = await openStream(options);
  if (opened.status === "refused") return { outcome: opened, sentBytes: 0, mediaMs: 0 };
  const { session, streamId } = opened;
  const started = untilStarted(session).then(
    () => ({ status: "accepted" }) as const,
    (error: unknown) => refusal(error, options.token),
  );
  const mediaMs = await send(session, streamId, options.clip, { untilMs: options.mediaMs, pace: async () => true });
  const outcome = await started;
  const sentBytes = session.sentBytes;
  hangUp(session, streamId, options.streamName);
  return { outcome, sentBytes, mediaMs };
}

type OpenedStream = { readonly status: "open"; readonly session: RtmpSession; readonly streamId: number };

/** Everything up to the publish command, whose answer is left to the caller. */
async function openStream(options: PublishOptions): Promise<OpenedStream | PublishRefused> {
  let session: RtmpSession | undefined;
  try {
    session = await RtmpSession.open(options);
    const { app, tcUrl, streamName } = options;
    await session.command("connect", [{ app, type: "nonprivate", flashVer: `FMLE/3.0 (${CLIENT})`, tcUrl }]);
    session.notify("releaseStream", [null, streamName]);
    session.notify("FCPublish", [null, streamName]);
    const [, streamId] = await session.command("createStream", [null]);
    const id = streamIdOf(streamId);
    session.notify("publish", [null, withToken(streamName, options.token), "live"], id);
    return { status: "open", session, streamId: id };
  } catch (error) {
    session?.close();
    options.socket.destroy();
    return refusal(error, options.token);
  }
}

/** Statuses before the one that says how publishing goes. */
const MAX_PRELUDE = 20;

async function untilStarted(session: RtmpSession): Promise<void> {
  for (let turn = 0; turn < MAX_PRELUDE; turn++) {
    const status = await session.nextStatus();
    if (status.code === "NetStream.Publish.Start") return;
    if (status.level === "error" || status.code.startsWith("NetStream.Publish.")) throw rejection(status);
  }
  throw new RtmpError("protocol", "the server says much, and not whether the stream may begin");
}

interface StreamOptions extends PublishOptions {
  readonly durationMs?: number;
  readonly stop: AbortSignal;
}

async function stream(session: RtmpSession, streamId: number, options: StreamOptions): Promise<PublishEnd> {
  const clock = options.clock ?? systemClock;
  const begin = clock.now();
  let error: RtmpError | undefined;
  const over = Promise.race([untilComplaint(session), session.ended]).then((end) => {
    error = end;
  });
  const mediaMs = await send(session, streamId, options.clip, {
    untilMs: options.durationMs ?? Number.POSITIVE_INFINITY,
    async pace(timestampMs) {
      const ahead = timestampMs - (clock.now() - begin);
      if (ahead > 0) await Promise.race([clock.sleep(ahead, options.stop).catch(() => {}), over]);
      return error === undefined && !options.stop.aborted;
    },
  });
  await setImmediate(); // when the connection has ended, let `over` hear of it
  const end = { sentBytes: session.sentBytes, mediaMs };
  hangUp(session, streamId, options.streamName);
  if (options.stop.aborted || options.signal?.aborted) return { ...end, reason: "stopped", detail: "stopped by us" };
  if (error === undefined) return { ...end, reason: "finished", detail: "all media is sent" };
  const reason = error.kind === "rejected" ? "rejected" : "closed";
  return { ...end, reason, detail: mask(error.message, options.token) };
}

/** Resolves when the server revokes a running stream; a closed connection is not its business. */
async function untilComplaint(session: RtmpSession): Promise<RtmpError> {
  try {
    for (;;) {
      const status = await session.nextStatus(MAX_TIMER_MS);
      if (status.level === "error") return rejection(status);
    }
  } catch {
    return session.ended;
  }
}

/** The longest that a Node.js timer can wait: 24.8 days. */
const MAX_TIMER_MS = 2 ** 31 - 1;

interface SendOptions {
  readonly untilMs: number;
  /** Waits for a frame's turn; false ends the stream. */
  pace(timestampMs: number): Promise<boolean>;
}

/** Sends metadata, headers and frames; gives the media time sent, in milliseconds. */
async function send(session: RtmpSession, streamId: number, clip: FlvClip, options: SendOptions): Promise<number> {
  let mediaMs = 0;
  if (clip.metadata !== undefined) {
    // What a client publishes as @setDataFrame is what players get as onMetaData.
    const metadata = Buffer.concat([encodeAmf(["@setDataFrame"]), clip.metadata]);
    await session.sendMedia("data", streamId, 0, metadata);
  }
  for (const tag of loopClip(clip)) {
    if (tag.timestampMs >= options.untilMs) break;
    if (!(await options.pace(tag.timestampMs))) break;
    if (!(await session.sendMedia(mediaType(tag), streamId, tag.timestampMs, tag.body))) break;
    mediaMs = tag.timestampMs;
  }
  return mediaMs;
}

function mediaType(tag: FlvTag): "audio" | "video" | "data" {
  return tag.type === "script" ? "data" : tag.type;
}

function hangUp(session: RtmpSession, streamId: number, streamName: string): void {
  session.notify("FCUnpublish", [null, streamName]);
  session.notify("deleteStream", [null, streamId]);
  session.close();
}

function withToken(streamName: string, token: Secret | undefined): string {
  return token === undefined ? streamName : `${streamName}?token=${encodeURIComponent(token.reveal())}`;
}

function refusal(error: unknown, token: Secret | undefined): PublishRefused {
  if (!(error instanceof RtmpError)) throw error;
  const detail = mask(error.message, token);
  if (error.kind !== "rejected") return { status: "refused", reason: error.kind, detail };
  const taken = error.code === "NetStream.Publish.BadName";
  return { status: "refused", reason: taken ? "bad-name" : "rejected", detail };
}

/** Servers like to repeat the stream name, query and all, in what they complain about. */
function mask(text: string, token: Secret | undefined): string {
  const value = token?.reveal() ?? "";
  if (value === "") return text;
  return text.replaceAll(value, String(token)).replaceAll(encodeURIComponent(value), String(token));
}
