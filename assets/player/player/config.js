// The edge's settings for this page, which the server wrote as data. Nothing of it becomes HTML or a script.

const CORNERS = ["top-left", "top-right", "bottom-left", "bottom-right"];

export async function loadConfig() {
  const response = await fetch("/player.json");
  if (!response.ok) throw new Error(`player.json answers ${response.status}`);
  return readConfig(await response.json(), location.origin);
}

/** What is of the wrong form is left out. */
export function readConfig(given, origin) {
  const position = given.player_watermark_position;
  return {
    hls_signed: given.hls_signed === true,
    hls_nested: given.hls_nested === true,
    hls_dvr: given.hls_dvr === true,
    posters: given.snapshots === true,
    watermark: webAddress(given.player_watermark_source, origin),
    watermarkLink: webAddress(given.player_watermark_link, origin),
    watermarkPosition: CORNERS.includes(position) ? position : "top-right",
    buttons: colour(given.player_color_buttons),
    seekbar: colour(given.player_color_seekbar),
    analytics: /^G-[A-Z0-9]+$/.test(given.player_ga_account) ? given.player_ga_account : null,
  };
}

function webAddress(text, origin) {
  if (typeof text !== "string" || text === "") return null;
  try {
    const url = new URL(text, origin);
    return url.protocol === "https:" || url.protocol === "http:" ? url.href : null;
  } catch {
    return null;
  }
}

function colour(digits) {
  return /^[0-9a-fA-F]{6}$/.test(digits) ? `#${digits}` : null;
}
