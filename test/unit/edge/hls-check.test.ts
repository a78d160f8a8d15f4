import t from "tap";
import { readPlaylist } from "../../../src/edge/hls-check.js";
import type { HttpGet } from "../../../src/edge/http-get.js";

const MEDIA = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n1.ts\n";

/** An edge that answers these paths: a text is a playlist, `> PLACE` leads there. */
function edgeWith(pages: Readonly<Record<string, string>>): HttpGet {
  return async (url) => {
    const page = pages[url.pathname];
    const lead = page?.startsWith("> ") ? page.slice(2) : undefined;
    const status = page === undefined ? 404 : lead === undefined ? 200 : 302;
    return { status, headers: { location: lead }, body: Buffer.from(page ?? "") };
  };
}
const read = (pages: Readonly<Record<string, string>>) =>
  readPlaylist({ httpGet: edgeWith(pages), url: new URL("http://edge/hls/a.m3u8") });

t.test("a playlist, where it is or where its address leads", async (t) => {
  t.equal(await read({}), undefined);
  t.equal((await read({ "/hls/a.m3u8": MEDIA }))?.url.pathname, "/hls/a.m3u8");
  const nested = await read({ "/hls/a.m3u8": "> /hls/a/index.m3u8", "/hls/a/index.m3u8": MEDIA });
  t.equal(nested?.url.pathname, "/hls/a/index.m3u8", "relative addresses are from there");
  t.equal(await read({ "/hls/a.m3u8": "> /hls/a/index.m3u8" }), undefined, "nothing is there yet");
  await t.rejects(read({ "/hls/a.m3u8": "> http://elsewhere/a.m3u8" }), /answers 302/, "never to another server");
  await t.rejects(read({ "/hls/a.m3u8": "> /b", "/b": "> /c", "/c": MEDIA }), /\/b answers 302/, "once");
});

t.test("the first variant of a master playlist", async (t) => {
  const master = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\na_720p.m3u8\n";
  t.equal((await read({ "/hls/a.m3u8": master, "/hls/a_720p.m3u8": MEDIA }))?.url.pathname, "/hls/a_720p.m3u8");
  await t.rejects(read({ "/hls/a.m3u8": master, "/hls/a_720p.m3u8": master }), /inside a master playlist/);
});
