import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import t, { type Test } from "tap";
import { jpegSize } from "../../src/edge/jpeg.js";
import { readMp4 } from "../../src/edge/mp4.js";
import { bootEdge, type LabEdge } from "./support/edge.js";
import { labImpossible, runProgram } from "./support/lab.js";
import { type Picture, type Publisher, startPublisher } from "./support/publisher.js";
import { changeSettings, getFrom, playlistOf, readSecrets, signatureFor, until } from "./support/streams.js";

t.setTimeout(600_000);

/** Everything here is off. */
const NOTHING = { snapshot_interval: 0, snapshot_width: 640, record: false };

t.test("what an edge does with live streams", { skip: labImpossible() }, async (t) => {
  const edge = await bootEdge(t);
  const { token } = await readSecrets(edge.desk);
  const go = (t: Test, stream: string, picture?: Picture): Publisher => {
    const publisher = startPublisher(`rtmp://${edge.host.address}/hls/${stream}?token=${token}`, picture);
    t.teardown(() => publisher.stop());
    return publisher;
  };

  await t.test("pictures of live streams", async (t) => {
    const image = (stream: string, prefix = "") =>
      getFrom(edge.host)(new URL(`http://${edge.host.address}${prefix}/images/${stream}.jpg`));
    const shown = async (stream: string, prefix = "") => {
      const answer = await image(stream, prefix);
      return answer.status === 200 && answer;
    };
    await apply(t, edge, { snapshot_interval: "2s", snapshot_width: 160 });
    const cam = go(t, "cam");
    go(t, "radio", { size: undefined });
    const first = await until("a picture", () => shown("cam"));
    t.match(first.headers, {
      "content-type": "image/jpeg",
      "cache-control": "public, max-age=5",
      "access-control-allow-origin": "*",
    });
    t.same(jpegSize(first.body), { width: 160, height: 90 });
    await until("another picture", async () => !(await image("cam")).body.equals(first.body));
    await until(
      "sound alone",
      async () => ((await playlistOf(edge.host, "radio"))?.playlist.segments.length ?? 0) >= 3,
    );
    t.equal((await image("radio")).status, 404, "a stream without a picture has none");
    for (const name of ["..%2fcam", "%2e%2e/edge-images/cam", ".cam", "cam%0a", `${"a".repeat(65)}`, "$(id)"])
      t.equal((await image(name)).status, 404, name);

    await change(t, edge, { hls_nested: true, hls_keys: true, hls_signed: true });
    go(t, "hidden");
    const { signing } = await readSecrets(edge.desk);
    const signed = signatureFor("hidden", signing, Math.floor(Date.now() / 1000) + 3600);
    await until("a picture", () => shown("hidden", signed));
    t.same(jpegSize((await image("hidden", signed)).body), { width: 160, height: 90 }, "nested, encrypted, signed");
    t.equal((await image("hidden")).status, 404, "not without a signature");
    t.equal((await image("cam", signed)).status, 403, "nor with that of another stream");
    await cam.stop();
    await until("no picture", async () => (await edge.host.exec("ls /run/edge-images/cam.jpg")).code !== 0);

    await apply(t, edge, { hls_nested: false, hls_keys: false, hls_signed: false, ...NOTHING });
    const left = "ls -d /run/edge-images /etc/edge/snap* /etc/systemd/system/*/edge-snap*";
    t.equal((await edge.host.exec(left)).stdout, "", "off, nothing of it is left");
  });

  await t.test("recordings", async (t) => {
    const { host } = edge;
    const { password } = await readSecrets(edge.desk);
    const login = { authorization: `Basic ${Buffer.from(`admin:${password}`).toString("base64")}` };
    const get = (path: string, headers: Readonly<Record<string, string>> = login) =>
      getFrom(host)(new URL(`http://${host.address}/recordings/${path}`), { headers });
    const files = async (stream: string): Promise<string[]> => {
      const answer = await get(`files/${stream}/`);
      return answer.status === 200 ? JSON.parse(answer.body.toString()).map(({ name }: { name: string }) => name) : [];
    };
    const fragments = async (path: string) => readMp4((await get(`files/${path}`)).body).fragments;

    await host.exec("mkdir -p /var/lib/edge/recordings && mount -t tmpfs -o size=60m tmpfs /var/lib/edge/recordings");
    await apply(t, edge, { record: true, record_min_free: "20M", record_segment: "10s", record_max_size: "30M" });
    const cam = go(t, "cam");
    const first = await until("a recording", async () => (await files("cam"))[0], 60_000);
    await until("two fragments", async () => (await fragments(`cam/${first}`)) >= 2);
    for (const path of ["", "files/", "files/cam/", `files/cam/${first}`])
      t.equal((await get(path, {})).status, 401, `${path}: not without a login`);
    t.match((await get("")).headers["content-security-policy"], /^default-src 'none'/);
    const part = await get(`files/cam/${first}`, { ...login, Range: "bytes=0-7" });
    t.equal(part.status, 206);
    t.match(part.headers, { "content-type": "video/mp4", "content-disposition": "attachment" });
    for (const path of ["files/..%2f..%2f..%2fetc/passwd", "files/%2e%2e/acme/", "files/cam", "files/cam/.x.mp4"])
      t.match((await get(path)).status, /^40[04]$/, path);

    const before = await fragments(`cam/${first}`);
    await host.exec("systemctl kill -s KILL edge-record@cam");
    const left = await get(`files/cam/${first}`);
    t.ok(readMp4(left.body).fragments >= before, "killed, the file keeps what was written");
    const killed = join(edge.desk.folder, "killed.mp4");
    await writeFile(killed, left.body);
    const played = await runProgram(["ffmpeg", "-v", "error", "-i", killed, "-f", "null", "-"]);
    t.equal(played.code, 0, "and plays");
    // Of the fragment that was being written.
    t.match(played.stderr, /^(\[mov,[^\n]*: partial file\n)?$/, "up to where it was cut");
    await until("the next file", async () => (await files("cam")).length > 1);

    const make = (name: string, size: string, age: string) =>
      `f=/var/lib/edge/recordings/old/old-${name}.mp4; fallocate -l ${size} $f; touch -d '${age} ago' $f;`;
    await host.exec(
      `mkdir /var/lib/edge/recordings/old; ${make("20250101T000000Z", "1M", "31 days")} ${make("20261124T000000Z", "20M", "2 days")}
       ${make("20261125T000000Z", "12M", "1 day")} chown -R edge:edge /var/lib/edge/recordings/old; systemctl start edge-janitor`,
    );
    t.same(await files("old"), ["old-20261125T000000Z.mp4"], "what is too old goes, then the oldest of too much");

    await host.exec("fallocate -l 40M /var/lib/edge/recordings/ballast");
    const isActive = async () => (await host.exec("systemctl is-active edge-record@cam")).stdout.trim();
    await until("recording to stop", async () => (await isActive()) === "inactive", 60_000);
    t.match(JSON.parse((await host.exec("cat /run/edge-media/state.json")).stdout).held, ["edge-record"]);
    t.match((await host.exec("journalctl -u edge-media -o cat")).stdout, /edge-record stops: the disk is nearly full/);
    t.equal(cam.exitCode(), null, "the stream goes on");
    await host.exec("rm /var/lib/edge/recordings/ballast");
    await until("recording to go on", async () => (await isActive()) === "active", 60_000);

    const verify = await edge.desk.run("verify", "--no-input");
    t.match(verify.stdout, /pass +the stream is recorded, behind a login/);
    t.equal(verify.code, 0, verify.code === 0 ? "proven" : verify.stdout);
    await cam.stop();
    await until("the units to end", async () => (await isActive()) === "inactive");
    const traces = "ls -d /var/lib/edge/recordings/edge-verify-*; systemctl --failed --no-legend";
    await until("nothing of the proof to be left", async () => (await host.exec(traces)).stdout === "");

    await apply(t, edge, { ...NOTHING, record_segment: "1h", record_max_size: "50g", record_min_free: "2g" });
    const units =
      "systemctl list-units --no-legend 'edge-record*'; ls /etc/systemd/system/edge-record* /etc/edge/janitor*";
    t.equal((await host.exec(units)).stdout, "", "off, no unit is left");
    t.equal((await get("")).status, 404);
    t.ok((await host.exec("ls /var/lib/edge/recordings/cam")).stdout.includes(first), "what was recorded stays");
  });
});

async function change(t: Test, { desk }: LabEdge, settings: Readonly<Record<string, unknown>>): Promise<void> {
  await changeSettings(desk, settings);
  const result = await desk.run("apply", "--no-input", "--yes", "--no-verify");
  t.equal(result.code, 0, result.code === 0 ? "applied" : result.stdout + result.stderr);
}

/** Applies settings, and again: the second time nothing may change. */
async function apply(t: Test, edge: LabEdge, settings: Readonly<Record<string, unknown>>): Promise<void> {
  await change(t, edge, settings);
  const { desk } = edge;
  const second = await desk.run("apply", "--no-input", "--yes", "--no-verify");
  t.match(second.stdout, /changed=0/, "a second apply changes nothing");
}
