import type { CheckRef } from "../report/events.js";
import { type CheckOutcome, fail, judge, pass, skip } from "./check-list.js";
import { tryPlay } from "./rtmp-play.js";
import { publish } from "./rtmp-publisher.js";
import { APP, hlsUrl, rtmpAppUrl } from "./urls.js";
import { type EdgeTarget, publishOptions, type VerifyContext } from "./verify-context.js";

/** Streams with a key of their own that are tried, at most: each takes a connection. */
const TRIED_STREAMS = 3;
/** In seconds since 1970: long ago, and of as many digits as nginx expects. */
const LONG_AGO = 1_000_000_000;

const refs = {
  streamKeys: { id: "stream-keys", title: "streams with keys of their own refuse the token" },
  signed: { id: "signed-address", title: "playlists answer to signed addresses alone" },
} as const satisfies Record<string, CheckRef>;

/** The checks of who may publish and watch that this edge's settings ask for. */
export function accessRefs(target: EdgeTarget): CheckRef[] {
  return [
    ...(target.keyedStreams.length > 0 ? [refs.streamKeys] : []),
    ...(target.signing === undefined ? [] : [refs.signed]),
  ];
}

/** Makes them, while the proof's stream is live. */
export async function checkAccess(context: VerifyContext): Promise<void> {
  for (const ref of accessRefs(context.target))
    await context.checks.run(ref, () => (ref === refs.signed ? checkSigned(context) : checkStreamKeys(context)));
}

/** A stream with a key of its own must not take the token of all others. */
async function checkStreamKeys(context: VerifyContext): Promise<CheckOutcome> {
  const { target } = context;
  const streams = target.keyedStreams.slice(0, TRIED_STREAMS);
  const open: string[] = [];
  for (const stream of streams) {
    const answer = await publish(await publishOptions(context, stream, target.token));
    if (answer.status !== "live") continue;
    await answer.stop();
    open.push(`rtmp_publish_token publishes ${stream}, which has a key of its own`);
  }
  return judge(open, `rtmp_publish_token is refused for ${streams.join(", ")}`, "run `edge-setup apply`");
}

/** The playlist answers to its signed address alone; that it does is what all checks of playlist and segments tell. */
async function checkSigned(context: VerifyContext): Promise<CheckOutcome> {
  const { target, stream, httpGet, signal } = context;
  const { signing, ...unsigned } = target;
  if (signing === undefined) return skip("hls_signed is off");
  const of = (expires: number, name = stream) => hlsUrl({ ...target, signing: { ...signing, expires } }, name);
  const other = of(signing.expires, `${stream}-other`);
  other.pathname = other.pathname.replace(`${stream}-other`, stream);
  const forged = of(signing.expires);
  forged.pathname = forged.pathname.replace(String(signing.expires), String(signing.expires + 1));
  const refused: [what: string, url: URL][] = [
    ["without a signature", hlsUrl(unsigned, stream)],
    ["with the signature of another stream", other],
    ["with a longer time than was signed", forged],
    ["after its time", of(LONG_AGO)],
  ];
  const problems: string[] = [];
  for (const [what, url] of refused) {
    const { status } = await httpGet(url, { signal });
    if (status < 400) problems.push(`the playlist answers ${status} ${what}`);
  }
  const { status } = await httpGet(of(signing.expires), { signal });
  if (status !== 200) problems.push(`the signed address answers ${status}`);
  return judge(problems, "the signed address plays; unsigned, expired and forged ones are refused");
}

/** With rtmp_play everybody may; without, playing over RTMP would go around everything that protects HLS. */
export async function checkPlay(context: VerifyContext): Promise<CheckOutcome> {
  const { rtmp, target, stream, signal } = context;
  // What may happen on the host itself says nothing about viewers.
  if (!target.rtmpPlay && rtmp.kind === "tunnel") return skip("only meaningful from outside the host");
  if (!target.rtmpPlay && isLoopback(target.host)) return skip("only meaningful from another host");
  const socket = await rtmp.open();
  const result = await tryPlay({ socket, tcUrl: rtmpAppUrl(target), app: APP, streamName: stream, signal });
  if (target.rtmpPlay) return result.status === "plays" ? pass("the stream plays over RTMP") : fail(result.detail);
  return result.status === "refused" ? pass(result.detail) : fail("anybody can play the stream over RTMP");
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.");
}
