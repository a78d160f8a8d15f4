import t from "tap";
import { parsePlaylist } from "../../../src/edge/m3u8.js";

const good = {
  "nginx-rtmp, live": {
    text: `#EXTM3U
#EXT-X-VERSION:3
#EXT-X-MEDIA-SEQUENCE:7
#EXT-X-TARGETDURATION:3
#EXT-X-DISCONTINUITY
#EXTINF:2.936,
live-1795381394685.ts
#EXTINF:2.000,
live-1795381397588.ts
`,
    expect: {
      kind: "media",
      version: 3,
      targetDuration: 3,
      mediaSequence: 7,
      ended: false,
      segments: [
        { uri: "live-1795381394685.ts", duration: 2.936, sequence: 7, discontinuity: true, key: undefined },
        { uri: "live-1795381397588.ts", duration: 2, sequence: 8, discontinuity: false, key: undefined },
      ],
    },
  },
  "carriage returns, comments, titles, unknown tags": {
    text: "#EXTM3U\r\n# hello\r\n#EXT-X-FUTURE:1\r\n#EXT-X-TARGETDURATION:2\r\n#EXTINF:2,a title\r\na.ts\r\n#EXT-X-ENDLIST\r\n",
    expect: { targetDuration: 2, mediaSequence: 0, ended: true, segments: [{ uri: "a.ts", duration: 2 }] },
  },
  "keys hold until the next one": {
    text: `#EXTM3U
#EXT-X-TARGETDURATION:2
#EXT-X-KEY:METHOD=AES-128,URI="/keys/a-0.key",IV=0x00000000000000000000000000000001
#EXTINF:2,
a.ts
#EXTINF:2,
b.ts
#EXT-X-KEY:METHOD=NONE
#EXTINF:2,
c.ts`,
    expect: {
      segments: [
        { key: { method: "AES-128", uri: "/keys/a-0.key" } },
        { key: { method: "AES-128", uri: "/keys/a-0.key" } },
        { key: undefined },
      ],
    },
  },
  master: {
    text: `#EXTM3U
#EXT-X-STREAM-INF:BANDWIDTH=2400000,RESOLUTION=1280x720,CODECS="avc1.64001f,mp4a.40.2"
live_720p/index.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=640000
live_360p/index.m3u8`,
    expect: {
      kind: "master",
      variants: [
        { uri: "live_720p/index.m3u8", bandwidth: 2400000 },
        { uri: "live_360p/index.m3u8", bandwidth: 640000 },
      ],
    },
  },
};
for (const [name, { text, expect }] of Object.entries(good)) {
  t.test(`reads ${name}`, async (t) => t.match(parsePlaylist(text), expect));
}

t.test("attributes keep commas inside quotes", async (t) => {
  const playlist = parsePlaylist(good.master.text);
  t.equal(playlist.kind === "master" && playlist.variants[0]?.attributes.get("CODECS"), "avc1.64001f,mp4a.40.2");
});

const head = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n";
const malformed: Record<string, [string, RegExp]> = {
  "an error page": ["<html>404</html>", /line 1: .*#EXTM3U/],
  "an empty answer": ["", /line 1/],
  "no target duration": ["#EXTM3U\n#EXTINF:2,\na.ts", /TARGETDURATION/],
  "two target durations": [`${head}#EXT-X-TARGETDURATION:2`, /line 3: a second/],
  "a target duration with a fraction": ["#EXTM3U\n#EXT-X-TARGETDURATION:2.5", /whole number/],
  "a segment without EXTINF": [`${head}a.ts`, /line 3: .*EXTINF/],
  "an EXTINF without number": [`${head}#EXTINF:two,\na.ts`, /line 3/],
  "a negative EXTINF": [`${head}#EXTINF:-1,\na.ts`, /line 3/],
  "the sequence after a segment": [`${head}#EXTINF:2,\na.ts\n#EXT-X-MEDIA-SEQUENCE:1`, /line 5/],
  "nginx-rtmp's hls_type event": [`${head}#EXT-X-PLAYLIST-TYPE: EVENT `, /playlist type is " EVENT"/],
  "an unknown playlist type": [`${head}#EXT-X-PLAYLIST-TYPE:LIVE`, /playlist type/],
  "a variant without bandwidth": ["#EXTM3U\n#EXT-X-STREAM-INF:RESOLUTION=1x1\na.m3u8", /BANDWIDTH/],
  "segments in a master playlist": ["#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\na.m3u8\n#EXTINF:2,\na.ts", /line 4/],
  "a malformed attribute list": ['#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS="avc1\na.m3u8', /malformed/],
  "an attribute given twice": ["#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,BANDWIDTH=2\na.m3u8", /twice/],
  "a key without method": [`${head}#EXT-X-KEY:URI="a"`, /METHOD/],
  "a key without an address": [`${head}#EXT-X-KEY:METHOD=AES-128`, /URI/],
  "a key of another method": [`${head}#EXT-X-KEY:METHOD=ROT13,URI="a"`, /method is "ROT13"/],
  "no key with an address": [`${head}#EXT-X-KEY:METHOD=NONE,URI="a"`, /NONE with other/],
  "discontinuities counted too late": [`${head}#EXT-X-DISCONTINUITY\n#EXT-X-DISCONTINUITY-SEQUENCE:1`, /line 4/],
  "two versions": [`${head}#EXT-X-VERSION:3\n#EXT-X-VERSION:3`, /line 4: a second/],
  "an EXTINF at the end": [`${head}#EXTINF:2,`, /without a segment/],
  "a variant at the end": ["#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1", /line 2: .*without a URI/],
  "a variant of no bandwidth": ["#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=0\na.m3u8", /BANDWIDTH/],
  "a key in a master playlist": ["#EXTM3U\n#EXT-X-KEY:METHOD=NONE\n#EXT-X-STREAM-INF:BANDWIDTH=1\na.m3u8", /line 2/],
  "a short IV": [`${head}#EXT-X-KEY:METHOD=AES-128,URI="a",IV=0x01`, /128 bits/],
};
for (const [name, [text, message]] of Object.entries(malformed)) {
  t.test(`refuses ${name}`, async (t) => {
    t.throws(() => parsePlaylist(text), { name: "PlaylistError", message });
  });
}
