import t from "tap";
import { readMp4 } from "../../../src/edge/mp4.js";

function box(type: string, content = 4): Buffer {
  const data = Buffer.alloc(8 + content);
  data.writeUInt32BE(data.length, 0);
  data.write(type, 4, "latin1");
  return data;
}

t.test("a fragmented file is as good as its whole fragments", async (t) => {
  const begin = [box("ftyp"), box("moov")];
  const fragment = [box("moof"), box("mdat", 40)];
  t.same(readMp4(Buffer.concat([...begin, ...fragment, ...fragment])), { header: true, fragments: 2 });
  const cut = Buffer.concat([...begin, ...fragment, ...fragment]).subarray(0, -1);
  t.same(readMp4(cut), { header: true, fragments: 1 }, "cut off in the last one");
  t.same(readMp4(Buffer.concat([...begin, box("mdat")])), { header: true, fragments: 0 }, "media without a header");
  t.same(readMp4(Buffer.from("<html>")), { header: false, fragments: 0 });
  const large = box("moov", 12);
  large.writeUInt32BE(1, 0);
  large.writeBigUInt64BE(20n, 8);
  t.same(readMp4(large), { header: true, fragments: 0 }, "a size of 64 bits");
  t.same(readMp4(Buffer.alloc(64)), { header: false, fragments: 0 }, "a size of 0");
});
