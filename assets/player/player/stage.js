// The page's elements, and what it says.

const byId = (id) => document.getElementById(id);

export const stage = byId("stage");
export const screen = byId("screen");
export const poster = byId("poster");

const message = byId("message");

/** For eyes and screen readers alike; an empty text hides it. */
export function say(text) {
  if (message.textContent !== text) message.textContent = text;
}

export function showTitle(name) {
  document.title = `${name} – live stream`;
  byId("title").textContent = `Live stream ${name}`;
}

/** A link from the short window, which is nearest to live, to the long one that one can go back in, and the reverse. */
export function offerOtherWindow({ dvr, otherWindow }) {
  if (otherWindow === null) return;
  const link = byId("window");
  link.textContent = dvr ? "Less delay" : "Go back";
  link.href = otherWindow;
  link.hidden = false;
}

/** The last picture of the stream, while it does not play. A stream may have none. */
export function preparePoster(address) {
  poster.addEventListener("load", () => {
    poster.hidden = stage.dataset.state === "playing";
  });
  poster.addEventListener("error", () => {
    poster.hidden = true;
  });
  poster.src = address;
}

/** @param {"waiting" | "playing"} state */
export function setState(state) {
  stage.dataset.state = state;
  poster.hidden = state === "playing" || poster.naturalWidth === 0;
}

export function applyColours({ buttons, seekbar }) {
  if (buttons !== null) stage.style.setProperty("--buttons", buttons);
  if (seekbar !== null) stage.style.setProperty("--seekbar", seekbar);
}

export function showWatermark({ watermark, watermarkLink, watermarkPosition }) {
  if (watermark === null) return;
  const box = byId("watermark");
  const image = document.createElement("img");
  image.alt = watermarkLink === null ? "" : new URL(watermarkLink).hostname;
  image.addEventListener("load", () => {
    box.hidden = false;
  });
  image.src = watermark;
  box.dataset.position = watermarkPosition;
  if (watermarkLink === null) {
    box.append(image);
    return;
  }
  const anchor = document.createElement("a");
  anchor.href = watermarkLink;
  anchor.target = "_blank";
  anchor.rel = "noopener noreferrer";
  anchor.append(image);
  box.append(anchor);
}
