// Waits for a stream, plays it with Clappr, and waits again when it has ended: for as long as the page is open.

import { Events, HlsEvents, Log, Player } from "../vendor/clappr.js";
import { lookAt } from "./playlist.js";
import { say, screen, setState } from "./stage.js";

/** Milliseconds between questions for an offline stream. */
const POLL_MS = 3000;
/** A playlist that stands still this long, or three of its segments, has lost its publisher. */
const STANDSTILL_MS = 12000;

const REFUSALS = {
  403: "This address may not play here.",
  410: "This address has expired. Ask the stream's publisher for a new one.",
};

Log.setLevel(Log.LEVEL_ERROR);

/**
 * @param address what readAddress gave
 * @param controls what a running player is attached to and detached from
 */
export async function watch(address, controls) {
  let stale;
  while (await cameOnline(address.playlist, stale)) {
    say("Starting");
    await played(address, controls);
    setState("waiting");
    stale = (await lookAt(address.playlist)).text;
  }
}

/** True once there is a playlist with segments other than the one that stood still before; false when there will be none. */
async function cameOnline(url, stale) {
  for (;;) {
    const { text, refused } = await lookAt(url);
    if (refused !== undefined) {
      say(REFUSALS[refused]);
      return false;
    }
    if (text?.includes("#EXTINF") && text !== stale) return true;
    say("The stream is offline. It starts here by itself as soon as it is live.");
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** Plays until the stream stands still, ends or fails. */
async function played({ playlist, name, dvr }, controls) {
  const pulse = startPulse(playlist);
  const player = new Player({
    source: playlist,
    mimeType: "application/vnd.apple.mpegurl",
    width: "100%",
    height: "100%",
    includeResetStyle: false,
    persistConfig: false,
    // Seconds of past from which the time line is a slider.
    hlsMinimumDvrSize: dvr ? 15 : 60,
    // Browsers start muted video by themselves.
    mute: controls.muted,
    playback: {
      playInline: true,
      hlsUseNextLevel: true,
      hlsjsConfig: { liveSyncDurationCount: 2, maxLiveSyncPlaybackRate: 1.1, workerPath: "/vendor/hls.worker.js" },
    },
    hlsPlayback: { customListeners: [{ eventName: HlsEvents.LEVEL_LOADED, callback: pulse.onLevel }] },
    events: { onError: pulse.end, onEnded: pulse.end },
  });
  player.attachTo(screen);
  // Clappr puts itself last in the order of the Tab key, with nothing to press.
  screen.firstElementChild.tabIndex = -1;
  await new Promise((resolve) => {
    if (player.core.isReady) resolve();
    else player.core.once(Events.CORE_READY, resolve);
  });
  const { activePlayback: playback } = player.core;
  playback.el.setAttribute("aria-label", `Live stream ${name}`);
  controls.attach(player);
  pulse.watch(playback.name === "hls");
  await pulse.ended;
  controls.detach();
  player.destroy();
}

/** Whether a playlist still moves. hls.js tells; a native player does not, so then it is asked for. */
function startPulse(url) {
  let seen;
  let since = Date.now();
  let patience = STANDSTILL_MS;
  let timer;
  let end;
  const ended = new Promise((resolve) => {
    end = resolve;
  });
  function note(position) {
    if (position === seen) return;
    seen = position;
    since = Date.now();
  }
  return {
    ended,
    end: () => end(),
    onLevel(_event, { details }) {
      patience = Math.max(STANDSTILL_MS, 3000 * details.targetduration);
      note(`${details.endSN} ${details.fragments.at(-1)?.relurl}`);
    },
    async watch(told) {
      timer = setInterval(async () => {
        if (!told) note((await lookAt(url)).text);
        if (Date.now() - since > patience) end();
      }, POLL_MS);
      await ended;
      clearInterval(timer);
    },
  };
}
