/** RTMP's chunk stream (Adobe "RTMP specification 1.0", section 5.3): messages cut into chunks and put together again. */
export const messageType = {
  setChunkSize: 1,
  abort: 2,
  acknowledgement: 3,
  userControl: 4,
  windowAckSize: 5,
  setPeerBandwidth: 6,
  audio: 8,
  video: 9,
  dataAmf0: 18,
  commandAmf0: 20,
} as const;

export interface RtmpMessage {
  readonly type: number;
  readonly streamId: number;
  /** Milliseconds, 32 bits. */
  readonly timestamp: number;
  readonly body: Buffer;
}

/** What the peer sends is not RTMP. */
export class ChunkError extends Error {
  override readonly name = "ChunkError";
}

/** RTMP begins with chunks of this many bytes until SetChunkSize says otherwise. */
export const INITIAL_CHUNK_SIZE = 128;
const EXTENDED = 0xffffff;
/** Servers only send commands and acknowledgements to a publisher; more is an attack or a wrong port. */
const MAX_MESSAGE = 4 * 1024 * 1024;
/** Servers use a handful; each may hold a message that is not whole yet. */
const MAX_CHUNK_STREAMS = 16;
const HEADER_BYTES = [11, 7, 3, 0] as const;

/**
 * Cuts one message into chunks, with a full header (type 0) so that no state of earlier messages is needed.
 * @param chunkStream 2..63: 2 for protocol control, 3 for commands, above for media
 * @param chunkSize bytes, as announced by SetChunkSize
 */
export function encodeMessage(message: RtmpMessage, chunkStream: number, chunkSize: number): Buffer {
  const timestamp = message.timestamp >>> 0;
  const extended = timestamp >= EXTENDED;
  const head = Buffer.alloc(12);
  head.writeUInt8(chunkStream, 0);
  head.writeUIntBE(extended ? EXTENDED : timestamp, 1, 3);
  head.writeUIntBE(message.body.length, 4, 3);
  head.writeUInt8(message.type, 7);
  head.writeUInt32LE(message.streamId, 8);
  const extension = Buffer.alloc(extended ? 4 : 0);
  if (extended) extension.writeUInt32BE(timestamp);
  const parts: Buffer[] = [head, extension, message.body.subarray(0, chunkSize)];
  for (let at = chunkSize; at < message.body.length; at += chunkSize) {
    parts.push(Buffer.of(0xc0 | chunkStream), extension, message.body.subarray(at, at + chunkSize));
  }
  return Buffer.concat(parts);
}

interface ChunkStreamState {
  timestamp: number;
  delta: number;
  length: number;
  type: number;
  streamId: number;
  extended: boolean;
  parts: Buffer[];
  received: number;
}

/** Puts the peer's chunks together again. Pure: bytes in, messages out. */
export class ChunkReader {
  #chunkSize = INITIAL_CHUNK_SIZE;
  #pending: Buffer = Buffer.alloc(0);
  readonly #streams = new Map<number, ChunkStreamState>();

