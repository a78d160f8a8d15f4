import { type CheckOutcome, fail, judge, pass, warn } from "./check-list.js";
import {
  checkAdvance,
  checkSegments,
  HlsError,
  type HlsReader,
  type PlaylistReading,
  readPlaylist,
  waitForPlaylist,
} from "./hls-check.js";
import { lastSequence, playlistHeaderProblems, playlistProblems } from "./hls-rules.js";
import { MEDIA_BODY } from "./http-get.js";
import type { Publication } from "./rtmp-publisher.js";
import { addressIn } from "./urls.js";
import { checkRefs, readerOf, type VerifyContext } from "./verify-context.js";

/** Fragments of waiting until a stream counts as not coming, and at least this many milliseconds. */
const PATIENCE_FRAGMENTS = 5;
const PATIENCE_MS = 15_000;
/** After the publisher has left, the edge may close one more fragment; it takes this many milliseconds. */
const SETTLE_MS = 700;

const STREAM_HINT = "see `journalctl -u edge-rtmp` on the host; is /run/edge/hls mounted and writable?";
const LATE_HINT = "the host was slow when the stream began; who joins later does not notice";
const HEADER_HINT = "a proxy before the edge, or a file changed by hand? `edge-setup plan` tells";

/** Gives the milliseconds from the publisher's start to a fetched first segment. */
export async function checkFirstSegment(
  context: VerifyContext,
  live: Publication,
  publishedAt: number,
): Promise<[CheckOutcome, number | undefined]> {
  const reader = liveReader(context, live);
  try {
    const first = await waitForPlaylist(reader, patience(context), (playlist) => playlist.segments.length > 0);
    const uri = first.playlist.segments.at(-1)?.uri ?? "";
    const segment = await reader.httpGet(addressIn(uri, first.url), { signal: context.signal, most: MEDIA_BODY });
    if (segment.status !== 200) return [fail(`${uri} answers ${segment.status}`), undefined];
    const ms = Math.round(context.clock.now() - publishedAt);
    return [pass(`after ${ms} ms`), ms];
  } catch (error) {
    if (!(error instanceof HlsError)) throw error;
    return [fail(error.message, STREAM_HINT), undefined];
  }
}

/** Plays the stream: the checks from `playlist` to `playlist-advances`. */
export async function playBack(context: VerifyContext, live: Publication): Promise<void> {
  const { checks, target } = context;
  const reader = liveReader(context, live);
  let reading: PlaylistReading | undefined;
  await checks.run(checkRefs.playlist, async () => {
    reading = await waitForPlaylist(reader, patience(context), (playlist) => playlist.segments.length >= 2);
    const { segments, targetDuration } = reading.playlist;
    return judge(
      playlistProblems(reading.playlist),
      `${segments.length} segments, target duration ${targetDuration} s`,
    );
  });
  const { playlistHeaders, segments, segmentHeaders, advance } = checkRefs;
  const begin = reading;
  if (begin === undefined)
    return checks.skip([playlistHeaders, segments, segmentHeaders, advance], "there is no playlist");
  await checks.run(playlistHeaders, async () =>
    judge(playlistHeaderProblems(begin.response, target), "type, Cache-Control and CORS", HEADER_HINT),
  );
  let headers: readonly string[] | undefined;
  await checks.run(segments, async () => {
    const report = await checkSegments(reader, begin, target);
    headers = report.headers;
    if (report.media.length === 0 && report.late.length > 0) return warn(report.late.join("; "), LATE_HINT);
    return judge(report.media, `${report.count} segments, ${Math.round(report.bytes / 1000)} kB`);
  });
  const found = headers;
  if (found === undefined) checks.skip([segmentHeaders], "no segment was read");
  else await checks.run(segmentHeaders, async () => judge(found, "type, Cache-Control and CORS", HEADER_HINT));
  await checks.run(advance, async () =>
    judge(await checkAdvance(reader, begin, patience(context)), "a new segment, the others keep their names"),
  );
}

/** Stops the stream and looks whether its playlist stops too. */
export async function checkUnpublish(context: VerifyContext, live: Publication): Promise<CheckOutcome> {
  const { clock, signal, target } = context;
  const end = await live.stop();
  if (end.reason !== "stopped") return fail(`the edge has ended the stream before we did: ${end.detail}`);
  await clock.sleep(SETTLE_MS, signal);
  const left = await readPlaylist(readerOf(context));
  if (left === undefined) return pass("the playlist is gone");
  await clock.sleep(target.fragmentMs + SETTLE_MS, signal);
  const later = await readPlaylist({ ...readerOf(context), url: left.url });
  if (later === undefined) return pass("the playlist is gone");
  if (later.playlist.ended) return pass("the playlist says that it is complete");
  const grows = lastSequence(later.playlist) > lastSequence(left.playlist);
  return grows ? fail("the playlist still grows") : pass("the playlist grows no more");
}

/** A reader that notices when the edge drops the publisher, instead of waiting for segments that cannot come. */
function liveReader(context: VerifyContext, live: Publication): HlsReader {
  const reader = readerOf(context);
  let over: string | undefined;
  live.ended.then((end) => {
    over = end.detail;
  });
  return {
    ...reader,
    httpGet: (url, options) => {
      if (over !== undefined) return Promise.reject(new HlsError(`the edge has dropped the publisher: ${over}`));
      return reader.httpGet(url, options);
    },
  };
}

function patience({ target }: VerifyContext): number {
  return Math.max(PATIENCE_MS, PATIENCE_FRAGMENTS * target.fragmentMs);
}
