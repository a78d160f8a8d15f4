import { readFileSync } from "node:fs";
import t from "tap";
import {
  advanceProblems,
  joinProblems,
  lateVideo,
  masterProblems,
  playlistHeaderProblems,
  playlistProblems,
  segmentHeaderProblems,
  segmentProblems,
} from "../../../src/edge/hls-rules.js";
import { type MediaPlaylist, parsePlaylist } from "../../../src/edge/m3u8.js";

const first = readFileSync("test/unit/edge/fixtures/nginx-rtmp-0.mpegts");
const second = readFileSync("test/unit/edge/fixtures/nginx-rtmp-1.mpegts");

function media(sequence: number, target: number, ...segments: [string, number][]): MediaPlaylist {
  const lines = segments.flatMap(([uri, seconds]) => [`#EXTINF:${seconds},`, uri]);
  const head = ["#EXTM3U", "#EXT-X-VERSION:3", `#EXT-X-MEDIA-SEQUENCE:${sequence}`, `#EXT-X-TARGETDURATION:${target}`];
  const playlist = parsePlaylist([...head, ...lines].join("\n"));
  if (playlist.kind !== "media") throw new Error("not a media playlist");
  return playlist;
}

t.test("EXTINF against TARGETDURATION, rounded", async (t) => {
  t.same(playlistProblems(media(0, 2, ["a.ts", 2.49])), []);
  t.match(playlistProblems(media(0, 2, ["a.ts", 2.5])), [/above EXT-X-TARGETDURATION/]);
  t.match(playlistProblems(media(0, 2, ["a.ts", 0])), [/lasts 0 s/]);
  t.match(playlistProblems(media(0, 2, ["a.ts", 1], ["a.ts", 1])), [/twice/]);
});

t.test("two readings", async (t) => {
  const before = media(3, 2, ["c.ts", 2], ["d.ts", 2]);
  t.same(advanceProblems(before, media(4, 2, ["d.ts", 2], ["e.ts", 2])), []);
  t.same(advanceProblems(before, media(3, 2, ["c.ts", 2], ["d.ts", 2], ["e.ts", 2])), []);
  t.match(advanceProblems(before, before), [/no new segment/]);
  t.match(advanceProblems(before, media(2, 2, ["b.ts", 2])), [/goes back from 3 to 2/, /no new segment/]);
  t.match(advanceProblems(before, media(4, 2, ["x.ts", 2], ["e.ts", 2])), [/was d.ts and is now x.ts/]);
});

t.test("what a playlist holds against its version and type", async (t) => {
  const read = (...lines: string[]) => {
    const playlist = parsePlaylist(["#EXTM3U", "#EXT-X-TARGETDURATION:2", ...lines].join("\n"));
    if (playlist.kind !== "media") throw new Error("not a media playlist");
    return playlistProblems(playlist);
  };
  const key = (attributes: string) => `#EXT-X-KEY:METHOD=AES-128,URI="k"${attributes}`;
  t.same(read("#EXTINF:2,", "a.ts"), []);
  t.match(read("#EXTINF:1.5,", "a.ts"), ["EXT-X-VERSION is 1, and EXTINF with a fraction is of 3"]);
  t.same(read("#EXT-X-VERSION:3", "#EXTINF:1.5,", "a.ts"), []);
  t.match(read(key(`,IV=0x${"0".repeat(32)}`), "#EXTINF:2,", "a.ts"), [/the IV of EXT-X-KEY is of 2/]);
  t.match(read("#EXT-X-VERSION:3", key(',KEYFORMAT="identity"'), "#EXTINF:2,", "a.ts"), [/KEYFORMAT .* is of 5/]);
  t.same(read("#EXT-X-PLAYLIST-TYPE:EVENT", "#EXTINF:2,", "a.ts"), []);
  t.match(read("#EXT-X-PLAYLIST-TYPE:EVENT", "#EXT-X-MEDIA-SEQUENCE:4", "#EXTINF:2,", "a.ts"), [
    /begins with segment 4/,
  ]);
});

