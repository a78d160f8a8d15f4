import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import t from "tap";
import { lastSequence } from "../../src/edge/hls-rules.js";
import { loadTestPattern } from "../../src/edge/verify.js";
import { type Answer, findChromium, openPage, type Page } from "./support/chromium.js";
import { bootEdge } from "./support/edge.js";
import { labImpossible } from "./support/lab.js";
import { startPublisher } from "./support/publisher.js";
import { goLive, playlistOf, readSecrets, until } from "./support/streams.js";

t.setTimeout(600_000);
const chromium = findChromium();
const skip = labImpossible() || (chromium === undefined ? "no chromium" : false);

const PLAYING = `(() => { const v = document.querySelector("video"); return v !== null && !v.paused && v.readyState >= 3; })()`;
const message = (page: Page) => page.evaluate(`document.getElementById("message")?.textContent`);
const position = async (page: Page) => Number(await page.evaluate(`document.querySelector("video").currentTime`));
const focused = (page: Page) => page.evaluate(`document.activeElement.id`);
const isPlaying = async (page: Page) => (await page.evaluate(PLAYING)) === true;
/** A stream that is offline answers 404, which the browser notes. */
const faults = (page: Page) => page.complaints.filter((text) => !text.includes("404"));

t.test("the player page", { skip }, async (t) => {
  const edge = await bootEdge(t);
  const { host, desk } = edge;
  const origin = `http://${host.address}`;
  const clip = await loadTestPattern();
  const { token } = await readSecrets(desk);
  const open = async (t: { teardown(done: () => unknown): void }, url: string, answers: readonly Answer[] = []) => {
    const page = await openPage(chromium ?? "", url, answers);
    t.teardown(() => page.close());
    return page;
  };
  const live = (stream: string) => goLive(edge, clip, stream, token);

  await t.test("waits for a stream, plays it, and waits again, without a reload", async (t) => {
    const page = await open(t, `${origin}/index.html?stream=stage`);
    await until("the message", async () => String(await message(page)).includes("offline"));
    await page.evaluate("window.sameDocument = true");
    const first = await live("stage");
    const begin = Date.now();
    await until("the video to play", () => isPlaying(page));
    t.comment(`plays ${Date.now() - begin} ms after the publisher came`);
    const from = await position(page);
    await until("time to go on", async () => (await position(page)) >= from + 1);
    t.equal(await page.evaluate(`document.querySelector("video").videoWidth`), 320);
    t.equal(await message(page), "");

    const newest = async () => lastSequence((await until("a playlist", () => playlistOf(host, "stage"))).playlist);
    await first.stop();
    await sleep(1000);
    const [left, leftAt] = [await position(page), await newest()];
    const back = await live("stage");
    // Beyond what was in its buffer; a player that begins anew is at 0.
    const words = new Set<unknown>();
    await until("the video to go on", async () => {
      words.add(await message(page));
      return (await position(page)) > left + 8;
    });
    t.same([...words], [""], "a short break passes without a word to the viewer");
    t.ok((await newest()) > leftAt, "sequence numbers go on where they were (RFC 8216, section 6.2.1)");
    const { playlist } = await until("a playlist", () => playlistOf(host, "stage"));
    t.ok(
      playlist.segments.some((segment) => segment.discontinuity),
      "and the break is marked",
    );

    await back.stop();
    await until("the end of the stream", async () => String(await message(page)).includes("offline"));
    t.equal(await page.evaluate(`document.getElementById("controls").hidden`), true, "with nothing to press");
    const again = await live("stage");
    await until("the video to play again", () => isPlaying(page));
    t.equal(await message(page), "");
    t.equal(await page.evaluate("window.sameDocument"), true, "the page is the same");
    await again.stop();
    t.same(faults(page), [], "nothing breaks the page's policy");
  });

  await t.test("is used by keyboard alone, and switches the quality", async (t) => {
    const low = await live("low");
    const high = startPublisher(`rtmp://${host.address}/hls/high?token=${token}`, { size: "640x360" });
    t.teardown(() => high.stop());
    await until("both", async () => (await playlistOf(host, "low")) && (await playlistOf(host, "high")));
    // As a ladder of transcoding is one.
    const master = `#EXTM3U
#EXT-X-STREAM-INF:BANDWIDTH=300000,RESOLUTION=320x180
low.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=900000,RESOLUTION=640x360
high.m3u8
`;
    const answer = { url: `${origin}/hls/ladder.m3u8`, type: "application/vnd.apple.mpegurl", body: master };
    const page = await open(t, `${origin}/?stream=ladder`, [answer]);
    await until("the video to play", () => isPlaying(page));
    const height = () => page.evaluate(`document.querySelector("video").videoHeight`);
    const menu = () =>
      page.evaluate(`[...document.querySelectorAll("#levels [role=menuitemradio]")]
      .map((item) => item.textContent + (item.ariaChecked === "true" ? " *" : "")).join(", ")`);
    await until("the menu", async () => (await menu()) === "360p, 180p, Auto *");

    const reached = [];
    for (let presses = 0; presses < 12 && reached.at(-1) !== "fullscreen"; presses++) {
      await page.press("Tab");
      reached.push(await focused(page));
      const ring = await page.evaluate(`getComputedStyle(document.activeElement).outlineStyle`);
      t.not(ring, "none", `the focus is seen on ${reached.at(-1)}`);
    }
    const volume = reached.includes("volume") ? ["volume"] : [];
    t.same(reached, ["unmute", "toggle", "mute", ...volume, "quality", "embed", "fullscreen"]);
    const to = (id: string) => page.evaluate(`document.getElementById("${id}").focus()`);
    const label = (id: string) => page.evaluate(`document.getElementById("${id}").ariaLabel`);

    await to("toggle");
    await page.press(" ");
    await until("a pause", async () => (await label("toggle")) === "Play" && !(await isPlaying(page)));
    await page.press("Enter");
    await until("it to go on", async () => (await label("toggle")) === "Pause" && (await isPlaying(page)));
    await to("mute");
    await page.press("Enter");
    await until("the sound", async () => (await label("mute")) === "Mute");
    t.equal(await page.evaluate(`document.querySelector("video").muted`), false);

    for (const [keys, name, pixels] of [
      [["Enter", "End", "ArrowUp", "Enter"], "180p", 180],
      [["Enter", "Home", "Enter"], "360p", 360],
      [["ArrowDown", "ArrowDown", "Enter"], "180p", 180],
    ] as const) {
      await to("quality");
      for (const key of keys) await page.press(key);
      t.equal(await focused(page), "quality", "the focus is back on the button");
      t.equal(await label("quality"), `Quality: ${name}`);
      await until(`a picture of ${pixels} lines`, async () => (await height()) === pixels);
    }
    t.equal(await menu(), "360p, 180p *, Auto");
    await page.press("Enter");
    t.equal(await page.evaluate(`document.getElementById("quality").ariaExpanded`), "true");
    await page.press("Escape");
    t.equal(await page.evaluate(`document.getElementById("levels").hidden`), true);
    t.ok(await isPlaying(page));
    t.same(faults(page), []);
    await low.stop();
  });

  await t.test("a hostile name of a stream does nothing", async (t) => {
    for (const name of [
      `"><script>window.hacked=1</script>`,
      `<img src=x onerror=window.hacked=1>`,
      `javascript:window.hacked=1`,
      "../../status",
      "a/b",
    ]) {
      const page = await open(t, `${origin}/?stream=${encodeURIComponent(name)}`);
      await until("the message", async () => String(await message(page)).includes("not the name"));
      t.equal(await page.evaluate("window.hacked"), undefined, name);
      t.equal(await page.evaluate(`document.querySelectorAll("img[src='x'], main script").length`), 0);
      const asked = `performance.getEntriesByType("resource").filter(({ name }) => name.includes("/hls/")).length`;
      t.equal(await page.evaluate(asked), 0, "nothing is asked for");
      t.same(page.complaints, []);
    }
  });

  await t.test("plays in a frame of another site, from the snippet that it offers", async (t) => {
    const stream = await live("framed");
    await until("a segment", () => playlistOf(host, "framed"));
    const page = await open(t, `${origin}/?stream=framed`);
    await until("the video to play", () => isPlaying(page));
    await page.evaluate(`document.getElementById("embed").focus()`);
    await page.press("Enter");
    const snippet = String(await page.evaluate(`document.getElementById("embed-code").value`));
    t.match(snippet, `src="${origin}/embed?stream=framed"`);
    await page.evaluate(`document.getElementById("embed-copy").focus()`);
    await page.press("Enter");
    await until(
      "the word of it",
      async () => (await page.evaluate(`document.getElementById("embed-copied").textContent`)) === "Copied",
    );
    await page.press("Escape");
    t.equal(await page.evaluate(`document.getElementById("embed-dialog").open`), false);
    t.equal(await focused(page), "embed");

    const site = createServer((_request, response) => response.end(`<!doctype html><h1>A site</h1>${snippet}`));
    site.listen(0, "127.0.0.1");
    await once(site, "listening");
    t.teardown(() => site.close());
    const other = await open(t, `http://127.0.0.1:${(site.address() as AddressInfo).port}/`);
    const inFrame = (expression: string) => other.evaluateInFrame(`${origin}/embed`, expression).catch(() => undefined);
    await until("the frame to play", async () => (await inFrame(PLAYING)) === true);
    const from = Number(await inFrame(`document.querySelector("video").currentTime`));
    const time = async () => Number(await inFrame(`document.querySelector("video").currentTime`));
    await until("time to go on", async () => (await time()) >= from + 1);
    t.equal(await inFrame(`document.getElementById("embed").hidden`), true, "without a snippet of its own");
    t.same(faults(other), []);
    await stream.stop();
  });
});
