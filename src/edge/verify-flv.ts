import type { CheckRef } from "../report/events.js";
import { type CheckOutcome, fail, pass } from "./check-list.js";
import { isKeyFrame, isSequenceHeader, wholeTags } from "./flv.js";
import { flvUrl } from "./urls.js";
import type { EdgeTarget, VerifyContext } from "./verify-context.js";

/** A viewer has a picture after this many milliseconds: the edge keeps what came since the last key frame. */
const PICTURE_MS = 2000;
/** Bytes of the file's header and the size of the tag that is not before it. */
const FLV_HEADER = 13;

const ref: CheckRef = { id: "http-flv", title: "HTTP-FLV gives a key frame at once" };

/** The check of HTTP-FLV where it is on; made while the proof's stream is live. */
export function flvChecks({ httpFlv }: EdgeTarget) {
  return httpFlv ? [{ ref, run: checkFlv }] : [];
}

/** A header and a key frame of the stream that is live, and nothing of one that is not. */
async function checkFlv(context: VerifyContext): Promise<CheckOutcome> {
  const { clock, httpGet, signal, stream, target } = context;
  const begin = clock.now();
  const answer = await httpGet(flvUrl(target, stream), { signal, enough: hasKeyFrame });
  const ms = Math.round(clock.now() - begin);
  if (answer.status !== 200) return fail(`it answers ${answer.status}`, "see `journalctl -u edge-rtmp` on the host");
  if (!hasKeyFrame(answer.body)) return fail(`it ends after ${answer.body.length} bytes without a key frame`);
  if (ms > PICTURE_MS) return fail(`the first key frame comes after ${ms} ms`);
  const absent = await httpGet(flvUrl(target, `${stream}-absent`), { signal, enough: () => true });
  if (absent.status !== 404) return fail(`a stream that nobody publishes answers ${absent.status}, not 404`);
  return pass(`a key frame after ${ms} ms`);
}

function hasKeyFrame(body: Buffer): boolean {
  if (!body.subarray(0, 3).equals(Buffer.from("FLV"))) return false;
  return body.length > FLV_HEADER && wholeTags(body).tags.some((tag) => isKeyFrame(tag) && !isSequenceHeader(tag));
}
