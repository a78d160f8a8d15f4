// Plays /hls/STREAM.m3u8 of this edge, where STREAM is in ?stream=. While the stream is offline it asks again and starts by itself.

/** Milliseconds between questions for an offline stream. */
const POLL_MS = 3000;
/** A playlist that stands still this long has lost its publisher. */
const STANDSTILL_MS = 12000;
const NAME = /^[A-Za-z0-9_-]{1,64}$/;

const video = document.getElementById("video");
const message = document.getElementById("message");
const unmute = document.getElementById("unmute");
const play = document.getElementById("play");

const stream = new URLSearchParams(location.search).get("stream");

if (stream === null || stream === "") {
  show("Add ?stream=NAME to the address to choose a stream.");
} else if (!NAME.test(stream)) {
  show("This is not the name of a stream. Names have letters, digits, “-” and “_”.");
} else {
  document.title = `${stream} – live stream`;
  document.getElementById("title").textContent = `Live stream ${stream}`;
  video.setAttribute("aria-label", `Live stream ${stream}`);
  waitForStream(new URL(`/hls/${stream}.m3u8`, location.origin).href, null);
}

unmute.addEventListener("click", () => {
  video.muted = false;
  video.focus();
});
play.addEventListener("click", () => {
  play.hidden = true;
  video.play().catch(() => {
    play.hidden = false;
  });
});
for (const event of ["volumechange", "playing", "pause"])
  video.addEventListener(event, () => {
    unmute.hidden = !video.muted || video.paused;
  });
video.addEventListener("playing", () => {
  play.hidden = true;
  show("");
});

/** Asks until there is a playlist with segments other than the one that stood still before. */
async function waitForStream(url, stale) {
  for (;;) {
    const playlist = await fetchPlaylist(url);
    if (playlist?.includes("#EXTINF") && playlist !== stale) break;
    show("The stream is offline. It starts here by itself as soon as it is live.");
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  show("Starting");
  start(url);
}

async function fetchPlaylist(url) {
  try {
    const response = await fetch(url, { cache: "no-store" });
    return response.ok ? await response.text() : null;
  } catch {
    return null;
  }
}

function start(url) {
  const session = globalThis.Hls?.isSupported() ? playWithHls(url) : playNatively(url);
  if (session === null) {
    show("This browser cannot play live streams (HLS).");
    return;
  }
  let seen = "";
  let since = Date.now();
  const watch = setInterval(async () => {
    // hls.js tells its position; a native player does not, so its playlist is asked for.
    const now = session.position === null ? await fetchPlaylist(url) : session.position();
    if (now !== null && now !== seen) {
      seen = now;
      since = Date.now();
    } else if (Date.now() - since > STANDSTILL_MS) stop();
  }, POLL_MS);
  session.onFailure = stop;

  function stop() {
    clearInterval(watch);
    session.close();
    unmute.hidden = true;
    play.hidden = true;
    fetchPlaylist(url).then((stale) => waitForStream(url, stale));
  }
}

function playWithHls(url) {
  const hls = new Hls({ liveSyncDurationCount: 2, maxLiveSyncPlaybackRate: 1.1 });
  let last = "";
  const session = { position: () => last, onFailure: () => {}, close: () => hls.destroy() };
  hls.on(Hls.Events.LEVEL_LOADED, (_event, { details }) => {
    last = `${details.startSN} ${details.endSN} ${details.fragments.at(-1)?.relurl}`;
  });
  hls.on(Hls.Events.MANIFEST_PARSED, begin);
  let recovered = 0;
  hls.on(Hls.Events.ERROR, (_event, { fatal, type }) => {
    if (!fatal) return;
    // A damaged segment; twice in a short time is not one.
    if (type === Hls.ErrorTypes.MEDIA_ERROR && Date.now() - recovered > 10000) {
      recovered = Date.now();
      hls.recoverMediaError();
    } else session.onFailure();
  });
  hls.loadSource(url);
  hls.attachMedia(video);
  return session;
}

function playNatively(url) {
  if (video.canPlayType("application/vnd.apple.mpegurl") === "") return null;
  const session = {
    position: null,
    onFailure: () => {},
    close: () => {
      video.removeEventListener("error", fail);
      video.removeEventListener("ended", fail);
      video.removeAttribute("src");
      video.load();
    },
  };
  function fail() {
    session.onFailure();
  }
  video.addEventListener("error", fail);
  video.addEventListener("ended", fail);
  video.src = url;
  begin();
  return session;
}

/** Browsers start muted video by themselves; where even that is forbidden, a button does. */
function begin() {
  video.play().catch((error) => {
    if (error.name !== "NotAllowedError") return;
    show("");
    play.hidden = false;
  });
}

function show(text) {
  if (message.textContent !== text) message.textContent = text;
}
