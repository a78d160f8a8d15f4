// The menu of a stream's renditions: a button and a menu of radio items, as the WAI-ARIA authoring practices have them.

const AUTO = -1;

const button = document.getElementById("quality");
const menu = document.getElementById("levels");
const box = button.parentElement;

export function createQualityMenu() {
  let playback;
  let events;
  let shown = AUTO;

  const items = () => [...menu.children];
  const isOpen = () => !menu.hidden;

  function open(to = items().find((item) => item.ariaChecked === "true")) {
    menu.hidden = false;
    button.setAttribute("aria-expanded", "true");
    to?.focus();
  }
  function close() {
    if (!isOpen()) return;
    const inside = menu.contains(document.activeElement);
    menu.hidden = true;
    button.setAttribute("aria-expanded", "false");
    if (inside) button.focus();
  }

  button.addEventListener("click", () => (isOpen() ? close() : open()));
  button.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
    event.preventDefault();
    open(event.key === "ArrowUp" ? items().at(-1) : items()[0]);
  });
  menu.addEventListener("keydown", (event) => {
    const all = items();
    const at = all.indexOf(document.activeElement);
    const to = {
      ArrowDown: (at + 1) % all.length,
      ArrowUp: (at + all.length - 1) % all.length,
      Home: 0,
      End: all.length - 1,
    }[event.key];
    if (to !== undefined) all[to].focus();
    else if (event.key === "Escape" || event.key === "Tab") close();
    else return;
    if (event.key !== "Tab") event.preventDefault();
  });
  document.addEventListener("pointerdown", (event) => {
    if (!box.contains(event.target)) close();
  });

  function choose(level) {
    playback.currentLevel = level;
    close();
    show();
  }

  /** Highest first, `Auto` last. */
  function list() {
    const levels = [...playback.levels].sort((one, other) => other.level.bitrate - one.level.bitrate);
    const names = levels.map(({ level }) => nameOf(level, playback.levels));
    menu.replaceChildren(...levels.map(({ id }, index) => item(names[index], id)), item("Auto", AUTO));
    box.hidden = levels.length < 2;
    show();
  }
  function item(name, level) {
    const entry = document.createElement("button");
    entry.type = "button";
    entry.textContent = name;
    entry.setAttribute("role", "menuitemradio");
    entry.tabIndex = -1;
    entry.dataset.level = String(level);
    entry.addEventListener("click", () => choose(level));
    return entry;
  }

  function show() {
    const chosen = playback.currentLevel;
    for (const entry of items()) entry.setAttribute("aria-checked", String(entry.dataset.level === String(chosen)));
    const level = playback.levels[chosen === AUTO ? shown : chosen]?.level;
    const name = level === undefined ? "" : nameOf(level, playback.levels);
    button.textContent = chosen === AUTO ? `Auto ${name}`.trim() : name;
    button.setAttribute("aria-label", `Quality: ${button.textContent}`);
  }
  function onSwitch({ level }) {
    shown = level;
    show();
  }

  return {
    get open() {
      return isOpen();
    },
    attach(next, Events) {
      playback = next;
      events = Events;
      shown = AUTO;
      playback.on(events.PLAYBACK_LEVELS_AVAILABLE, list);
      playback.on(events.PLAYBACK_LEVEL_SWITCH, onSwitch);
    },
    detach() {
      close();
      box.hidden = true;
      menu.replaceChildren();
      playback.off(events.PLAYBACK_LEVELS_AVAILABLE, list);
      playback.off(events.PLAYBACK_LEVEL_SWITCH, onSwitch);
    },
  };
}

/** `720p`, with the bit rate where another one is as high. */
function nameOf(level, levels) {
  const rate = `${Math.round(level.bitrate / 1000)} kbit/s`;
  if (!level.height) return rate;
  const name = `${level.height}p`;
  return levels.filter((other) => other.level.height === level.height).length > 1 ? `${name} ${rate}` : name;
}
