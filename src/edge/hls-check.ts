import { createDecipheriv } from "node:crypto";
import { type Clock, systemClock } from "./clock.js";
import {
  advanceProblems,
  type DeliveryPromise,
  joinProblems,
  lastSequence,
  lateVideo,
  type Problems,
  playlistHeaderProblems,
  playlistProblems,
  segmentHeaderProblems,
  segmentProblems,
} from "./hls-rules.js";
import { type HttpGet, type HttpResponse, MEDIA_BODY } from "./http-get.js";
import { type HlsKey, type HlsSegment, type MediaPlaylist, parsePlaylist } from "./m3u8.js";
import { addressIn } from "./urls.js";

/** The stream cannot be played: the message says at which URL and why. */
export class HlsError extends Error {
  override readonly name = "HlsError";
}

export interface HlsReader {
  readonly httpGet: HttpGet;
  /** The playlist that viewers are given: media or master. */
  readonly url: URL;
  readonly clock?: Clock;
  readonly signal?: AbortSignal | undefined;
}

/** One reading of a media playlist. */
export interface PlaylistReading {
  readonly url: URL;
  readonly playlist: MediaPlaylist;
  readonly response: HttpResponse;
}

/** Milliseconds between two looks at a playlist: fine enough to measure the first segment with. */
const POLL_MS = 100;

/**
 * Reads the playlist, or the first variant of a master playlist.
 * @returns undefined when there is none (404)
 * @throws HlsError when the answer is no playlist
 */
export async function readPlaylist(reader: HlsReader): Promise<PlaylistReading | undefined> {
  let url = reader.url;
  for (let depth = 0; depth < 2; depth++) {
    let response = await reader.httpGet(url, { signal: reader.signal });
    const lead = leadOf(response, url);
    if (lead !== undefined) {
      url = lead;
      response = await reader.httpGet(url, { signal: reader.signal });
    }
    if (response.status === 404) return undefined;
    if (response.status !== 200) throw new HlsError(`${url.pathname} answers ${response.status}`);
    const playlist = parse(response.body.toString("utf8"), url);
    if (playlist.kind === "media") return { url, playlist, response };
    const variant = playlist.variants[0];
    if (variant === undefined) throw new HlsError(`${url.pathname} is a master playlist without variants`);
    url = addressIn(variant.uri, url);
  }
  throw new HlsError(`${url.pathname} is a master playlist inside a master playlist`);
}

/** Where a nested playlist's plain address leads, on the same edge. */
function leadOf({ status, headers: { location } }: HttpResponse, url: URL): URL | undefined {
  if (status !== 302 || location === undefined) return undefined;
  const lead = addressIn(location, url);
  return lead.origin === url.origin ? lead : undefined;
}

/**
 * Polls until a reading satisfies `enough`.
 * @throws HlsError after `timeoutMs`, saying what the playlist was like then
 */
export async function waitForPlaylist(
  reader: HlsReader,
  timeoutMs: number,
  enough: (playlist: MediaPlaylist) => boolean,
): Promise<PlaylistReading> {
  const clock = reader.clock ?? systemClock;
  const deadline = clock.now() + timeoutMs;
  for (;;) {
    const reading = await readPlaylist(reader);
    if (reading !== undefined && enough(reading.playlist)) return reading;
    if (clock.now() >= deadline) {
      const seen = reading === undefined ? "answers 404" : `lists ${reading.playlist.segments.length} segments`;
      throw new HlsError(`after ${Math.round(timeoutMs / 1000)} s ${reader.url.pathname} still ${seen}`);
    }
    await clock.sleep(POLL_MS, reader.signal);
  }
}

/** What was found in a reading's segments. */
export interface SegmentsReport {
  readonly media: Problems;
  /** The stream's first segment begins without a picture: no failure, and worth saying. */
  readonly late: Problems;
  readonly headers: Problems;
  readonly count: number;
  readonly bytes: number;
  /** Those that were read, by media sequence number. */
  readonly bodies: ReadonlyMap<number, { readonly bytes: Buffer; readonly duration: number }>;
}

