/** MPEG transport streams (ISO/IEC 13818-1), as far as it takes to tell that a segment can be decoded. */
export const streamType = { aac: 0x0f, h264: 0x1b } as const;

const PACKET = 188;
const SYNC = 0x47;
const PAT_PID = 0;
const TABLE_PAT = 0;
const TABLE_PMT = 2;
/** PTS ticks a second. */
const CLOCK = 90_000;
const PTS_WRAP = 2 ** 33;
/** NAL unit types of H.264: a picture that needs no other, and its parameter sets. */
const nal = { idr: 5, sps: 7, pps: 8 } as const;

export interface TsStream {
  readonly pid: number;
  readonly type: number;
  /** PES packets: one a frame for video, one or more frames for audio. */
  readonly frames: number;
  /** Seconds of the first and of the latest presentation; undefined when no frame carries a time. */
  readonly firstPts: number | undefined;
  readonly lastPts: number | undefined;
  /** Video: the first frame holds SPS, PPS and an IDR picture. Audio: it begins with an ADTS header. */
  readonly decodable: boolean;
}

export interface TsSegment {
  readonly packets: number;
  readonly streams: readonly TsStream[];
  /** Packets whose continuity counter says that one is missing. */
  readonly gaps: number;
}

/** The bytes are not a transport stream. */
export class TsError extends Error {
  override readonly name = "TsError";
}

/**
 * Takes a segment apart.
 * @throws TsError when sync bytes, PAT or PMT are missing.
 */
export function parseTs(bytes: Buffer): TsSegment {
  if (bytes.length === 0) throw new TsError("the segment is empty");
  if (bytes.length % PACKET !== 0) throw new TsError(`${bytes.length} bytes are not a multiple of ${PACKET}`);
  const demuxer = new Demuxer();
  for (let at = 0; at < bytes.length; at += PACKET) {
    if (bytes[at] !== SYNC) throw new TsError(`no sync byte at ${at}`);
    readPacket(demuxer, bytes.subarray(at, at + PACKET), at);
  }
  return demuxer.finish(bytes.length / PACKET);
}

/** Lengths inside a packet are the sender's word; one that points outside it ends in a RangeError of Buffer. */
function readPacket(demuxer: Demuxer, packet: Buffer, at: number): void {
  try {
    demuxer.packet(packet);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new TsError(`the packet at ${at} has a table or header that is longer than it`);
  }
}

/** Seconds from one PTS to a later one, over the wrap at 26.5 hours. */
export function ptsDistance(from: number, to: number): number {
  const wrap = PTS_WRAP / CLOCK;
  const distance = (to - from) % wrap;
  return distance < -wrap / 2 ? distance + wrap : distance;
}

interface ElementaryStream {
  readonly type: number;
  frames: number;
  first: number | undefined;
  last: number | undefined;
  /** Payload of the first PES packet. */
  head: Buffer[];
}

class Demuxer {
  #pmtPid: number | undefined;
  #sawPat = false;
  #gaps = 0;
  readonly #streams = new Map<number, ElementaryStream>();
  readonly #continuity = new Map<number, number>();

