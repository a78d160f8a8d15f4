import type { CheckRef } from "../report/events.js";
import { type CheckOutcome, fail, pass } from "./check-list.js";
import { jpegSize } from "./jpeg.js";
import { imageUrl } from "./urls.js";
import type { EdgeTarget, VerifyContext } from "./verify-context.js";
import { checkLadder } from "./verify-ladder.js";

/** Milliseconds that a slow board may take for a picture. */
const PICTURE_PATIENCE_MS = 20_000;
const LOOK_MS = 500;

/** What an edge does with live streams besides serving them, where its settings ask for it. */
export interface MediaPromise {
  /** snapshot_width; undefined where no pictures are taken. */
  readonly pictureWidth?: number | undefined;
  /** transcoding_profiles; undefined without transcoding. */
  readonly ladder?: readonly string[] | undefined;
}

interface MediaCheck {
  readonly ref: CheckRef;
  readonly run: (context: VerifyContext) => Promise<CheckOutcome>;
}

/** The checks of what is on; made while the proof's stream is live. */
export function mediaChecks({ media }: EdgeTarget): MediaCheck[] {
  const checks: MediaCheck[] = [];
  if (media?.pictureWidth !== undefined)
    checks.push({ ref: { id: "snapshot", title: "a picture of the stream appears" }, run: checkSnapshot });
  const { ladder } = media ?? {};
  if (ladder !== undefined)
    checks.push({
      ref: { id: "ladder", title: "renditions are valid and cut alike" },
      run: (context) => checkLadder(context, ladder),
    });
  return checks;
}

async function checkSnapshot({ target, stream, httpGet, clock, signal }: VerifyContext): Promise<CheckOutcome> {
  const url = imageUrl(target, stream);
  const most = target.media?.pictureWidth ?? 0;
  for (const end = clock.now() + PICTURE_PATIENCE_MS; ; await clock.sleep(LOOK_MS, signal)) {
    const { status, headers, body } = await httpGet(url, { signal });
    if (status === 404 && clock.now() < end) continue;
    if (status !== 200) return fail(`/images/ answers ${status}`, "see `journalctl -u edge-snapshots` on the host");
    if (headers["content-type"] !== "image/jpeg") return fail(`the picture is sent as ${headers["content-type"]}`);
    const size = jpegSize(body);
    if (size === undefined) return fail("the picture is no whole JPEG");
    if (size.width > most) return fail(`the picture is ${size.width} pixels wide, not ${most} at most`);
    return pass(`${size.width} x ${size.height}, ${Math.round(body.length / 1000)} kB`);
  }
}
