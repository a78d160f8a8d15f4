/** FLV as a source of RTMP messages: a tag's type and body are an RTMP message's (Adobe "Video File Format" 10.1, E.4). */
export const flvTagType = { audio: 8, video: 9, script: 18 } as const;

const FILE_HEADER = 9;
const TAG_HEADER = 11;
const TAG_TRAILER = 4;
const CODEC_AVC = 7;
const SOUND_AAC = 10;
const FRAME_KEY = 1;

export interface FlvTag {
  readonly type: "audio" | "video" | "script";
  readonly timestampMs: number;
  readonly body: Buffer;
}

/** A clip taken apart for looping: what is sent once, and what is sent again and again. */
export interface FlvClip {
  /** onMetaData, as the file has it. */
  readonly metadata: Buffer | undefined;
  /** AVC and AAC sequence headers: the decoders' configuration. */
  readonly headers: readonly FlvTag[];
  /** Frames in file order, timestamps from the first one on. */
  readonly frames: readonly FlvTag[];
  /** Milliseconds from the clip's first frame to the one that follows its last: the period of the loop. */
  readonly durationMs: number;
}

/** The file is not an FLV clip that can be published. */
export class FlvError extends Error {
  override readonly name = "FlvError";
}

/**
 * Takes an FLV file apart into its tags.
 * @throws FlvError when it is not FLV or is cut short.
 */
export function parseFlv(file: Buffer): FlvTag[] {
  const { tags, end } = wholeTags(file);
  if (end < file.length) throw new FlvError(`the FLV tag at byte ${end} is cut short`);
  return tags;
}

/**
 * The tags that are whole of a file that still comes, and where the next one begins.
 * @throws FlvError when it is not FLV.
 */
export function wholeTags(file: Buffer): { readonly tags: FlvTag[]; readonly end: number } {
  if (file.length < FILE_HEADER || file.toString("latin1", 0, 3) !== "FLV") throw new FlvError("the file is not FLV");
  const tags: FlvTag[] = [];
  let offset = file.readUInt32BE(5) + TAG_TRAILER;
  while (offset + TAG_HEADER <= file.length) {
    const size = file.readUIntBE(offset + 1, 3);
    const start = offset + TAG_HEADER;
    if (start + size > file.length) break;
    const type = tagType(file.readUInt8(offset) & 0x1f);
    // The fourth timestamp byte extends the other three upwards.
    const timestampMs = file.readUIntBE(offset + 4, 3) + file.readUInt8(offset + 7) * 0x1000000;
    if (type !== undefined) tags.push({ type, timestampMs, body: file.subarray(start, start + size) });
    offset = start + size + TAG_TRAILER;
  }
  return { tags, end: offset };
}

/**
 * Reads an FLV file as a loopable clip of H.264 and AAC.
 * @throws FlvError when either track is missing, has other codecs, or does not begin with a key frame.
 */
export function readClip(file: Buffer): FlvClip {
  const tags = parseFlv(file);
  const media = tags.filter((tag) => tag.type !== "script" && tag.body.length > 2);
  const headers = media.filter(isSequenceHeader);
  const frames = media.filter((tag) => !isSequenceHeader(tag) && !isEndOfSequence(tag));
  requireTrack(headers, "video", "H.264");
  requireTrack(headers, "audio", "AAC");
  const firstVideo = frames.find((tag) => tag.type === "video");
  if (firstVideo === undefined || !isKeyFrame(firstVideo))
    throw new FlvError("the clip does not begin with a key frame");
  const first = frames[0]?.timestampMs ?? 0;
  return {
    metadata: tags.find((tag) => tag.type === "script")?.body,
    headers: headers.map((tag) => ({ ...tag, timestampMs: 0 })),
    frames: frames.map((tag) => ({ ...tag, timestampMs: tag.timestampMs - first })),
    durationMs: Math.max(trackPeriod(frames, "audio"), trackPeriod(frames, "video")),
  };
}

/** The clip's tags without end: headers at 0, then frames whose timestamps go on growing from one loop to the next. */
export function* loopClip(clip: FlvClip): Generator<FlvTag, never> {
  yield* clip.headers;
  for (let offset = 0; ; offset += clip.durationMs) {
    for (const frame of clip.frames) yield { ...frame, timestampMs: frame.timestampMs + offset };
  }
}

/** A picture that decodes by itself, or the decoder's configuration, which is marked alike. */
export function isKeyFrame(tag: FlvTag): boolean {
  return tag.type === "video" && (tag.body[0] ?? 0) >> 4 === FRAME_KEY;
}

function tagType(code: number): FlvTag["type"] | undefined {
  switch (code) {
    case flvTagType.audio:
      return "audio";
    case flvTagType.video:
      return "video";
    case flvTagType.script:
      return "script";
    default:
      return undefined;
  }
}

function isCodec(tag: FlvTag): boolean {
  const first = tag.body[0] ?? 0;
  return tag.type === "video" ? (first & 0x0f) === CODEC_AVC : first >> 4 === SOUND_AAC;
}

export function isSequenceHeader(tag: FlvTag): boolean {
  return isCodec(tag) && tag.body[1] === 0;
}

function isEndOfSequence(tag: FlvTag): boolean {
  return tag.type === "video" && isCodec(tag) && tag.body[1] === 2;
}

function requireTrack(headers: readonly FlvTag[], type: FlvTag["type"], codec: string): void {
  if (!headers.some((tag) => tag.type === type)) throw new FlvError(`the clip has no ${codec} ${type}`);
}

/** First to last frame of a track plus one frame, so that the next loop begins where the frame after the last would. */
function trackPeriod(frames: readonly FlvTag[], type: FlvTag["type"]): number {
  const times = frames.filter((tag) => tag.type === type).map((tag) => tag.timestampMs);
  const first = times[0] ?? 0;
  const span = (times.at(-1) ?? first) - first;
  return times.length < 2 ? span : Math.round((span * times.length) / (times.length - 1));
}
