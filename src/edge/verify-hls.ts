import type { CheckRef } from "../report/events.js";
import { type CheckOutcome, fail, judge, pass, warn } from "./check-list.js";
import { checkSegments, type PlaylistReading, waitForPlaylist } from "./hls-check.js";
import { playlistHeaderProblems, playlistProblems } from "./hls-rules.js";
import { dvrUrl } from "./urls.js";
import { type EdgeTarget, readerOf, type VerifyContext } from "./verify-context.js";

/** Milliseconds that an edge may take beyond the segments that are waited for. */
const PATIENCE_MS = 10_000;

/** How HLS is written where the settings ask for more than the usual. */
export interface HlsPromise {
  /** hls_keys: segments are encrypted. */
  readonly encrypted: boolean;
  /** hls_type event: the playlist says so for as long as nothing has left it; the window in milliseconds. */
  readonly eventMs: number | undefined;
  /** hls_dvr_fragment in milliseconds; undefined without a window on the disk. */
  readonly dvrFragmentMs: number | undefined;
}

interface HlsCheck {
  readonly ref: CheckRef;
  readonly run: (context: VerifyContext) => Promise<CheckOutcome>;
}

/** The checks of what is on; made while the proof's stream is live. */
export function hlsChecks({ hls }: EdgeTarget): HlsCheck[] {
  const checks: HlsCheck[] = [];
  if (hls?.encrypted)
    checks.push({ ref: { id: "hls-keys", title: "segments are encrypted and their keys open them" }, run: checkKeys });
  if (hls?.eventMs !== undefined)
    checks.push({ ref: { id: "hls-event", title: "the playlist says that it is an event" }, run: checkEvent });
  if (hls?.dvrFragmentMs !== undefined)
    checks.push({ ref: { id: "hls-dvr", title: "the window on the disk plays" }, run: checkDvr });
  return checks;
}

async function checkKeys(context: VerifyContext): Promise<CheckOutcome> {
  const reader = readerOf(context);
  const reading = await waitForPlaylist(reader, PATIENCE_MS, ({ segments }) => segments.length > 0);
  const clear = reading.playlist.segments.filter(({ key }) => key === undefined);
  if (clear.length > 0) return fail(`${clear.length} of ${reading.playlist.segments.length} segments have no key`);
  return judged(context, reading, "by AES-128");
}

async function checkEvent(context: VerifyContext): Promise<CheckOutcome> {
  const { playlist } = await waitForPlaylist(readerOf(context), PATIENCE_MS, ({ segments }) => segments.length > 0);
  if (playlist.type === "EVENT") return pass(`${playlist.segments.length} segments from the begin on`);
  if (playlist.mediaSequence > 0)
    return warn("the window is full already, so it is as live", "longer: hls_playlist_length");
  // It is full one segment before the first leaves it.
  const seconds = playlist.segments.reduce((sum, { duration }) => sum + duration, 0);
  const full = seconds * 1000 >= (context.target.hls?.eventMs ?? 0) - context.target.fragmentMs;
  return full ? pass("the window is full, so it is as live") : fail("there is no EXT-X-PLAYLIST-TYPE:EVENT");
}

async function checkDvr(context: VerifyContext): Promise<CheckOutcome> {
  const { target, stream } = context;
  const reader = { ...readerOf(context), url: dvrUrl(target, stream) };
  const wait = PATIENCE_MS + 3 * (target.hls?.dvrFragmentMs ?? 0);
  const reading = await waitForPlaylist(reader, wait, ({ segments }) => segments.length > 0);
  const problems = [...playlistProblems(reading.playlist), ...playlistHeaderProblems(reading.response, target)];
  if (problems.length > 0) return judge(problems, "");
  return judged(context, reading, `of ${reading.playlist.segments.length}`);
}

async function judged(context: VerifyContext, reading: PlaylistReading, words: string): Promise<CheckOutcome> {
  const report = await checkSegments(readerOf(context), reading, context.target);
  return judge(report.media, `${report.count} segments ${words} are right, ${Math.round(report.bytes / 1000)} kB`);
}
