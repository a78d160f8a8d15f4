import t from "tap";
import { loadTestPattern } from "../../src/edge/verify.js";
import { type Answer, findChromium, openPage, type Page } from "./support/chromium.js";
import { bootEdge } from "./support/edge.js";
import { labImpossible } from "./support/lab.js";
import { changeSettings, getFrom, goLive, playlistOf, readSecrets, until } from "./support/streams.js";

t.setTimeout(600_000);
const chromium = findChromium();
const skip = labImpossible() || (chromium === undefined ? "no chromium" : false);

const PLAYING = `(() => { const v = document.querySelector("video"); return v !== null && !v.paused && v.readyState >= 3; })()`;
const isPlaying = async (page: Page) => (await page.evaluate(PLAYING)) === true;
const message = (page: Page) => page.evaluate(`document.getElementById("message")?.textContent`);
const styleOf = (page: Page, selector: string, property: string) =>
  page.evaluate(`getComputedStyle(document.querySelector(${JSON.stringify(selector)}))[${JSON.stringify(property)}]`);

/** One black pixel. */
const LOGO = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

t.test("settings of the player", { skip }, async (t) => {
  const edge = await bootEdge(t);
  const { host, desk } = edge;
  const origin = `http://${host.address}`;
  const get = (path: string) => getFrom(host)(new URL(path, origin));
  const clip = await loadTestPattern();
  const { token } = await readSecrets(desk);
  const live = (stream: string) => goLive(edge, clip, stream, token);
  const open = async (t: { teardown(done: () => unknown): void }, path: string, answers: readonly Answer[] = []) => {
    const page = await openPage(chromium ?? "", `${origin}${path}`, answers);
    t.teardown(() => page.close());
    return page;
  };
  /** Applies settings on top of the former ones; undefined takes one away. */
  const apply = async (settings: Readonly<Record<string, unknown>>) => {
    await changeSettings(desk, settings);
    const result = await desk.run("apply", "--no-input", "--yes", "--no-verify");
    t.equal(result.code, 0, result.code === 0 ? `applied ${Object.keys(settings)}` : result.stdout + result.stderr);
  };
  const verified = async (t: { equal(found: unknown, wanted: unknown, what: string): unknown }) => {
    const verify = await desk.run("verify", "--no-input");
    t.equal(verify.code, 0, verify.code === 0 ? "verify passes" : verify.stdout + verify.stderr);
  };

  await t.test("watermark, colours and analytics", async (t) => {
    await apply({
      player_watermark_source: "/logo.png?a=1&b=2",
      player_watermark_link: "https://example.org/?a=1&b=2",
      player_watermark_position: "bottom-left",
      player_color_buttons: "ff8800",
      player_color_seekbar: "#0088ff",
      player_ga_account: "G-AB12CD34EF",
    });
    await host.exec("base64 -d > /opt/edge/www/logo.png", { input: LOGO });
    const stream = await live("shown");
    await until("a segment", () => playlistOf(host, "shown"));
    const tag = {
      url: "https://www.googletagmanager.com/gtag/js?id=*",
      type: "text/javascript",
      body: `window.loadedFrom = document.currentScript.src;`,
    };
    const page = await open(t, "/?stream=shown&utm_source=mail", [tag]);
    await until("the video to play", () => isPlaying(page));
    t.equal(await styleOf(page, "#toggle", "color"), "rgb(255, 136, 0)");
    t.equal(await styleOf(page, "#line", "backgroundColor"), "rgb(0, 136, 255)");
    const link = `document.querySelector("#watermark a")`;
    await until("the watermark", async () => (await page.evaluate(`${link}?.querySelector("img").naturalWidth`)) === 1);
    t.equal(await page.evaluate(`${link}.href`), "https://example.org/?a=1&b=2");
    t.equal(await page.evaluate(`${link}.querySelector("img").src`), `${origin}/logo.png?a=1&b=2`);
    t.equal(await page.evaluate(`${link}.querySelector("img").alt`), "example.org", "and its name to screen readers");
    t.equal(await styleOf(page, "#watermark", "left"), "16px");

    const loaded = await until("Google's script", () => page.evaluate("window.loadedFrom"));
    t.equal(loaded, "https://www.googletagmanager.com/gtag/js?id=G-AB12CD34EF");
    const told = await until("a start", async () => {
      const text = String(await page.evaluate("JSON.stringify(dataLayer.map((words) => [...words]))"));
      return text.includes("video_start") && text;
    });
    t.match(told, `["config","G-AB12CD34EF",{"page_location":"${origin}/?stream=shown"}]`);
    t.notMatch(told, "utm_source", "without what else is in the address");
    // Its picture may not be there yet.
    const complaints = page.complaints.filter((text) => !text.includes("/images/shown.jpg"));
    t.same(complaints, [], "and the page's policy lets all of it in");
    await verified(t);
    await stream.stop();
  });

  await t.test("what is hostile in the settings does nothing", async (t) => {
    await host.exec("cp /opt/edge/www/player.json /root/player.json; cat > /opt/edge/www/player.json", {
      input: JSON.stringify({
        player_watermark_source: `javascript:window.hacked=1//</script><script>window.hacked=1</script>`,
        player_watermark_link: `javascript:window.hacked=1`,
        player_watermark_position: `"><img src=x onerror=window.hacked=1>`,
        player_color_buttons: `red;background:url(//example.org)`,
        player_ga_account: `G-1"></script><script>window.hacked=1</script>`,
      }),
    });
    const page = await open(t, "/?stream=nobody");
    await until("the message", async () => String(await message(page)).includes("offline"));
    t.equal(await page.evaluate("window.hacked"), undefined);
    t.equal(await page.evaluate(`document.querySelectorAll("#watermark *, head script:not([type])").length`), 0);
    t.same(
      page.complaints.filter((text) => !text.includes("404")),
      [],
    );
    await host.exec("mv /root/player.json /opt/edge/www/player.json");
    for (const settings of [{ player_watermark_source: `/a"b` }, { player_color_buttons: "3daa4x" }]) {
      const former = { player_watermark_source: "/logo.png", player_color_buttons: "ff8800" };
      await changeSettings(desk, settings);
      t.equal((await desk.run("plan", "--no-input")).code, 2, JSON.stringify(settings));
      await changeSettings(desk, former);
    }
  });

  await t.test("the list of streams, for who may see it", async (t) => {
    t.equal((await get("/streams.json")).status, 404, "there is none by default");
    const page = await open(t, "/");
    await until("the word", async () => String(await message(page)).includes("?stream=NAME"));
    await apply({ player_stream_list: true });
    await page.evaluate("location.reload()");
    const names = () =>
      page.evaluate(`[...document.querySelectorAll("#streams .name")].map((name) => name.textContent).join()`);
    const summary = () => page.evaluate(`document.getElementById("summary")?.textContent`);
    await until("the list", async () => (await summary()) === "No stream is live.");
    const [one, other] = [await live("church"), await live("choir")];
    await until("both", async () => (await names()) === "choir,church");
    t.equal(await summary(), "Live now: 2");
    t.equal(await page.evaluate(`document.querySelector("#streams a").href`), `${origin}/?stream=choir`);
    const answer = JSON.parse(String((await get("/streams.json")).body));
    t.same({ ...answer, streams: answer.streams.sort() }, { streams: ["choir", "church"] }, "names alone");
    await page.evaluate(`document.querySelector("#streams a").focus()`);
    await other.stop();
    await until("one to leave", async () => (await names()) === "church");
    t.same(page.complaints, []);
    t.match(String((await get("/streams")).body), "streams.js");
    t.match((await get("/streams")).headers["content-security-policy"], "frame-ancestors 'none'");
    await verified(t);
    t.equal(await names(), "church", "without the streams of the proof");

    await apply({ http_allow: ["192.0.2.0/24"] });
    for (const path of ["/", "/streams", "/streams.json", "/?stream=church", "/embed?stream=church", "/player.json"])
      t.equal((await get(path)).status, 403, `${path} is for http_allow alone`);
    await changeSettings(desk, { http_allow: [], hls_signed: true });
    const refused = await desk.run("plan", "--no-input");
    t.equal(refused.code, 2);
    t.match(refused.stderr, /player_stream_list tells everybody what is live/);
    await one.stop();
  });

  await t.test("the long window of the disk is one to go back in", async (t) => {
    await apply({
      player_stream_list: false,
      player_ga_account: undefined,
      http_allow: [],
      hls_signed: false,
      hls_dvr: "10m",
      hls_dvr_fragment: "2s",
    });
    const stream = await live("long");
    const page = await open(t, "/?stream=long");
    await until("the video to play", () => isPlaying(page));
    await page.evaluate(`document.getElementById("window").click()`);
    await until("the other window", async () => (await page.evaluate("location.search")) === "?stream=long&dvr=1");
    const delay = async () => {
      const text = String(await page.evaluate(`document.getElementById("live").textContent`));
      const [, minutes, seconds] = /^−(\d+):(\d+)$/.exec(text) ?? [];
      return seconds === undefined ? 0 : Number(minutes) * 60 + Number(seconds);
    };
    const shown = (id: string) => page.evaluate(`document.getElementById("${id}")?.hidden === false`);
    await until("the slider", async () => (await shown("seek")) === true);
    t.equal(await delay(), 0);
    await page.evaluate(`document.getElementById("begin").click()`);
    await until("the beginning", async () => (await delay()) >= 12 && (await isPlaying(page)));
    t.match(await page.evaluate(`document.getElementById("seek").getAttribute("aria-valuetext")`), /behind live$/);
    await page.evaluate(`document.getElementById("now").click()`);
    await until("live again", async () => (await delay()) === 0 && (await isPlaying(page)));
    await page.evaluate(`document.getElementById("seek").focus()`);
    await page.press("Home");
    await until("the beginning, by a key", async () => (await delay()) >= 12 && (await isPlaying(page)));
    t.same(
      page.complaints.filter((text) => !text.includes("404")),
      [],
    );
    await stream.stop();
    await apply({ hls_dvr: 0, hls_dvr_fragment: "6s" });
  });

  await t.test("signed addresses of nested streams play on the page", async (t) => {
    await apply({ player_stream_list: false, hls_signed: true, hls_nested: true });
    const stream = await live("private");
    const signed = async (until: string) => {
      const { stdout } = await desk.run("streams", "sign", "private", "--expires", until, "--no-input");
      return /Player +https?:\/\/[^/]+(\S+)/.exec(stdout)?.[1] ?? stdout;
    };
    const page = await open(t, await signed("1h"));
    await until("the video to play", () => isPlaying(page));
    t.equal(await page.evaluate(`document.getElementById("embed").hidden`), true, "it is not for everybody");
    const plain = await open(t, "/?stream=private");
    await until("the word", async () => String(await message(plain)).includes("signed address"));
    const forged = (await signed("1h")).replace(/signature=.{4}/, "signature=AAAA");
    const refused = await open(t, forged);
    await until("the word", async () => String(await message(refused)).includes("may not play"));
    await verified(t);
    await stream.stop();
    await apply({ hls_signed: false, hls_nested: false });
  });

  await t.test("without a player page", async (t) => {
    await apply({
      ...{ player: false, player_ga_account: undefined, player_color_buttons: "3daa48" },
      ...{ player_color_seekbar: "3daa48", player_watermark_source: undefined },
      ...{ player_watermark_link: undefined, player_watermark_position: "top-right" },
    });
    for (const path of ["/", "/index.html?stream=a", "/embed", "/player.html", "/player.json", "/vendor/clappr.js"])
      t.equal((await get(path)).status, 404, path);
    const stream = await live("bare");
    t.ok(await until("a playlist", () => playlistOf(host, "bare")), "streams play all the same");
    await stream.stop();
    t.match((await host.exec("ls /opt/edge/www")).stdout, "logo.png", "and files of the operator stay");
    await verified(t);
    t.match((await desk.run("plan", "--no-input")).stdout, /changed=0/);
    await apply({ player: true });
    t.equal((await get("/?stream=a")).status, 200);
    t.match((await desk.run("plan", "--no-input")).stdout, /changed=0/);
  });
});
