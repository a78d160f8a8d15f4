// Where in the stream we are. A live stream has a line that is full; one with a long past has a slider.

const seek = document.getElementById("seek");
const line = document.getElementById("line");
const live = document.getElementById("live");
const begin = document.getElementById("begin");
const now = document.getElementById("now");

export function createTimeLine() {
  let player;
  let events;
  let dragging = false;

  seek.addEventListener("input", () => {
    dragging = true;
    paint(seek.valueAsNumber);
  });
  seek.addEventListener("change", () => {
    dragging = false;
    player.seek(seek.valueAsNumber);
  });
  begin.addEventListener("click", () => player.seek(0));
  now.addEventListener("click", () => player.core.activePlayback.seekToLivePoint());

  function paint(at) {
    const behind = Math.max(0, Number(seek.max) - at);
    seek.style.setProperty("--part", `${Math.min(100, (100 * at) / Number(seek.max))}%`);
    seek.setAttribute("aria-valuetext", behind < 3 ? "live" : `${clock(behind)} behind live`);
    live.textContent = behind < 3 ? "Live" : `−${clock(behind)}`;
    live.classList.toggle("behind", behind >= 3);
  }
  function onTime({ current, total }) {
    const { activePlayback: playback } = player.core;
    const hasPast = playback.dvrEnabled;
    seek.hidden = begin.hidden = !hasPast;
    line.hidden = hasPast;
    now.hidden = !hasPast || total - current < 3;
    if (!hasPast || dragging) return;
    seek.max = String(Math.max(1, Math.round(total)));
    seek.value = String(Math.round(current));
    paint(current);
  }

  return {
    attach(next, Events) {
      player = next;
      events = Events;
      live.textContent = "Live";
      live.classList.remove("behind");
      player.on(events.PLAYER_TIMEUPDATE, onTime);
    },
    detach() {
      player.off(events.PLAYER_TIMEUPDATE, onTime);
      for (const element of [seek, begin, now]) element.hidden = true;
      line.hidden = false;
    },
  };
}

/** Seconds as `4:05` or `1:02:03`. */
function clock(seconds) {
  const whole = Math.round(seconds);
  const two = (number) => String(number).padStart(2, "0");
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}:${two(whole % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}`;
}
