import type { CheckRef } from "../report/events.js";
import { type CheckOutcome, fail, pass, warn } from "./check-list.js";
import { type HttpResponse, MEDIA_BODY } from "./http-get.js";
import { jpegSize } from "./jpeg.js";
import { isRecord, recordsIn } from "./json-answer.js";
import { readMp4 } from "./mp4.js";
import { addressIn, imageUrl, webUrl } from "./urls.js";
import type { EdgeTarget, VerifyContext } from "./verify-context.js";
import { checkLadder } from "./verify-ladder.js";

/** Milliseconds that a slow board may take for a picture. */
const PICTURE_PATIENCE_MS = 20_000;
/** Milliseconds until a fragment is recorded: FFmpeg looks at the stream for five seconds, and is started once more if that failed. */
const RECORDING_PATIENCE_MS = 25_000;
const LOOK_MS = 500;

/** What an edge does with live streams besides serving them, where its settings ask for it. */
export interface MediaPromise {
  /** snapshot_width; undefined where no pictures are taken. */
  readonly pictureWidth?: number | undefined;
  /** transcoding_profiles; undefined without transcoding. */
  readonly ladder?: readonly string[] | undefined;
  /** record: every stream of the proof is recorded, whatever record_streams says. */
  readonly recorded?: boolean;
  /** Whether push has targets. */
  readonly pushes?: boolean;
  /** Names of pull. */
  readonly pulled?: readonly string[];
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
  if (media?.recorded)
    checks.push({ ref: { id: "recording", title: "the stream is recorded, behind a login" }, run: checkRecording });
  if (media?.pushes)
    checks.push({
      ref: { id: "push", title: "targets of push are connected where their streams are live" },
      run: checkPush,
    });
  if (media?.pulled !== undefined && media.pulled.length > 0)
    checks.push({ ref: { id: "pull", title: "fetched streams are live" }, run: checkPull });
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

/** Sources of others are no part of the edge, so one that is away is a warning. */
async function checkPull({ target, httpGet, signal }: VerifyContext): Promise<CheckOutcome> {
  const pulled = target.media?.pulled ?? [];
  const { status, body } = await httpGet(webUrl(target, "/status/streams.json"), { headers: loginOf(target), signal });
  if (status !== 200) return fail(`/status/streams.json answers ${status}`);
  const streams = recordsIn(body, "/status/streams.json", "streams");
  const away = pulled.filter((name) => !streams.some((stream) => stream.name === name));
  if (away.length > 0)
    return warn(`not live: ${away.join(", ")}`, `see \`journalctl -u edge-pull@${away[0]}\` on the host`);
  return pass(pulled.join(", "));
}

/** Services of others are no part of the edge, so one that is down is a warning. The proof's own stream is sent to nobody. */
async function checkPush({ target, httpGet, signal }: VerifyContext): Promise<CheckOutcome> {
  const { status, body } = await httpGet(webUrl(target, "/status/streams.json"), { headers: loginOf(target), signal });
  if (status !== 200) return fail(`/status/streams.json answers ${status}`);
  const streams = recordsIn(body, "/status/streams.json", "streams");
  const targets = streams.flatMap(({ push }) => (Array.isArray(push) ? push.filter(isRecord) : []));
  const down = targets.filter(({ connected }) => connected !== true).map(({ name }) => String(name));
  if (down.length > 0)
    return warn(
      `not connected: ${down.join(", ")}`,
      "see `journalctl -u edge-rtmp` on the host; is the service's key right?",
    );
  return pass(targets.length === 0 ? "none of their streams is live" : `${targets.length} connected`);
}

function loginOf({ statusUser, statusPassword }: EdgeTarget): Record<string, string> {
  return { authorization: `Basic ${Buffer.from(`${statusUser}:${statusPassword.reveal()}`).toString("base64")}` };
}

/** Finds the proof's own recording in the list, and looks whether it plays. The edge removes it when the proof's stream ends. */
async function checkRecording({ target, stream, httpGet, clock, signal }: VerifyContext): Promise<CheckOutcome> {
  const folder = webUrl(target, `/recordings/files/${stream}/`);
  const headers = loginOf(target);
  const open = await httpGet(folder, { signal });
  if (open.status !== 401) return fail(`recordings answer ${open.status} without a login, not 401`);
  for (const end = clock.now() + RECORDING_PATIENCE_MS; ; await clock.sleep(LOOK_MS, signal)) {
    const file = recordedFile(await httpGet(folder, { headers, signal }));
    if (file !== undefined) {
      const { status, body } = await httpGet(addressIn(file, folder), { headers, signal, most: MEDIA_BODY });
      const { header, fragments } = readMp4(body);
      if (status === 200 && header && fragments > 0)
        return pass(`401 without, 200 with login; ${fragments} fragments, ${Math.round(body.length / 1000)} kB`);
    }
    if (clock.now() >= end)
      return fail("nothing is recorded", `see \`journalctl -u edge-record-proof@${stream} -u edge-media\` on the host`);
  }
}

/** The first file of a listing (autoindex_format json of nginx). */
function recordedFile({ status, body }: HttpResponse): string | undefined {
  if (status !== 200) return undefined;
  const [first] = recordsIn(body, "/recordings/files/");
  return typeof first?.name === "string" ? first.name : undefined;
}
