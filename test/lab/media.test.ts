import { createHash } from "node:crypto";
import t, { type Test } from "tap";
import { jpegSize } from "../../src/edge/jpeg.js";
import { bootEdge, type LabEdge } from "./support/edge.js";
import { labImpossible } from "./support/lab.js";
import { type Publisher, startPublisher } from "./support/publisher.js";
import { changeSettings, getFrom, playlistOf, readSecrets, until } from "./support/streams.js";

t.setTimeout(600_000);

/** Everything here is off. */
const NOTHING = { snapshot_interval: 0, snapshot_width: 640 };

t.test("what an edge does with live streams", { skip: labImpossible() }, async (t) => {
  const edge = await bootEdge(t);
  const { token } = await readSecrets(edge.desk);
  const go = (t: Test, stream: string, options = {}): Publisher => {
    const publisher = startPublisher(`rtmp://${edge.host.address}/hls/${stream}?token=${token}`, options);
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
    go(t, "radio", { picture: false });
    const first = await until("a picture", () => shown("cam"));
    t.match(first.headers, {
      "content-type": "image/jpeg",
      "cache-control": "public, max-age=5",
      "access-control-allow-origin": "*",
    });
    t.same(jpegSize(first.body), { width: 160, height: 90 });
    await until("another picture", async () => !(await image("cam")).body.equals(first.body));
    await until("sound alone", async () => (await playlistOf(edge.host, "radio"))?.playlist.segments.length === 3);
    t.equal((await image("radio")).status, 404, "a stream without a picture has none");
    for (const name of ["..%2fcam", "%2e%2e/edge-images/cam", ".cam", "cam%0a", `${"a".repeat(65)}`, "$(id)"])
      t.equal((await image(name)).status, 404, name);

    await change(t, edge, { hls_nested: true, hls_keys: true, hls_signed: true });
    go(t, "hidden");
    const { signing } = await readSecrets(edge.desk);
    const signed = signatureFor("hidden", signing);
    await until("a picture", () => shown("hidden", signed));
    t.same(jpegSize((await image("hidden", signed)).body), { width: 160, height: 90 }, "nested, encrypted, signed");
    t.equal((await image("hidden")).status, 404, "not without a signature");
    t.equal((await image("cam", signed)).status, 403, "nor with that of another stream");
    await cam.stop();
    await until("no picture", async () => (await edge.host.exec("ls /run/edge-images/cam.jpg")).code !== 0);

    await apply(t, edge, { hls_nested: false, hls_keys: false, hls_signed: false, ...NOTHING });
    const left = "systemctl list-units --all --no-legend 'edge-snapshots*'; ls -d /run/edge-images /etc/edge/snap*";
    t.equal((await edge.host.exec(left)).stdout, "", "off, nothing of it is left");
  });
});

/** What a stream's signed addresses begin with. */
function signatureFor(stream: string, key: string | undefined): string {
  const expires = Math.floor(Date.now() / 1000) + 3600;
  return `/s/${createHash("md5").update(`${expires} ${stream} ${key}`).digest("base64url")}/${expires}`;
}

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
