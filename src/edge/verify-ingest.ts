import { randomBytes } from "node:crypto";
import { Secret } from "../util/secret.js";
import { type CheckOutcome, fail, pass } from "./check-list.js";
import { readPlaylist } from "./hls-check.js";
import { type Publication, type PublishRefused, publish, publishBurst } from "./rtmp-publisher.js";
import { publishOptions, readerOf, type VerifyContext } from "./verify-context.js";

/** Fragments' worth of media that the refused publisher throws at the edge: enough for segments, if it writes any. */
const BURST_FRAGMENTS = 4;
/** A leaked playlist is written when the refused connection closes; this many milliseconds later it would be there. */
const LEAK_WAIT_MS = 1000;

const AUTH_HINT = "the publish token is not checked before the stream is written: run `edge-setup apply`";

/** Publishes without a token, and then with a wrong one and as fast as it goes, before the edge can answer. */
export async function checkWrongToken(context: VerifyContext): Promise<CheckOutcome> {
  const { clock, signal, target } = context;
  const name = `${context.stream}-refused`;
  const bare = await publish(await publishOptions(context, name, undefined));
  if (bare.status === "live") {
    await bare.stop();
    return fail("a publisher without a token is accepted", AUTH_HINT);
  }
  const wrong = new Secret(randomBytes(16).toString("hex"));
  const mediaMs = Math.max(BURST_FRAGMENTS * target.fragmentMs, 2 * context.clip.durationMs);
  const burst = await publishBurst({ ...(await publishOptions(context, name, wrong)), mediaMs });
  if (burst.outcome.status === "accepted") return fail("a publisher with a wrong token is accepted", AUTH_HINT);
  for (const end = clock.now() + LEAK_WAIT_MS; clock.now() < end; await clock.sleep(LEAK_WAIT_MS / 4, signal)) {
    const leaked = await readPlaylist(readerOf(context, name));
    if (leaked !== undefined) return fail("the refused publisher's playlist is served", AUTH_HINT);
  }
  return pass(
    `refused (${burst.outcome.detail}); ${Math.round(burst.sentBytes / 1000)} kB sent ahead left no playlist`,
  );
}

export async function checkAbsent(context: VerifyContext): Promise<CheckOutcome> {
  const reading = await readPlaylist(readerOf(context));
  return reading === undefined ? pass("404") : fail("a playlist is served for a stream that nobody publishes");
}

/** Publishes the proof's stream. The publication, when accepted, is the caller's to stop. */
export async function startPublishing(context: VerifyContext): Promise<[CheckOutcome, Publication | undefined]> {
  const answer = await publish(await publishOptions(context, context.stream, context.target.token));
  if (answer.status === "live") return [pass(`NetStream.Publish.Start for ${context.stream}`), answer];
  return [fail(answer.detail, refusalHint(answer)), undefined];
}

/** A second publisher must go, and the first must stay. */
export async function checkSecond(context: VerifyContext, first: Publication): Promise<CheckOutcome> {
  const second = await publish(await publishOptions(context, context.stream, context.target.token));
  if (second.status === "live") {
    await second.stop();
    return fail("a second publisher of the same stream is accepted");
  }
  const { clock, signal } = context;
  const end = await Promise.race([first.ended, clock.sleep(200, signal)]);
  if (end !== undefined) return fail(`the first publisher is cut off by the second: ${end.detail}`);
  return pass(second.detail);
}

function refusalHint(refused: PublishRefused): string | undefined {
  switch (refused.reason) {
    case "closed":
    case "rejected":
      return "the token in the inventory is not the one on the host, or the host's auth service is down: run `edge-setup plan`";
    case "timeout":
      return "the RTMP service hangs: see `journalctl -u edge-rtmp` on the host";
    case "protocol":
      return "another service listens on the RTMP port";
    case "bad-name":
      return undefined;
  }
}
