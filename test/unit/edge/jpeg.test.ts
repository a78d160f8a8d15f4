import t from "tap";
import { jpegSize } from "../../../src/edge/jpeg.js";

const APP0 = [0xff, 0xe0, 0x00, 0x04, 0x4a, 0x46];
const HUFFMAN = [0xff, 0xc4, 0x00, 0x03, 0x00];
const FRAME = [0xff, 0xc0, 0x00, 0x0b, 0x08, 0x00, 0x5a, 0x00, 0xa0, 0x01, 0x01, 0x11, 0x00];

t.test("the size of a picture is in its frame header", async (t) => {
  const whole = Buffer.from([0xff, 0xd8, ...APP0, ...HUFFMAN, ...FRAME, 0xff, 0xd9]);
  t.same(jpegSize(whole), { width: 160, height: 90 });
  t.equal(jpegSize(whole.subarray(0, -2)), undefined, "cut off");
  t.equal(jpegSize(Buffer.from("<html></html>")), undefined, "no picture");
  t.equal(jpegSize(Buffer.alloc(0)), undefined);
  t.equal(jpegSize(Buffer.from([0xff, 0xd8, 0xff, 0xd9])), undefined, "without a frame");
});
