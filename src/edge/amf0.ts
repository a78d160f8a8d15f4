/** AMF0, the value format of RTMP commands (Adobe "Action Message Format AMF 0"), as far as live streaming speaks it. */
export type AmfValue = null | undefined | boolean | number | string | Date | readonly AmfValue[] | AmfObject;
export interface AmfObject {
  readonly [key: string]: AmfValue;
}

/** The bytes are not AMF0, or are a type that nobody sends in a live stream. */
export class AmfError extends Error {
  override readonly name = "AmfError";
}

const marker = {
  number: 0x00,
  boolean: 0x01,
  string: 0x02,
  object: 0x03,
  null: 0x05,
  undefined: 0x06,
  ecmaArray: 0x08,
  objectEnd: 0x09,
  strictArray: 0x0a,
  date: 0x0b,
  longString: 0x0c,
} as const;

/** A hostile server could nest objects until the stack ends. */
const MAX_DEPTH = 16;
const MAX_SHORT_STRING = 0xffff;

/** Encodes values one after the other, as the body of a command message. */
export function encodeAmf(values: readonly AmfValue[]): Buffer {
  return Buffer.concat(values.map(encodeValue));
}

/**
 * Decodes all values of a command message's body.
 * @throws AmfError when the body is cut short, nests too deep, or holds an unknown type.
 */
export function decodeAmf(bytes: Buffer): AmfValue[] {
  const reader = new AmfReader(bytes);
  const values: AmfValue[] = [];
  while (!reader.done) values.push(reader.value(0));
  return values;
}

/** True for objects and ECMA arrays, which both decode to a record. */
export function isAmfObject(value: AmfValue): value is AmfObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

function encodeValue(value: AmfValue): Buffer {
  if (value === null) return Buffer.of(marker.null);
  if (value === undefined) return Buffer.of(marker.undefined);
  if (typeof value === "boolean") return Buffer.of(marker.boolean, value ? 1 : 0);
  if (typeof value === "number") return withDouble(marker.number, value);
  if (typeof value === "string") return encodeString(value);
  if (value instanceof Date) return Buffer.concat([withDouble(marker.date, value.getTime()), Buffer.of(0, 0)]);
  if (isAmfObject(value)) return encodeObject(value);
  const head = Buffer.alloc(5);
  head.writeUInt8(marker.strictArray, 0);
  head.writeUInt32BE(value.length, 1);
  return Buffer.concat([head, ...value.map(encodeValue)]);
}

function withDouble(type: number, value: number): Buffer {
  const bytes = Buffer.alloc(9);
  bytes.writeUInt8(type, 0);
  bytes.writeDoubleBE(value, 1);
  return bytes;
}

function encodeString(text: string): Buffer {
  const body = Buffer.from(text, "utf8");
  if (body.length <= MAX_SHORT_STRING) return Buffer.concat([Buffer.of(marker.string), shortLength(body.length), body]);
  const head = Buffer.alloc(5);
  head.writeUInt8(marker.longString, 0);
  head.writeUInt32BE(body.length, 1);
  return Buffer.concat([head, body]);
}

function encodeObject(object: AmfObject): Buffer {
  const parts: Buffer[] = [Buffer.of(marker.object)];
  for (const [key, value] of Object.entries(object)) {
    const name = Buffer.from(key, "utf8");
    parts.push(shortLength(name.length), name, encodeValue(value));
  }
  parts.push(Buffer.of(0, 0, marker.objectEnd));
  return Buffer.concat(parts);
}

function shortLength(length: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(length, 0);
  return bytes;
}

class AmfReader {
  readonly #bytes: Buffer;
  #offset = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#offset >= this.#bytes.length;
  }

  value(depth: number): AmfValue {
    if (depth > MAX_DEPTH) throw new AmfError(`AMF0 values are nested deeper than ${MAX_DEPTH}`);
    const type = this.#take(1).readUInt8();
    switch (type) {
      case marker.number:
        return this.#take(8).readDoubleBE();
      case marker.boolean:
        return this.#take(1).readUInt8() !== 0;
      case marker.string:
        return this.#text(this.#take(2).readUInt16BE());
      case marker.longString:
        return this.#text(this.#take(4).readUInt32BE());
      case marker.null:
        return null;
      case marker.undefined:
        return undefined;
      case marker.object:
        return this.#object(depth);
      case marker.ecmaArray:
        this.#take(4); // the count is a hint only; the end marker decides
        return this.#object(depth);
      case marker.strictArray:
        return this.#array(depth);
      case marker.date: {
        const time = new Date(this.#take(8).readDoubleBE());
        this.#take(2); // reserved time zone
        return time;
      }
      default:
        throw new AmfError(`AMF0 type 0x${type.toString(16).padStart(2, "0")} is unknown`);
    }
  }

  #object(depth: number): AmfObject {
    const entries: [string, AmfValue][] = [];
    for (;;) {
      const key = this.#text(this.#take(2).readUInt16BE());
      if (key === "" && this.#bytes[this.#offset] === marker.objectEnd) {
        this.#offset += 1;
        return Object.fromEntries(entries);
      }
      entries.push([key, this.value(depth + 1)]);
    }
  }

  #array(depth: number): AmfValue[] {
    const count = this.#take(4).readUInt32BE();
    const values: AmfValue[] = [];
    for (let i = 0; i < count; i++) values.push(this.value(depth + 1));
    return values;
  }

  #text(length: number): string {
    return this.#take(length).toString("utf8");
  }

  #take(length: number): Buffer {
    const end = this.#offset + length;
    if (end > this.#bytes.length) throw new AmfError("an AMF0 value is cut short");
    const part = this.#bytes.subarray(this.#offset, end);
    this.#offset = end;
    return part;
  }
}