t.test("discontinuities that leave, and what is said of a segment", async (t) => {
  const read = (sequence: number, discontinuities: number, ...lines: string[]) => {
    const head = ["#EXTM3U", "#EXT-X-VERSION:3", `#EXT-X-MEDIA-SEQUENCE:${sequence}`, "#EXT-X-TARGETDURATION:3"];
    const text = [...head, `#EXT-X-DISCONTINUITY-SEQUENCE:${discontinuities}`, ...lines].join("\n");
    const playlist = parsePlaylist(text);
    if (playlist.kind !== "media") throw new Error("not a media playlist");
    return playlist;
  };
  const [a, b, c, broken] = ["#EXTINF:2,\na.ts", "#EXTINF:2,\nb.ts", "#EXTINF:2,\nc.ts", "#EXT-X-DISCONTINUITY"];
  const before = read(5, 1, broken, a, b);
  t.same(advanceProblems(before, read(5, 1, broken, a, b, c)), []);
  t.same(advanceProblems(before, read(6, 2, b, c)), []);
  t.same(advanceProblems(before, read(6, 2, b, broken, c)), []);
  t.match(advanceProblems(before, read(6, 1, b, c)), [/EXT-X-DISCONTINUITY-SEQUENCE is 1, not 2/]);
  t.match(advanceProblems(before, read(5, 1, a, b, c)), [/what the playlist says of a.ts has changed/]);
  t.match(advanceProblems(before, read(5, 1, broken, a, "#EXTINF:1,\nb.ts", c)), [/says of b.ts/]);
  t.same(advanceProblems(before, read(90, 7, c)), [], "what was not seen is not known");
  t.match(advanceProblems(before, read(90, 1, c)), [/is 1, not 2/]);
  const short = { ...read(5, 1, broken, a, b, c), targetDuration: 2 };
  t.match(advanceProblems(before, short), [/TARGETDURATION falls from 3 to 2/]);
});

t.test("master playlists", async (t) => {
  const read = (...lines: string[]) => {
    const playlist = parsePlaylist(["#EXTM3U", ...lines].join("\n"));
    if (playlist.kind !== "master") throw new Error("not a master playlist");
    return masterProblems(playlist);
  };
  const good = '#EXT-X-STREAM-INF:BANDWIDTH=1000,CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=640x360,FRAME-RATE=30.000';
  t.same(read(good, "a.m3u8", good, "b.m3u8"), []);
  t.match(read(good, "a.m3u8", good, "a.m3u8"), [/one URI/]);
  t.match(read("#EXT-X-STREAM-INF:BANDWIDTH=1000", "a.m3u8"), [/no right CODECS/, /no right RESOLUTION/]);
  t.match(read(good.replace("30.000", "fast"), "a.m3u8"), [/FRAME-RATE fast/]);
});

const promise = { corsOrigin: "*", immutableSegments: true };
const answer = (headers: Record<string, string>) => ({ status: 200, headers, body: Buffer.alloc(0) });
const cors = { "access-control-allow-origin": "*" };

t.test("headers", async (t) => {
  const playlist = { ...cors, "content-type": "application/vnd.apple.mpegurl", "cache-control": "public, max-age=1" };
  t.same(playlistHeaderProblems(answer(playlist), promise), []);
  t.match(playlistHeaderProblems(answer({ ...playlist, "cache-control": "max-age=10" }), promise), [/not max-age=1/]);
  t.match(playlistHeaderProblems(answer({ ...playlist, "cache-control": "s-max-age=1" }), promise), [/Cache-Control/]);
  t.match(playlistHeaderProblems(answer({}), promise), [/Content-Type is missing/, /Cache-Control/, /Allow-Origin/]);
  t.match(playlistHeaderProblems(answer(playlist), { ...promise, corsOrigin: undefined }), [/not absent/]);

  const segment = { ...cors, "content-type": "video/mp2t", "cache-control": "public, max-age=3600, immutable" };
  t.same(segmentHeaderProblems(answer(segment), promise), []);
  t.match(segmentHeaderProblems(answer({ ...segment, "cache-control": "no-cache" }), promise), [/not immutable/]);
  t.match(segmentHeaderProblems(answer(segment), { ...promise, immutableSegments: false }), [/used again/]);
  t.match(segmentHeaderProblems(answer({ ...segment, "content-type": "video/vnd.dlna.mpeg-tts" }), promise), [
    /Content-Type/,
  ]);
});

t.test("segments", async (t) => {
  const claim = (duration: number) => ({ uri: "a.ts", duration, sequence: 0, discontinuity: false, key: undefined });
  t.same(segmentProblems(first, claim(1)), []);
  t.match(segmentProblems(first, claim(6)), [/EXTINF says 6 s/]);
  t.match(segmentProblems(Buffer.from("gone"), claim(1)), [/multiple of 188/]);
});

t.test("sound before the picture is told from a segment that is too short", async (t) => {
  const claim = (duration: number) => ({ uri: "a.ts", duration, sequence: 0, discontinuity: false, key: undefined });
  const late = readFileSync("test/unit/edge/fixtures/late-video.mpegts");
  t.match(segmentProblems(late, claim(2)), [/EXTINF says 2 s, the video lasts 0.9/]);
  t.equal(lateVideo(late, claim(2)).toFixed(1), "1.0");
  t.equal(lateVideo(late, claim(6)), 0, "nor sound nor picture last that long");
  t.equal(lateVideo(first, claim(1)), 0);
});

t.test("joins", async (t) => {
  t.same(joinProblems(first, second, false), []);
  t.match(joinProblems(second, first, false), [/time goes back/]);
  t.same(joinProblems(second, first, true), []);
});