  packet(packet: Buffer): void {
    const pid = packet.readUInt16BE(1) & 0x1fff;
    const starts = (packet.readUInt8(1) & 0x40) !== 0;
    const control = packet.readUInt8(3);
    if ((control & 0x10) === 0) return; // adaptation field only
    this.#count(pid, control & 0x0f);
    const start = (control & 0x20) === 0 ? 4 : 5 + packet.readUInt8(4);
    if (start > PACKET) throw new TsError("an adaptation field is longer than its packet");
    const payload = packet.subarray(start);
    if (pid === PAT_PID) this.#readPat(payload, starts);
    else if (pid === this.#pmtPid) this.#readPmt(payload, starts);
    else this.#readPes(pid, payload, starts);
  }

  finish(packets: number): TsSegment {
    if (!this.#sawPat) throw new TsError("no program association table (PAT)");
    if (this.#streams.size === 0) throw new TsError("no program map table (PMT)");
    const streams = [...this.#streams].map(([pid, stream]) => ({
      pid,
      type: stream.type,
      frames: stream.frames,
      firstPts: stream.first,
      lastPts: stream.last,
      decodable: beginsDecodable(stream),
    }));
    return { packets, streams, gaps: this.#gaps };
  }

  #count(pid: number, counter: number): void {
    const before = this.#continuity.get(pid);
    this.#continuity.set(pid, counter);
    // A packet may be sent twice.
    if (before !== undefined && counter !== before && counter !== ((before + 1) & 0x0f)) this.#gaps += 1;
  }

  #readPat(payload: Buffer, starts: boolean): void {
    const section = readSection(payload, starts, TABLE_PAT);
    if (section === undefined) return;
    this.#sawPat = true;
    for (let at = 8; at + 4 <= section.length - 4; at += 4) {
      if (section.readUInt16BE(at) !== 0) this.#pmtPid = section.readUInt16BE(at + 2) & 0x1fff;
    }
  }

  #readPmt(payload: Buffer, starts: boolean): void {
    const section = readSection(payload, starts, TABLE_PMT);
    if (section === undefined || section.length < 16) return;
    let at = 12 + (section.readUInt16BE(10) & 0x0fff);
    while (at + 5 <= section.length - 4) {
      const pid = section.readUInt16BE(at + 1) & 0x1fff;
      const type = section.readUInt8(at);
      if (!this.#streams.has(pid))
        this.#streams.set(pid, { type, frames: 0, first: undefined, last: undefined, head: [] });
      at += 5 + (section.readUInt16BE(at + 3) & 0x0fff);
    }
  }

  #readPes(pid: number, payload: Buffer, starts: boolean): void {
    const stream = this.#streams.get(pid);
    if (stream === undefined) return;
    if (starts) {
      stream.frames += 1;
      const pts = readPts(payload);
      stream.first ??= pts;
      if (pts !== undefined && (stream.last === undefined || ptsDistance(stream.last, pts) > 0)) stream.last = pts;
    }
    if (stream.frames === 1) stream.head.push(starts ? payload.subarray(9 + (payload[8] ?? 0)) : payload);
  }
}

/** A table's section, CRC included, without the bytes after it. Undefined when the packet does not begin one. */
function readSection(payload: Buffer, starts: boolean, table: number): Buffer | undefined {
  if (!starts) return undefined;
  const section = payload.subarray(1 + (payload[0] ?? 0));
  if (section.length < 3 || section[0] !== table) return undefined;
  return section.subarray(0, 3 + (section.readUInt16BE(1) & 0x0fff));
}

/** The presentation time of a PES packet (section 2.4.3.7), in seconds. */
function readPts(payload: Buffer): number | undefined {
  if (payload.length < 14 || payload.readUIntBE(0, 3) !== 1 || (payload.readUInt8(7) & 0x80) === 0) return undefined;
  const high = (payload.readUInt8(9) >> 1) & 0x07;
  const middle = payload.readUInt16BE(10) >> 1;
  const low = payload.readUInt16BE(12) >> 1;
  return (high * 2 ** 30 + middle * 2 ** 15 + low) / CLOCK;
}

function beginsDecodable(stream: ElementaryStream): boolean {
  const head = Buffer.concat(stream.head);
  if (stream.type === streamType.aac) return head.length > 2 && (head.readUInt16BE(0) & 0xfff6) === 0xfff0;
  if (stream.type !== streamType.h264) return false;
  const types = nalTypes(head);
  return types.has(nal.idr) && types.has(nal.sps) && types.has(nal.pps);
}

/** NAL unit types of an Annex B byte stream. */
function nalTypes(bytes: Buffer): Set<number> {
  const types = new Set<number>();
  const startCode = Buffer.of(0, 0, 1);
  for (let at = bytes.indexOf(startCode); at >= 0 && at + 3 < bytes.length; at = bytes.indexOf(startCode, at + 3)) {
    types.add(bytes.readUInt8(at + 3) & 0x1f);
  }
  return types;
}
