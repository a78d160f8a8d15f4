import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, statfsSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";

const program = "assets/bin/edge-janitor";
const skip = spawnSync("python3", ["--version"]).status === 0 ? false : "no python3";
const KB = 1000;
/** What a file of a block or less takes on the disk is not what it holds, so sizes here are many blocks. */
const SIZE = 400 * KB;

/** A directory with files of these ages in seconds. */
function folderOf(t: Test, ages: Readonly<Record<string, number>>): string {
  const folder = t.testdir({ media: {} });
  const media = join(folder, "media");
  for (const [name, age] of Object.entries(ages)) write(join(media, name), age);
  return media;
}

function write(path: string, age: number, text: string | Buffer = Buffer.alloc(SIZE, "x")): void {
  writeFileSync(path, text);
  const at = Date.now() / 1000 - age;
  utimesSync(path, at, at);
}

function tidy(path: string, rule: object): string {
  const rules = join(path, "../rules.json");
  writeFileSync(rules, JSON.stringify([{ path, suffixes: [".ts"], ...rule }]));
  return execFileSync("python3", [program, rules], { encoding: "utf8" });
}

const left = (path: string) => readdirSync(path).sort();

t.test("by age", { skip }, async (t) => {
  const path = folderOf(t, { "a-1.ts": 500, "a-2.ts": 200, "a-3.ts": 5, "a.m3u8": 500, notes: 500, "b-1.key": 500 });
  mkdirSync(join(path, "deeper"));
  write(join(path, "deeper/c-1.ts"), 500);
  write(join(path, "../outside.ts"), 500);
  symlinkSync("..", join(path, "up"));
  t.match(tidy(path, { max_age: 300 }), /media: 2 files, 8[0-9]{2} kB removed: older than they are kept\n/);
  t.same(left(path), ["a-2.ts", "a-3.ts", "a.m3u8", "b-1.key", "deeper", "notes", "up"]);
  t.same(left(join(path, "deeper")), []);
  t.ok(left(join(path, "..")).includes("outside.ts"), "nothing that a link leads to");
  t.equal(tidy(path, { max_age: 300 }), "", "and then there is nothing to say");
  t.equal(tidy(join(path, "nowhere"), { max_age: 300 }), "");
  t.equal(tidy(path, { max_age: 1 }).includes("1 files"), true, "what was written within a minute stays");
  t.ok(left(path).includes("a-3.ts"));
});

t.test("what a playlist lists stays", { skip }, async (t) => {
  const path = folderOf(t, { "a-1.ts": 500, "a-2.ts": 400, "a-3.ts": 300 });
  write(join(path, "a.m3u8"), 300, "#EXTM3U\n#EXTINF:6,\na-2.ts\n#EXTINF:6,\na-3.ts\n");
  tidy(path, { max_age: 100, playlists: true });
  t.same(left(path), ["a-2.ts", "a-3.ts", "a.m3u8"]);
  tidy(path, { max_age: 100 });
  t.same(left(path), ["a.m3u8"]);
});

t.test("by size: the oldest of streams that are over, then of those that are live", { skip }, async (t) => {
  const path = folderOf(t, { "live-1.ts": 900, "live-2.ts": 10, "over-1.ts": 300, "over-2.ts": 200, "x-y-1.ts": 250 });
  write(join(path, "over.m3u8"), 200, "#EXTM3U\nover-1.ts\nover-2.ts\n");
  write(join(path, "live.m3u8"), 10, "#EXTM3U\nlive-1.ts\nlive-2.ts\n");
  const rule = { playlists: true };
  t.equal(tidy(path, { ...rule, max_bytes: 5 * SIZE + 50 * KB }), "", "there is room");
  t.match(tidy(path, { ...rule, max_bytes: String(4 * SIZE + 50 * KB) }), /1 files.*more than the disk may hold/);
  t.same(left(path), ["live-1.ts", "live-2.ts", "live.m3u8", "over-2.ts", "x-y-1.ts"], "with its playlist");
  tidy(path, { ...rule, max_bytes: 2 * SIZE + 50 * KB });
  t.same(left(path), ["live-1.ts", "live-2.ts", "live.m3u8"]);
  tidy(path, { ...rule, max_bytes: 0 });
  t.same(left(path), ["live-2.ts", "live.m3u8"], "a live stream keeps its playlist and what was just written");
});

t.test("by free space", { skip }, async (t) => {
  const path = folderOf(t, { "a-1.ts": 300, "a-2.ts": 200 });
  const { bavail, bsize } = statfsSync(path);
  t.equal(tidy(path, { min_free: (bavail * bsize) / 2 }), "");
  t.match(tidy(path, { min_free: bavail * bsize * 4 }), /2 files.*nearly full/);
  t.same(left(path), []);
});
