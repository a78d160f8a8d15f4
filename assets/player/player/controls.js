// The bar under the picture: plain buttons and sliders of the page, which a running player is attached to.

import { Events } from "../vendor/clappr.js";
import { createQualityMenu } from "./quality.js";
import { say, setState, stage } from "./stage.js";
import { createTimeLine } from "./time-line.js";

/** Milliseconds without a movement after which the bar goes away. */
const IDLE_MS = 3000;

const byId = (id) => document.getElementById(id);
const bar = byId("controls");
const play = byId("play");
const unmute = byId("unmute");
const toggle = byId("toggle");
const mute = byId("mute");
const volume = byId("volume");
const fullscreen = byId("fullscreen");

/** @param onStart called each time that the stream begins to play */
export function createControls(onStart) {
  const quality = createQualityMenu();
  const timeLine = createTimeLine();
  let player;
  let video;
  // What the viewer chose outlives the player: the next one begins with it.
  let muted = true;
  let loudness = 1;
  let started = false;

  toggle.addEventListener("click", () => (video.paused ? start() : player.pause()));
  play.addEventListener("click", start);
  byId("screen").addEventListener("click", () => {
    if (player !== undefined && matchMedia("(hover: hover)").matches) toggle.click();
  });
  mute.addEventListener("click", () => {
    video.muted = !video.muted;
    if (!video.muted && video.volume === 0) video.volume = 0.5;
  });
  unmute.addEventListener("click", () => {
    video.muted = false;
    mute.focus();
  });
  volume.addEventListener("input", () => {
    video.volume = volume.valueAsNumber / 100;
    video.muted = video.volume === 0;
  });
  fullscreen.addEventListener("click", () => {
    if (document.fullscreenElement !== null) document.exitFullscreen();
    else if (stage.requestFullscreen) stage.requestFullscreen().catch(() => {});
    // iPhones know full screen for videos alone.
    else video?.webkitEnterFullscreen?.();
  });
  document.addEventListener("fullscreenchange", () => {
    const full = document.fullscreenElement !== null;
    stage.classList.toggle("full", full);
    fullscreen.setAttribute("aria-label", full ? "Leave full screen" : "Full screen");
  });
  hideWhenIdle(quality);

  /** Where even muted video may not begin by itself, a button does. */
  function start() {
    play.hidden = true;
    player.play();
    video.play().catch((error) => {
      if (error.name !== "NotAllowedError" || player === undefined) return;
      say("");
      play.hidden = false;
    });
  }

  function showSound() {
    muted = video.muted;
    loudness = video.volume;
    const silent = muted || loudness === 0;
    mute.setAttribute("aria-label", silent ? "Turn sound on" : "Mute");
    mute.classList.toggle("muted", silent);
    volume.value = silent ? "0" : String(Math.round(loudness * 100));
    volume.style.setProperty("--part", `${volume.value}%`);
    unmute.hidden = !muted || video.paused;
  }

  function showPlaying() {
    toggle.setAttribute("aria-label", video.paused ? "Play" : "Pause");
    toggle.classList.toggle("paused", video.paused);
    stage.classList.toggle("paused", video.paused);
    showSound();
  }

  function onPlaying() {
    play.hidden = true;
    say("");
    setState("playing");
    if (started) return;
    started = true;
    onStart();
  }

  const listeners = { volumechange: showSound, play: showPlaying, pause: showPlaying, playing: onPlaying };

  return {
    get muted() {
      return muted;
    },
    attach(next) {
      player = next;
      started = false;
      const { activePlayback } = player.core;
      video = activePlayback.el;
      video.muted = muted;
      video.volume = loudness;
      for (const [event, listener] of Object.entries(listeners)) video.addEventListener(event, listener);
      quality.attach(activePlayback, Events);
      timeLine.attach(player, Events);
      showPlaying();
      bar.hidden = false;
      start();
    },
    detach() {
      for (const [event, listener] of Object.entries(listeners)) video.removeEventListener(event, listener);
      quality.detach();
      timeLine.detach();
      for (const element of [bar, play, unmute]) element.hidden = true;
      player = undefined;
    },
  };
}

/** The bar and the pointer go away while nobody moves, and stay for who uses the keyboard, pauses or has a menu open. */
function hideWhenIdle(quality) {
  let timer;
  function wake() {
    stage.classList.remove("idle");
    clearTimeout(timer);
    timer = setTimeout(sleep, IDLE_MS);
  }
  function sleep() {
    const byKeyboard = bar.querySelector(":focus-visible") !== null;
    if (byKeyboard || quality.open || stage.classList.contains("paused")) wake();
    else stage.classList.add("idle");
  }
  for (const event of ["pointermove", "pointerdown", "keydown", "focusin"]) stage.addEventListener(event, wake);
  wake();
}
