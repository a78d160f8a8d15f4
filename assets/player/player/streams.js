// The list page: what is live, from names alone. Asks again and again, and changes only what has changed.

import { loadConfig } from "./config.js";

const POLL_MS = 5000;
/** Milliseconds for which a picture is shown before it is asked for again. */
const PICTURE_MS = 30000;

const summary = document.getElementById("summary");
const list = document.getElementById("streams");
const cards = new Map();

async function refresh({ posters }) {
  try {
    const response = await fetch("/streams.json");
    if (!response.ok) throw new Error(`the edge answers ${response.status}`);
    const { streams } = await response.json();
    show([...streams].sort());
    say(streams.length === 0 ? "No stream is live." : `Live now: ${streams.length}`);
  } catch (error) {
    say(`No answer: ${error.message}`);
  }
  if (posters) for (const [name, card] of cards) showPicture(name, card);
}

function show(names) {
  for (const [name, card] of cards)
    if (!names.includes(name)) {
      card.remove();
      cards.delete(name);
    }
  for (const [index, name] of names.entries()) {
    if (!cards.has(name)) cards.set(name, createCard(name));
    const card = cards.get(name);
    if (list.children[index] !== card) list.insertBefore(card, list.children[index] ?? null);
  }
}

function createCard(name) {
  const card = document.createElement("li");
  const link = document.createElement("a");
  link.href = `/?stream=${encodeURIComponent(name)}`;
  const picture = document.createElement("span");
  picture.className = "picture";
  const title = document.createElement("span");
  title.className = "name";
  title.textContent = name;
  link.append(picture, title);
  card.append(link);
  return card;
}

/** A new picture takes the place of the old one once it is there; a stream may have none. */
function showPicture(name, card) {
  const image = document.createElement("img");
  image.alt = "";
  image.addEventListener("load", () => card.querySelector(".picture").replaceChildren(image));
  image.src = `/images/${encodeURIComponent(name)}.jpg?${Math.floor(Date.now() / PICTURE_MS)}`;
}

function say(text) {
  if (summary.textContent !== text) summary.textContent = text;
}

async function main() {
  const config = await loadConfig();
  for (;;) {
    await refresh(config);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

main().catch((error) => say(`No answer: ${error.message}`));
