import t from "tap";
import { AmfError, type AmfValue, decodeAmf, encodeAmf } from "../../../src/edge/amf0.js";

t.test("values survive a round trip", async (t) => {
  const values: AmfValue[] = [
    "connect",
    1,
    -0.5,
    true,
    false,
    null,
    undefined,
    "",
    "ä".repeat(40_000),
    { app: "hls", nested: { list: [1, "two", null] } },
    new Date(1_700_000_000_000),
  ];
  t.same(decodeAmf(encodeAmf(values)), values);
});

t.test("reads what nginx-rtmp sends", async (t) => {
  const status = Buffer.from(
    "0200086f6e53746174757300000000000000000005030005" +
      "6c6576656c02000673746174757300" +
      `04636f64650200${"17"}${Buffer.from("NetStream.Publish.Start").toString("hex")}000009`,
    "hex",
  );
  t.same(decodeAmf(status), ["onStatus", 0, null, { level: "status", code: "NetStream.Publish.Start" }]);
});

t.test("an ECMA array reads as an object, whatever its count says", async (t) => {
  const bytes = Buffer.from("08000000ff000161020001620000 09".replaceAll(" ", ""), "hex");
  t.same(decodeAmf(bytes), [{ a: "b" }]);
});

t.test("a key named __proto__ is only a key", async (t) => {
  const [value] = decodeAmf(encodeAmf([JSON.parse('{"__proto__":{"x":1}}')]));
  t.equal(Object.getPrototypeOf(value), Object.prototype);
});

const malformed: [string, Buffer][] = [
  ["a number cut short", Buffer.from("0040", "hex")],
  ["a string longer than the message", Buffer.from("02ffff61", "hex")],
  ["an object without end", Buffer.from("030001610100", "hex")],
  ["an array that promises too much", Buffer.from("0affffffff05", "hex")],
  ["an unknown type", Buffer.from("7f", "hex")],
  ["endless nesting", Buffer.from("0a00000001".repeat(1000), "hex")],
];
for (const [name, bytes] of malformed) {
  t.test(`refuses ${name}`, async (t) => {
    t.throws(() => decodeAmf(bytes), AmfError);
  });
}
