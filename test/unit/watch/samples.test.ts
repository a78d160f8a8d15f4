import t from "tap";
import { hostSample } from "../../../src/watch/host-sample.js";
import { sampleLines } from "../../../src/watch/lines.js";
import { parseSample } from "../../../src/watch/raw-sample.js";
import { hostProblems, rateText, streamProblems } from "../../../src/watch/words.js";
import { sampleText } from "./samples.js";

const nonce = "0123abcd";

t.test("two looks at a host give rates, health and who publishes", (t) => {
  const first = hostSample("church", 1, parseSample(sampleText(nonce), nonce), undefined);
  t.equal(first.sample.cpuPercent, undefined, "one look has no rates");
  t.equal(first.sample.streams[0]?.bitrateBps, undefined);
  const later = sampleText(nonce, {
    now: 1002.5,
    bytes: 694154 + 500_000,
    requests: 52,
    cpu: "1100 0 500 8100 100 0 50 0 0 0",
    sent: 255_000,
  });
  const { sample } = hostSample("church", 2, parseSample(later, nonce), first.memory);
  t.match(sample, {
    host: "church",
    status: "ok",
    cpuPercent: 50,
    memoryTotalMb: 1000,
    memoryUsedMb: 500,
    temperatureC: 51.234,
    tmpfsSize: 64 * 1024 * 1024,
    tmpfsUsed: 16 * 1024 * 1024,
    uplinkBps: 1_000_000,
    downlinkBps: 0,
    connections: 7,
    lastChangeMs: 602_000,
    units: [
      { name: "edge-rtmp", active: true },
      { name: "edge-http", active: true },
    ],
  });
  t.match(sample.power.join("; "), /under-voltage since.*throttled since/);
  t.match(sample.streams[0], {
    name: "main",
    draining: false,
    publisher: "10.213.77.1",
    videoCodec: "H264",
    audioCodec: "AAC",
    width: 640,
    height: 360,
    fps: 25,
    bitrateBps: 2_000_000,
    uptimeMs: 8245,
    // 6 requests a second, each player one in 3 s (the target duration of segments of up to 2.023 s).
    viewers: 18,
    playlistAgeMs: 3250,
    segmentSeconds: 2.023,
    segmentJitterMs: 19,
  });
  t.match(sample.streams[1], { name: "old", draining: true }, "a name held by a process that finishes is a stream too");
  t.equal(sample.streams.length, 2, "the inner application is not told of");
  t.match(
    sampleLines(sample).join("\n"),
    /church {2}PROBLEM under-voltage.*\nchurch {2}stream main {2}ok {2}2\.0 Mb\/s/,
  );
  t.end();
});

t.test("what a host says cannot drive a terminal, nor be trusted to be whole", (t) => {
  const hostile = sampleText(nonce)
    .map((line) => line.replace("<name>main</name>", "<name>\u001b]0;x\u0007</name>").replace("H264", "\u001b[31m"))
    .concat("cpu\tNaN", "list\t/etc/passwd 1 2", "unit\tedge-\u001b[2J 1", "cert\tnever");
  const { sample } = hostSample("x", 1, parseSample(hostile, nonce), undefined);
  t.notMatch(JSON.stringify(sample), /\\u001b/);
  t.same(
    sample.streams.map(({ name }) => name),
    ["main", "old"],
    "only by the names that publishers hold",
  );
  for (const text of [[], ["part\trtmp", "HTTP/1.1 200 OK"], ["mem\tx y", "now\t", "tmpfs\text4 4096 1 1"]]) {
    const empty = hostSample("x", 1, parseSample(text, nonce), undefined).sample;
    t.same(empty.streams, []);
    t.equal(empty.tmpfsSize, undefined, "a disk is no memory");
  }
  const cut = sampleText(nonce).filter((line) => !line.includes('requestCounter":40'));
  t.equal(parseSample(cut, nonce).playlistRequests, undefined, "numbers that are cut are none");
  t.end();
});

t.test("a build without VTS counts playlists in files", (t) => {
  const files = [
    "/run/edge-http/views 1.000 40",
    "/run/edge-http/views/main 9.000 52",
    "/run/edge-http/views/x.y 1.000 9",
  ];
  const raw = parseSample(
    files.map((text) => `file\t${text}`),
    nonce,
  );
  t.same([...(raw.playlistRequests ?? [])], [["main", 52]]);
  t.same(parseSample(["file\t/run/edge-http/views 1.000 40"], nonce).playlistRequests, new Map(), "nobody yet");
  t.end();
});

t.test("a build that counts no playlists knows connections, not viewers", (t) => {
  const text = ["part\tconnections", "HTTP/1.1 200 OK\r", "\r", "Active connections: 8 ", " 1 1 1 ", nonce];
  const raw = parseSample(text, nonce);
  t.equal(raw.connections, 7);
  t.equal(raw.playlistRequests, undefined);
  t.end();
});

t.test("a counter that began anew is no rate", (t) => {
  const first = hostSample("x", 1, parseSample(sampleText(nonce), nonce), undefined);
  const restarted = sampleText(nonce, { now: 1001, bytes: 10, sent: 1, cpu: "1 0 1 1 1 0 1 0" });
  const { sample } = hostSample("x", 2, parseSample(restarted, nonce), first.memory);
  t.equal(sample.streams[0]?.bitrateBps, undefined);
  t.equal(sample.uplinkBps, undefined);
  t.equal(sample.cpuPercent, undefined);
  t.end();
});

t.test("problems in words", (t) => {
  const base = hostSample("x", 1, parseSample(sampleText(nonce), nonce), undefined).sample;
  const good = { ...base, power: [] };
  t.same(hostProblems(good), []);
  t.same(
    hostProblems({
      ...good,
      units: [
        { name: "edge-rtmp", active: false },
        { name: "edge-http", active: true },
      ],
    }),
    ["edge-rtmp does not run"],
  );
  t.same(hostProblems({ ...good, tmpfsUsed: good.tmpfsSize ?? 0 }), ["the memory for segments is nearly full"]);
  const certificate = { label: "own", names: ["a.example"], late: false, standsIn: false };
  t.same(hostProblems({ ...good, certificate: { ...certificate, late: true }, certificateDays: 5 }), [
    "the certificate ends in 5 days",
  ]);
  t.same(hostProblems({ ...good, certificate: { ...certificate, late: true }, certificateDays: -1 }), [
    "the certificate has ended",
  ]);
  t.same(hostProblems({ ...good, certificate: { ...certificate, standsIn: true }, certificateDays: 800 }), [
    "the certificate is self-signed, as the CA has not given one",
  ]);
  t.same(hostProblems({ ...good, certificate, certificateDays: 60, temperatureC: 84.6 }), ["85 °C is too hot"]);
  const { lastChangeMs: _gone, ...bare } = { ...good, units: [{ name: "edge-rtmp", active: false }] };
  t.same(hostProblems(bare), ["not an edge yet"]);
  const stream = { name: "main", draining: false, segmentSeconds: 2, uptimeMs: 60_000 };
  t.same(streamProblems({ ...stream, playlistAgeMs: 5000 }), []);
  t.same(streamProblems({ ...stream, playlistAgeMs: 9000 }), ["no new segment for 9 s"]);
  t.same(streamProblems({ ...stream, playlistAgeMs: 90_000, uptimeMs: 1000 }), [], "its publisher just came back");
  t.same(streamProblems(stream), ["no playlist"]);
  t.same([rateText(undefined), rateText(640_400), rateText(3_120_000)], ["-", "640 kb/s", "3.1 Mb/s"]);
  t.end();
});
