import type { HttpResponse } from "./http-get.js";
import type { HlsSegment, MasterPlaylist, MediaPlaylist } from "./m3u8.js";
import { parseTs, ptsDistance, streamType, TsError, type TsSegment, type TsStream } from "./mpegts.js";

/** What an edge promises of its answers; see docs/settings.md for what changes it. */
export interface DeliveryPromise {
  /** Access-Control-Allow-Origin; undefined promises none. */
  readonly corsOrigin: string | undefined;
  /** Segment names are never used again, so caches may keep them. */
  readonly immutableSegments: boolean;
}

/** Each rule gives what is wrong, in the words of the reader's problem; nothing wrong is an empty list. */
export type Problems = readonly string[];

/** RFC 8216 about one media playlist. */
export function playlistProblems(playlist: MediaPlaylist): Problems {
  const problems: string[] = [];
  for (const segment of playlist.segments) {
    // Section 4.3.3.1: rounded to the nearest integer.
    if (Math.round(segment.duration) > playlist.targetDuration) {
      problems.push(
        `EXTINF ${segment.duration} of ${segment.uri} is above EXT-X-TARGETDURATION ${playlist.targetDuration}`,
      );
    }
    if (segment.duration <= 0) problems.push(`${segment.uri} lasts ${segment.duration} s`);
  }
  const uris = new Set(playlist.segments.map((segment) => segment.uri));
  if (uris.size < playlist.segments.length) problems.push("the same segment is listed twice");
  const { needs, version } = playlist;
  // Section 7.
  if (version < needs.version)
    problems.push(`EXT-X-VERSION is ${version}, and ${needs.because} is of ${needs.version}`);
  // Section 4.3.3.5: a playlist that only grows begins with its first segment.
  if (playlist.type !== undefined && playlist.mediaSequence > 0)
    problems.push(`a playlist of type ${playlist.type} begins with segment ${playlist.mediaSequence}`);
  return problems;
}

/** RFC 8216, and what players need, about a master playlist of video. */
export function masterProblems({ variants }: MasterPlaylist): Problems {
  const problems: string[] = [];
  if (variants.length === 0) problems.push("there are no variants");
  if (new Set(variants.map(({ uri }) => uri)).size < variants.length) problems.push("two variants have one URI");
  for (const { uri, attributes } of variants) {
    // Section 4.3.4.2: both are a SHOULD, without which players guess.
    if (!/^[a-z0-9]{4}\.[^,]+(,[a-z0-9]{4}\.[^,]+)*$/.test(attributes.get("CODECS") ?? ""))
      problems.push(`${uri} has no right CODECS`);
    if (!/^[1-9]\d*x[1-9]\d*$/.test(attributes.get("RESOLUTION") ?? ""))
      problems.push(`${uri} has no right RESOLUTION`);
    const rate = attributes.get("FRAME-RATE");
    if (rate !== undefined && !/^\d+(\.\d{1,3})?$/.test(rate)) problems.push(`${uri} has the FRAME-RATE ${rate}`);
  }
  return problems;
}

/** RFC 8216 section 6.2.1 about two readings of a live playlist, the later one being expected to have moved on. */
export function advanceProblems(before: MediaPlaylist, after: MediaPlaylist): Problems {
  const problems: string[] = [];
  if (after.mediaSequence < before.mediaSequence) {
    problems.push(`EXT-X-MEDIA-SEQUENCE goes back from ${before.mediaSequence} to ${after.mediaSequence}`);
  }
  if (after.targetDuration < before.targetDuration)
    problems.push(`EXT-X-TARGETDURATION falls from ${before.targetDuration} to ${after.targetDuration}`);
  if (before.type !== undefined && after.mediaSequence > before.mediaSequence && after.type !== undefined)
    problems.push(`segments have left a playlist of type ${before.type}`);
  const known = new Map(before.segments.map((segment) => [segment.sequence, segment]));
  for (const segment of after.segments) {
    const earlier = known.get(segment.sequence);
    if (earlier === undefined) continue;
    const { sequence, uri } = segment;
    if (earlier.uri !== uri)
      problems.push(`segment ${sequence} was ${earlier.uri} and is now ${uri}: two writers of one playlist?`);
    else if (changes(earlier, segment)) problems.push(`what the playlist says of ${uri} has changed`);
  }
  problems.push(...discontinuityProblems(before, after));
  if (lastSequence(after) <= lastSequence(before)) problems.push("no new segment appears");
  return problems;
}

function changes(before: HlsSegment, after: HlsSegment): boolean {
  const key = ({ key: one }: HlsSegment) => JSON.stringify(one);
  return (
    before.duration !== after.duration || before.discontinuity !== after.discontinuity || key(before) !== key(after)
  );
}

/** Section 6.2.2: EXT-X-DISCONTINUITY-SEQUENCE counts those whose segments have left. */
function discontinuityProblems(before: MediaPlaylist, after: MediaPlaylist): string[] {
  const left = before.segments.filter(({ sequence }) => sequence < after.mediaSequence);
  const wanted = before.discontinuitySequence + left.filter(({ discontinuity }) => discontinuity).length;
  const sawAll = after.mediaSequence <= lastSequence(before) + 1;
  const wrong = sawAll ? after.discontinuitySequence !== wanted : after.discontinuitySequence < wanted;
  return wrong ? [`EXT-X-DISCONTINUITY-SEQUENCE is ${after.discontinuitySequence}, not ${wanted}`] : [];
}

