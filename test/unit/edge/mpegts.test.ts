import { readFileSync } from "node:fs";
import t from "tap";
import { parseTs, ptsDistance, streamType, TsError } from "../../../src/edge/mpegts.js";

/** One second of the test pattern each, as nginx-rtmp cut them one after the other. */
const segment = readFileSync("test/unit/edge/fixtures/nginx-rtmp-0.mpegts");

t.test("reads a segment of nginx-rtmp", async (t) => {
  const { streams, gaps, packets } = parseTs(segment);
  t.equal(packets, segment.length / 188);
  t.equal(gaps, 0);
  const video = streams.find((stream) => stream.type === streamType.h264);
  const audio = streams.find((stream) => stream.type === streamType.aac);
  t.match(video, { frames: 20, decodable: true });
  t.match(audio, { decodable: true });
  t.ok(Math.abs((video?.lastPts ?? 0) - (video?.firstPts ?? 0) - 0.95) < 0.01, "20 frames at 20 fps");
});

t.test("a segment that begins between key frames is not decodable", async (t) => {
  const tables = segment.subarray(0, 2 * 188);
  const second = findFrame(segment, 0x100, 2);
  const { streams } = parseTs(Buffer.concat([tables, segment.subarray(second)]));
  t.equal(streams.find((stream) => stream.type === streamType.h264)?.decodable, false);
});

t.test("a lost packet is a gap", async (t) => {
  const at = 20 * 188;
  const holed = Buffer.concat([segment.subarray(0, at), segment.subarray(at + 188)]);
  t.ok(parseTs(holed).gaps >= 1);
});

t.test("time goes on over the wrap of 33 bits", async (t) => {
  const wrap = 2 ** 33 / 90_000;
  t.equal(Math.round(ptsDistance(wrap - 1, 1)), 2);
  t.equal(ptsDistance(5, 3), -2);
});

const noPat = Buffer.from(segment);
noPat.fill(0xff, 4, 188);
const hugeField = Buffer.from(segment.subarray(0, 3 * 188));
hugeField[2 * 188 + 3] = 0x30;
hugeField[2 * 188 + 4] = 0xff;
const hugeTable = Buffer.from(segment.subarray(0, 2 * 188));
hugeTable.writeUInt16BE(0xbfff, 188 + 6);
const malformed: [string, Buffer, RegExp][] = [
  ["nothing", Buffer.alloc(0), /empty/],
  ["an error page", Buffer.from("<html>".padEnd(188)), /no sync byte at 0/],
  ["a segment cut short", segment.subarray(0, 1000), /multiple of 188/],
  ["a lost sync byte", Buffer.concat([segment.subarray(0, 188), Buffer.alloc(188)]), /no sync byte at 188/],
  ["no PAT", noPat, /PAT/],
  ["no PMT", segment.subarray(0, 188), /PMT/],
  ["an adaptation field beyond its packet", hugeField, /adaptation field/],
];
for (const [name, bytes, message] of malformed) {
  t.test(`refuses ${name}`, async (t) => {
    t.throws(() => parseTs(bytes), { message });
    t.throws(() => parseTs(bytes), TsError);
  });
}

t.test("random damage never ends in anything but a TsError", async (t) => {
  let seed = 1;
  const random = (limit: number) => {
    seed = (seed * 48271) % 0x7fffffff;
    return seed % limit;
  };
  for (let round = 0; round < 300; round++) {
    const damaged = Buffer.from(segment.subarray(0, 10 * 188));
    for (let hit = 0; hit < 8; hit++) {
      const at = random(damaged.length);
      if (at % 188 !== 0) damaged[at] = random(256);
    }
    try {
      parseTs(damaged);
    } catch (error) {
      if (!(error instanceof TsError)) throw error;
    }
  }
  t.pass();
});

/** Offset of the packet that begins the nth PES packet of a PID. */
function findFrame(bytes: Buffer, pid: number, nth: number): number {
  let seen = 0;
  for (let at = 0; at < bytes.length; at += 188) {
    const head = bytes.readUInt16BE(at + 1);
    if ((head & 0x1fff) === pid && (head & 0x4000) !== 0 && ++seen === nth) return at;
  }
  throw new Error(`no ${nth}th frame`);
}
