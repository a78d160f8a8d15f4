// The status page of builds without VTS: what is published now, asked for every few seconds.

const POLL_MS = 3000;
// From the origin, because a page opened as USER:PASSWORD@HOST may not fetch relative addresses.
const STREAMS = new URL("/status/streams.json", location.origin);
const summary = document.getElementById("summary");
const rows = document.getElementById("streams");

async function refresh() {
  try {
    const response = await fetch(STREAMS, { cache: "no-store" });
    if (!response.ok) throw new Error(`the edge answers ${response.status}`);
    const { streams } = await response.json();
    const text = streams.length === 0 ? "No stream is live." : `Live streams: ${streams.length}`;
    if (summary.textContent !== text) summary.textContent = text;
    rows.replaceChildren(...streams.map(row));
  } catch (error) {
    summary.textContent = `No answer: ${error.message}`;
  }
  setTimeout(refresh, POLL_MS);
}

function row(stream) {
  const tr = document.createElement("tr");
  const link = document.createElement("a");
  link.href = `/?stream=${encodeURIComponent(stream.name)}`;
  link.textContent = stream.name;
  tr.append(cell(link), ...details(stream).map(cell));
  return tr;
}

function details({ draining, ms, bits_per_second: bits, video, audio, viewers }) {
  const watching = viewers === undefined ? "" : `about ${viewers}`;
  if (draining) return ["since before the last reload", watching, "", "", ""];
  return [
    duration(ms),
    watching,
    `${(bits / 1e6).toFixed(1)} Mbit/s`,
    video === null ? "none" : `${video.codec} ${video.width}×${video.height}, ${video.frames_per_second}/s`,
    audio === null ? "none" : `${audio.codec} ${audio.hertz / 1000} kHz`,
  ];
}

function duration(ms) {
  const minutes = Math.floor(ms / 60000);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function cell(content) {
  const td = document.createElement("td");
  td.append(content);
  return td;
}

refresh();
