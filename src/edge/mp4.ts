/** What an MP4 file is made of, as far as it tells whether a player can play it (ISO/IEC 14496-12). */
export interface Mp4Summary {
  /** The header: tracks and their codecs. */
  readonly header: boolean;
  /** Fragments that are whole: a header of their own and its media. */
  readonly fragments: number;
}

/** Reads the top-level boxes; a box that is cut off at the end, as in a file that grows, ends the reading. */
export function readMp4(data: Buffer): Mp4Summary {
  let header = false;
  let fragments = 0;
  let before = "";
  for (let at = 0; at + 8 <= data.length; ) {
    const type = data.toString("latin1", at + 4, at + 8);
    const short = data.readUInt32BE(at);
    const size = short === 1 && at + 16 <= data.length ? Number(data.readBigUInt64BE(at + 8)) : short;
    if (size < 8 || at + size > data.length) break;
    if (type === "moov") header = true;
    if (type === "mdat" && before === "moof") fragments++;
    before = type;
    at += size;
  }
  return { header, fragments };
}