  /**
   * Takes more bytes and gives the messages that they complete. SetChunkSize and Abort are obeyed here and not given.
   * @throws ChunkError when the bytes cannot be RTMP.
   */
  push(bytes: Buffer): RtmpMessage[] {
    this.#pending = this.#pending.length === 0 ? bytes : Buffer.concat([this.#pending, bytes]);
    const messages: RtmpMessage[] = [];
    for (;;) {
      const chunk = this.#readChunk();
      if (chunk === undefined) return messages;
      if (chunk.message !== undefined && !this.#control(chunk.message)) messages.push(chunk.message);
    }
  }

  #readChunk(): { message: RtmpMessage | undefined } | undefined {
    const basic = readBasicHeader(this.#pending);
    if (basic === undefined) return undefined;
    const headerEnd = basic.bytes + basic.headerBytes;
    if (this.#pending.length < headerEnd) return undefined;
    const known = this.#streams.get(basic.id);
    if (known === undefined && basic.format !== 0) {
      throw new ChunkError(`chunk stream ${basic.id} begins without a full header`);
    }
    if (known === undefined && this.#streams.size === MAX_CHUNK_STREAMS) {
      throw new ChunkError(`more than ${MAX_CHUNK_STREAMS} chunk streams are begun`);
    }
    const state = known ?? newState();
    const fields = this.#pending.subarray(basic.bytes, headerEnd);
    const time = fields.length >= 3 ? fields.readUIntBE(0, 3) : undefined;
    const extended = time === undefined ? state.extended : time === EXTENDED;
    const bodyStart = headerEnd + (extended ? 4 : 0);
    const length = fields.length >= 7 ? fields.readUIntBE(3, 3) : state.length;
    if (length > MAX_MESSAGE) throw new ChunkError(`a message of ${length} bytes is announced`);
    const size = Math.min(this.#chunkSize, length - state.received);
    if (this.#pending.length < bodyStart + size) return undefined;

    const stamp = extended ? this.#pending.readUInt32BE(headerEnd) : time;
    if (state.received === 0) startMessage(state, basic.format, stamp, fields, length, extended);
    state.parts.push(this.#pending.subarray(bodyStart, bodyStart + size));
    state.received += size;
    this.#streams.set(basic.id, state);
    this.#pending = this.#pending.subarray(bodyStart + size);
    return { message: state.received < state.length ? undefined : finishMessage(state) };
  }

  #control(message: RtmpMessage): boolean {
    if (message.type !== messageType.setChunkSize && message.type !== messageType.abort) return false;
    if (message.body.length < 4) throw new ChunkError("a protocol control message is cut short");
    const value = message.body.readUInt32BE();
    if (message.type === messageType.setChunkSize) {
      if (value < 1 || value > 0x7fffffff) throw new ChunkError(`the peer wants chunks of ${value} bytes`);
      this.#chunkSize = value;
    } else {
      const state = this.#streams.get(value);
      if (state !== undefined) finishMessage(state);
    }
    return true;
  }
}

function newState(): ChunkStreamState {
  return { timestamp: 0, delta: 0, length: 0, type: 0, streamId: 0, extended: false, parts: [], received: 0 };
}

/** The first one to three bytes: header format and chunk stream id. Undefined when more bytes are needed. */
function readBasicHeader(
  bytes: Buffer,
): { format: number; id: number; bytes: number; headerBytes: number } | undefined {
  const first = bytes[0];
  if (first === undefined) return undefined;
  const format = first >> 6;
  const headerBytes = HEADER_BYTES[format] ?? 0;
  const low = first & 0x3f;
  if (low >= 2) return { format, id: low, bytes: 1, headerBytes };
  const length = low === 0 ? 2 : 3;
  if (bytes.length < length) return undefined;
  const id = 64 + (bytes[1] ?? 0) + (low === 1 ? (bytes[2] ?? 0) * 256 : 0);
  return { format, id, bytes: length, headerBytes };
}

function startMessage(
  state: ChunkStreamState,
  format: number,
  stamp: number | undefined,
  fields: Buffer,
  length: number,
  extended: boolean,
): void {
  state.extended = extended;
  state.length = length;
  if (fields.length >= 7) state.type = fields.readUInt8(6);
  if (fields.length >= 11) state.streamId = fields.readUInt32LE(7);
  if (format === 0) {
    state.timestamp = stamp ?? 0;
    state.delta = 0;
  } else {
    // Format 3 begins a message with the delta of the one before.
    if (format !== 3 && stamp !== undefined) state.delta = stamp;
    state.timestamp = (state.timestamp + state.delta) >>> 0;
  }
}

function finishMessage(state: ChunkStreamState): RtmpMessage {
  const body = Buffer.concat(state.parts);
  state.parts = [];
  state.received = 0;
  return { type: state.type, streamId: state.streamId, timestamp: state.timestamp, body };
}
