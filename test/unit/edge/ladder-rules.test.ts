import { readFileSync } from "node:fs";
import t from "tap";
import { isLadder, masterProblems, rungName, rungProblems } from "../../../src/edge/ladder-rules.js";
import { type HlsVariant, type MasterPlaylist, parsePlaylist } from "../../../src/edge/m3u8.js";

const bytes = readFileSync("test/unit/edge/fixtures/nginx-rtmp-0.mpegts");
const later = readFileSync("test/unit/edge/fixtures/nginx-rtmp-1.mpegts");

const GOOD = 'BANDWIDTH=900000,AVERAGE-BANDWIDTH=800000,RESOLUTION=426x240,CODECS="avc1.42c015,mp4a.40.2"';

function master(...rungs: [string, string][]): MasterPlaylist {
  const text = rungs.flatMap(([uri, words]) => [`#EXT-X-STREAM-INF:${words}`, uri]);
  const playlist = parsePlaylist(["#EXTM3U", ...text].join("\n"));
  if (playlist.kind !== "master") throw new Error("no master playlist");
  return playlist;
}

t.test("what a player chooses by", async (t) => {
  const good = master(["cam/240p.m3u8", GOOD], ["cam/native.m3u8", GOOD.replace("426x240", "1280x720")]);
  t.ok(isLadder(good));
  t.same(masterProblems(good, ["native", "240p"]), []);
  t.same(masterProblems(good, ["360p"]), ["there is no rung 360p"]);
  t.notOk(isLadder(master(["cam.live.m3u8", "BANDWIDTH=6000000"])));
  t.match(masterProblems(master(["cam.live.m3u8", "BANDWIDTH=6000000"]), []), [
    /has no RESOLUTION/,
    /CODECS of cam\.live are missing/,
    /AVERAGE-BANDWIDTH of cam\.live/,
  ]);
  t.match(masterProblems(master(["a.m3u8", GOOD.replace("=800000", "=900001")]), []), [/AVERAGE-BANDWIDTH of a/]);
  t.match(masterProblems(master(["a.m3u8", GOOD], ["x/a.m3u8", GOOD]), []), [/twice/]);
});

t.test("rungs are what is said, and cut alike", async (t) => {
  const variant = (bandwidth: number): HlsVariant => ({ uri: "a.m3u8", bandwidth, attributes: new Map() });
  const rung = (name: string, bandwidth: number, segment: Buffer, duration = 2) => ({
    name,
    variant: variant(bandwidth),
    segments: new Map([[7, { bytes: segment, duration }]]),
  });
  const rate = bytes.length * 4;
  t.same(rungProblems([rung("a", rate, bytes), rung("b", rate, bytes)]), []);
  t.match(rungProblems([rung("a", rate / 2, bytes)]), [/segment 7 of a has \d+ bit\/s, above BANDWIDTH/]);
  t.match(rungProblems([rung("a", 1e9, bytes), rung("b", 1e9, later)]), [/segment 7 begins at .* in a and at .* in b/]);
  t.equal(rungName({ ...variant(1), uri: "cam/720p.m3u8" }), "720p");
});
