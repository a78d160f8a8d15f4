import t from "tap";
import { ChunkError, ChunkReader, encodeMessage, messageType } from "../../../src/edge/rtmp-chunks.js";

const message = (length: number, timestamp = 0) => ({
  type: messageType.video,
  streamId: 1,
  timestamp,
  body: Buffer.alloc(length, 0xab),
});

for (const length of [0, 1, 127, 128, 129, 256, 5000]) {
  t.test(`a message of ${length} bytes comes back, in one piece and byte by byte`, async (t) => {
    const bytes = encodeMessage(message(length, 40), 6, 128);
    t.same(new ChunkReader().push(bytes), [message(length, 40)]);
    const reader = new ChunkReader();
    const parts = [...bytes].flatMap((byte) => reader.push(Buffer.of(byte)));
    t.same(parts, [message(length, 40)]);
  });
}

t.test("chunk headers are as section 5.3.1 says", async (t) => {
  const bytes = encodeMessage(message(130, 0x010203), 6, 128);
  t.equal(bytes.subarray(0, 12).toString("hex"), "06010203000082090100 0000".replaceAll(" ", ""));
  t.equal(bytes[12 + 128], 0xc6, "the second chunk has a header of one byte");
  t.equal(bytes.length, 12 + 128 + 1 + 2);
});

t.test("an extended timestamp is repeated in each chunk", async (t) => {
  const late = message(300, 0x01000000);
  const bytes = encodeMessage(late, 6, 128);
  t.equal(bytes.length, 12 + 4 + 128 + 1 + 4 + 128 + 1 + 4 + 44);
  t.same(new ChunkReader().push(bytes), [late]);
});

t.test("obeys SetChunkSize", async (t) => {
  const size = Buffer.alloc(4);
  size.writeUInt32BE(4096);
  const control = { type: messageType.setChunkSize, streamId: 0, timestamp: 0, body: size };
  const reader = new ChunkReader();
  t.same(reader.push(encodeMessage(control, 2, 128)), []);
  t.same(reader.push(encodeMessage(message(3000), 6, 4096)), [message(3000)]);
});

t.test("interleaved chunk streams", async (t) => {
  const video = encodeMessage(message(200), 6, 128);
  const audio = encodeMessage({ ...message(10), type: messageType.audio }, 4, 128);
  const mixed = Buffer.concat([video.subarray(0, 12 + 128), audio, video.subarray(12 + 128)]);
  t.same(
    new ChunkReader().push(mixed).map(({ type }) => type),
    [messageType.audio, messageType.video],
  );
});

t.test("short headers take over from the message before", async (t) => {
  const first = encodeMessage(message(2, 1000), 6, 128);
  const type1 = Buffer.from("46000014000001080c".padEnd(18, "0"), "hex").subarray(0, 9);
  const type1Body = Buffer.concat([type1.subarray(0, 8), Buffer.of(0x0c)]);
  const type2 = Buffer.from("8600000a0d", "hex");
  const type3 = Buffer.from("c60e", "hex");
  const got = new ChunkReader().push(Buffer.concat([first, type1Body, type2, type3]));
  t.same(
    got.map(({ type, timestamp, streamId, body }) => [type, timestamp, streamId, body.toString("hex")]),
    [
      [9, 1000, 1, "abab"],
      [8, 1020, 1, "0c"],
      [8, 1030, 1, "0d"],
      [8, 1040, 1, "0e"],
    ],
  );
});

t.test("chunk stream ids of two and three bytes", async (t) => {
  const body = encodeMessage(message(3), 6, 128).subarray(1);
  t.same(new ChunkReader().push(Buffer.concat([Buffer.of(0x00, 100), body])), [message(3)]);
  t.same(new ChunkReader().push(Buffer.concat([Buffer.of(0x01, 1, 2), body])), [message(3)]);
});

const malformed: [string, string][] = [
  ["a stream that begins without a full header", "c3"],
  ["a message that is too large", "03000000ffffff0900000000"],
  ["a chunk size of zero", "0200000000000401000000000000 0000".replaceAll(" ", "")],
];
for (const [name, hex] of malformed) {
  t.test(`refuses ${name}`, async (t) => {
    t.throws(() => new ChunkReader().push(Buffer.from(hex, "hex")), ChunkError);
  });
}
