import { readFileSync } from "node:fs";
import t from "tap";
import { FlvError, isKeyFrame, loopClip, parseFlv, readClip } from "../../../src/edge/flv.js";

const file = readFileSync("assets/verify/test-pattern.flv");

t.test("the test pattern is what its README says", async (t) => {
  const clip = readClip(file);
  t.ok(file.length <= 120_000, "at most 120 kB");
  t.equal(clip.durationMs, 4000);
  t.equal(clip.frames.filter((tag) => tag.type === "video").length, 80);
  t.equal(clip.frames.filter((tag) => tag.type === "audio").length, 125);
  t.equal(clip.frames.filter(isKeyFrame).length, 4, "a key frame each second");
  t.same(clip.headers.map((tag) => tag.type).sort(), ["audio", "video"]);
  t.ok(clip.metadata?.includes("onMetaData"));
});

t.test("looping keeps both tracks' frames at an even distance", async (t) => {
  const clip = readClip(file);
  const times: Record<string, number[]> = { audio: [], video: [] };
  for (const tag of loopClip(clip)) {
    if (tag.timestampMs > 12_500) break;
    if (tag.body[1] === 1) times[tag.type]?.push(tag.timestampMs);
  }
  for (const [track, period] of [
    ["audio", 32],
    ["video", 50],
  ] as const) {
    const list = times[track] ?? [];
    const steps = list.slice(1).map((time, index) => time - (list[index] ?? 0));
    t.ok(list.length > 200, `${track}: three loops`);
    t.ok(
      steps.every((step) => Math.abs(step - period) <= 1),
      `${track}: every ${period} ms`,
    );
  }
});

t.test("timestamps above 24 bits", async (t) => {
  const tag = Buffer.from("08000002000001010000 00af00".replaceAll(" ", ""), "hex");
  const [read] = parseFlv(Buffer.concat([file.subarray(0, 13), tag, Buffer.alloc(4)]));
  t.equal(read?.timestampMs, 0x01000001);
});

const malformed: [string, Buffer, RegExp][] = [
  ["something else", Buffer.from("RIFF....AVI LIST"), /not FLV/],
  ["an empty file", Buffer.alloc(0), /not FLV/],
  ["a file cut inside a tag", file.subarray(0, file.length - 100), /cut short/],
  ["a file without media", file.subarray(0, 13), /no H.264 video/],
];
for (const [name, bytes, message] of malformed) {
  t.test(`refuses ${name}`, async (t) => {
    t.throws(() => readClip(bytes), { name: "FlvError", message });
    t.throws(() => readClip(bytes), FlvError);
  });
}
