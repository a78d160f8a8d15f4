import { type CheckOutcome, fail, judge } from "./check-list.js";
import { checkSegments, readPlaylist } from "./hls-check.js";
import { playlistProblems } from "./hls-rules.js";
import { isLadder, masterProblems, type RungReading, rungName, rungProblems } from "./ladder-rules.js";
import { type MasterPlaylist, parsePlaylist } from "./m3u8.js";
import { addressIn } from "./urls.js";
import { readerOf, type VerifyContext } from "./verify-context.js";

/** The encoder has to be started, to wait for key frames, and to make two segments, all on a busy host perhaps. */
const PATIENCE_MS = 40_000;
const POLL_MS = 500;
/** Segments of each rung that are fetched. */
const NEWEST = 2;

/**
 * Reads the master playlist and each of its rungs, as players do. The proof's ladder is as long as any, and small.
 * @param expected names of rungs
 */
export async function checkLadder(context: VerifyContext, expected: readonly string[]): Promise<CheckOutcome> {
  const { target, clock, signal } = context;
  const hint = `see \`journalctl -u edge-transcode@${context.stream}\` on the host`;
  let master = await readMaster(context);
  for (const deadline = clock.now() + PATIENCE_MS; !isLadder(master) && clock.now() < deadline; ) {
    await clock.sleep(POLL_MS, signal);
    master = await readMaster(context);
  }
  if (!isLadder(master))
    return fail(`no ladder within ${PATIENCE_MS / 1000} s: viewers get the stream as published`, hint);
  const problems = [...masterProblems(master, expected)];
  const rungs: RungReading[] = [];
  for (const variant of master.variants) {
    const name = rungName(variant);
    const reader = { ...readerOf(context), url: addressIn(variant.uri, readerOf(context).url) };
    const reading = await readPlaylist(reader);
    if (reading === undefined) {
      problems.push(`the playlist of ${name} answers 404`);
      continue;
    }
    problems.push(...playlistProblems(reading.playlist).map((problem) => `${name}: ${problem}`));
    // Named by the clock, whatever nginx's own segments are.
    const report = await checkSegments(reader, reading, { ...target, immutableSegments: true }, NEWEST);
    problems.push(...[...report.media, ...report.late, ...report.headers].map((problem) => `${name}: ${problem}`));
    rungs.push({ name, variant, segments: report.bodies });
  }
  problems.push(...rungProblems(rungs));
  return judge(problems, `${rungs.map(({ name }) => name).join(", ")}, cut at the same pictures`, hint);
}

async function readMaster(context: VerifyContext): Promise<MasterPlaylist> {
  const { url, httpGet } = readerOf(context);
  const { status, body } = await httpGet(url, { signal: context.signal });
  const playlist = status === 200 ? parsePlaylist(body.toString("utf8")) : undefined;
  return playlist?.kind === "master" ? playlist : { kind: "master", variants: [] };
}
