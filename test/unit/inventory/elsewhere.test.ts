import t from "tap";
import { readPull, readPush } from "../../../src/inventory/settings/elsewhere.js";

const TARGET = { name: "tube", stream: "church", url: "rtmps://a.example.org:443/live2" };
const SOURCE = { name: "cam", url: "rtsp://user:pass@192.0.2.7/h264?x=1" };

function problem(read: { readonly ok: boolean; readonly problem?: string }): string | undefined {
  return read.ok ? undefined : read.problem;
}

t.test("targets of push", async (t) => {
  t.same(readPush([TARGET]), { ok: true, items: [TARGET] });
  t.match(problem(readPush({ tube: TARGET })), /no list/);
  t.match(problem(readPush([TARGET, TARGET])), /name tube twice/);
  t.match(problem(readPush([{ ...TARGET, key: "secret-key" }])), /item with a "key"/);
  t.match(problem(readPush([{ ...TARGET, name: "../x" }])), /without a name/);
  for (const stream of ["*", "a b", "edge-verify-1", 7])
    t.match(problem(readPush([{ ...TARGET, stream }])), /a stream that is none/, String(stream));
  const urls = [
    "http://x/live",
    "rtmp://x",
    "rtmp://x/",
    "rtmp://x/a;b",
    'rtmp://x/a"b',
    "rtmp://u:p@x/a",
    "rtmp://x/a b",
    "rtmp://$x/a",
  ];
  for (const url of urls) {
    const found = problem(readPush([{ ...TARGET, url }]));
    t.match(found, /gives tube a url/, url);
    t.notOk(found?.includes(url), "which is not quoted");
  }
});

t.test("sources of pull", async (t) => {
  const read = readPull([SOURCE]);
  t.match(read, { ok: true, items: [{ name: "cam", transport: "tcp", video: "copy", audio: "copy" }] });
  t.notOk(JSON.stringify(read).includes("pass"), "an address is a secret");
  for (const url of [
    "file:///etc/passwd",
    "concat:a|b",
    "rtsp://x/a'b",
    "rtsp://x/a\nfile",
    "rtsp://x/a b",
    "rtsp://x/\\",
  ])
    t.match(problem(readPull([{ ...SOURCE, url }])), /gives cam a url/, JSON.stringify(url));
  t.match(problem(readPull([{ ...SOURCE, transport: "sctp" }])), /transport/);
  t.match(problem(readPull([{ ...SOURCE, video: "hevc" }])), /video/);
  t.match(problem(readPull([{ ...SOURCE, audio: "mp3" }])), /audio/);
  t.match(problem(readPull([{ ...SOURCE, name: "edge-verify-x" }])), /as `edge-setup verify`/);
});
