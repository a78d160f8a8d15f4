import t from "tap";
// @ts-expect-error the page's own script has no types
import { embedSnippet, readAddress } from "../../../assets/player/player/address.js";

const plain = { hls_signed: false, hls_nested: false, hls_dvr: false };
const read = (address: string, config: object = plain) => readAddress(new URL(address, "http://edge.example"), config);

t.test("names of streams", async (t) => {
  t.match(read("/?stream=cam"), { name: "cam", playlist: "http://edge.example/hls/cam.m3u8", embedded: false });
  t.match(read("/embed?stream=cam"), { name: "cam", embedded: true });
  t.match(read("/index.html"), { problem: /\?stream=/ });
  for (const name of ["../cam", "a b", "%3Cscript%3E", "a%00", "a".repeat(65), "%D0%BA%D0%B0%D0%BC", "cam%0A"])
    t.match(read(`/?stream=${name}`), { problem: /not the name/ }, name);
  t.match(read("/?stream=cam&stream=%3Cb%3E"), { name: "cam" }, "the first of several");
});

t.test("signed addresses", async (t) => {
  const signature = "abcdefghijklmnopqrst_-";
  const asked = `/?stream=cam&expires=1900000000&signature=${signature}`;
  const signed = { ...plain, hls_signed: true };
  t.equal(read(asked, signed).playlist, `http://edge.example/s/${signature}/1900000000/hls/cam.m3u8`);
  t.equal(read(asked, signed).poster, `http://edge.example/s/${signature}/1900000000/images/cam.jpg`);
  t.equal(
    read(asked, { ...signed, hls_nested: true }).playlist,
    `http://edge.example/s/${signature}/1900000000/hls/cam/index.m3u8`,
  );
  t.equal(read(asked, { ...plain, hls_nested: true }).playlist, "http://edge.example/hls/cam.m3u8");
  t.match(read("/?stream=cam", signed), { problem: /signed/ });
  t.match(read(`${asked}/../x`, signed), { problem: /signed/ });
});

t.test("the long window of the disk", async (t) => {
  const dvr = { ...plain, hls_dvr: true };
  t.match(read("/?stream=cam", dvr), { dvr: false, playlist: /\/hls\/cam/, otherWindow: "/?stream=cam&dvr=1" });
  const long = read("/embed?stream=cam&dvr=1", dvr);
  t.match(long, { dvr: true, playlist: "http://edge.example/dvr/cam.m3u8", otherWindow: "/embed?stream=cam" });
  t.match(read("/?stream=cam&dvr=1"), { dvr: false, playlist: /\/hls\/cam/, otherWindow: null }, "where there is none");
  const asked = `/?stream=cam&dvr=1&expires=1900000000&signature=abcdefghijklmnopqrst_-`;
  const signed = read(asked, { ...dvr, hls_signed: true, hls_nested: true });
  t.equal(signed.playlist, "http://edge.example/s/abcdefghijklmnopqrst_-/1900000000/dvr/cam.m3u8");
});

t.test("the snippet", async (t) => {
  t.match(embedSnippet("http://edge.example", "cam"), /^<iframe src="http:\/\/edge\.example\/embed\?stream=cam" /);
});