/** Fetches the newest `limit` segments of a reading and checks them, each alone and in a row. */
export async function checkSegments(
  reader: HlsReader,
  reading: PlaylistReading,
  promise: DeliveryPromise,
  limit = 3,
): Promise<SegmentsReport> {
  const media: string[] = [];
  const late: string[] = [];
  const headers = new Set<string>();
  const segments = reading.playlist.segments.slice(-limit);
  let earlier: Buffer | undefined;
  let bytes = 0;
  const bodies = new Map<number, { bytes: Buffer; duration: number }>();
  for (const segment of segments) {
    const response = await reader.httpGet(addressIn(segment.uri, reading.url), {
      signal: reader.signal,
      most: MEDIA_BODY,
    });
    if (response.status !== 200) {
      media.push(`${segment.uri} answers ${response.status}`);
      earlier = undefined;
      continue;
    }
    bytes += response.body.length;
    bodies.set(segment.sequence, { bytes: response.body, duration: segment.duration });
    for (const problem of segmentHeaderProblems(response, promise)) headers.add(problem);
    const clear = await decrypt(reader, reading.url, segment, response.body);
    const problems = segmentProblems(clear, segment);
    const begins = segment.sequence === 0 || segment.discontinuity;
    const lateBy = begins && problems.length === 1 ? lateVideo(clear, segment) : 0;
    if (lateBy > 0) {
      late.push(`the first segment has sound ${lateBy.toFixed(1)} s before its picture`);
      earlier = undefined;
      continue;
    }
    media.push(...problems.map((problem) => `${segment.uri}: ${problem}`));
    if (problems.length === 0 && earlier !== undefined)
      media.push(...joinProblems(earlier, clear, segment.discontinuity));
    earlier = problems.length === 0 ? clear : undefined;
  }
  return { media, late, headers: [...headers], count: segments.length, bytes, bodies };
}

export interface HlsReport {
  readonly playlist: Problems;
  readonly playlistHeaders: Problems;
  readonly segments: SegmentsReport;
  readonly advance: Problems;
}

/**
 * Plays a live stream as a strict viewer would: two segments at least, then one more.
 * @param timeoutMs for the first two segments, and again for the third
 * @throws HlsError when there is nothing to play
 */
export async function checkHls(reader: HlsReader, promise: DeliveryPromise, timeoutMs: number): Promise<HlsReport> {
  const first = await waitForPlaylist(reader, timeoutMs, (playlist) => playlist.segments.length >= 2);
  const segments = await checkSegments(reader, first, promise);
  return {
    playlist: playlistProblems(first.playlist),
    playlistHeaders: playlistHeaderProblems(first.response, promise),
    segments,
    advance: await checkAdvance(reader, first, timeoutMs),
  };
}

/** Waits until the playlist has moved on from a reading, and compares the two. Stays with the rendition that was read, as a player does. */
export async function checkAdvance(reader: HlsReader, before: PlaylistReading, timeoutMs: number): Promise<Problems> {
  const newest = lastSequence(before.playlist);
  const after = await waitForPlaylist(
    { ...reader, url: before.url },
    timeoutMs,
    (playlist) => lastSequence(playlist) > newest,
  );
  return [...advanceProblems(before.playlist, after.playlist), ...playlistProblems(after.playlist)];
}

function parse(text: string, url: URL): ReturnType<typeof parsePlaylist> {
  try {
    return parsePlaylist(text);
  } catch (error) {
    throw new HlsError(`${url.pathname}, ${(error as Error).message}`);
  }
}

/** RFC 8216 section 4.3.2.4: AES-128 in CBC mode, the media sequence number as IV unless one is given. */
async function decrypt(reader: HlsReader, base: URL, segment: HlsSegment, body: Buffer): Promise<Buffer> {
  const { key } = segment;
  if (key === undefined) return body;
  const secret = await fetchKey(reader, base, key);
  const iv = key.iv ?? sequenceIv(segment.sequence);
  try {
    const decipher = createDecipheriv("aes-128-cbc", secret, iv);
    return Buffer.concat([decipher.update(body), decipher.final()]);
  } catch {
    throw new HlsError(`${segment.uri} cannot be decrypted with its key`);
  }
}

async function fetchKey(reader: HlsReader, base: URL, key: HlsKey): Promise<Buffer> {
  if (key.method !== "AES-128" || key.uri === undefined) throw new HlsError(`the key method ${key.method} is unknown`);
  const response = await reader.httpGet(addressIn(key.uri, base), { signal: reader.signal });
  if (response.status !== 200 || response.body.length !== 16) {
    throw new HlsError(`the key ${key.uri} answers ${response.status} with ${response.body.length} bytes`);
  }
  return response.body;
}

function sequenceIv(sequence: number): Buffer {
  const iv = Buffer.alloc(16);
  iv.writeBigUInt64BE(BigInt(sequence), 8);
  return iv;
}
