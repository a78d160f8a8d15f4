import type { Problems } from "./hls-rules.js";
import type { HlsVariant, MasterPlaylist } from "./m3u8.js";
import { parseTs, streamType, TsError } from "./mpegts.js";

/** One rung as a viewer has read it. */
export interface RungReading {
  readonly name: string;
  readonly variant: HlsVariant;
  /** Segments by media sequence number. */
  readonly segments: ReadonlyMap<number, { readonly bytes: Buffer; readonly duration: number }>;
}

/** The file name of a variant's playlist without its ending: the profile that it was made by. */
export function rungName({ uri }: HlsVariant): string {
  return uri.replace(/^.*\//, "").replace(/\.m3u8$/, "");
}

/** False of the playlist that stands for a ladder while there is none. */
export function isLadder(master: MasterPlaylist): boolean {
  return master.variants.some(({ attributes }) => attributes.has("RESOLUTION"));
}

/** What a player chooses by has to be there (RFC 8216, 4.3.4.2, and what Apple asks of live streams beyond it). */
export function masterProblems(master: MasterPlaylist, expected: readonly string[]): Problems {
  const problems: string[] = [];
  const names = master.variants.map(rungName);
  for (const name of expected) if (!names.includes(name)) problems.push(`there is no rung ${name}`);
  if (new Set(names).size < names.length) problems.push("the same rung is listed twice");
  for (const variant of master.variants) {
    const name = rungName(variant);
    const { attributes, bandwidth } = variant;
    if (!/^[1-9]\d*x[1-9]\d*$/.test(attributes.get("RESOLUTION") ?? "")) problems.push(`${name} has no RESOLUTION`);
    if (!/^avc1\.[0-9a-f]{6}(,mp4a\.40\.\d+)?$/.test(attributes.get("CODECS") ?? ""))
      problems.push(`CODECS of ${name} are ${attributes.get("CODECS") ?? "missing"}`);
    const average = Number(attributes.get("AVERAGE-BANDWIDTH"));
    if (!(average > 0 && average <= bandwidth)) problems.push(`AVERAGE-BANDWIDTH of ${name} is not within BANDWIDTH`);
  }
  return problems;
}

/** Whether rungs are what the master playlist says, and cut at the same pictures. */
export function rungProblems(rungs: readonly RungReading[]): Problems {
  const problems: string[] = [];
  for (const { name, variant, segments } of rungs)
    for (const [sequence, { bytes, duration }] of segments) {
      const rate = Math.floor((bytes.length * 8) / duration);
      // EXTINF has milliseconds.
      if (rate > variant.bandwidth * 1.01)
        problems.push(`segment ${sequence} of ${name} has ${rate} bit/s, above BANDWIDTH ${variant.bandwidth}`);
    }
  const [first, ...others] = rungs;
  for (const other of others)
    for (const [sequence, { bytes }] of first?.segments ?? []) {
      const same = other.segments.get(sequence);
      if (same === undefined) continue;
      const [a, b] = [firstPicture(bytes), firstPicture(same.bytes)];
      if (a !== b)
        problems.push(`segment ${sequence} begins at ${a} s in ${first?.name} and at ${b} s in ${other.name}`);
    }
  return problems;
}

/** Seconds of the first picture in a segment. */
export function firstPicture(bytes: Buffer): number | undefined {
  try {
    return parseTs(bytes).streams.find((stream) => stream.type === streamType.h264)?.firstPts;
  } catch (error) {
    if (error instanceof TsError) return undefined;
    throw error;
  }
}