/** The media sequence number of the newest segment; -1 + the first when there is none. */
export function lastSequence(playlist: MediaPlaylist): number {
  return playlist.mediaSequence + playlist.segments.length - 1;
}

const PLAYLIST_TYPES = /^(application\/vnd\.apple\.mpegurl|application\/x-mpegurl|audio\/(x-)?mpegurl)\b/i;

export function playlistHeaderProblems({ headers }: HttpResponse, promise: DeliveryPromise): Problems {
  const problems: string[] = [];
  if (!PLAYLIST_TYPES.test(headers["content-type"] ?? ""))
    problems.push(wrong("Content-Type", headers["content-type"]));
  const age = /(?:^|[,\s])max-age=(\d+)/.exec(headers["cache-control"] ?? "")?.[1];
  if (age !== "1") problems.push(`${wrong("Cache-Control", headers["cache-control"])}, not max-age=1`);
  return [...problems, ...corsProblems(headers, promise)];
}

export function segmentHeaderProblems({ headers }: HttpResponse, promise: DeliveryPromise): Problems {
  const problems: string[] = [];
  if (!/^video\/mp2t\b/i.test(headers["content-type"] ?? ""))
    problems.push(wrong("Content-Type", headers["content-type"]));
  const immutable = /\bimmutable\b/.test(headers["cache-control"] ?? "");
  if (promise.immutableSegments && !immutable) {
    problems.push(`${wrong("Cache-Control", headers["cache-control"])}, not immutable`);
  }
  if (!promise.immutableSegments && immutable) {
    problems.push("Cache-Control says immutable of segments whose names are used again");
  }
  return [...problems, ...corsProblems(headers, promise)];
}

/** Whether a segment (decrypted) can be decoded on its own and holds H.264 and AAC of the length that it claims. */
export function segmentProblems(bytes: Buffer, claim: HlsSegment): Problems {
  let ts: TsSegment;
  try {
    ts = parseTs(bytes);
  } catch (error) {
    if (error instanceof TsError) return [error.message];
    throw error;
  }
  const problems: string[] = [];
  if (ts.gaps > 0) problems.push(`${ts.gaps} continuity counters jump`);
  problems.push(...trackProblems(ts, streamType.h264, "H.264", "does not begin with SPS, PPS and a key frame"));
  problems.push(...trackProblems(ts, streamType.aac, "AAC", "does not begin with an ADTS header"));
  const video = trackOf(ts, streamType.h264);
  if (video !== undefined && Math.abs(lengthOf(video) - claim.duration) > Math.max(1, claim.duration / 2)) {
    problems.push(`EXTINF says ${claim.duration} s, the video lasts ${lengthOf(video).toFixed(2)} s`);
  }
  return problems;
}

/** A picture that comes so much later than the sound is missed by a viewer, seconds. */
const LATE_SECONDS = 0.3;

/**
 * Seconds by which the picture begins after the sound, in a segment that is whole otherwise; 0 when it does not. A stream
 * is handed on within the edge as soon as that is connected; where a host is slow, it begins between two key frames.
 */
export function lateVideo(bytes: Buffer, claim: HlsSegment): number {
  const ts = parseTs(bytes);
  const video = trackOf(ts, streamType.h264);
  const audio = trackOf(ts, streamType.aac);
  if (video?.firstPts === undefined || audio?.firstPts === undefined) return 0;
  const late = ptsDistance(audio.firstPts, video.firstPts);
  const whole = Math.abs(late + lengthOf(video) - claim.duration) <= Math.max(1, claim.duration / 2);
  return whole && late > LATE_SECONDS ? late : 0;
}

/** Whether the time goes on from one segment to the next, which a player needs to join them. */
export function joinProblems(earlier: Buffer, later: Buffer, discontinuity: boolean): Problems {
  if (discontinuity) return [];
  const end = trackOf(parseTs(earlier), streamType.h264)?.lastPts;
  const begin = trackOf(parseTs(later), streamType.h264)?.firstPts;
  if (end === undefined || begin === undefined) return [];
  const gap = ptsDistance(end, begin);
  if (gap <= 0) return [`the time goes back by ${(-gap).toFixed(2)} s between two segments`];
  return gap > 1 ? [`${gap.toFixed(2)} s are missing between two segments`] : [];
}

function trackProblems(ts: TsSegment, type: number, codec: string, undecodable: string): Problems {
  const stream = trackOf(ts, type);
  if (stream === undefined) return [`there is no ${codec} stream`];
  if (stream.frames === 0) return [`the ${codec} stream is empty`];
  if (!stream.decodable) return [`the ${codec} stream ${undecodable}`];
  return lengthOf(stream) <= 0 && stream.frames > 1 ? [`the ${codec} timestamps do not advance`] : [];
}

function trackOf(ts: TsSegment, type: number): TsStream | undefined {
  return ts.streams.find((stream) => stream.type === type);
}

function lengthOf({ firstPts, lastPts }: TsStream): number {
  return firstPts === undefined || lastPts === undefined ? 0 : ptsDistance(firstPts, lastPts);
}

function corsProblems(headers: HttpResponse["headers"], { corsOrigin }: DeliveryPromise): Problems {
  const given = headers["access-control-allow-origin"];
  if (given === corsOrigin) return [];
  return [`${wrong("Access-Control-Allow-Origin", given)}, not ${corsOrigin ?? "absent"}`];
}

function wrong(header: string, value: string | undefined): string {
  return value === undefined ? `${header} is missing` : `${header} is ${value}`;
}
